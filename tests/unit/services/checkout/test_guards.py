"""Whether a subscription may be sold: never a second one that can charge in one group of plans, and no dead end."""

import pytest

from services.checkout.guards import guard_portal_news, guard_subscription, refusal
from services.checkout_record import Checkout, CheckoutEvent
from services.errors import (
    AlreadySubscribed,
    BillingUnavailable,
    CheckoutInProgress,
    FrontendError,
    PortalNewsDue,
    PurchaseUnconfirmed,
    StatusUnclear,
    StatusUnknown,
    SubscriptionOnRecord,
)
from services.subscription.portal_trace import trace_of
from tests.shop import CATALOG, without
from tests.unit.services.subscription.snapshot_tables import NOW, checkout, customer_status, snapshot

PREMIUM, BACKUP = CATALOG.plan("premium"), CATALOG.plan("backup")
RETURNED = (checkout(events=[(CheckoutEvent.RETURNED, 30)]),)
NEVER_CONFIRMED = (checkout(started=90_000, events=[(CheckoutEvent.RETURNED, 89_000)]),)
NEVER_LISTED = (checkout(started=9e5, events=[(CheckoutEvent.RETURNED, 8e5), (CheckoutEvent.ACCESS_ON, 8e5)]),)
OPEN = (checkout("basic"),)
NOTHING: tuple[Checkout, ...] = ()


@pytest.mark.parametrize(
    ("billing", "account", "checkouts", "reason", "after_the_answer"),
    [
        # Nothing, or nothing that can charge any more: sold.
        ("", "silent", NOTHING, None, None),
        ("", "free active", NOTHING, None, None),
        ("premium=canceled@-5", "silent", NOTHING, None, None),
        ("premium=?", "premium canceled", NOTHING, None, None),
        ("premium=incomplete_expired", "silent", NOTHING, None, None),
        ("backup=active", "silent", NOTHING, None, None),
        ("", "silent", OPEN, None, None),
        # Live in the group: the portal changes it.
        *((f"{plan}={word}", "silent", NOTHING, AlreadySubscribed, AlreadySubscribed)
          for plan in ("basic", "premium")
          for word in ("active", "trialing", "past_due", "unpaid", "incomplete", "paused")),
        ("", "premium past_due", NOTHING, AlreadySubscribed, AlreadySubscribed),
        ("premium=canceled@+5", "silent", NOTHING, AlreadySubscribed, AlreadySubscribed),
        ("basic=?", "basic active", NOTHING, AlreadySubscribed, AlreadySubscribed),
        ("basic=active premium=canceled@-9", "silent", NOTHING, AlreadySubscribed, AlreadySubscribed),
        # Perhaps live: the user's plain answer decides.
        ("premium=?", "silent", NOTHING, SubscriptionOnRecord, None),
        ("basic=?@none", "silent", NOTHING, SubscriptionOnRecord, None),
        ("premium=dormant", "silent", NOTHING, SubscriptionOnRecord, None),
        # Old is not ended: neither a period that is over without a word, nor a grant whose date has passed.
        *((billing, account, NOTHING, SubscriptionOnRecord, None)
          for billing, account in (("premium=?@-4", "silent"), ("premium=?@-400", "silent"), ("basic=?@-4", "- none"),
                                   ("premium=?@-4", "premium active@-4"), ("", "premium active@-4"),
                                   ("", "basic trialing@-400"))),
        ("premium=canceled@-5", "premium active@-4", NOTHING, None, None),
        ("", "premium canceled@-4", NOTHING, None, None),
        ("", "premium active", NEVER_LISTED, AlreadySubscribed, AlreadySubscribed),
        ("basic=canceled@-9", "silent", NEVER_CONFIRMED, PurchaseUnconfirmed, None),
        # On the account, unknown to billing: nobody says that it was a gift, so it may be paid for elsewhere.
        ("", "premium active", NOTHING, SubscriptionOnRecord, None),
        ("", "basic active", NOTHING, SubscriptionOnRecord, None),
        ("", "- active", NOTHING, SubscriptionOnRecord, None),
        ("", "gold-2023 active", NOTHING, SubscriptionOnRecord, None),
        ("", "silent", NEVER_CONFIRMED, PurchaseUnconfirmed, None),
        # In doubt, under way or unknown: nothing starts, whatever the user says.
        ("premium=active", "premium none", NOTHING, StatusUnclear, StatusUnclear),
        ("premium=canceled@-5", "premium active", NOTHING, StatusUnclear, StatusUnclear),
        ("basic=?", "premium active", NOTHING, AlreadySubscribed, AlreadySubscribed),
        ("premium=?#new", "- none", RETURNED, CheckoutInProgress, CheckoutInProgress),
        ("", "silent", RETURNED, CheckoutInProgress, CheckoutInProgress),
        ("!", "silent", NOTHING, BillingUnavailable, BillingUnavailable),
        ("", "silent!", NOTHING, StatusUnknown, StatusUnknown),
        ("", "unasked", NOTHING, StatusUnknown, StatusUnknown),
        ("premium=canceled@-5 !", "silent", NOTHING, BillingUnavailable, BillingUnavailable),
    ],
)  # fmt: skip
def test_the_table(
    billing: str,
    account: str,
    checkouts: tuple[Checkout, ...],
    reason: type[FrontendError] | None,
    after_the_answer: type[FrontendError] | None,
) -> None:
    """The reason for a first press, and for one after "it has ended" or "I was not charged"."""
    found = customer_status(billing, account, *checkouts)

    for has_ended, expected in ((False, reason), (True, after_the_answer)):
        if expected is None:
            guard_subscription(found, PREMIUM, CATALOG, has_ended=has_ended)
            continue
        with pytest.raises(expected) as caught:
            guard_subscription(found, PREMIUM, CATALOG, has_ended=has_ended)
        assert type(caught.value) is expected


def test_the_two_refusals_that_need_an_answer_are_told_apart_from_those_they_extend() -> None:
    assert type(refusal(customer_status("premium=?", "silent"), PREMIUM, CATALOG)) is SubscriptionOnRecord
    assert refusal(customer_status("", "silent"), PREMIUM, CATALOG) is None


def test_a_checkout_in_progress_carries_the_one_to_go_on_with() -> None:
    error = refusal(customer_status("", "silent", *RETURNED), PREMIUM, CATALOG)

    assert isinstance(error, CheckoutInProgress)
    assert error.checkout == RETURNED[0]


def test_another_group_is_sold_beside_a_plan() -> None:
    for billing, account in (("premium=active", "premium active"), ("premium=canceled@+5", "silent")):
        guard_subscription(customer_status(billing, account), BACKUP, CATALOG)
    guard_subscription(customer_status("", "silent", *RETURNED), BACKUP, CATALOG)


def test_a_subscription_to_a_plan_that_is_sold_no_more_still_counts() -> None:
    found = customer_status("basic=active", "silent", catalog=without("basic"))

    with pytest.raises(AlreadySubscribed):
        guard_subscription(found, PREMIUM, without("basic"))


def test_a_canceled_second_record_that_is_paid_for_still_counts() -> None:
    found = customer_status("basic=canceled@+5 premium=incomplete_expired", "silent")

    with pytest.raises(AlreadySubscribed):
        guard_subscription(found, PREMIUM, CATALOG)


def test_a_return_in_one_group_is_waited_for_though_another_group_waits_as_well() -> None:
    backup = checkout("backup", started=30, events=[(CheckoutEvent.RETURNED, 3)], name="backup")
    found = customer_status("", "silent", *RETURNED, backup)

    assert found.confirming == backup
    for plan in (PREMIUM, BACKUP):
        with pytest.raises(CheckoutInProgress):
            guard_subscription(found, plan, CATALOG)


def test_a_plan_that_was_bought_here_and_is_sold_no_more_still_counts_in_its_group() -> None:
    catalog = without("basic")
    bought = checkout("basic", started=90, events=[(CheckoutEvent.ACCESS_ON, 60)])
    found = customer_status("basic=active", "silent", bought, catalog=catalog)

    assert found.current.plan_id == "basic"
    with pytest.raises(AlreadySubscribed):
        guard_subscription(found, PREMIUM, catalog)
    guard_subscription(found, BACKUP, catalog)


def test_what_the_portal_may_have_moved_here_from_another_group_is_asked_about() -> None:
    """An add-on that was changed into a plan there is a second plan, and nobody has said so yet."""
    left = trace_of(snapshot("backup=active", "silent"), NOW)

    with pytest.raises(PortalNewsDue):
        guard_portal_news(customer_status("backup=active", "silent", portal=left), PREMIUM)

    guard_portal_news(customer_status("backup=active@+50", "silent", portal=left), PREMIUM)
    bought = checkout("backup", started=120, events=[(CheckoutEvent.RETURNED, 110)])
    waited = trace_of(snapshot("", "silent"), NOW)
    with pytest.raises(PortalNewsDue):
        guard_portal_news(customer_status("", "silent", bought, portal=waited), PREMIUM)
    guard_portal_news(customer_status("", "silent", bought), PREMIUM)
    guard_portal_news(customer_status("backup=active", "silent"), PREMIUM)
    guard_portal_news(customer_status("backup=canceled@-9", "silent", portal=left), PREMIUM)
