"""What the sandbox keeps has the words and types of Stripe's documented objects (https://docs.stripe.com/api)."""

from typing import Any

import pytest

from sandbox import settings
from sandbox.stripe import objects as stripe_objects
from tests.sandbox.local import ADA, BASIC, LocalShop

WORDS = [
    (stripe_objects.SessionStatus, {"open", "complete", "expired"}),
    (stripe_objects.PaymentStatus, {"paid", "unpaid", "no_payment_required"}),
    (stripe_objects.InvoiceStatus, {"draft", "open", "paid", "uncollectible", "void"}),
    (stripe_objects.PauseBehavior, {"keep_as_draft", "mark_uncollectible", "void"}),
    (settings.CouponDuration, {"forever", "once", "repeating"}),
    (settings.TrialEnd, {"cancel", "create_invoice", "pause"}),
]
SUBSCRIPTION: dict[str, type | tuple[type, ...]] = {
    "id": str, "customer": str, "status": str, "currency": str, "latest_invoice": str, "quantity": int,
    "cancel_at_period_end": bool, "cancel_at": (str, type(None)), "canceled_at": (str, type(None)),
    "ended_at": (str, type(None)), "trial_end": (str, type(None)), "billing_cycle_anchor": str, "created": str,
    "pause_collection": (dict, type(None)), "discount": (dict, type(None)),
}  # fmt: skip
SESSION: dict[str, type | tuple[type, ...]] = {
    "id": str, "mode": str, "status": str, "payment_status": str, "customer": str, "url": str, "created": str,
    "expires_at": str, "success_url": str, "cancel_url": str,
}  # fmt: skip


@pytest.mark.parametrize(("words", "documented"), WORDS)
def test_words_are_stripes(words: Any, documented: set[str]) -> None:
    assert {str(word) for word in words} == documented


def test_dispute_words_are_among_stripes() -> None:
    documented = {"needs_response", "under_review", "won", "lost", "prevented", "warning_needs_response"}

    assert {str(word) for word in stripe_objects.DisputeStatus} <= documented


def test_live_words_are_stripes_without_the_two_ends() -> None:
    documented = {"incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled", "unpaid", "paused"}

    assert documented - {"canceled", "incomplete_expired"} == stripe_objects.LIVE


@pytest.mark.parametrize("action", ["", "cancel", "cancel-at-period-end", "cancel-at", "pause", "switch", "card"])
def test_subscription_keeps_its_fields_and_types_through_every_change(local: LocalShop, action: str) -> None:
    local.subscribe(promotion="ONCE50")
    if action:
        local.act(action, price_id=BASIC, days=40)

    subscription = local.subscription(ADA)

    assert {
        name: type(subscription[name])
        for name in SUBSCRIPTION
        if not isinstance(subscription[name], SUBSCRIPTION[name])
    } == {}


@pytest.mark.parametrize(("action", "kind"), [("cancel", "deleted"), ("pause", "updated"), ("cancel-at", "updated")])
def test_change_is_told_under_stripes_name(local: LocalShop, action: str, kind: str) -> None:
    local.subscribe()

    local.act(action)

    assert local.control("GET", f"events?user_id={ADA}")[0]["type"] == f"customer.subscription.{kind}"


@pytest.mark.parametrize("card", ["4242424242424242", "AT611904300234573201"])
def test_session_has_stripes_fields_and_types(local: LocalShop, card: str) -> None:
    local.subscribe(card=card)

    (session,) = local.control("GET", f"sessions?user_id={ADA}")

    assert {name: type(session[name]) for name in SESSION if not isinstance(session[name], SESSION[name])} == {}
    assert session["id"].startswith("cs_test_")
    assert session["customer"].startswith("cus_")
    assert local.subscription(ADA)["latest_invoice"].startswith("in_")


def test_cancellation_by_flag_names_its_date_too(local: LocalShop) -> None:
    local.subscribe()

    local.act("cancel-at-period-end")

    subscription = local.subscription(ADA)
    assert subscription["cancel_at"] == subscription["period_end"]
    assert subscription["canceled_at"] == "2026-01-15T12:00:00Z"
