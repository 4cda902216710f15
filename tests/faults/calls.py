"""The calls that the fault rows make, and what a good answer to them looks like."""

from collections.abc import Awaitable
from typing import Protocol, TypeVar

import pytest
from pydantic import SecretStr

from services.errors import FrontendError
from services.payment_ms import CheckoutSession, PaymentMS, SubscriptionRecord
from services.purchase import CheckoutKind, Purchase, PurchaseLine
from tests.faults.fault_server import reply

KEY = SecretStr("proj_very_secret_key")
KEY_SETTING = "PAYMENT_MS_API_KEY"
DEADLINE = 0.6
SLACK = 3.0
"""Seconds that a busy machine may need beside what a call may take; what a call must not wait for takes longer."""
UNAVAILABLE = "Payments are unavailable right now. {money}"

ABSENT = reply({"exists": False})
SESSION = reply({"checkout_session_id": "cs_test_1", "checkout_url": "https://checkout.stripe.com/c/pay/cs_test_1"})


class Connect(Protocol):
    """Makes a client of the Payment MS at ``url``."""

    def __call__(self, url: str, deadline: float = DEADLINE) -> PaymentMS: ...


E = TypeVar("E", bound=FrontendError)


async def status(payment_ms: PaymentMS) -> SubscriptionRecord:
    """Ask for a subscription: a read, which may be repeated."""
    return await payment_ms.subscription("user_1", "prod_1")


async def checkout(payment_ms: PaymentMS) -> CheckoutSession:
    """Open a checkout: a write, which may not."""
    line = PurchaseLine(price_id="price_1", product_id="prod_1", amount=2900)
    return await payment_ms.create_checkout(
        Purchase(kind=CheckoutKind.SUBSCRIPTION, lines=(line,)),
        user_id="user_1",
        email="ada@example.com",
        success_url="http://x/ok",
        cancel_url="http://x/no",
        idempotency_key="idem-1",
    )


async def failure(asked: Awaitable[object], kind: type[E]) -> E:
    """Return the error of ``kind`` that ``asked`` must end in."""
    with pytest.raises(kind) as caught:
        await asked
    return caught.value
