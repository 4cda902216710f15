"""Bank debits: the checkout is complete at once, the money comes, or does not, days later."""

import pytest

from tests.sandbox.local import ADA, TRIAL, LocalShop

ARRIVES, FAILS = "AT611904300234573201", "AT861904300235473202"


@pytest.mark.parametrize("status", ["active", "incomplete"])
def test_session_is_complete_and_unpaid_for_days(local: LocalShop, status: str) -> None:
    local.set(delayed_status=status)

    session = local.subscribe(card=ARRIVES)
    local.days(2)

    assert (session["status"], session["payment_status"]) == ("complete", "unpaid")
    subscription = local.running_truth()
    assert (subscription["status"], subscription["charges"][0]["processing"]) == (status, True)
    assert local.truth()["charged"] == {}
    assert subscription["next_charge"]["at"] == session["settles_at"]
    assert subscription["renews"] is True


def test_the_renewal_of_a_plan_whose_first_debit_is_under_way_is_its_own_sum(local: LocalShop) -> None:
    local.set(coupon_duration="once")
    local.subscribe(card=ARRIVES, promotion="HALF")

    told = local.running_truth()
    debit, renewal = told["next_charge"], told["renewal_charge"]

    assert (debit["amount"], renewal["amount"]) == (1450, 2900)
    assert debit["at"] < renewal["at"] == told["period_end"]
    local.days(3.1)
    assert local.running_truth()["next_charge"] == renewal


@pytest.mark.parametrize("status", ["active", "incomplete"])
def test_money_arrives_after_three_days(local: LocalShop, status: str) -> None:
    local.set(delayed_status=status)
    session = local.subscribe(card=ARRIVES)["id"]

    local.days(3.1)

    truth = local.truth()
    assert (truth["charged"], truth["sessions"][0]["payment_status"]) == ({"usd": 2900}, "paid")
    assert (truth["subscriptions"][0]["status"], truth["subscriptions"][0]["awaits_payment"]) == ("active", False)
    types = [event["type"] for event in truth["events"] if event["session_id"] == session]
    assert types == ["checkout.session.async_payment_succeeded", "checkout.session.completed"]


@pytest.mark.parametrize(("status", "then"), [("active", "past_due"), ("incomplete", "incomplete_expired")])
def test_money_never_arrives(local: LocalShop, status: str, then: str) -> None:
    local.set(delayed_status=status)
    local.subscribe(card=FAILS)

    local.days(3.1)

    truth = local.truth()
    assert (truth["charged"], truth["sessions"][0]["payment_status"]) == ({}, "unpaid")
    assert truth["subscriptions"][0]["status"] == then


@pytest.mark.parametrize("paid", [True, False])
def test_payment_can_be_decided_at_once(local: LocalShop, paid: bool) -> None:
    session = local.subscribe(card=ARRIVES)["id"]

    local.control("POST", f"sessions/{session}/settle", {"paid": paid})

    assert bool(local.truth()["charged"]) is paid
    again = local.http.post(f"{local.place.control_url}/sessions/{session}/settle")
    assert again.status_code == 409


@pytest.mark.parametrize(("card", "status", "charged"), [(ARRIVES, "paid", {"usd": 900}), (FAILS, "void", {})])
def test_order_is_settled_days_later(local: LocalShop, card: str, status: str, charged: dict[str, int]) -> None:
    session = local.checkout(ADA, kind="item", price_id="price_sandbox_sticker_pack")["checkout_session_id"]
    local.control("POST", f"pay/{session}", {"card": card})
    before = local.truth()["orders"][0]

    local.days(4)

    assert (before["payment_status"], before["charge"]["status"]) == ("unpaid", "open")
    assert (local.truth()["orders"][0]["charge"]["status"], local.truth()["charged"]) == (status, charged)


def test_trial_by_bank_debit_waits_for_nothing(local: LocalShop) -> None:
    session = local.subscribe(TRIAL, card=ARRIVES)

    assert (session["payment_status"], session["settles_at"]) == ("no_payment_required", None)
    assert local.running_truth()["status"] == "trialing"


def test_cancellation_while_the_money_is_under_way_leaves_nothing_to_collect(local: LocalShop) -> None:
    local.subscribe(card=ARRIVES)
    local.act("cancel")

    local.days(5)

    assert local.running_truth()["status"] == "canceled"
    assert local.truth()["charged"] == {}
