"""Trials: with and without a card, from the catalog or from the call."""

import pytest

from tests.sandbox.local import ADA, MONTHLY, TRIAL, LocalShop

BODY = {
    "user_id": ADA,
    "email": "ada@example.com",
    "product_id": "prod_sandbox_enterprise",
    "price_id": TRIAL,
    "success_url": "http://a",
    "cancel_url": "http://b",
}


def test_trial_needs_a_card_by_default(local: LocalShop) -> None:
    session = local.checkout(ADA, product_id="prod_sandbox_enterprise", price_id=TRIAL, trial_days=14)[
        "checkout_session_id"
    ]

    answer = local.http.post(f"{local.place.control_url}/pay/{session}", json={"card": ""})

    assert (answer.status_code, answer.json()["detail"]) == (402, "Enter a card number.")


@pytest.mark.parametrize(
    ("end", "status", "renews"),
    [("cancel", "canceled", False), ("pause", "paused", False), ("create_invoice", "past_due", True)],
)
def test_trial_without_a_card_ends_as_the_settings_say(local: LocalShop, end: str, status: str, renews: bool) -> None:
    local.set(trial_needs_card=False, trial_end_without_card=end)
    local.subscribe(TRIAL, card="")
    trial = local.running_truth()

    local.days(14.1)

    assert (trial["status"], trial["has_payment_method"], trial["renews"]) == ("trialing", False, renews)
    assert (trial["ends_at"] == trial["trial_end"]) is (end == "cancel")
    assert (local.running_truth()["status"], local.truth()["charged"]) == (status, {})


def test_change_booked_for_the_end_of_a_trial_without_a_card_comes_with_the_pause(local: LocalShop) -> None:
    local.set(trial_needs_card=False, trial_end_without_card="pause", plan_changes="period_end")
    local.subscribe(TRIAL, card="")
    local.act("switch", price_id=MONTHLY)

    local.days(14.1)

    paused = local.running_truth()
    assert (paused["status"], paused["price_id"], paused["scheduled_change"]) == ("paused", MONTHLY, None)


def test_card_added_during_the_trial_pays_at_its_end(local: LocalShop) -> None:
    local.set(trial_needs_card=False)
    local.subscribe(TRIAL, card="")

    local.act("card")
    local.days(15)

    assert local.truth()["charged"] == {"usd": 9900}


def test_page_of_a_trial_without_a_card_lets_the_field_be_empty(local: LocalShop) -> None:
    local.set(trial_needs_card=False)
    session = local.checkout(ADA, product_id="prod_sandbox_enterprise", price_id=TRIAL, trial_days=14)

    answer = local.pay(session, "")

    assert answer.status_code == 303
    assert local.running_truth()["has_payment_method"] is False


@pytest.mark.parametrize(
    ("trials", "more", "status", "charged"),
    [
        ("call", {}, "active", [9900]),
        ("call", {"trial_days": 7}, "trialing", [0]),
        ("none", {"trial_days": 7}, "active", [9900]),
        ("catalog", {}, "trialing", [0]),
    ],
)
def test_trials_come_from_the_call_alone_unless_set_otherwise(
    local: LocalShop, trials: str, more: dict[str, object], status: str, charged: list[int]
) -> None:
    assert local.control("GET", "settings")["trials"] == "call"
    local.set(trials=trials)
    session = local.payment("POST", "/api/v1/checkout/subscription", {**BODY, **more}).json()["checkout_session_id"]

    local.control("POST", f"pay/{session}")

    assert (local.running_truth()["status"], local.amounts()) == (status, charged)


def test_trial_that_is_canceled_is_never_charged(local: LocalShop) -> None:
    local.subscribe(TRIAL)
    local.act("cancel-at-period-end")

    local.days(30)

    assert (local.running_truth()["status"], local.truth()["charged"]) == ("canceled", {})
