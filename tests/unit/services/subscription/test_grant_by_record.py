"""GRANT_BY_RECORD: for an account that never speaks of plans, billing's record grants its plan until its end."""

import pytest

from services.claims import ClaimKind, access_until, subscription_claims
from services.entitlements.model import entitlement_of
from services.subscription.model import Reason, Source, State
from tests.shop import CATALOG
from tests.unit.services.subscription.snapshot_tables import NOW, customer_status, in_days


@pytest.mark.parametrize(
    ("billing", "account", "access"),
    [
        ("premium=?@+20", "silent", True),
        # Only while its period runs, and only where it names one.
        ("premium=?@-1", "silent", False),
        ("premium=?@none", "silent", False),
        # A word of either service decides.
        ("premium=?@+20", "- none", False),
        ("premium=?@+20", "premium canceled", False),
        ("premium=?@+20", "premium unpaid", False),
        ("premium=unpaid@+20", "silent", False),
        ("premium=paused@+20", "silent", False),
        ("premium=dormant@+20", "silent", False),
        # An account that never answered is not one that says nothing.
        ("premium=?@+20", "unasked", False),
    ],
)
def test_a_record_grants_where_nobody_says_anything(billing: str, account: str, *, access: bool) -> None:
    with_it = customer_status(billing, account, by_record=True).current
    without = customer_status(billing, account).current

    assert with_it.access is access
    assert not without.access
    assert (with_it.reason is Reason.GRANTED_BY_RECORD) is access
    assert with_it.state is without.state


def test_it_is_told_as_such_with_its_end() -> None:
    found = customer_status("premium=?@+20", "silent", by_record=True)
    told = entitlement_of(found, CATALOG)

    assert (told.plan, told.access, told.until) == ("premium", True, in_days(20))
    assert (told.state, told.source, told.reason) == (State.ON_RECORD, Source.BILLING, Reason.GRANTED_BY_RECORD)
    assert told.groups["main"].reason is Reason.GRANTED_BY_RECORD
    assert access_until(found.current) == in_days(20)
    kinds = [claim.says for claim in subscription_claims(found.current, CATALOG, NOW)]
    assert kinds == [ClaimKind.FOUND_PAID_UNTIL, ClaimKind.HAS_ACCESS]


def test_it_ends_ten_minutes_after_the_last_answer() -> None:
    assert customer_status("premium=? !", "silent", ago=599, by_record=True).current.access
    assert not customer_status("premium=? !", "silent", ago=601, by_record=True).current.access


def test_a_group_of_which_the_account_says_nothing_is_granted_by_its_record() -> None:
    found = customer_status("premium=active backup=?@+20", "premium active", by_record=True)

    assert [(one.plan_id, one.access) for one in found.all] == [("premium", True), ("backup", True)]
