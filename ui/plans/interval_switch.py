"""The choice between monthly and yearly prices: two labelled radios that look like one switch.

`app.js` shows the other interval's texts at once (they stand in `data-month` and `data-year`), the server follows.
Without a script the form shows the page again with `?interval=`.
"""

from collections.abc import Callable, Mapping

from nicegui.events import GenericEventArguments

from catalog import Interval
from ui.nicegui_ext.html import Tag
from ui.text.i18n import _

Change = Callable[[Interval], None]


def interval_of(query: Mapping[str, str]) -> Interval:
    """Return the interval that an address asks for: the month unless it says otherwise."""
    return Interval.YEAR if query.get("interval") == Interval.YEAR else Interval.MONTH


def interval_switch(chosen: Interval, saving: str, on_change: Change) -> None:
    """Draw the switch; `saving` is what a year saves, shown beside it ("2 months free")."""
    labels = {Interval.MONTH: _("Monthly"), Interval.YEAR: _("Yearly")}
    with Tag("form", method="get", classes="interval-form"):
        with Tag("fieldset"):
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
                        Tag("span", label)
                        if interval is Interval.YEAR and saving:
                            Tag("span", saving, classes="saving")
        with Tag("noscript"):
            Tag("button", _("Show prices"), type="submit", classes="button button-secondary")


def _answer(on_change: Change, interval: Interval) -> Callable[[GenericEventArguments], None]:
    return lambda _event: on_change(interval)
