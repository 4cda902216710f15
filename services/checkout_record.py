"""The checkout sessions this app has opened, as a record: which, for whom, for what, and what became of them.

The Payment MS has no call that looks a checkout session up or expires one, so this record is the only memory of it. It
lives in the shared store under the customer's id. What happens to a checkout later (the browser came back, billing has
it, …) is written as one field an event, so that two writers never overwrite each other.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from services.errors import StoreUnavailable
from services.storage.port import Store

SESSION_LIFE: Final = timedelta(hours=24)
"""How long Stripe keeps a checkout session open when it is not told otherwise (Stripe API, `expires_at`)."""

REUSE_MARGIN: Final = timedelta(minutes=30)
"""A session this close to its end is not handed out again: typing a card number takes a while."""

REMEMBERED: Final = timedelta(days=400)
"""How long a checkout is remembered: longer than a yearly subscription goes without a payment.

While it is, the amount can be shown, and a plan that billing never heard of is known to have been bought.
"""


class CheckoutKind(StrEnum):
    """What a checkout sells."""

    SUBSCRIPTION = "subscription"
    ITEM = "item"
    CART = "cart"


class CheckoutEvent(StrEnum):
    """What can become of a checkout. The time of the first of each kind is kept, unless said otherwise."""

    RETURNED = "returned"
    """The browser came back through the success URL. Proves nothing about money."""
    CANCELED = "canceled"
    """The browser came back through the cancel URL (the last time). The session can still be paid until it expires."""
    REPLACED = "replaced"
    """The user chose to start something else instead (the last time)."""
    HANDED_OUT = "handed_out"
    """The browser was sent to the open session once more (the last time)."""
    BILLING_HAS_IT = "billing_has_it"
    ACCOUNT_HAS_IT = "account_has_it"
    ACCESS_ON = "access_on"


_REPEATED: Final = frozenset({CheckoutEvent.CANCELED, CheckoutEvent.REPLACED, CheckoutEvent.HANDED_OUT})
_RESOLUTION: Final = timedelta(microseconds=1)


class CheckoutLine(BaseModel):
    """One line of a checkout: a price, how many, and what one costs (minor units)."""

    model_config = ConfigDict(frozen=True)

    price_id: str
    product_id: str | None = None
    name: str
    quantity: int = 1
    amount: int


class Checkout(BaseModel):
    """A checkout session at Stripe that this app opened for one customer. Amounts are minor units of `currency`."""

    model_config = ConfigDict(frozen=True)

    id: str
    customer: str
    kind: CheckoutKind
    session_id: str
    url: str
    lines: tuple[CheckoutLine, ...]
    currency: str
    started_at: datetime
    plan_id: str | None = None
    group: str | None = None
    interval: str | None = None
    trial_days: int = 0
    known_subscriptions: tuple[str, ...] = ()
    events: dict[CheckoutEvent, datetime] = {}

    @property
    def price_id(self) -> str:
        """The price of the first line: the only one unless this is a cart."""
        return self.lines[0].price_id

    @property
    def product_id(self) -> str | None:
        """The product of the first line."""
        return self.lines[0].product_id

    @property
    def total(self) -> int:
        """What Checkout asks for before promotion codes and tax."""
        return sum(line.amount * line.quantity for line in self.lines)

    @property
    def content(self) -> tuple[tuple[str, int], ...]:
        """What is bought, comparable: prices with their quantities."""
        return tuple(sorted((line.price_id, line.quantity) for line in self.lines))

    @property
    def expires_at(self) -> datetime:
        """When Stripe closes the session unless it was paid."""
        return self.started_at + SESSION_LIFE

    @property
    def confirmed(self) -> bool:
        """Whether a service has said since that this purchase arrived and is in force."""
        return CheckoutEvent.ACCESS_ON in self.events

    def at(self, event: CheckoutEvent) -> datetime | None:
        """When that happened, or None."""
        return self.events.get(event)

    def reusable(self, now: datetime) -> bool:
        """Whether to send the browser to this same session again: it is open, and paying it twice is impossible.

        Also one that was canceled or replaced: Stripe keeps it open, and a second session for the same thing would be
        one more that can be paid.
        """
        return not self._used and now < self.expires_at - REUSE_MARGIN

    def open(self, now: datetime) -> bool:
        """Whether the user may be in the middle of it: sent there and not back, not replaced, not expired."""
        if self._used or now >= self.expires_at:
            return False
        given_up = self._given_up_at
        return given_up is None or self.handed_out_at > given_up

    @property
    def handed_out_at(self) -> datetime:
        """When the browser was last sent to it."""
        return self.events.get(CheckoutEvent.HANDED_OUT, self.started_at)

    def confirming(self, now: datetime) -> bool:
        """Whether the user came back from it, and no service has confirmed it yet, within the session's life.

        Coming back through the cancel URL after that ends the waiting, but not the doubt: it stays `unconfirmed`. A
        second tab at Stripe can go back after the first one has paid.
        """
        returned, canceled = self.at(CheckoutEvent.RETURNED), self.at(CheckoutEvent.CANCELED)
        back_again = returned is not None and canceled is not None and canceled > returned
        return self.unconfirmed and not back_again and now < self.expires_at

    @property
    def unconfirmed(self) -> bool:
        """Whether the user came back through the success URL, unconfirmed since, and started nothing instead."""
        returned = CheckoutEvent.RETURNED in self.events
        return returned and not self.confirmed and not self.disclaimed and self.kind is CheckoutKind.SUBSCRIPTION

    @property
    def _used(self) -> bool:
        """Whether it was paid, as far as the browser's return or billing's record shows."""
        return not self.events.keys().isdisjoint(
            (CheckoutEvent.RETURNED, CheckoutEvent.BILLING_HAS_IT, CheckoutEvent.ACCESS_ON)
        )

    @property
    def disclaimed(self) -> bool:
        """Whether the user came back from it, said when asked that it was not charged, and started something else."""
        returned, replaced = self.at(CheckoutEvent.RETURNED), self.at(CheckoutEvent.REPLACED)
        return returned is not None and replaced is not None and replaced > returned

    @property
    def _given_up_at(self) -> datetime | None:
        return max(
            (self.events[e] for e in (CheckoutEvent.CANCELED, CheckoutEvent.REPLACED) if e in self.events), default=None
        )


class CheckoutRepository:
    """The record of checkouts, kept in the store. Every method raises StoreUnavailable when the store does."""

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime] | None = None,
        *,
        opened: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        """`opened` is told the id of each new session at Stripe: it says which mode the Payment MS is in."""
        self._store = store
        self._now = now or (lambda: datetime.now(UTC))
        self._opened = opened

    async def of(self, customer: str) -> tuple[Checkout, ...]:
        """Return the customer's remembered checkouts, newest first."""
        fields = await self._store.fields(_key(customer))
        found = [_read(text, _events(fields, name)) for name, text in fields.items() if "." not in name]
        kept = [checkout for checkout in found if self._now() - checkout.started_at < REMEMBERED]
        return tuple(sorted(kept, key=lambda checkout: checkout.started_at, reverse=True))

    async def by_session(self, customer: str, session_id: str) -> Checkout | None:
        """Return this customer's checkout with that Stripe session id; another customer's is None too."""
        return next((c for c in await self.of(customer) if c.session_id == session_id), None)

    async def by_id(self, customer: str, checkout_id: str) -> Checkout | None:
        """Return this customer's checkout with that id of ours; another customer's is None too."""
        return next((c for c in await self.of(customer) if c.id == checkout_id), None)

    async def add(self, checkout: Checkout) -> None:
        """Remember a checkout that was just opened or handed out, and forget those that are too old to matter."""
        text = checkout.model_dump_json(exclude={"events"})
        await self._store.put_field(_key(checkout.customer), checkout.id, text, REMEMBERED.total_seconds())
        await self._forget_old(checkout.customer)
        if self._opened is not None:
            await self._opened(checkout.session_id)

    async def mark(self, checkout: Checkout, event: CheckoutEvent) -> Checkout:
        """Note that the event has happened and return the checkout with it.

        A second time changes nothing, except for the events of which the last time counts. Their order is kept also
        where two replicas' clocks differ.
        """
        if event in checkout.events and event not in _REPEATED:
            return checkout
        now = max(self._now(), max(checkout.events.values(), default=checkout.started_at) + _RESOLUTION)
        await self._store.put_field(
            _key(checkout.customer), f"{checkout.id}.{event}", now.isoformat(), REMEMBERED.total_seconds()
        )
        return checkout.model_copy(update={"events": {**checkout.events, event: now}})

    async def _forget_old(self, customer: str) -> None:
        fields = await self._store.fields(_key(customer))
        for name, text in fields.items():
            if "." in name or self._now() - _read(text, {}).started_at < REMEMBERED:
                continue
            for field in [name, *(f"{name}.{event}" for event in CheckoutEvent)]:
                if field in fields:
                    await self._store.delete_field(_key(customer), field)


def newest(checkouts: Iterable[Checkout], wanted: Callable[[Checkout], bool]) -> Checkout | None:
    """Return the most recently started checkout that is wanted, or None."""
    return max((c for c in checkouts if wanted(c)), key=lambda c: c.started_at, default=None)


def _key(customer: str) -> str:
    return f"checkouts:{customer}"


def _read(text: str, events: dict[CheckoutEvent, datetime]) -> Checkout:
    """Return the checkout. One that can't be read can't be guarded against, so that is the store's failure."""
    try:
        value: dict[str, object] = json.loads(text)
        return Checkout.model_validate({**value, "events": events})
    except ValueError as error:
        raise StoreUnavailable("a remembered checkout can't be read") from error


def _events(fields: dict[str, str], checkout_id: str) -> dict[CheckoutEvent, datetime]:
    times = {event: fields.get(f"{checkout_id}.{event}") for event in CheckoutEvent}
    return {event: datetime.fromisoformat(text) for event, text in times.items() if text is not None}
