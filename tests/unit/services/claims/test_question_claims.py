"""What is said of a checkout before another one is started beside it, and of one that was never confirmed."""

from datetime import timedelta

import pytest

from services.checkout_record import WEBHOOKS_REPEATED, CheckoutEvent, CheckoutKind
from services.claims import (
    ClaimKind,
    Evidence,
    beside_claims,
    changed_since_claim,
    on_top_claim,
    question_claims,
    unanswered_claims,
)
from services.subscription.model import Source
from tests.unit.services.subscription.snapshot_tables import NOW, checkout, customer_status

DAY = 86_400
UNHEARD = DAY + WEBHOOKS_REPEATED.total_seconds() + 1
BACK, LEFT = CheckoutEvent.RETURNED, CheckoutEvent.CANCELED


@pytest.mark.parametrize(
    ("kind", "started", "events", "says"),
    [
        ("subscription", 60, [], (ClaimKind.STARTED,)),
        ("subscription", 60, [(LEFT, 5)], (ClaimKind.STARTED, ClaimKind.PAYMENT_POSSIBLE)),
        ("subscription", DAY + 1, [], (ClaimKind.STARTED, ClaimKind.PAYMENT_POSSIBLE)),
        ("subscription", UNHEARD, [], (ClaimKind.STARTED, ClaimKind.PAYMENT_UNHEARD)),
        ("subscription", 60, [(BACK, 5)], (ClaimKind.NOT_CONFIRMED_YET,)),
        ("item", 60, [(BACK, 5)], (ClaimKind.ORDERED_BEFORE,)),
        ("item", 60, [], (ClaimKind.STARTED,)),
    ],
)
def test_what_was_started_is_said_as_far_as_it_is_known(
    kind: str, started: float, events: list[tuple[CheckoutEvent, float]], says: tuple[ClaimKind, ...]
) -> None:
    open_one = checkout(started=started, events=events).model_copy(update={"kind": CheckoutKind(kind)})

    claims = question_claims(open_one, NOW)

    assert tuple(claim.says for claim in claims) == says
    assert {(claim.evidence, claim.checkout_id) for claim in claims} == {(Evidence.CHECKOUT, open_one.id)}
    assert claims[0].date == (open_one.at(BACK) or open_one.started_at)


@pytest.mark.parametrize(
    ("started", "events", "says"),
    [
        (60, [], [ClaimKind.STILL_PAYABLE]),
        (60, [(LEFT, 5)], [ClaimKind.STILL_PAYABLE]),
        (DAY + 1, [], []),
        (60, [(CheckoutEvent.EXPIRED, 5)], []),
        (UNHEARD, [], [ClaimKind.PAYMENT_UNHEARD]),
    ],
)
def test_who_starts_another_is_told_that_the_first_can_be_paid_or_may_have_been(
    started: float, events: list[tuple[CheckoutEvent, float]], says: list[ClaimKind]
) -> None:
    claims = beside_claims(checkout(started=started, events=events), NOW)

    assert [claim.says for claim in claims] == says


def test_a_return_that_was_seen_is_asked_about_by_its_day_and_any_other_checkout_by_its_start() -> None:
    seen = checkout(started=3 * DAY, events=[(BACK, 2 * DAY)])
    told = checkout(started=3 * DAY, events=[(BACK, 2 * DAY), (CheckoutEvent.COMPLETE, 2 * DAY)])

    (came_back,) = unanswered_claims(seen, NOW)
    started, never = unanswered_claims(told, NOW)

    assert (came_back.says, came_back.date) == (ClaimKind.UNCONFIRMED, NOW - timedelta(days=2))
    assert (started.says, started.date) == (ClaimKind.STARTED, NOW - timedelta(days=3))
    assert (never.says, never.date) == (ClaimKind.NEVER_CONFIRMED, None)


def test_that_a_new_one_is_charged_on_top_is_said_of_the_plan_on_record() -> None:
    claim = on_top_claim("premium", NOW)

    assert (claim.says, claim.plan, claim.amount) == (ClaimKind.CHARGED_ON_TOP, "premium", None)


def test_a_change_since_the_purchase_rests_on_who_says_what_there_is_now() -> None:
    bought = checkout("basic", events=[(BACK, 50), (CheckoutEvent.ACCESS_ON, 40)])
    now = customer_status("premium=active", "premium active").current

    told = changed_since_claim(bought, now, NOW)
    by_account = changed_since_claim(bought, now.model_copy(update={"source": Source.ACCOUNT}), NOW)

    assert (told.says, told.plan, told.evidence) == (ClaimKind.CHANGED_SINCE, "basic", Evidence.BILLING)
    assert by_account.evidence is Evidence.ACCOUNT
