"""What a service of the second version tells is read as far as it can be, and never spoils the rest of an answer."""

from datetime import UTC, datetime

import pytest
from pydantic import JsonValue

from services.payment_contract.details import ListPrice, NextCharge, ScheduledChange, read_details
from services.payment_contract.features import VERSION_1, ContractFeature, PaymentContract, read_contract
from services.payment_contract.invoices import InvoiceStatus, read_invoices
from services.payment_contract.sessions import PaymentStatus, SessionStatus, read_session_state
from services.payment_responses import read_subscription, read_subscriptions
from tests.fakes import answer

AT = datetime(2026, 12, 21, 10, tzinfo=UTC)
TOLD: dict[str, JsonValue] = {
    "exists": True,
    "status": "active",
    "subscription_id": "sub_1",
    "customer_id": "cus_1",
    "current_period_end": "2026-12-21T10:00:00Z",
    "product_id": "prod_1",
    "cancel_at_period_end": False,
    "cancel_at": None,
    "canceled_at": None,
    "ended_at": None,
    "trial_end": None,
    "pause": None,
    "price_id": "price_1",
    "interval": "month",
    "interval_count": 1,
    "quantity": 1,
    "currency": "usd",
    "list_amount": 2900,
    "next_charge": {"at": "2026-12-21T10:00:00Z", "amount": 1450, "currency": "usd", "tax": 0, "discount": 1450},
    "scheduled_change": None,
    "livemode": True,
    "as_of": "2026-11-30T12:00:00Z",
}

FIRST = {"exists", "status", "subscription_id", "customer_id"}
"""Fields of the first version, which are read strictly."""


def test_a_whole_status_is_read_with_its_end_price_and_next_charge() -> None:
    record = read_subscription(answer(TOLD), "prod_1")

    assert record.lifecycle.goes_on
    assert record.details is not None
    assert record.details.price == ListPrice(2900, "usd", "month")
    assert record.details.next_charge == NextCharge(AT, 1450, "usd", 0, 1450)
    assert record.details.live_mode is True


def test_a_pause_by_the_contracts_name_holds_payments_until_it_ends() -> None:
    pause: JsonValue = {"behavior": "void", "resumes_at": "2026-12-21T10:00:00Z"}
    record = read_subscription(answer({**TOLD, "pause": pause}), "prod_1")

    assert record.lifecycle.paused
    assert not record.lifecycle.goes_on
    assert record.details is not None
    assert record.details.resumes_at == AT


@pytest.mark.parametrize("name", sorted(TOLD.keys() - FIRST))
@pytest.mark.parametrize("value", [[], {"at": "soon", "amount": -1}, 10**30, "?" * 300, True], ids=str)
def test_a_field_that_cant_be_read_is_not_told_and_spoils_nothing(name: str, value: JsonValue) -> None:
    record = read_subscription(answer({**TOLD, name: value}), "prod_1")

    assert (record.exists, record.status, record.subscription_id) == (True, "active", "sub_1")


def test_a_null_next_charge_says_that_nothing_follows_and_a_missing_one_says_nothing() -> None:
    none = read_details({**TOLD, "next_charge": None})
    missing = read_details({name: value for name, value in TOLD.items() if name != "next_charge"})

    assert none is not None
    assert missing is not None
    assert (none.nothing_next, missing.nothing_next) == (True, False)


def test_a_period_of_several_intervals_has_no_price_that_a_sentence_could_name() -> None:
    details = read_details({**TOLD, "interval_count": 3})

    assert details is not None
    assert details.price is None


def test_a_booked_change_is_read_with_its_price() -> None:
    change: JsonValue = {
        "at": "2026-12-21T10:00:00Z", "product_id": "prod_2", "price_id": "price_2", "interval": "month",
        "list_amount": 900, "currency": "usd",
    }  # fmt: skip
    details = read_details({**TOLD, "scheduled_change": change})

    assert details is not None
    assert details.change == ScheduledChange(AT, "prod_2", ListPrice(900, "usd", "month"))


@pytest.mark.parametrize(
    ("amount", "tax", "discount", "percent", "form"),
    [
        (1450, 0, 1450, 50, None),
        (2900, 463, 0, None, "included"),
        (3451, 551, 0, None, "added"),
        (1726, 276, 1450, 50, "added"),
        (2000, 100, 0, None, None),
        (2567, 0, 333, None, None),
        (0, 0, 2900, None, None),
    ],
)
def test_what_a_charge_is_made_of_is_said_only_where_the_sums_prove_it(
    amount: int, tax: int, discount: int, percent: int | None, form: str | None
) -> None:
    charge, price = NextCharge(AT, amount, "usd", tax, discount), ListPrice(2900, "usd", "month")

    assert (charge.percent_off(price), charge.tax_form(price)) == (percent, form)


def test_a_first_version_tells_no_details() -> None:
    running: JsonValue = {"exists": True, "stripe_subscription_id": "sub_1", "period_end": "2026-12-21T10:00:00Z"}

    assert read_subscription(answer(running), "prod_1").details is None


def test_all_subscriptions_are_read_each_under_its_own_product() -> None:
    records = read_subscriptions(answer({"subscriptions": [TOLD, {**TOLD, "product_id": "prod_2"}], "as_of": "…"}))

    assert [record.product_id for record in records] == ["prod_1", "prod_2"]


@pytest.mark.parametrize(
    "health",
    [
        {},
        {"contract": None},
        {"contract": {"version": 1, "features": ["invoices"]}},
        {"contract": {"version": "2", "features": ["invoices"]}},
        {"contract": {"version": True, "features": ["invoices"]}},
        {"contract": {"version": 2, "features": "invoices"}},
        {"contract": {"version": 2}},
        {"contract": ["invoices"]},
        [],
    ],
)
def test_what_says_nothing_readable_of_a_contract_is_the_first_version(health: object) -> None:
    assert read_contract(health) == VERSION_1


def test_unknown_features_are_passed_over_and_a_later_version_has_what_it_tells() -> None:
    contract = read_contract({"contract": {"version": 3, "features": ["invoices", "telepathy", 7]}})

    assert contract == PaymentContract(3, frozenset({ContractFeature.INVOICES}))


def test_a_session_is_read_and_an_unknown_status_is_not() -> None:
    state = read_session_state({"status": "complete", "payment_status": "paid", "subscription_id": "sub_1"})

    assert state is not None
    assert (state.status, state.payment) == (SessionStatus.COMPLETE, PaymentStatus.PAID)
    assert (state.bought, state.dead) == (True, False)
    assert read_session_state({"status": "melted", "payment_status": "paid"}) is None


def test_invoices_are_read_newest_first_without_those_that_cant_be() -> None:
    row: dict[str, JsonValue] = {
        "number": "A-1", "created": "2026-11-01T10:00:00Z", "amount": 2900, "amount_paid": 2900, "currency": "USD",
        "status": "paid", "hosted_invoice_url": "https://invoice.stripe.com/i/1", "livemode": False,
    }  # fmt: skip
    newer = {**row, "number": None, "created": "2026-12-01T10:00:00Z", "hosted_invoice_url": "javascript:alert(1)"}
    found = read_invoices({"invoices": [row, {**row, "amount": "a lot"}, {**row, "status": "draft"}, newer, 7]})

    assert found is not None
    assert [(one.number, one.url, one.currency) for one in found] == [
        ("", None, "usd"),
        ("A-1", "https://invoice.stripe.com/i/1", "usd"),
    ]
    assert found[1].status is InvoiceStatus.PAID
    assert read_invoices({"invoices": None}) is None


@pytest.mark.parametrize(
    ("rows", "is_empty"),
    [([], True), ([{"status": "draft"}], True), ([{"status": "settled"}], False), ([{"status": "draft"}, 7], False)],
)
def test_a_list_of_which_nothing_can_be_read_is_no_list_of_none(rows: list[object], is_empty: bool) -> None:
    assert read_invoices({"invoices": rows}) == (() if is_empty else None)
