"""What became of checkout sessions, asked of a Payment MS that can look them up: the contract's second version.

What is learned is noted in the record of checkouts, so that all rules go by it: a session that ended unpaid is in doubt
no more, and one that went through was bought, whichever browser came back. With a first version nobody is asked, and
the record stays as it was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.checkout_record import WEBHOOKS_REPEATED, Checkout, CheckoutEvent, CheckoutRepository
from services.concurrency.limit import Priority
from services.errors import FrontendError
from services.payment_contract.sessions import PaymentStatus, SessionState, SessionStatus
from services.payment_ms import PaymentMS

MOST_AT_ONCE: Final = 3
"""Sessions of one customer that are asked about at a time, the newest: more are open only where nobody looked."""


@dataclass(frozen=True, slots=True)
class SettledCheckouts:
    """The checkouts with what was learned of them. `open_now` are those (ids) that are open and unpaid at Stripe."""

    checkouts: tuple[Checkout, ...]
    open_now: frozenset[str] = frozenset()


class SessionStates:
    """Looks sessions up and ends them. Raises StoreUnavailable where what was learned can't be noted."""

    def __init__(self, payment_ms: PaymentMS, checkouts: CheckoutRepository) -> None:
        self._payment_ms = payment_ms
        self._checkouts = checkouts

    async def look(
        self, checkouts: Sequence[Checkout], now: datetime, priority: Priority = Priority.LOOK
    ) -> SettledCheckouts:
        """Return the checkouts as they are now. Of what a service could not say nothing is learned."""
        asked = {checkout.id for checkout in _unsettled(checkouts, now)}
        settled: list[Checkout] = []
        open_now: set[str] = set()
        for checkout in checkouts:
            state = await self._ask(checkout, priority) if checkout.id in asked else None
            settled.append(await self._note(checkout, state))
            if state is not None and state.status is SessionStatus.OPEN:
                open_now.add(checkout.id)
        return SettledCheckouts(tuple(settled), frozenset(open_now))

    async def look_at(self, checkout: Checkout) -> tuple[Checkout, bool]:
        """Return one checkout as it is now, and whether its session is open and unpaid, for a user who waits for it."""
        state = await self._ask(checkout, Priority.PRESS)
        return await self._note(checkout, state), state is not None and state.status is SessionStatus.OPEN

    async def close(self, checkout: Checkout) -> Checkout:
        """End a session that may be paid, and return its checkout; as it was where the service can't, or fails."""
        try:
            state = await self._payment_ms.expire_session(checkout.session_id)
        except FrontendError:  # logged by the client; what may be paid stays a question
            state = None
        return await self._note(checkout, state)

    async def _ask(self, checkout: Checkout, priority: Priority) -> SessionState | None:
        try:
            return await self._payment_ms.checkout_session(checkout.session_id, priority=priority)
        except FrontendError:  # logged by the client; nothing is learned
            return None

    async def _note(self, checkout: Checkout, state: SessionState | None) -> Checkout:
        """A session that went through proves the purchase; that it was paid is another thing with a bank debit."""
        if state is None:
            return checkout
        if state.dead and checkout.at(CheckoutEvent.RETURNED) is None:
            return await self._checkouts.mark(checkout, CheckoutEvent.EXPIRED)
        if state.bought:
            checkout = await self._checkouts.mark(checkout, CheckoutEvent.COMPLETE)
            checkout = await self._checkouts.mark(checkout, CheckoutEvent.RETURNED)
            if state.payment in (PaymentStatus.PAID, PaymentStatus.NO_PAYMENT_REQUIRED):
                checkout = await self._checkouts.mark(checkout, CheckoutEvent.BILLING_HAS_IT)
        return checkout


def _unsettled(checkouts: Iterable[Checkout], now: datetime) -> list[Checkout]:
    """Return those about which something is to be learned: that may be paid, or were and nobody has said so."""
    found = [c for c in checkouts if c.in_doubt(now) or _waits(c, now)]
    return sorted(found, key=lambda checkout: checkout.handed_out_at, reverse=True)[:MOST_AT_ONCE]


def _waits(checkout: Checkout, now: datetime) -> bool:
    returned = checkout.at(CheckoutEvent.RETURNED) is not None
    known = CheckoutEvent.BILLING_HAS_IT in checkout.events or checkout.confirmed or checkout.disclaimed
    return returned and not known and now < checkout.expires_at + WEBHOOKS_REPEATED
