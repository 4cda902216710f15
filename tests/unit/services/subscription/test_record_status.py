"""What one record is worth on its own, whichever is the headline."""

import pytest

from services.subscription.model import State
from services.subscription.normalize import normalize_account, normalize_record
from services.subscription.record_status import record_status
from tests.shop import CATALOG
from tests.unit.services.subscription.snapshot_tables import NOW, customer_status, snapshot


@pytest.mark.parametrize(
    ("word", "account", "access"),
    [
        ("active", "premium active", True),
        ("active", "- active", True),
        ("active", "basic active", False),
        ("active", "premium none", False),
        ("past_due", "- active", True),
        ("unpaid", "premium active", True),
        ("unpaid", "- active", False),
        ("incomplete_expired", "premium active", False),
        ("canceled@+5", "premium active", True),
        ("canceled@-5", "premium active", False),
    ],
)
def test_access_follows_the_account_if_its_word_is_about_the_record(word: str, account: str, access: bool) -> None:
    said = snapshot(f"premium={word}", account)
    record = normalize_record("prod_premium", said.records["prod_premium"], CATALOG)

    assert record_status(record, normalize_account(said, CATALOG, NOW), NOW).access is access


@pytest.mark.parametrize(
    ("word", "over"), [("canceled@+5", True), ("incomplete_expired", True), ("active", False), ("?@-9", False)]
)
def test_over_at_stripe_is_what_billing_calls_so_in_a_word(word: str, over: bool) -> None:
    said = snapshot(f"premium={word}", "premium active")
    record = normalize_record("prod_premium", said.records["prod_premium"], CATALOG)

    assert record_status(record, normalize_account(said, CATALOG, NOW), NOW).over_at_stripe is over


@pytest.mark.parametrize(
    ("word", "state"), [("canceled", State.CANCELED), ("incomplete_expired", State.INCOMPLETE_EXPIRED)]
)
def test_an_end_is_not_that_of_a_record_that_came_with_a_purchase_since(word: str, state: State) -> None:
    said = snapshot("premium=?", f"premium {word}")
    record = normalize_record("prod_premium", said.records["prod_premium"], CATALOG)
    account = normalize_account(said, CATALOG, NOW)

    assert record_status(record, account, NOW).state is state
    assert record_status(record, account, NOW, settled=False).state is State.ON_RECORD


def test_a_word_that_names_no_plan_is_left_for_the_record_that_has_none_of_its_own() -> None:
    found = customer_status("basic=active@+30 premium=?@+20", "- active")

    assert {one.plan_id: (one.state, one.access) for one in found.all if one.live} == {
        "basic": (State.ACTIVE, True),
        "premium": (State.ACTIVE, True),
    }
