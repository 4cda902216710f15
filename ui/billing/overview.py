"""What a user has, complete: the card that counts, the others, and a warning when two subscriptions can charge."""

from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Subscription
from ui.billing.live import Live, Part
from ui.billing.portal_button import portal_button
from ui.billing.problem import ProblemPlace
from ui.billing.subscription_card import SubscriptionCard
from ui.billing.why import WhyItSays
from ui.components.notice import notice
from ui.page.context import PageContext
from ui.text.claim_words import claims_attribute
from ui.text.i18n import _
from ui.text.twice_words import twice_words


class Overview:
    """The cards of a user's subscriptions. `show` changes them in place."""

    def __init__(self, context: PageContext, live: Live, problems: ProblemPlace, *, heading: str = "h2") -> None:
        self._context = context
        self._live = live
        self._problems = problems
        self._heading = heading
        self._twice = Part(self._draw_twice)
        self._card = SubscriptionCard(context, live.look_now, problems, heading=heading)
        self._why = WhyItSays(context)
        self._groups = Part(self._draw_groups, classes="other-subscriptions")
        self._others = Part(self._draw_others, classes="other-subscriptions")

    def show(self, customer_status: CustomerStatus | None) -> None:
        """Show a status; None keeps the place while no service has answered."""
        if customer_status is None:
            self._card.show_nothing_yet()
            return
        self._card.show(customer_status.current, customer_status)
        self._why.show(customer_status)
        self._twice.show(customer_status.duplicates)
        self._groups.show((customer_status.beside, customer_status))
        self._others.show((tuple(other for other in customer_status.others if other.live), customer_status))

    def _draw_twice(self, duplicates: tuple[Subscription, ...]) -> None:
        if duplicates:
            draw_duplicates(self._context, duplicates, self._problems)

    def _draw_groups(self, key: "tuple[tuple[Subscription, ...], CustomerStatus]") -> None:
        """Draw a card of its own for what the user has in each other group of plans."""
        beside, customer_status = key
        for place, subscription in enumerate(beside):
            card = SubscriptionCard(
                self._context,
                self._live.look_now,
                self._problems,
                heading=self._heading,
                title_id=f"group-{place}",
            )
            card.show(subscription, customer_status)

    def _draw_others(self, key: "tuple[tuple[Subscription, ...], CustomerStatus]") -> None:
        others, customer_status = key
        for place, subscription in enumerate(others):
            card = SubscriptionCard(
                self._context,
                self._live.look_now,
                self._problems,
                heading=self._heading,
                title_id=f"other-{place}",
                beside=True,
            )
            card.show(subscription, customer_status)


def draw_duplicates(context: PageContext, duplicates: tuple[Subscription, ...], problems: ProblemPlace) -> None:
    """Say that more than one subscription can charge, which one to end, and where."""
    words = twice_words(duplicates, context.catalog, context.locale)
    if words is None:
        return
    with notice("warning", words.sentence, title=words.title) as box:
        box.set(data_claims=claims_attribute(words.claims))
        portal_button(context, _("Open billing portal"), problems=problems, testid="end-duplicate")
