"""What is kept of one user, handed to them, and forgotten as far as nobody could pay twice for it.

What stays is decided by a pure function of the record: checkouts that may be paid or may still be, what tells that a
subscription runs, and news that other services have not taken yet. It is forgotten when it is settled, at the next
call. docs/privacy.md has every kind of row.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import JsonValue
from pydantic_core import from_json

from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind, checkouts_key
from services.live_status.history import portal_trace_key
from services.live_status.memory import snapshot_key
from services.people.record import FoundPerson, PersonRecord, keys_of
from services.sessions.service import first_email_key
from services.sessions.session_rows import SECRET_FIELDS
from services.sessions.user_sessions import user_sessions_key
from services.storage.port import Store
from services.storage.pubsub import PubSub, Topic
from services.storage.rows import RowKind, read_row
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import State, Subscription
from services.webhooks.model import OutboxRow
from services.webhooks.outbox import KEPT_FOR, outbox_key

_SECRETS: Final = frozenset({*SECRET_FIELDS, "return_key"})
"""Fields that prove something to us or to others, and are nobody's to read."""

BELIEVED_FOR: Final = timedelta(hours=1)
"""How old both services' word may be that nothing runs."""

_USED: Final = frozenset({CheckoutEvent.RETURNED, CheckoutEvent.BILLING_HAS_IT, CheckoutEvent.ACCESS_ON})


class Stays(StrEnum):
    """Why something of a user stays."""

    MAY_BE_PAID = "may_be_paid"
    """A checkout may have been paid, or may still be."""
    RUNNING = "running"
    """A subscription runs, or nobody can say that none does."""
    UNTOLD = "untold"
    """Other services have to be told of a change, and have not taken it yet."""


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What would go and what would stay: rows as a whole, checkouts by our ids, and the rest of the outbox's row."""

    rows: tuple[str, ...]
    checkouts: tuple[str, ...]
    outbox: OutboxRow | None
    stays: tuple[Stays, ...]


def forgettable(
    record: PersonRecord, status: CustomerStatus | None, now: datetime, *, by_email: bool = False
) -> Forgetting:
    """Return what may be forgotten of somebody. `status` is what both services say, None where nobody ever asked.

    With `by_email` billing knows customers by their first address, which is needed as long as anything stays.
    """
    kept: dict[str, Stays] = {}
    for checkout in record.history.checkouts:
        why = _stays(checkout, status, now)
        if why is not None:
            kept[checkout.id] = why
    kept |= dict.fromkeys(record.history.record.unreadable, Stays.MAY_BE_PAID)
    reasons = {*kept.values()}
    if record.snapshot is not None and _runs(status, None, now):
        reasons.add(Stays.RUNNING)
    outbox = record.outbox
    if outbox is not None:
        reasons |= {Stays.UNTOLD} if outbox.queue else set()
        outbox = outbox.model_copy(update={"sent": (), "dead": ()}) if reasons else None
    person = record.person
    needed = {checkouts_key(person.customer)}  # of which single fields go: another may be added meanwhile
    if reasons:
        needed |= {snapshot_key(person.customer), portal_trace_key(person.customer), outbox_key(person.customer)}
        needed |= {first_email_key(person.user_id)} if by_email else set()
    return Forgetting(
        rows=tuple(key for key in keys_of(person) if key not in needed),
        checkouts=tuple(c.id for c in record.history.checkouts if c.id not in kept),
        outbox=outbox,
        stays=tuple(why for why in Stays if why in reasons),
    )


def _stays(checkout: Checkout, status: CustomerStatus | None, now: datetime) -> Stays | None:
    """Return why a checkout has to stay, None where it is settled."""
    used = not checkout.events.keys().isdisjoint(_USED) and not checkout.disclaimed
    open_at_stripe = now < checkout.expires_at and not used
    if checkout.in_doubt(now) or checkout.unconfirmed or checkout.ordered(now) or open_at_stripe:
        return Stays.MAY_BE_PAID
    if used and checkout.kind is CheckoutKind.SUBSCRIPTION and _runs(status, checkout.group, now):
        return Stays.RUNNING
    return None


def _runs(status: CustomerStatus | None, group: str | None, now: datetime) -> bool:
    """Whether there is a subscription of the group (None: of any), as far as anybody can say."""
    if status is None or status.stale or now - status.as_of > BELIEVED_FOR:
        return True
    return any(not _is_over(one) for one in status.all if group is None or one.group in (None, group))


def _is_over(one: Subscription) -> bool:
    return one.state in (State.NONE, State.INCOMPLETE_EXPIRED) or (one.state is State.CANCELED and not one.access)


class PersonalData:
    """Reads and forgets the rows of one user, by their keys: it walks nothing. Raises StoreUnavailable.

    Whoever forgets ends the user's sign-ins first, so that no open page writes anew what was just removed.
    """

    def __init__(self, store: Store, pubsub: PubSub, now: Callable[[], datetime] | None = None) -> None:
        self._store = store
        self._pubsub = pubsub
        self._now = now or (lambda: datetime.now(UTC))

    async def export(self, person: FoundPerson, sessions: Iterable[str]) -> dict[str, JsonValue]:
        """Return all that is kept of a user as JSON, by the kinds of docs/privacy.md; without what proves who they are.

        `sessions` are the keys of their sign-ins.
        """
        kept: dict[str, JsonValue] = {}
        sign_ins: list[JsonValue] = [await self._content(RowKind.SESSION, f"session:{one}") for one in sessions]
        found: list[JsonValue] = [one for one in sign_ins if one is not None]
        if found:
            kept[RowKind.SESSION.value] = found
        for key in keys_of(person):
            kind = RowKind(key.partition(":")[0])
            content = await self._content(kind, key)
            if content is not None and kind is not RowKind.USER_SESSION:
                kept[kind.value] = content
        return {
            "exported_at": self._now().isoformat(), "user_id": person.user_id, "customer_id": person.customer,
            "kept": kept,
        }  # fmt: skip

    async def _content(self, kind: RowKind, key: str) -> JsonValue:
        """Return what stands in a row and in its fields; None for a row that is not there."""
        value = read_row(kind, await self._store.get(key), _readable)
        fields = {
            name: read_row(kind, text, _readable) for name, text in (await self._store.fields(key)).items()
        }  # fmt: skip
        return fields or value

    async def end_sessions(self, person: FoundPerson, sessions: Sequence[str]) -> None:
        """Sign the user out everywhere, and tell open tabs."""
        for session in sessions:
            await self._store.delete(f"session:{session}")
            await self._pubsub.announce(Topic.SESSION_ENDED, session)
        await self._store.delete(user_sessions_key(person.user_id))

    async def forget(self, person: FoundPerson, forgetting: Forgetting) -> None:
        """Remove what may go."""
        for key in forgetting.rows:
            await self._store.delete(key)
        fields = await self._store.fields(checkouts_key(person.customer))
        for name in _names(fields, forgetting.checkouts):
            await self._store.delete_field(checkouts_key(person.customer), name)
        if forgetting.outbox is not None:
            text = forgetting.outbox.model_dump_json()
            await self._store.put(outbox_key(person.customer), text, KEPT_FOR.total_seconds())


def _names(fields: Iterable[str], checkouts: Sequence[str]) -> list[str]:
    """Return the names of the fields in which these checkouts and what became of them are kept."""
    return [name for name in fields if name.partition(".")[0] in checkouts]


def _readable(text: str) -> JsonValue:
    """Return a row's text as JSON, or as text where it is none, without secrets."""
    try:
        content: JsonValue = from_json(text)
    except ValueError:
        return text
    if isinstance(content, dict):
        return {name: value for name, value in content.items() if name not in _SECRETS}
    return content
