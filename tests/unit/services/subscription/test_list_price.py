"""When the list price of what somebody has is still known: bought here, the dates fit, no portal since."""

from datetime import datetime, timedelta

import pytest

from services.checkout_record import Checkout, CheckoutEvent
from services.subscription.list_price import months_later, purchase_with_price
from services.subscription.model import State
from services.subscription.portal_trace import PortalTrace
from tests.unit.services.subscription.snapshot_tables import NOW, checkout, customer_status

DAY = 86_400


def bought(
    interval: str, days_ago: float, *, trial_days: int = 0, confirmed: bool = True, known: tuple[str, ...] = ()
) -> Checkout:
    """Return a checkout that was paid so many days ago."""
    ago = days_ago * DAY
    events = [(CheckoutEvent.RETURNED, ago)] + ([(CheckoutEvent.ACCESS_ON, ago - 5)] if confirmed else [])
    found = checkout(interval=interval, started=ago + 60, events=events, known=known)
    return found.model_copy(update={"trial_days": trial_days})


def amount(
    until_days: float, *checkouts: Checkout, word: str = "active", portal: PortalTrace | None = None
) -> int | None:
    """Return the price shown of a subscription whose period ends in so many days."""
    return customer_status(
        f"premium={word}@{until_days:+}", f"premium {word}", *checkouts, portal=portal
    ).current.amount


@pytest.mark.parametrize("days", [0, 1, 10, 29])
def test_a_period_that_the_purchase_leads_to_has_its_price(days: int) -> None:
    assert amount(30 - days, bought("month", days)) == 2900
    assert amount(365 - days, bought("year", days)) == 29000


def test_later_periods_fit_as_well() -> None:
    paid_at = NOW - timedelta(days=200)
    left = (months_later(paid_at, 7) - NOW).total_seconds() / DAY

    assert amount(left, bought("month", 200)) == 2900


@pytest.mark.parametrize(
    ("interval", "days_ago", "until"),
    [
        ("year", 5, 30),
        ("month", 10, 365),
        ("month", 345, 29),
        ("year", 400, 200),
        ("month", 1, 15),
        ("month", 1, 60),
    ],
    ids=["yearly to monthly", "monthly to yearly", "a year later", "between", "too early", "too late"],
)
def test_a_period_that_no_purchase_leads_to_has_no_price(interval: str, days_ago: float, until: float) -> None:
    assert amount(until, bought(interval, days_ago)) is None


def test_a_visit_to_the_portal_since_leaves_no_price() -> None:
    before, after = (PortalTrace(left_at=NOW - timedelta(days=days)) for days in (20, 5))

    assert amount(20, bought("month", 10), portal=before) == 2900
    assert amount(20, bought("month", 10), portal=after) is None


def test_a_purchase_that_was_never_confirmed_says_nothing_of_a_price() -> None:
    assert amount(30, bought("month", 0, confirmed=False)) is None


def test_a_record_that_was_there_before_the_purchase_is_not_what_it_bought() -> None:
    assert amount(30, bought("month", 0, known=("sub_premium",))) is None


def test_a_trial_has_the_price_of_its_plan_only_until_the_end_it_was_sold_with() -> None:
    trial = bought("month", 2, trial_days=14)

    assert amount(12, trial, word="trialing") == 2900
    assert amount(28, trial, word="trialing") is None
    assert amount(12, bought("month", 2), word="trialing") is None
    assert amount(12, trial, word="trialing", portal=PortalTrace(left_at=NOW)) is None


def test_a_trial_that_nobody_came_back_from_may_be_another_interval() -> None:
    events = [(CheckoutEvent.ACCESS_ON, 2 * DAY)]
    unseen = checkout(interval="month", started=2 * DAY, events=events).model_copy(update={"trial_days": 14})

    assert amount(12, unseen, word="trialing") is None


def test_an_unknown_end_says_nothing_of_a_price() -> None:
    current = customer_status("premium=active@none", "premium active", bought("month", 1)).current

    assert current.amount is None
    assert current.interval is None


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [("2026-01-31", 1, "2026-02-28"), ("2026-12-15", 1, "2027-01-15"), ("2028-02-29", 12, "2029-02-28")],
)
def test_a_month_later_is_the_same_day_or_the_months_last(start: str, months: int, end: str) -> None:
    assert months_later(datetime.fromisoformat(start), months) == datetime.fromisoformat(end)


@pytest.mark.parametrize(
    "state", [State.CANCELED, State.INCOMPLETE_EXPIRED, State.CONFLICT, State.ON_ACCOUNT, State.ON_RECORD]
)
def test_what_charges_no_more_has_no_price(state: State) -> None:
    purchase = bought("month", 10)
    running = customer_status("premium=active@+20", "premium active", purchase).current

    assert purchase_with_price(running, [purchase], None, NOW) == purchase
    assert purchase_with_price(running.model_copy(update={"state": state}), [purchase], None, NOW) is None
