"""The table that compares the plans line by line, with a head that stays in sight."""

from typing import Final

from catalog import Catalog, Plan
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.plans.feature_words import row_name, row_value, shown_groups
from ui.text.i18n import _
from ui.theme.icons import icon

SIDE_BY_SIDE: Final = 4
LONGEST_HEAD: Final = 14
"""How many plans, and words of how many letters, a narrow screen can show in columns; of more, each value stands beside
its plan's name."""


def compared(catalog: Catalog) -> list[Plan]:
    """Return the plans that have a column."""
    return [plan for plan in catalog.on_sale if plan.kind != "contact"]


def comparison_table(context: PageContext, catalog: Catalog) -> None:
    """Draw the catalog's comparison. On a phone each line's name stands above its values, so roles are explicit."""
    plans = compared(catalog)
    longest = max((len(word) for plan in plans for word in context.text(plan.name).split()), default=0)
    many = "" if len(plans) > SIDE_BY_SIDE or longest > LONGEST_HEAD else None
    with Tag("table", classes="comparison", role="table", aria_labelledby="comparison-title", data_many=many).style(
        f"--plans:{len(plans)}"
    ):
        with Tag("thead", role="rowgroup"), Tag("tr", role="row"):
            with Tag("th", scope="col", role="columnheader"):
                Tag("span", _("Feature"), classes="visually-hidden")
            for plan in plans:
                Tag("th", context.text(plan.name), scope="col", role="columnheader", data_highlighted=_mark(plan))
        for group in shown_groups(context, catalog):
            with Tag("tbody", role="rowgroup"):
                with Tag("tr", role="row", classes="comparison-group"):
                    Tag("th", context.text(group.name), scope="colgroup", role="columnheader", colspan=len(plans) + 1)
                for row in group.rows:
                    with Tag("tr", role="row"):
                        with Tag("th", scope="row", role="rowheader"):
                            Tag("span", row_name(context, catalog, row))
                            if row.note is not None:
                                Tag("span", f" {context.text(row.note)}", classes="row-note muted small")
                        for plan in plans:
                            _cell(context, plan, row_value(context, catalog, row, plan))


def _cell(context: PageContext, plan: Plan, value: bool | str) -> None:
    if not isinstance(value, bool):
        with Tag("td", role="cell", data_highlighted=_mark(plan), data_plan=context.text(plan.name)):
            Tag("span", value)
        return
    with Tag("td", role="cell", data_highlighted=_mark(plan), data_plan=context.text(plan.name)):
        icon("check" if value else "minus")
        Tag("span", _("Included") if value else _("Not included"), classes="visually-hidden")


def _mark(plan: Plan) -> str | None:
    return "" if plan.highlighted else None
