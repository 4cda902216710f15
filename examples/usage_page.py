"""`/usage`: a page for members of a plan, drawn with NiceGUI's own elements. Copy it and change what it shows.

EXTENSIONS=examples.usage_page make run
"""

from typing import Final

from nicegui import ui

from services.container import Container
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.page.extensions import Extension, NavigationEntry
from ui.page.frame import frame
from ui.serving.document import page
from ui.serving.plan_guard import members_only
from ui.text.i18n import N_, _

PLAN: Final = "basic"
"""The plan that opens the page; plans that include it open it too."""

CALLS: Final = {
    "week": {
        "11-23": 1_240,
        "11-24": 1_310,
        "11-25": 1_480,
        "11-26": 1_390,
        "11-27": 1_720,
        "11-28": 610,
        "11-29": 540,
    },
    "month": {"2026-W45": 7_900, "2026-W46": 8_290, "2026-W47": 8_870, "2026-W48": 9_140},
}
"""What your own service would answer."""

GREY: Final = "#7b8191"
FAINT: Final = "rgba(128, 128, 128, 0.25)"
"""A chart is a picture, which no style sheet reaches: colours that read on light and on dark ground."""


def register(container: Container) -> None:
    """Add the page."""

    # Translators: title of a page: how much of a plan was used
    @page(container, "/usage", title=N_("Usage"), robots="noindex", requires_sign_in=True, elements="all")
    @members_only(PLAN)
    def usage(context: PageContext) -> None:
        with frame(context):
            Tag("h1", _("Usage"))
            UsageView()


class UsageView:
    """A choice of the time, a chart and a table of the same figures."""

    def __init__(self) -> None:
        periods = {"week": _("This week"), "month": _("This month")}
        # Translators: label of a choice between this week and this month
        self._period = ui.select(periods, value="week", label=_("Period"), on_change=self._show)
        self._period.props("outlined").classes("w-64")
        self._chart = ui.echart(_chart("week")).classes("w-full h-72")
        columns: list[dict[str, object]] = [
            # Translators: head of a table column: day and hour
            {"name": "when", "label": _("When"), "field": "when", "align": "left"},
            {"name": "calls", "label": _("API calls"), "field": "calls", "sortable": True},
        ]
        self._table = ui.table(columns=columns, rows=_rows("week"), row_key="when", title=_("API calls"))

    def _show(self) -> None:
        self._chart.options.update(_chart(self._period.value))
        self._chart.update()
        self._table.rows = _rows(self._period.value)


def _chart(period: str) -> dict[str, object]:
    calls = CALLS[period]
    return {
        "aria": {"enabled": True, "label": {"description": _("API calls")}},
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 56, "right": 16, "top": 16, "bottom": 32},
        "xAxis": {"type": "category", "data": list(calls), "axisLabel": {"color": GREY}},
        "yAxis": {"type": "value", "axisLabel": {"color": GREY}, "splitLine": {"lineStyle": {"color": FAINT}}},
        "series": [{"type": "bar", "data": list(calls.values()), "name": _("API calls")}],
    }


def _rows(period: str) -> list[dict[str, object]]:
    return [{"when": when, "calls": calls} for when, calls in CALLS[period].items()]


EXTENSION = Extension(register, navigation=(NavigationEntry("/usage", N_("Usage"), signed_in_only=True),))
