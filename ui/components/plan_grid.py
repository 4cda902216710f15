"""All plans side by side with the month/year choice above them, and the plan that is sold by talking below.

    grid = PlanGrid(visit, offers, interval, on_press=subscribe)

The cards share row lines (`styles/30_plans.css`), so that names, prices, buttons and first features stand level.
`data-lead` says that a card which may move to the front is followed by another, so that its end can be seen.
"""

from collections.abc import Callable, Sequence

from catalog import Interval
from ui.components.button import button
from ui.components.interval_switch import interval_switch
from ui.components.plan_card import PlanCard, PlanOffer, Pressed
from ui.components.price import saving_words
from ui.html import Tag
from ui.i18n import _
from ui.icons import icon
from ui.visit import Visit


class PlanGrid:
    """The plans on a page. `cards` are those with a price or free, by plan id."""

    def __init__(
        self,
        visit: Visit,
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
                interval_switch(interval, _best_saving(visit, sold), self.show)
            lead = "" if any(offer.plan.highlighted for offer in sold[:-1]) else None
            with Tag("ul", classes="plan-grid", data_count=len(sold), data_lead=lead, aria_label=_("Plans")):
                self.cards = {
                    offer.plan.id: PlanCard(visit, offer, interval, heading=heading, on_press=on_press)
                    for offer in sold
                }
            for offer in offers:
                if offer.plan.kind == "contact":
                    _contact_card(visit, offer, heading)

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


def _best_saving(visit: Visit, offers: Sequence[PlanOffer]) -> str:
    savings = [saving for offer in offers if (saving := visit.site.catalog.yearly_saving(offer.plan)) is not None]
    return saving_words(max(savings, key=lambda saving: saving.percent)) if savings else ""


def _contact_card(visit: Visit, offer: PlanOffer, heading: str) -> None:
    plan = offer.plan
    title = f"plan-{plan.id}"
    with Tag("section", classes="contact-card card", testid=f"plan-card-{plan.id}", aria_labelledby=title):
        with Tag("div", classes="contact-words"):
            Tag(heading, visit.text(plan.name), id=title, classes="contact-name")
            Tag("p", visit.text(plan.tagline), classes="muted")
        with Tag("ul", classes="features"):
            for feature in plan.features:
                with Tag("li"):
                    icon("check")
                    Tag("span", visit.text(feature.text))
        spec = offer.buttons[Interval.MONTH]
        button(spec.label, "secondary", href=spec.url, testid=f"subscribe-{plan.id}")
