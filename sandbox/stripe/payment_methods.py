"""Stripe's test cards and test bank accounts, as far as the sandbox knows them."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class PaymentMethod:
    """What paying with it does, and whether later renewals succeed."""

    number: str
    says: str
    declined: str = ""
    needs_confirmation: bool = False
    renews: bool = True
    delayed: bool = False
    """A bank debit: the checkout is complete at once, the money comes (or not) days later."""

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def spaced(self) -> str:
        return " ".join(re.findall(".{1,4}", self.number))


CARDS: Final = (
    PaymentMethod("4242424242424242", "pays"),
    PaymentMethod("4000002500003155", "asks you to confirm", needs_confirmation=True),
    PaymentMethod("4000000000000002", "is declined", declined="Your card was declined. Try another card."),
    PaymentMethod("4000000000009995", "has no funds", declined="Your card has insufficient funds. Try another card."),
    PaymentMethod("4000000000000341", "pays once, then renewals fail", renews=False),
)
BANK_DEBITS: Final = (
    PaymentMethod("AT611904300234573201", "bank debit, paid days later", delayed=True),
    PaymentMethod("AT861904300235473202", "bank debit that fails days later", renews=False, delayed=True),
)
"""Stripe's test IBANs (https://docs.stripe.com/payments/sepa-debit/accept-a-payment)."""

PAYMENT_METHODS: Final = (*CARDS, *BANK_DEBITS)
_BY_NUMBER: Final = {method.number: method for method in PAYMENT_METHODS}


class PaymentRefused(Exception):
    """The card or the code can't be used; the message is for the buyer."""


def payment_method_of(number: str) -> PaymentMethod:
    """The test card or account of this number, spaces and dashes ignored; raises PaymentRefused with a sentence."""
    digits = re.sub(r"[\s-]", "", number).upper()
    if not digits:
        raise PaymentRefused("Enter a card number.")
    method = _BY_NUMBER.get(digits)
    if method is None:
        raise PaymentRefused("This is a sandbox: use one of the test cards listed below, never a real card.")
    return method
