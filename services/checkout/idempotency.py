"""Opening one checkout session at the Payment MS, and remembering it: the part that must not happen twice.

An attempt has a key that stays the same while its outcome is unknown, so that asking again after a lost answer can't
open a second session where the service honours the key. Our own id of the checkout follows from the key: a repeated
request is the same to the last byte, as Stripe demands of one that repeats an idempotency key.
"""

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.checkout_record import REUSE_MARGIN, Checkout, CheckoutRepository
from services.errors import FrontendError, StoreUnavailable, UpstreamFailed, UpstreamTimeout, UpstreamUnavailable
from services.payment_ms import CheckoutSession
from services.storage.port import Store
from services.storage.rows import RowKind, read_row
from services.web.safe_urls import safe_redirect

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{16,255}")
"""What an idempotency key looks like in any release: text for a header, hard to guess."""


@dataclass(frozen=True, slots=True)
class Redirects:
    """Where browsers come from and may be sent: our own address, and the hosts allowed for checkout."""

    public_url: str
    allowed_hosts: Collection[str]
    allow_http: bool = False

    def success_url(self) -> str:
        """Where Stripe sends the browser after paying; Stripe puts the session's id in place of the braces."""
        return f"{self.public_url}/payment/success?session_id={{CHECKOUT_SESSION_ID}}"

    def cancel_url(self, checkout_id: str) -> str:
        """Where Stripe's back link leads."""
        return f"{self.public_url}/payment/cancel?checkout={checkout_id}"


class Attempts:
    """Opens checkout sessions. Call it under the customer's lock."""

    def __init__(
        self, store: Store, checkouts: CheckoutRepository, redirects: Redirects, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._checkouts = checkouts
        self._redirects = redirects
        self._now = now

    async def open(
        self, draft: Checkout, email: str, ask: Callable[[Checkout, str], Awaitable[CheckoutSession]]
    ) -> Checkout:
        """Ask for a session and return it as a remembered checkout.

        `ask` gets the checkout, whose id is now final, and the idempotency key. Raises UnsafeRedirect for an address
        that no browser may be sent to, StoreUnavailable when the session can't be remembered (then no browser is sent
        to it), and what `ask` raises.
        """
        attempt = _name(draft, email, self._redirects)
        key = await self._key(attempt)
        if await self._checkouts.by_id(draft.customer, _id_for(key)) is not None:
            await self._store.delete(attempt)  # it has ended, and only that could not be written
            key = await self._key(attempt)
        checkout = draft.model_copy(update={"id": _id_for(key)})
        try:
            answer = await ask(checkout, key)
            url = safe_redirect(answer.url, self._redirects.allowed_hosts, self._redirects.allow_http)
        except FrontendError as error:
            if not _outcome_unknown(error):
                await self._end(attempt)
            raise
        opened = checkout.model_copy(update={"session_id": answer.id, "url": url, "started_at": self._now()})
        await self._checkouts.add(opened)
        await self._end(attempt)
        return opened

    async def _key(self, attempt: str) -> str:
        """Return the key of this attempt. It lives no longer than what is kept free at a session's end: a session that
        was opened under it earlier is then never handed out dead. One that can't be read makes way for a new one: the
        session that may have been opened under it is known to no browser, and can't be paid."""
        new, life = secrets.token_urlsafe(24), REUSE_MARGIN.total_seconds()
        if await self._store.add(attempt, new, life):
            return new
        known = read_row(RowKind.IDEMPOTENCY_KEY, await self._store.get(attempt), _read_key)
        if known is None:
            await self._store.put(attempt, new, life)
        return known or new

    async def _end(self, attempt: str) -> None:
        with suppress(StoreUnavailable):  # the key then ends by itself
            await self._store.delete(attempt)


def _read_key(text: str) -> str:
    if _KEY.fullmatch(text) is None:
        raise ValueError("no idempotency key")
    return text


def _id_for(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _name(draft: Checkout, email: str, redirects: Redirects) -> str:
    """Everything that the request's content depends on."""
    content = (draft.kind, draft.content, [line.product_id for line in draft.lines], email, redirects.public_url)
    return f"attempt:{draft.customer}:{hashlib.sha256(repr(content).encode()).hexdigest()[:16]}"


def _outcome_unknown(error: FrontendError) -> bool:
    """Whether the service may have opened the session all the same. A failure that was answered would be repeated."""
    if isinstance(error, UpstreamFailed):
        return error.upstream_status is None
    return isinstance(error, UpstreamTimeout | UpstreamUnavailable)
