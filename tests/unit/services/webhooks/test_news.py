"""What is told when: the rules from what was told last and what is known now, without anything around them."""

from datetime import UTC, datetime, timedelta

import pytest

from services.entitlements.model import entitlement_of
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Reason, Source, State, Subscription
from services.webhooks.model import EventKind, Told
from services.webhooks.news import Known, Seen, baseline, look_again_at, news
from tests.shop import CATALOG

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
GROUP = CATALOG.plan("premium").group
IN_A_MONTH = NOW + timedelta(days=30)
NONE = Subscription(state=State.NONE, reason=Reason.NO_SUBSCRIPTION, source=Source.BOTH, as_of=NOW, group=GROUP)
PREMIUM = Subscription(
    state=State.ACTIVE, reason=Reason.AGREED, source=Source.BOTH, as_of=NOW, access=True, plan_id="premium",
    group=GROUP, until=IN_A_MONTH,
)  # fmt: skip


def having(one: Subscription, at: datetime = NOW) -> Seen:
    status = CustomerStatus(customer="ada", current=one, groups={GROUP: one}, as_of=at)
    return Seen("ada", (), at, Known(status, entitlement_of(status, CATALOG)))


def kinds(told: Told, seen: Seen) -> list[str]:
    return [event.kind.value for event in news(told, seen)[1]]


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (NONE, PREMIUM, ["subscription.started", "entitlements.changed"]),
        (PREMIUM, PREMIUM, []),
        (PREMIUM, PREMIUM.model_copy(update={"ends": True}), ["subscription.ending"]),
        (PREMIUM, PREMIUM.model_copy(update={"state": State.CANCELED, "ends": True}), ["subscription.ending"]),
        (PREMIUM, PREMIUM.model_copy(update={"state": State.PAST_DUE}), ["subscription.past_due"]),
        (PREMIUM, PREMIUM.model_copy(update={"plan_id": "basic"}), ["subscription.changed", "entitlements.changed"]),
        (PREMIUM.model_copy(update={"ends": True}), PREMIUM, ["subscription.changed"]),
        (PREMIUM, NONE, ["subscription.ended", "entitlements.changed"]),
    ],
    ids=["bought", "the same", "will not renew", "canceled, runs on", "unpaid", "other plan", "kept after all", "over"],
)
def test_a_subscriptions_life_is_told_step_by_step(before: Subscription, now: Subscription, told: list[str]) -> None:
    assert kinds(baseline(having(before)), having(now)) == told


@pytest.mark.parametrize("state", [State.UNAVAILABLE, State.CONFIRMING])
def test_what_nobody_can_say_changes_nothing_of_a_subscription(state: State) -> None:
    told = baseline(having(PREMIUM))
    unsure = PREMIUM.model_copy(update={"state": state})

    after, events = news(told, having(unsure))

    assert events == ()
    assert after.groups == told.groups


def test_a_service_that_did_not_answer_makes_no_news() -> None:
    assert kinds(baseline(having(PREMIUM)), Seen("ada", (), NOW, None)) == []


def test_a_disagreement_is_told_once_and_again_after_it_was_settled() -> None:
    conflict = PREMIUM.model_copy(update={"state": State.CONFLICT, "reason": Reason.ACCOUNT_DIFFERS})
    told, events = news(baseline(having(PREMIUM)), having(conflict))
    still, again = news(told, having(conflict))
    settled, quiet = news(still, having(PREMIUM))

    assert [event.kind for event in events] == [EventKind.DISAGREEMENT_FOUND]
    assert events[0].data["reason"] == "account_differs"
    assert (again, quiet) == ((), ())
    assert kinds(settled, having(conflict)) == ["disagreement.found"]


RENEWS = PREMIUM.model_copy(update={"goes_on": True})


@pytest.mark.parametrize(
    ("one", "at", "told"),
    [
        (RENEWS, IN_A_MONTH - timedelta(days=7), ["renewal.upcoming"]),
        (RENEWS, IN_A_MONTH - timedelta(days=8), []),
        (RENEWS, IN_A_MONTH + timedelta(seconds=1), []),
        (PREMIUM, IN_A_MONTH - timedelta(days=7), []),
        (PREMIUM.model_copy(update={"ends": True}), IN_A_MONTH - timedelta(days=7), ["subscription.ending"]),
        (RENEWS.model_copy(update={"until": None}), NOW, []),
    ],
    ids=["seven days before", "earlier", "too late", "nobody says that it renews", "it ends", "no date"],
)
def test_a_renewal_is_announced_only_where_a_service_says_it(one: Subscription, at: datetime, told: list[str]) -> None:
    assert kinds(baseline(having(PREMIUM)), having(one, at)) == told


def test_a_renewal_is_announced_once_and_the_next_one_again() -> None:
    near = IN_A_MONTH - timedelta(days=6)
    told, events = news(baseline(having(RENEWS)), having(RENEWS, near))
    renewed = RENEWS.model_copy(update={"until": IN_A_MONTH + timedelta(days=30)})

    assert events[0].data["until"] == IN_A_MONTH.isoformat()
    assert kinds(told, having(RENEWS, near + timedelta(days=1))) == []
    assert kinds(told, having(renewed, IN_A_MONTH + timedelta(days=24))) == ["renewal.upcoming"]


def test_somebody_who_never_comes_is_looked_at_in_time_for_the_announcement() -> None:
    assert look_again_at(having(RENEWS)) == IN_A_MONTH - timedelta(days=7)
    assert look_again_at(having(PREMIUM)) == IN_A_MONTH + timedelta(seconds=60)
    assert look_again_at(having(NONE)) is None
