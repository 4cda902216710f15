"""What somebody has, complete: the card that counts, the others, and a warning when two subscriptions can charge."""

from services.standing import Standing
from services.subscription import Subscription
from ui.components.live import Live, Part
from ui.components.notice import notice
from ui.components.portal_button import portal_button
from ui.components.problem import ProblemPlace
from ui.components.subscription_card import SubscriptionCard
from ui.i18n import _
from ui.state_words import plan_name
from ui.visit import Visit


class Overview:
    """The cards of a user's subscriptions. `show` changes them in place."""

    def __init__(self, visit: Visit, live: Live, problems: ProblemPlace, *, heading: str = "h2") -> None:
        self._visit = visit
        self._live = live
        self._problems = problems
        self._heading = heading
        self._twice = Part(self._draw_twice)
        self._card = SubscriptionCard(visit, live.look_now, problems, heading=heading)
        self._others = Part(self._draw_others, classes="other-subscriptions")

    def show(self, standing: Standing | None) -> None:
        """Show a standing; None keeps the place while nobody has answered."""
        if standing is None:
            self._card.show_nothing_yet()
            return
        self._card.show(standing.current, standing)
        self._twice.show(standing.duplicates)
        self._others.show((tuple(other for other in standing.others if other.live), standing))

    def _draw_twice(self, duplicates: tuple[Subscription, ...]) -> None:
        if duplicates:
            draw_duplicates(self._visit, duplicates, self._problems)

    def _draw_others(self, key: "tuple[tuple[Subscription, ...], Standing]") -> None:
        others, standing = key
        for place, subscription in enumerate(others):
            card = SubscriptionCard(
                self._visit,
                self._live.look_now,
                self._problems,
                heading=self._heading,
                title_id=f"other-{place}",
                beside=True,
            )
            card.show(subscription, standing)


def draw_duplicates(visit: Visit, duplicates: tuple[Subscription, ...], problems: ProblemPlace) -> None:
    """Say that more than one subscription can charge, which one to end, and where."""
    names = [
        plan_name(subscription.plan_id, visit.site.catalog, visit.locale) or _("another plan")
        for subscription in duplicates
    ]
    sentence = _(
        "{count} subscriptions are running, and each is charged. Your account uses {kept}: end {spare} in the billing "
        "portal."
    ).format(count=len(duplicates), kept=names[0], spare=", ".join(names[1:]))
    with notice("warning", sentence, title=_("You're paying twice")):
        portal_button(visit, _("Open billing portal"), problems=problems, testid="end-duplicate")
