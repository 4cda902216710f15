"""All plans side by side with the month/year choice above them, and the plan that is sold by talking below.

Plans of other groups than the first, such as add-ons, stand on lines of their own.

    grid = PlanGrid(context, offers, interval, on_press=presses(context, problems))

The cards share row lines (`styles/30_plans.css`), so that names, prices, buttons and first features stand level.
`data-lead` says that a card which may move to the front is followed by another, so that its end can be seen.
"""

from collections.abc import Callable, Sequence
from typing import Final

from catalog import Interval, Plan
from ui.components.button import button
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.plans.card import PlanCard, PlanOffer, Pressed
from ui.plans.catalog_words import in_groups
from ui.plans.interval_switch import interval_switch
from ui.plans.savings import own_saving, shared_saving
from ui.text.i18n import _
from ui.theme.icons import icon

MOST_COLUMNS: Final = 4


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
            shared = shared_saving(context.catalog, [offer.plan for offer in sold])
            if any(len(offer.plan.offered) > 1 for offer in sold):
                interval_switch(interval, shared, self.show, context.query)
            self.cards = {}
            first, *others = in_groups([offer.plan for offer in sold]) or [[]]
            for group, label in [(first, _("Plans")), *((group, _("Also available")) for group in others)]:
                if group is not first:
                    Tag("p", label, classes="plan-group-title")
                with list_of(group, label):
                    for offer in sold:
                        if offer.plan in group:
                            saving = own_saving(context.catalog, offer.plan, shared)
                            self.cards[offer.plan.id] = PlanCard(
                                context, offer, interval, heading=heading, saving=saving, on_press=on_press
                            )
            if not offers:
                Tag("p", _("No plans are for sale right now."), classes="muted")
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


def list_of(plans: Sequence[Plan], label: str) -> Tag:
    """Return the list for a group's cards; its columns follow from how many there are."""
    columns = _columns(len(plans))
    lead = "" if any(plan.highlighted for plan in plans[:-1]) else None
    return Tag(
        "ul", classes="plan-grid", data_count=len(plans), data_columns=columns, data_lead=lead, aria_label=label,
        data_lines="" if len(plans) > columns else None,
    )  # fmt: skip


def _columns(count: int) -> int:
    """Return how many cards stand side by side on a wide screen: full lines where that can be."""
    if count <= MOST_COLUMNS:
        return count
    return 3 if count % 3 == 0 or count == 5 else MOST_COLUMNS


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
