"""Stripe's test cards and promotion codes, as far as the sandbox knows them."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class PaymentMethod:
    """A test card: what paying with it does, and whether later renewals succeed."""

    number: str
    says: str
    declined: str = ""
    needs_confirmation: bool = False
    renews: bool = True

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def spaced(self) -> str:
        return " ".join(re.findall("....", self.number))


CARDS: Final = (
    PaymentMethod("4242424242424242", "pays"),
    PaymentMethod("4000002500003155", "asks you to confirm", needs_confirmation=True),
    PaymentMethod("4000000000000002", "is declined", declined="Your card was declined. Try another card."),
    PaymentMethod("4000000000009995", "has no funds", declined="Your card has insufficient funds. Try another card."),
    PaymentMethod("4000000000000341", "pays once, then renewals fail", renews=False),
)

PROMOTIONS: Final = {"WELCOME20": 20, "HALF": 50}
"""Percent off by promotion code."""

_BY_NUMBER: Final = {card.number: card for card in CARDS}


class CardRefused(Exception):
    """The card can't be used; the message is for the buyer."""


def card_of(number: str) -> PaymentMethod:
    """The test card with this number, spaces and dashes ignored; raises CardRefused with a sentence."""
    digits = re.sub(r"[\s-]", "", number)
    if not digits:
        raise CardRefused("Enter a card number.")
    card = _BY_NUMBER.get(digits)
    if card is None:
        raise CardRefused("This is a sandbox: use one of the test cards listed below, never a real card.")
    return card


def discounted(amount: int, percent_off: int) -> int:
    """What is left of an amount, rounded half up to a minor unit."""
    return amount - (amount * percent_off + 50) // 100
