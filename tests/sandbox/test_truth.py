"""The truth about a user: nothing about money, dates and access is left out, and what it foretells comes true."""

from datetime import datetime
from typing import Any

import pytest

from tests.sandbox.local import ADA, BASIC, MONTHLY, TRIAL, YEARLY, LocalShop


def test_nothing_is_so_about_an_unknown_user(local: LocalShop) -> None:
    truth = local.truth("user_unknown")

    assert {name: truth[name] for name in ("subscriptions", "orders", "sessions", "charges", "events")} == {
        "subscriptions": [], "orders": [], "sessions": [], "charges": [], "events": [],
    }  # fmt: skip


def test_open_session_is_payable_until_it_ends(local: LocalShop) -> None:
    local.set(session_hours=0.5)
    session = local.checkout(ADA, product_id="prod_sandbox_premium", price_id=MONTHLY)["checkout_session_id"]
    before = local.truth()["sessions"][0]

    local.control("POST", "clock/advance", {"seconds": 1800})

    after = local.truth()["sessions"][0]
    assert (before["id"], before["payable"], before["due_today"]["amount"]) == (session, True, 2900)
    assert (after["payable"], after["status"], after["expires_at"]) == (False, "expired", before["expires_at"])
    assert local.truth()["events"][0]["type"] == "checkout.session.expired"


def test_session_can_be_ended_early_and_only_while_it_is_open(local: LocalShop) -> None:
    open_one = local.checkout(ADA)["checkout_session_id"]
    paid = local.subscribe()["id"]
    urls = [f"{local.place.control_url}/sessions/{session}/expire" for session in (open_one, paid)]

    assert [local.http.post(url).status_code for url in urls] == [200, 409]
    assert [session["status"] for session in local.truth()["sessions"]] == ["expired", "complete"]


def change(local: LocalShop, life: str) -> None:
    """One of several lives of a subscription, told by its name."""
    price = {"yearly": YEARLY, "trial": TRIAL}.get(life.split()[0], MONTHLY)
    code = {"once": "ONCE50", "months": "THREEMONTHS50", "forever": "FOREVER50"}.get(life, "")
    local.set(
        plan_changes="period_end" if life == "booked" else "now",
        proration="next_invoice" if life == "prorated" else "none",
        tax="added" if life == "taxed" else "none",
        presentment_currency="jpy" if life == "yen" else "",
    )
    local.subscribe(price, promotion=code)
    if life in ("booked", "prorated"):
        local.days(10)
        local.act("switch", price_id=BASIC)
    if life in ("date within", "date later"):
        local.act("cancel-at", days=20 if life == "date within" else 50)
    if life in ("flag", "trial canceled"):
        local.act("cancel-at-period-end")
    if life == "paused":
        local.act("pause", days=45)
    if life == "failing":
        local.set(renewals="fail")
        local.days(32)
        local.set(renewals="succeed")


LIVES = [
    "plain", "yearly", "trial", "trial canceled", "once", "months", "forever", "taxed", "yen", "booked", "prorated",
    "date within", "date later", "flag", "paused", "failing",
]  # fmt: skip


@pytest.mark.parametrize("life", LIVES)
def test_next_charge_is_what_is_then_charged(local: LocalShop, life: str) -> None:
    change(local, life)

    for _ in range(6):
        told = local.running_truth()["next_charge"]
        paid_before = [charge["invoice_id"] for charge in local.truth()["charges"] if charge["paid_at"]]
        now = local.truth()["now"]
        if told is None:
            break
        local.control("POST", "clock/advance", {"seconds": seconds_between(now, told["at"])})
        made = [
            charge
            for charge in local.truth()["charges"]
            if charge["paid_at"] and charge["invoice_id"] not in paid_before
        ]
        assert told["succeeds"]
        assert [(charge["amount"], charge["currency"], charge["paid_at"]) for charge in made] == [
            (told["amount"], told["currency"], told["at"])
        ]


@pytest.mark.parametrize("life", LIVES)
def test_what_is_told_to_end_ends_then_and_what_renews_does_not(local: LocalShop, life: str) -> None:
    change(local, life)
    told = local.running_truth()

    local.days(400 if life == "yearly" else 70)

    after = local.running_truth()
    assert after["live"] is (told["ends_at"] is None)
    assert after["ended_at"] == told["ends_at"]
    assert told["renews"] is (
        after["period_start"] >= told["period_end"] or after["period_start"] > told["period_start"]
    )


def seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


@pytest.mark.parametrize("by", ["card", "setting"])
def test_charge_that_will_fail_is_told_to_fail(local: LocalShop, by: str) -> None:
    local.subscribe(card="4000000000000341" if by == "card" else "4242424242424242")
    local.set(renewals="fail" if by == "setting" else "succeed")

    told = local.running_truth()["next_charge"]
    local.days(32)

    assert (told["amount"], told["succeeds"]) == (2900, False)
    assert local.running_truth()["status"] == "past_due"


def test_failed_renewal_foretells_its_retry(local: LocalShop) -> None:
    local.subscribe(card="4000000000000341")
    local.days(32)

    told = local.running_truth()

    assert (told["status"], told["next_charge"]["amount"]) == ("past_due", 2900)
    assert told["open_invoices"] == [told["next_charge"]["retry_of"]]
    assert told["paid_until"] == told["period_start"]


def test_who_heard_of_an_event_and_when(local: LocalShop) -> None:
    local.set(webhook_delay=90, webhook_reach="payment")
    local.subscribe()

    heard = [event["heard"] for event in local.truth()["events"]]

    assert {tuple(each) for each in heard} == {("payment_ms",)}
    assert {each["payment_ms"] for each in heard} == {"2026-01-15T12:01:30Z"}


def test_events_can_be_left_out(local: LocalShop) -> None:
    local.subscribe()

    assert local.control("GET", f"truth/{ADA}?events=false")["events"] is None


def test_groups_are_told_apart(local: LocalShop) -> None:
    local.subscribe()

    assert local.running_truth()["group"] == "main"


def test_looking_changes_nothing(local: LocalShop) -> None:
    local.subscribe()

    first: dict[str, Any] = local.truth()

    assert local.truth() == first
