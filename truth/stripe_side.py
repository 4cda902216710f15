"""What people do at Stripe: cards, promotion codes, the customer portal."""

from typing import Final

from sandbox.state import SandboxState
from sandbox.stripe.amounts import COUPONS
from sandbox.stripe.payment_methods import BANK_DEBITS
from sandbox.stripe.payment_methods import CARDS as SANDBOX_CARDS
from sandbox.stripe.portal_pages import allowed

METHODS: Final = (
    *(SANDBOX_CARDS[0].number,) * 5, SANDBOX_CARDS[4].number, BANK_DEBITS[0].number, BANK_DEBITS[1].number,
)  # fmt: skip
"""Mostly a card that pays; one that pays once, and bank debits that are paid or fail days later."""

PROMOTIONS: Final = tuple(COUPONS)


def portal_action(state: SandboxState, user_id: str, number: int, more: int) -> str | None:
    """Do something in the customer portal that can be done to one of the user's live subscriptions.

    Return its id if that changed its plan.
    """
    stripe = state.subscriptions
    found = [one for one in stripe.of(user_id) if one.live]
    if not found:
        return None
    subscription = found[-1 - more % len(found)]
    action = ("cancel", "cancel-now", "resume", "switch", "switch", "card", "switch", "cancel", "nothing")[number % 9]
    if not allowed(state, action):
        return None
    if action == "cancel" and not subscription.will_end:
        stripe.cancel_at_period_end(subscription)
    elif action == "cancel-now":
        stripe.cancel_now(subscription)
    elif action == "resume" and (
        subscription.will_end or subscription.status == "paused" or subscription.pause_collection
    ):
        stripe.resume(subscription)
    elif action == "card":
        stripe.update_card(subscription, SANDBOX_CARDS[0])
    elif action == "switch":
        lines = [line for line in state.prices.plans() if line.price_id != subscription.price_id]
        if lines:
            stripe.switch(subscription, lines[number // 9 % len(lines)])
            return subscription.id
    return None
