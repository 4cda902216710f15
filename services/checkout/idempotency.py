"""Idempotency keys of checkouts at the Payment MS: what a session that must not be opened twice is asked for under.

A key stays the same while nobody knows how the call under it ended, so that asking again after a lost answer can't
open a second session where the service honours the key. Our own id of the checkout and the key of its success URL
follow from it: a repeated request is the same to the last byte, as Stripe demands of one that repeats a key.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.checkout_record import Checkout, reuse_margin
from services.errors import FrontendError, StoreUnavailable, UpstreamFailed, UpstreamTimeout, UpstreamUnavailable
from services.purchase import Purchase
from services.storage.port import Store
from services.storage.rows import RowKind, read_row

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{16,255}")
"""What an idempotency key looks like in any release: text for a header, hard to guess."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The key of one purchase while its outcome is unknown; `name` is what it is kept under."""

    name: str
    value: str

    @property
    def checkout_id(self) -> str:
        """Our id of the checkout that is opened under it."""
        return _digest(self.value, 16)

    @property
    def return_key(self) -> str:
        """What the success URL of that checkout carries."""
        return _digest(f"return:{self.value}", 32)


class IdempotencyKeys:
    """The keys of calls whose outcome is unknown. Call it under the customer's lock; `life` is a session's."""

    def __init__(self, store: Store, life: timedelta, public_url: str) -> None:
        self._store = store
        self._kept_for = reuse_margin(life).total_seconds()
        self._public_url = public_url

    async def key_for(
        self,
        customer: str,
        email: str,
        purchase: Purchase,
        known: Iterable[Checkout],
        *,
        trial: bool = False,
        locale: str = "",
    ) -> IdempotencyKey:
        """Return the key to ask for this purchase under: that of the last try if it may have succeeded, or a new one.

        `known` are the customer's checkouts as they are on record now. A key lives no longer than what is kept free at
        a session's end: a session that was opened under it earlier is then never handed out dead. Raises
        StoreUnavailable.
        """
        name = self._name(customer, email, purchase, trial=trial, locale=locale)
        key = await self._kept(name)
        if any(checkout.id == key.checkout_id for checkout in known):
            await self._store.delete(name)  # written by a release that took two steps, and stopped between them
            key = await self._kept(name)
        return key

    async def forget(self, key: IdempotencyKey) -> None:
        """Drop a key once the outcome of its call is known."""
        with suppress(StoreUnavailable):  # it then ends by itself
            await self._store.delete(key.name)

    async def _kept(self, name: str) -> IdempotencyKey:
        """Return the key kept under that name, or a new one that is kept from now on.

        One that can't be read makes way for a new one: the session that may have been opened under it is known to no
        browser, and can't be paid.
        """
        new = secrets.token_urlsafe(24)
        if await self._store.add(name, new, self._kept_for):
            return IdempotencyKey(name, new)
        known = read_row(RowKind.IDEMPOTENCY_KEY, await self._store.get(name), _read_key)
        if known is None:
            await self._store.put(name, new, self._kept_for)
        return IdempotencyKey(name, known or new)

    def _name(self, customer: str, email: str, purchase: Purchase, *, trial: bool, locale: str) -> str:
        """Everything that the request's content depends on."""
        lines = sorted((line.price_id, line.quantity, line.product_id) for line in purchase.lines)
        content: tuple[object, ...] = (purchase.kind, lines, email, self._public_url, trial)
        if locale:  # a service of the first version is told none
            content = (*content, locale)
        return f"attempt:{customer}:{_digest(repr(content), 16)}"


def _read_key(text: str) -> str:
    if _KEY.fullmatch(text) is None:
        raise ValueError("no idempotency key")
    return text


def outcome_unknown(error: FrontendError) -> bool:
    """Whether the service may have opened the session all the same. A failure that was answered would be repeated."""
    if isinstance(error, UpstreamFailed):
        return error.upstream_status is None
    return isinstance(error, UpstreamTimeout | UpstreamUnavailable)


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
