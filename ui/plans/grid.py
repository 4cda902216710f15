"""All plans side by side with the month/year choice above them, and the plan that is sold by talking below.

    grid = PlanGrid(visit, offers, interval, on_press=subscribe)

The cards share row lines (`styles/30_plans.css`), so that names, prices, buttons and first features stand level.
`data-lead` says that a card which may move to the front is followed by another, so that its end can be seen.
"""

from collections.abc import Callable, Sequence

from catalog import Interval
from ui.components.button import button
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.plans.card import PlanCard, PlanOffer, Pressed
from ui.plans.interval_switch import interval_switch
from ui.plans.price import saving_words
from ui.text.i18n import _
from ui.theme.icons import icon


class PlanGrid:
    """The plans on a page. `cards` are those with a price or free, by plan id."""

    def __init__(
        self,
        context: PageContext,
        offers: Sequence[PlanOffer],
        interval: Interval,
        *,
        heading: str = "h2",
        on_press: Pressed | None = None,
        on_interval: Callable[[Interval], None] | None = None,
    ) -> None:
        self.interval = interval
        self._on_interval = on_interval
        sold = [offer for offer in offers if offer.plan.kind != "contact"]
        with Tag("div", classes="plans", data_swaps=""):
            if any(len(offer.plan.prices) > 1 for offer in sold):
                interval_switch(interval, _best_saving(context, sold), self.show)
            lead = "" if any(offer.plan.highlighted for offer in sold[:-1]) else None
            with Tag("ul", classes="plan-grid", data_count=len(sold), data_lead=lead, aria_label=_("Plans")):
                self.cards = {
                    offer.plan.id: PlanCard(context, offer, interval, heading=heading, on_press=on_press)
                    for offer in sold
                }
            for offer in offers:
                if offer.plan.kind == "contact":
                    _contact_card(context, offer, heading)

    def show(self, interval: Interval) -> None:
        """Show the other interval's prices and buttons."""
        self.interval = interval
        for card in self.cards.values():
            card.show(interval)
        if self._on_interval is not None:
            self._on_interval(interval)

    def release(self) -> None:
        """Let all buttons be pressed again."""
        for card in self.cards.values():
            card.release()


def _best_saving(context: PageContext, offers: Sequence[PlanOffer]) -> str:
    savings = [saving for offer in offers if (saving := context.catalog.yearly_saving(offer.plan)) is not None]
    return saving_words(max(savings, key=lambda saving: saving.percent)) if savings else ""


def _contact_card(context: PageContext, offer: PlanOffer, heading: str) -> None:
    plan = offer.plan
    title = f"plan-{plan.id}"
    with Tag("section", classes="contact-card card", testid=f"plan-card-{plan.id}", aria_labelledby=title):
        with Tag("div", classes="contact-words"):
            Tag(heading, context.text(plan.name), id=title, classes="contact-name")
            Tag("p", context.text(plan.tagline), classes="muted")
        with Tag("ul", classes="features"):
            for feature in plan.features:
                with Tag("li"):
                    icon("check")
                    Tag("span", context.text(feature.text))
        spec = offer.buttons[Interval.MONTH]
        button(spec.label, "secondary", href=spec.url, testid=f"subscribe-{plan.id}")
