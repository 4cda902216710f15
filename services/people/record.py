"""All that is kept of one person, found by their id or by what they quote, and read at once.

    people = PeopleRepository(store, catalog=…, customer_of=…)
    for person in await people.find("cs_test_a1b2"):
        record = await people.read(person)

It walks the store where an id is not enough: for operators, not for users' requests. `rows_of` names every row in which
something of a person is kept.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from pydantic_core import from_json

from services.cart import cart_key, owner_of_user
from services.checkout_record import CheckoutRepository, checkouts_key
from services.live_status.history import CustomerHistory, HistoryRepository, portal_trace_key
from services.live_status.memory import read_snapshot, snapshot_key
from services.people.shown import ShownLine, read_shown, shown_key
from services.portal import portal_visit_key
from services.sessions.service import first_email, first_email_key
from services.sessions.user_sessions import user_sessions_key
from services.storage.port import Store
from services.storage.rows import RowKind, read_row
from services.subscription.snapshot import UpstreamSnapshot
from services.webhooks.model import OutboxRow
from services.webhooks.outbox import outbox_key

Row = TypeVar("Row")

_TOGETHER: Final = 50
"""How many rows are asked for at once on a walk."""

CustomerOf = Callable[[str], Awaitable[str | None]]
"""Tells by which id billing knows a user, where that is known."""


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """Somebody of whom something is kept: the id that billing knows, and the user's, empty where it is not known.

    `by` says what led to them: "user id", "checkout", "subscription" and the like.
    """

    customer: str
    user_id: str
    by: str


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """All that explains what one person's pages say."""

    person: FoundPerson
    email: str
    snapshot: UpstreamSnapshot | None
    history: CustomerHistory
    outbox: OutboxRow | None
    shown: tuple[ShownLine, ...]


class PeopleRepository:
    """Finds people in a store and reads what is kept of them. Every method raises StoreUnavailable."""

    def __init__(self, store: Store, customer_of: CustomerOf, now: Callable[[], datetime] | None = None) -> None:
        self._store = store
        self._customer_of = customer_of
        now = now or (lambda: datetime.now(UTC))
        self._history = HistoryRepository(store, CheckoutRepository(store, now), now)

    async def find(self, asked: str) -> tuple[FoundPerson, ...]:
        """Return whom an id, an address or a reference can mean: nobody, or one, seldom more.

        Taken for an id first; what is none is looked for among checkouts, answers, what was shown, and sign-ins.
        """
        customer = await self._customer_of(asked)
        for candidate, user_id, by in ((customer, asked, "user id"), (asked, "", "billing's id")):
            if candidate is not None and await self._keeps(candidate):
                return (FoundPerson(candidate, user_id or await self._user_of(candidate), by),)
        found = {person.customer: person async for person in self._walk(asked)}
        return tuple(found.values())

    async def read(self, person: FoundPerson) -> PersonRecord:
        """Return all that is kept of somebody."""
        customer, store = person.customer, self._store
        snapshot, history, outbox, shown = await asyncio.gather(
            read_snapshot(store, customer), self._history.of(customer),
            self._outbox(customer), read_shown(store, customer),
        )  # fmt: skip
        email = await first_email(store, person.user_id) if person.user_id else None
        return PersonRecord(person, email or "", snapshot, history, outbox, shown)

    async def customers(self) -> list[str]:
        """Return everybody of whom an answer or a checkout is kept, by the id that billing knows. Walks the store."""
        kinds = (RowKind.UPSTREAM_SNAPSHOT, RowKind.CHECKOUT)
        found = [key.removeprefix(f"{kind}:") for kind in kinds for key in await self._store.keys(f"{kind}:")]
        return sorted(set(found))

    async def answers(self, customer: str) -> UpstreamSnapshot | None:
        """Return what both services said last of a customer, None for nothing."""
        return await read_snapshot(self._store, customer)

    async def user_of(self, customer: str) -> str:
        """Return the user's id of whom billing knows by that one, empty where nothing tells it."""
        return await self._user_of(customer)

    async def _keeps(self, customer: str) -> bool:
        fields = [checkouts_key(customer), shown_key(customer)]
        values = [snapshot_key(customer), outbox_key(customer)]
        found = await asyncio.gather(*map(self._store.fields, fields), *map(self._store.get, values))
        return any(found)

    async def _outbox(self, customer: str) -> OutboxRow | None:
        text = await self._store.get(outbox_key(customer))
        return read_row(RowKind.OUTBOX, text, OutboxRow.model_validate_json)

    async def _user_of(self, customer: str) -> str:
        """Where billing goes by user id it is the same; else whoever was told of this customer knows."""
        if await self._customer_of(customer) == customer:
            return customer
        row = await self._outbox(customer)
        return row.user_id if row is not None else ""

    async def _walk(self, asked: str) -> AsyncIterator[FoundPerson]:
        walks = (
            (f"{RowKind.CHECKOUT}:", self._store.fields, "checkout"),
            (f"{RowKind.SHOWN}:", self._store.fields, "a problem's reference"),
        )
        for prefix, read, by in walks:
            async for key, fields in _rows(self._store, prefix, read):
                if any(_quotes(text, asked) for text in (*fields, *fields.values())):
                    customer = key.removeprefix(prefix)
                    yield FoundPerson(customer, await self._user_of(customer), by)
        prefix = f"{RowKind.UPSTREAM_SNAPSHOT}:"
        async for key, text in _rows(self._store, prefix, self._store.get):
            if text is not None and _quotes(text, asked):
                customer = key.removeprefix(prefix)
                yield FoundPerson(customer, await self._user_of(customer), "subscription")
        async for _key, text in _rows(self._store, f"{RowKind.SESSION}:", self._store.get):
            signed_in = _user_with(text, asked) if "@" in asked else None
            billed_as = await self._customer_of(signed_in) if signed_in is not None else None
            if signed_in is not None and billed_as is not None:
                yield FoundPerson(billed_as, signed_in, "e-mail address")


async def rows_of(store: Store, person: FoundPerson) -> tuple[str, ...]:
    """Return the keys of every row in which something of a person is kept, sign-ins and carts included.

    Walks the store for sign-ins. What stands in a row of many (an index, an alarm's cases) is not among them.
    """
    attempts = await store.keys(f"{RowKind.IDEMPOTENCY_KEY}:{person.customer}:")
    sessions = [f"{RowKind.SESSION}:{one}" for one in await sessions_of(store, person.user_id)]
    kept = [key async for key in _kept(store, [*keys_of(person), *attempts, *sessions])]
    return tuple(kept)


def keys_of(person: FoundPerson) -> tuple[str, ...]:
    """Return the keys under which a person's rows are, as far as their ids tell: all but sign-ins and attempts."""
    customer, user_id = person.customer, person.user_id
    keys = [
        snapshot_key(customer), checkouts_key(customer), shown_key(customer), outbox_key(customer),
        portal_trace_key(customer), portal_visit_key(customer),
    ]  # fmt: skip
    if user_id:
        keys += [first_email_key(user_id), cart_key(owner_of_user(user_id)), user_sessions_key(user_id)]
    return tuple(keys)


async def sessions_of(store: Store, user_id: str) -> tuple[str, ...]:
    """Return the keys of a user's sessions, those of releases before their index too. Walks the store."""
    found = []
    async for key, text in _rows(store, f"{RowKind.SESSION}:", store.get):
        if user_id and read_row(RowKind.SESSION, text, _user_id) == user_id:
            found.append(key.removeprefix(f"{RowKind.SESSION}:"))
    return tuple(found)


async def _kept(store: Store, keys: list[str]) -> AsyncIterator[str]:
    for key in keys:
        if await store.get(key) is not None or await store.fields(key):
            yield key


async def _rows(
    store: Store, prefix: str, read: Callable[[str], Awaitable[Row]]
) -> AsyncIterator[tuple[str, Row]]:  # fmt: skip
    """Read every row whose key begins so, some at a time, so that nobody else waits long for the store."""
    every = await store.keys(prefix)
    for start in range(0, len(every), _TOGETHER):
        keys = every[start : start + _TOGETHER]
        for key, row in zip(keys, await asyncio.gather(*map(read, keys)), strict=True):
            yield key, row


def _quotes(text: str, asked: str) -> bool:
    """Whether a row's text is that id, or holds it as a whole value."""
    return text == asked or f'"{asked}"' in text


def _user_id(text: str) -> str:
    return str(from_json(text)["user"]["user_id"])


def _user_with(text: str | None, address: str) -> str | None:
    """Return the user of a sign-in who has that e-mail address."""

    def read(row: str) -> str | None:
        user = from_json(row)["user"]
        return str(user["user_id"]) if str(user.get("email", "")).lower() == address.lower() else None

    return read_row(RowKind.SESSION, text, read)
