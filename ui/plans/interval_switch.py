"""The choice between monthly and yearly prices: two labelled radios that look like one switch.

`app.js` shows the other interval's texts at once (they stand in `data-month` and `data-year`), the server follows. The
choice is kept in the address and in a cookie, so that the next page shows it too. Until the script is there, and where
it never is, two links stand in the place of the radios: they load the page with that interval, so that what is chosen,
shown and sold is the same in any browser.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from nicegui.events import GenericEventArguments

from catalog import Interval
from services.web.problem_address import PROBLEM_AT
from ui.nicegui_ext.html import Tag
from ui.page.context import INTERVAL_COOKIE, PageContext
from ui.text.i18n import _

Change = Callable[[Interval], None]


def interval_of(query: Mapping[str, str]) -> Interval:
    """Return the interval that an address asks for: the month unless it says otherwise."""
    return Interval.YEAR if query.get("interval") == Interval.YEAR else Interval.MONTH


def first_interval(context: PageContext) -> Interval:
    """Return the interval that a page opens with.

    The one that its address names, else that of the plan that the user has, else the one that was chosen last.
    """
    known = context.customer_status
    theirs = known.current.interval if known is not None else None
    asked = context.query.get("interval") or theirs or context.request.cookies.get(INTERVAL_COOKIE)
    return Interval.YEAR if asked == Interval.YEAR else Interval.MONTH


def interval_switch(chosen: Interval, saving: str, on_change: Change, query: Mapping[str, str]) -> None:
    """Draw the switch; `saving` is what a year saves, shown beside it ("2 months free"), `query` the page's own."""
    # Translators: choice of how often one pays
    monthly = _("Monthly")
    # Translators: choice of how often one pays
    yearly = _("Yearly")
    labels = {Interval.MONTH: monthly, Interval.YEAR: yearly}
    with (
        # Translators: name of the choice between monthly and yearly, for screen readers
        Tag("div", classes="interval-form interval-links", role="group", aria_label=_("Billing period")),
        Tag("div", classes="segmented"),
    ):
        for interval, label in labels.items():
            with Tag(
                "a", href=_address(query, interval), rel="nofollow", classes="segment",
                testid=f"interval-{interval}-link", aria_current="true" if interval is chosen else None,
            ):  # fmt: skip
                _words(interval, label, saving)
    with Tag("form", method="get", classes="interval-form"), Tag("fieldset"):
        Tag("legend", _("Billing period"), classes="visually-hidden")
        with Tag("div", classes="segmented"):
            for interval, label in labels.items():
                with Tag("label", classes="segment"):
                    radio = Tag(
                        "input", type="radio", name="interval", value=interval, id=f"interval-{interval}",
                        checked=interval is chosen, testid=f"interval-{interval}", data_interval_choice="",
                        autocomplete="off",
                    )  # fmt: skip
                    radio.on("change", _answer(on_change, interval), args=[])
                    _words(interval, label, saving)


def _address(query: Mapping[str, str], interval: Interval) -> str:
    """Return the address of the page with that interval; what went wrong before is no part of it."""
    kept = {name: value for name, value in query.items() if name not in ("problem", PROBLEM_AT)}
    return f"?{urlencode({**kept, 'interval': interval})}"


def _words(interval: Interval, label: str, saving: str) -> None:
    Tag("span", label)
    if interval is Interval.YEAR and saving:
        Tag("span", saving, classes="saving")


def _answer(on_change: Change, interval: Interval) -> Callable[[GenericEventArguments], None]:
    return lambda _event: on_change(interval)
