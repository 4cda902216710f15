"""The checkout sessions this app has opened, as a record: which, for whom, for what, and what became of them.

The Payment MS has no call that looks a checkout session up or expires one, so this record is the only memory of it. It
lives in the shared store under the customer's id. What happens to a checkout later (the browser came back, billing has
it, …) is written as one field an event, so that two writers never overwrite each other.

A checkout that this release can't read counts as absent: no page speaks of it, and its session is not handed out again.
That a plan is not paid twice for it rests on the two services, which are asked afresh before each sale, and on a plain
question for the time in which they may not know yet: `CheckoutsOnRecord.unreadable` tells of such checkouts, and no
plan is sold before the user has said that they were not charged. An item may be opened a second time: buying one twice
is no mistake by itself, and both sessions say at Stripe what they charge. An event whose time can't be read has
happened all the same; it counts as of the checkout's start.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hmac import compare_digest
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from services.purchase import CheckoutKind, Purchase, PurchaseLine
from services.storage.port import Store
from services.storage.rows import RowKind, StoredMoment, read_row

__all__ = [
    "LONGEST_MARGIN",
    "REMEMBERED",
    "SESSION_LIFE",
    "UNANSWERED_REMEMBERED",
    "WEBHOOKS_REPEATED",
    "Checkout",
    "CheckoutEvent",
    "CheckoutKind",
    "CheckoutRepository",
    "CheckoutsOnRecord",
    "newest",
    "reuse_margin",
]  # fmt: skip

SESSION_LIFE: Final = timedelta(hours=24)
"""How long Stripe keeps a checkout session open when it is not told otherwise (Stripe API, `expires_at`)."""

LONGEST_MARGIN: Final = timedelta(minutes=30)

WEBHOOKS_REPEATED: Final = timedelta(days=3)
"""For how long Stripe tries to deliver a webhook, so how long after a payment a service may first hear of it."""

REMEMBERED: Final = timedelta(days=400)
"""How long a checkout is remembered: longer than a yearly subscription goes without a payment.

While it is, the amount can be shown, and a plan that billing never heard of is known to have been bought.
"""

UNANSWERED_REMEMBERED: Final = timedelta(days=3653)
"""How long a plan's checkout is remembered of which nobody knows whether it was paid: what was bought may go on."""


class CheckoutEvent(StrEnum):
    """What can become of a checkout. The time of the first of each kind is kept, unless said otherwise."""

    RETURNED = "returned"
    """The browser came back through the success URL, which proves nothing about money. It counts as back, too, once a
    service says that it went through (`complete`): then it may be that no browser ever came."""
    CANCELED = "canceled"
    """The browser came back through the cancel URL (the last time). The session can still be paid until it expires."""
    REPLACED = "replaced"
    """The user chose to start something else instead (the last time)."""
    HANDED_OUT = "handed_out"
    """The browser was sent to the open session once more (the last time)."""
    BILLING_HAS_IT = "billing_has_it"
    ACCOUNT_HAS_IT = "account_has_it"
    ACCESS_ON = "access_on"
    COMPLETE = "complete"
    """A service says that its session went through. What it sold is bought; a bank debit may still be under way."""
    EXPIRED = "expired"
    """A service says that its session ended unpaid: nothing was charged by it, and nothing will be."""


_REPEATED: Final = frozenset({CheckoutEvent.CANCELED, CheckoutEvent.REPLACED, CheckoutEvent.HANDED_OUT})
_RESOLUTION: Final = timedelta(microseconds=1)
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
_GUARDED_BY: Final = frozenset({"plan_id", "group", "known_subscriptions"})
"""Fields of a plan's checkout without which the guards would take it for another one's."""

_read_moment: Final = TypeAdapter[datetime](StoredMoment).validate_python


class Checkout(BaseModel):
    """A checkout session at Stripe that this app opened for one customer. Amounts are minor units of `currency`.

    `ends_at` is when Stripe closes the session, `return_key` what its success URL carries: only Stripe knows it, and
    shows it to the browser that finished this checkout. A row of an earlier release has neither. `trial_days` are the
    price's; `without_trial` says that none was asked for: this customer has had one.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    customer: str
    kind: CheckoutKind
    session_id: str
    url: str
    lines: tuple[PurchaseLine, ...] = Field(min_length=1)
    currency: str
    started_at: StoredMoment
    ends_at: StoredMoment | None = None
    return_key: str = ""
    plan_id: str | None = None
    group: str | None = None
    interval: str | None = None
    trial_days: int = 0
    without_trial: bool = False
    known_subscriptions: tuple[str, ...] = ()
    events: dict[CheckoutEvent, StoredMoment] = {}

    @property
    def free_days(self) -> int:
        """The days of the trial that was asked for."""
        return 0 if self.without_trial else self.trial_days

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
        return self.ends_at or self.started_at + SESSION_LIFE

    @property
    def purchase(self) -> Purchase:
        """The press that buys what it sells once more, on the same terms."""
        terms = {"interval": self.interval, "trial_days": self.trial_days}
        lines = tuple(
            line.model_copy(update=terms if line.currency else {**terms, "currency": self.currency})
            for line in self.lines
        )
        return Purchase(kind=self.kind, lines=lines)

    @property
    def confirmed(self) -> bool:
        """Whether a service has said since that this purchase arrived and is in force."""
        return CheckoutEvent.ACCESS_ON in self.events

    @property
    def went_through(self) -> bool:
        """Whether it is confirmed, and not by the account alone: that may have the plan from elsewhere.

        The browser came back from it, with what only Stripe knows, or billing has what it sold.
        """
        came = CheckoutEvent.RETURNED in self.events or CheckoutEvent.BILLING_HAS_IT in self.events
        return self.confirmed and came

    def at(self, event: CheckoutEvent) -> datetime | None:
        """When that happened, or None."""
        return self.events.get(event)

    def reusable(self, now: datetime) -> bool:
        """Whether to send the browser to this same session again: it is open, and paying it twice is impossible.

        Also one that was canceled or replaced: Stripe keeps it open, and a second session for the same thing would be
        one more that can be paid.
        """
        return not (self._used or self.dead) and now < self.expires_at - reuse_margin(self.expires_at - self.started_at)

    def payable(self, now: datetime) -> bool:
        """Whether Stripe may still take money for it, and the user was not asked to give it up."""
        return self.in_doubt(now) and now < self.expires_at

    def in_doubt(self, now: datetime) -> bool:
        """Whether it may have been paid without a word: in a tab that never came back, its webhook still on the way.

        Stripe's back link does not end the doubt: it can be pressed in one tab after the checkout was paid in another.
        What ends it is the return, a service's word, be it that it ended unpaid, or the user's answer (`replaced`).
        Time does not: a Payment MS can lose the news of a purchase for good, and Stripe goes on charging. Of items it
        does: nobody ever tells of them.
        """
        if self._used or self.dead or (self.kind is not CheckoutKind.SUBSCRIPTION and self._news_is_over(now)):
            return False
        replaced = self.at(CheckoutEvent.REPLACED)
        return replaced is None or self.handed_out_at > replaced

    def unheard(self, now: datetime) -> bool:
        """Whether it may have been paid, and nobody is to be expected to say so any more."""
        return self.in_doubt(now) and self._news_is_over(now)

    def _news_is_over(self, now: datetime) -> bool:
        """Whether the last webhook's last try is past."""
        return now >= self.expires_at + WEBHOOKS_REPEATED

    def ordered(self, now: datetime) -> bool:
        """Whether it is an order of an item or a cart that the user came back from, and was not asked about since.

        Nobody ever says whether it was paid: with a delayed method that takes days.
        """
        returned, replaced = self.at(CheckoutEvent.RETURNED), self.at(CheckoutEvent.REPLACED)
        if self.kind is CheckoutKind.SUBSCRIPTION or returned is None:
            return False
        return (replaced is None or replaced < returned) and not self._news_is_over(now)

    def open(self, now: datetime) -> bool:
        """Whether the user may be in the middle of it: sent there and not back, not replaced, not expired."""
        if self._used or self.dead or now >= self.expires_at:
            return False
        given_up = self._given_up_at
        return given_up is None or self.handed_out_at > given_up

    @property
    def seen_back(self) -> bool:
        """Whether a browser came back from it, by more than a service's word that it went through."""
        returned, complete = self.at(CheckoutEvent.RETURNED), self.at(CheckoutEvent.COMPLETE)
        return returned is not None and (complete is None or returned < complete)

    @property
    def paid_order(self) -> bool:
        """Whether it is an order of an item or a cart of which a service says that it was paid."""
        return self.kind is not CheckoutKind.SUBSCRIPTION and CheckoutEvent.BILLING_HAS_IT in self.events

    @property
    def dead(self) -> bool:
        """Whether a service says that its session ended unpaid."""
        return CheckoutEvent.EXPIRED in self.events

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
        return self.unconfirmed and not back_again and now < max(self.expires_at, self.started_at + SESSION_LIFE)

    def forgotten(self, now: datetime) -> bool:
        """Whether it is too old to matter. A question that was never answered is asked for longer."""
        unanswered = self.unconfirmed or (self.kind is CheckoutKind.SUBSCRIPTION and self.in_doubt(now))
        return now - self.started_at >= (UNANSWERED_REMEMBERED if unanswered else REMEMBERED)

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


@dataclass(frozen=True, slots=True)
class CheckoutsOnRecord:
    """What one reading of a customer's record says.

    `kept` are the checkouts, newest first. `unreadable` are the ids of those that can't be read here and are not known
    to be settled: their sessions may be open still, or paid and not confirmed. `outlived` are the fields of those that
    are too old to matter.
    """

    kept: tuple[Checkout, ...] = ()
    unreadable: tuple[str, ...] = ()
    outlived: tuple[str, ...] = ()


class CheckoutRepository:
    """The record of checkouts, kept in the store. Every method raises StoreUnavailable when the store does."""

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime] | None = None,
        *,
        opened: Callable[[str], Awaitable[None]] | None = None,
        changed: Callable[[str, Sequence[Checkout]], Awaitable[None]] | None = None,
        marked: Callable[[Checkout, CheckoutEvent], Awaitable[None]] | None = None,
    ) -> None:
        """`opened` is told the id of each new session at Stripe: it says which mode the Payment MS is in. `changed` is
        told of each customer whose checkouts are others than before, with all of them, `marked` of each event that is
        new."""
        self._store = store
        self._now = now or (lambda: datetime.now(UTC))
        self._opened = opened
        self._changed = changed
        self._marked = marked

    async def read(self, customer: str) -> CheckoutsOnRecord:
        """Return all that is on record of the customer's checkouts.

        What happened to one that can't be read can be: if it was confirmed, or if the user said that it was not
        charged, it is settled.
        """
        fields = await self._store.fields(checkouts_key(customer))
        rows, now = _rows(fields), self._now()
        found = [checkout for checkout in rows.values() if checkout is not None]
        old = [checkout for checkout in found if checkout.forgotten(now)]
        kept = sorted((c for c in found if c not in old), key=lambda checkout: checkout.started_at, reverse=True)
        unreadable = (name for name, row in rows.items() if row is None)
        return CheckoutsOnRecord(
            kept=tuple(kept),
            unreadable=tuple(name for name in unreadable if not _settled(_events(fields, name, _LONG_AGO))),
            outlived=tuple(field for checkout in old for field in _fields_of(checkout.id) if field in fields),
        )

    async def of(self, customer: str) -> tuple[Checkout, ...]:
        """Return the customer's remembered checkouts, newest first."""
        return (await self.read(customer)).kept

    async def disclaim(self, customer: str, checkout_id: str) -> None:
        """Note the user's word that a checkout that can't be read was not charged."""
        events = _events(await self._store.fields(checkouts_key(customer)), checkout_id, _LONG_AGO)
        await self._put_event(customer, checkout_id, CheckoutEvent.REPLACED, self._after(events.values()))

    async def by_return_key(self, customer: str, return_key: str) -> Checkout | None:
        """Return this customer's checkout whose success URL carries that key, or None."""
        return next((c for c in await self.of(customer) if c.return_key and _same(c.return_key, return_key)), None)

    async def by_session(self, customer: str, session_id: str) -> Checkout | None:
        """Return this customer's checkout with that Stripe session id; another customer's is None too."""
        return next((c for c in await self.of(customer) if c.session_id == session_id), None)

    async def by_id(self, customer: str, checkout_id: str) -> Checkout | None:
        """Return this customer's checkout with that id of ours; another customer's is None too."""
        return next((c for c in await self.of(customer) if c.id == checkout_id), None)

    async def add(
        self, checkout: Checkout, *, beside: CheckoutsOnRecord | None = None, instead_of: str | None = None
    ) -> None:
        """Remember a checkout that was just opened or handed out, and forget those that are too old to matter.

        `beside` is what was on record a moment ago; without it the record is read. The value that the store keeps
        under `instead_of` is removed in the same step.
        """
        key, text = checkouts_key(checkout.customer), checkout.model_dump_json(exclude={"events"})
        life = UNANSWERED_REMEMBERED.total_seconds()
        await self._store.put_field(key, checkout.id, text, life, instead_of=instead_of)
        beside = beside or await self.read(checkout.customer)
        for field in beside.outlived:
            await self._store.delete_field(key, field)
        if self._opened is not None:
            await self._opened(checkout.session_id)
        await self._tell(checkout.customer)

    async def mark(self, checkout: Checkout, event: CheckoutEvent) -> Checkout:
        """Note that the event has happened and return the checkout with it.

        A second time changes nothing, except for the events of which the last time counts. Their order is kept also
        where two replicas' clocks differ.
        """
        if event in checkout.events and event not in _REPEATED:
            return checkout
        now = self._after([checkout.started_at, *checkout.events.values()])
        await self._put_event(checkout.customer, checkout.id, event, now)
        after = checkout.model_copy(update={"events": {**checkout.events, event: now}})
        if self._marked is not None:
            await self._marked(after, event)
        await self._tell(checkout.customer)
        return after

    async def _tell(self, customer: str) -> None:
        if self._changed is not None:
            await self._changed(customer, await self.of(customer))

    def _after(self, moments: Iterable[datetime]) -> datetime:
        return max(self._now(), max(moments, default=_LONG_AGO) + _RESOLUTION)

    async def _put_event(self, customer: str, checkout_id: str, event: CheckoutEvent, moment: datetime) -> None:
        field = f"{checkout_id}.{event}"
        await self._store.put_field(
            checkouts_key(customer), field, moment.isoformat(), UNANSWERED_REMEMBERED.total_seconds()
        )


def newest(checkouts: Iterable[Checkout], wanted: Callable[[Checkout], bool]) -> Checkout | None:
    """Return the most recently started checkout that is wanted, or None."""
    return max((c for c in checkouts if wanted(c)), key=lambda c: c.started_at, default=None)


def reuse_margin(life: timedelta) -> timedelta:
    """Return how long before its end a session is not handed out again: typing a card number takes a while."""
    return min(LONGEST_MARGIN, life / 4)


def _same(one: str, other: str) -> bool:
    return compare_digest(one.encode(), other.encode())


def checkouts_key(customer: str) -> str:
    """Return what a customer's checkouts are kept under."""
    return f"checkouts:{customer}"


def _rows(fields: dict[str, str]) -> dict[str, Checkout | None]:
    """Return the checkouts by id, None for one that can't be read."""
    found: dict[str, Checkout | None] = {}
    for name, text in fields.items():
        if "." not in name:
            checkout = read_row(RowKind.CHECKOUT, text, _read)
            events = _events(fields, name, checkout.started_at) if checkout is not None else {}
            found[name] = checkout.model_copy(update={"events": events}) if checkout is not None else None
    return found


def _fields_of(checkout_id: str) -> tuple[str, ...]:
    """Return the names of the fields in which a checkout and what became of it are kept."""
    return (checkout_id, *(f"{checkout_id}.{event}" for event in CheckoutEvent))


def _read(text: str) -> Checkout:
    checkout = Checkout.model_validate_json(text)
    if checkout.kind is CheckoutKind.SUBSCRIPTION and not checkout.model_fields_set >= _GUARDED_BY:
        raise ValueError("a plan's checkout without what guards go by")
    return checkout


def _events(fields: dict[str, str], checkout_id: str, unreadable: datetime) -> dict[CheckoutEvent, datetime]:
    """Return what happened to a checkout; `unreadable` stands for times that can't be read."""
    texts = {event: fields.get(f"{checkout_id}.{event}") for event in CheckoutEvent}
    return {
        event: read_row(RowKind.CHECKOUT_EVENT, text, _read_moment) or unreadable
        for event, text in texts.items()
        if text is not None
    }


def _settled(events: dict[CheckoutEvent, datetime]) -> bool:
    replaced = events.get(CheckoutEvent.REPLACED)
    disclaimed = replaced is not None and replaced > events.get(CheckoutEvent.RETURNED, _LONG_AGO - _RESOLUTION)
    return disclaimed or CheckoutEvent.ACCESS_ON in events
