"""What is said after a visit to the portal, on which difference between before and after."""

from datetime import timedelta
from typing import Final

import pytest

from services.claims import ClaimKind, portal_news_claims
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Reason, Source, State, Subscription
from services.subscription.told_terms import ToldTerms
from tests.unit.services.subscription.snapshot_tables import NOW


def subscription(state: State, plan: str | None = "premium", **more: object) -> Subscription:
    base = {
        "reason": Reason.BILLING_SAYS, "source": Source.BILLING, "as_of": NOW, "plan_id": plan, "group": "main",
        "product_id": f"prod_{plan}", "subscription_id": f"sub_{plan}",
    }  # fmt: skip
    return Subscription.model_validate({**base, "state": state, **more})


def status(current: Subscription, *others: Subscription, failed: str | None = None) -> CustomerStatus:
    """Return what is known of a customer with that one, and others of its group beside it."""
    return CustomerStatus(
        customer="c", as_of=NOW, current=current, groups={"main": current}, others=others, billing_failed=failed
    )


ACTIVE: Final = subscription(State.ACTIVE)
BASIC: Final = subscription(State.ACTIVE, "basic")
ALL_TOLD: Final = subscription(State.ACTIVE, "basic", told=ToldTerms())


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (status(ACTIVE), status(ACTIVE), []),
        (status(ACTIVE), status(BASIC), [ClaimKind.PLAN_CHANGED]),
        (status(ACTIVE), status(subscription(State.PAST_DUE, "basic")),
         [ClaimKind.PLAN_CHANGED, ClaimKind.STATE_CHANGED]),
        (status(ACTIVE), status(subscription(State.ACTIVE, ends=True)), [ClaimKind.STATE_CHANGED]),
        (status(ACTIVE), status(subscription(State.ACTIVE, until=NOW + timedelta(days=9))), []),
        (status(subscription(State.ACTIVE, until=NOW)), status(subscription(State.ACTIVE, until=NOW + timedelta(9))),
         [ClaimKind.STATE_CHANGED]),
        (status(subscription(State.PAST_DUE)), status(ACTIVE), [ClaimKind.ACTIVE_AGAIN]),
        (status(subscription(State.PAUSED)), status(subscription(State.TRIALING)), [ClaimKind.STATE_CHANGED]),
        (status(ACTIVE), status(subscription(State.PAUSED)), [ClaimKind.PAUSED_SINCE]),
        (status(ACTIVE, BASIC), status(ACTIVE), [ClaimKind.ONE_CHANGED]),
        (status(ACTIVE, ALL_TOLD), status(ACTIVE), [ClaimKind.ONE_ENDED]),
        (status(ACTIVE, BASIC), status(ACTIVE, subscription(State.CANCELED, "basic")), [ClaimKind.ONE_ENDED]),
        (status(ACTIVE), status(subscription(State.CANCELED), failed="upstream_timeout"), []),
    ],
)  # fmt: skip
def test_what_changed_in_the_portal_is_the_difference_that_a_service_tells(
    before: CustomerStatus, after: CustomerStatus, says: list[ClaimKind]
) -> None:
    found = portal_news_claims(before, after)

    assert [claim.says for claim in found] == says
    assert all(claim.plan == after.current.plan_id for claim in found)
