"""Asks both services about one customer and makes a `CustomerStatus` of the answers.

Each question is asked once for all who want it at the same time, and an answer younger than a second is shared. The
latest answers are kept in the store, so that a restart, another replica or an outage starts from what was known.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Protocol

import structlog

from catalog import Catalog
from services.alarms.observed import CustomerEvidence
from services.alarms.recorder import AlarmRecorder
from services.auth_ms import PlanGrant
from services.checkout_record import Checkout, CheckoutRepository
from services.concurrency.limit import Priority
from services.errors import FrontendError, InvalidIdentifier, SignInUnavailable, StoreUnavailable
from services.live_status.history import CustomerHistory, HistoryRepository
from services.live_status.schedule import Scope
from services.payment_ms import PaymentMS
from services.sessions.service import Session, Sessions
from services.storage.marks import Mark, Marks
from services.storage.port import Store
from services.storage.rows import RowKind, read_row
from services.subscription.confirmation import note_progress
from services.subscription.customer_status import CustomerStatus
from services.subscription.former_plans import catalog_for
from services.subscription.grant_rules import ACCOUNT_ALONE, GrantRules
from services.subscription.last_word import LastWord, as_if_said_now, dated, is_memory
from services.subscription.model import Reason, State
from services.subscription.normalize import plan_named
from services.subscription.reconcile import reconcile
from services.subscription.snapshot import UpstreamSnapshot
from services.subscription.unknown_plans import UnknownPlans
from services.upstream.identifiers import check_identifier

SHARED_FOR: Final = timedelta(seconds=1)
"""How old an answer may be to be shared with another request."""

ASKED_AGAIN_AFTER: Final = timedelta(minutes=10)
"""An answer of billing's older than this is asked for again, also where nothing says that it may differ: "none" of last
month proves nothing about today (a purchase in a browser that never came back, a subscription made elsewhere)."""

KEPT_FOR: Final = timedelta(days=40)
_WRITTEN_EVERY: Final = timedelta(seconds=15)
_MEMORY: Final = 10_000

_WIDTH: Final = {"billing": -1, "account": 0, "relevant": 1, "all": 2}
"""A question serves who wants as much or less. One to billing alone serves nobody who has a session."""

_log = structlog.get_logger(__name__)


@dataclass
class _Known:
    """What this process remembers of one customer, and the question under way.

    `round` counts the questions, `asker` is the session for which the last one is asked.
    """

    snapshot: UpstreamSnapshot | None = None
    written: UpstreamSnapshot | None = None
    written_at: datetime | None = None
    asked_at: datetime | None = None
    asked_billing_at: datetime | None = None
    asked_all_at: datetime | None = None
    task: "asyncio.Task[None] | None" = None
    writing: "asyncio.Task[None] | None" = None
    unwritten: bool = False
    scope: Scope | Literal["billing"] = "relevant"
    priority: Priority = Priority.LOOK
    judged: "_Judged | None" = None
    told: bool = False
    round: int = 0
    asker: str = field(default="", repr=False)

    @property
    def busy(self) -> bool:
        return self.task is not None and not self.task.done()


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was made of what, and when."""

    status: CustomerStatus
    snapshot: UpstreamSnapshot
    history: CustomerHistory
    catalog: Catalog
    at: datetime

    def holds(self, snapshot: UpstreamSnapshot, history: CustomerHistory, catalog: Catalog, now: datetime) -> bool:
        """Whether the rules would say the same: nothing differs, and no limit of time can have passed."""
        young = timedelta() <= now - self.at < SHARED_FOR
        return young and self.catalog is catalog and self.history == history and self.snapshot == snapshot


class LookObserver(Protocol):
    """Is told of each look at a customer who is here, and never fails it."""

    async def looked(self, customer: str, user_id: str, status: CustomerStatus, checkouts: Sequence[Checkout]) -> None:
        """Take note of what a look found."""
        ...


class StatusRefresher:
    """What customers have, asked of both services. `customer_of` says by which id the Payment MS knows a user.

    `hash_of` makes what stands for a user's id in the log; `alarms` and the `observer` are told of each look.
    """

    def __init__(
        self,
        *,
        store: Store,
        payment_ms: PaymentMS,
        sessions: Sessions,
        checkouts: CheckoutRepository,
        catalog: Callable[[], Catalog],
        customer_of: Callable[[Session], str],
        grants: GrantRules = ACCOUNT_ALONE,
        marks: Marks | None = None,
        hash_of: Callable[[str], str] = lambda user_id: "",
        alarms: AlarmRecorder | None = None,
        observer: LookObserver | None = None,
        now: Callable[[], datetime] | None = None,
        memory: int = _MEMORY,
    ) -> None:
        self._store = store
        self._payment_ms = payment_ms
        self._sessions = sessions
        self._checkouts = checkouts
        self._catalog = catalog
        self._customer_of = customer_of
        self._grants = grants
        self._marks = marks or Marks(store)
        self._hash_of = hash_of
        self._alarms = alarms
        self._observer = observer
        self._now = now or (lambda: datetime.now(UTC))
        self._memory = memory
        self._history = HistoryRepository(store, checkouts, self._now)
        self.unknown_plans = UnknownPlans()
        self._customers: OrderedDict[str, _Known] = OrderedDict()

    def customer_of(self, session: Session) -> str:
        """Return the id by which the Payment MS knows this user."""
        return self._customer_of(session)

    async def remembered(self, customer: str) -> CustomerStatus | None:
        """Return what is known without asking a service; None when nothing is. Raises StoreUnavailable."""
        known = self._known(customer)
        snapshot = known.snapshot or await self._load(customer, known)
        return None if snapshot is None else await self._status_of(customer, snapshot)

    async def reread(self, customer: str, *, news: bool = False) -> CustomerStatus | None:
        """Return what is known with what another replica has found out since. Raises StoreUnavailable.

        With `news` that replica has just said so: it is younger than what was asked here, whatever the clocks say.
        """
        known = self._known(customer)
        mine, age = known.snapshot or UpstreamSnapshot(), self.age(customer)
        found = await self._read(customer)
        if found is not None and not known.busy:
            sure = news and (age is None or age > SHARED_FOR)
            known.snapshot = found.over(mine) if sure else found.with_memory_of(mine, self._now())
        return await self.remembered(customer)

    def age(self, customer: str) -> timedelta | None:
        """Return how long ago this process asked about the customer, or None."""
        known = self._customers.get(customer)
        return None if known is None or known.asked_at is None else self._now() - known.asked_at

    async def ask(
        self,
        session: Session,
        scope: Scope = "relevant",
        *,
        fresh: bool = False,
        priority: Priority = Priority.LOOK,
    ) -> CustomerStatus:
        """Return what the customer has now.

        `scope` "all" asks about every plan; "relevant" about those with a subscription or a checkout under way, and
        those of which the last answer is old, after a first full look; "account" asks the Auth MS alone, and billing
        only if that says something new. `priority` is the place in the Payment MS's queue; who needs it `fresh` goes
        first. With `fresh`, the questions are certain to be asked after this call began; otherwise an answer younger
        than a second is shared. A service that can't be asked is noted in the status, not raised. Raises NotSignedIn
        when the Auth MS has ended the session, StoreUnavailable when the store can't be read.
        """
        customer = self._customer_of(session)
        known = await self._answered(customer, session, scope, None, fresh=fresh, priority=priority)
        if known.unwritten:
            self._begin_writing(customer, known)
        if known.writing is not None:
            await asyncio.shield(known.writing)
        return await self._status_of(customer, known.snapshot or UpstreamSnapshot())

    async def history(self, customer: str) -> CustomerHistory:
        """Return what happened here with the customer, as it is on record now. Raises StoreUnavailable.

        What was known of them is read along with it, so that a question that follows need not.
        """
        known = self._known(customer)
        if known.snapshot is not None:
            return await self._history.of(customer)
        history, _snapshot = await asyncio.gather(self._history.of(customer), self._load(customer, known))
        return history

    async def ask_before_sale(
        self, session: Session, history: CustomerHistory, *, fresh: bool
    ) -> tuple[CustomerStatus, CustomerHistory]:
        """Return what the customer has by a full look at both services, and their history as it is after it.

        `history` is what was read a moment ago. The answers are on their way to the store when this returns, so that
        they get there with what the caller writes next. Else as `ask`.
        """
        customer = self._customer_of(session)
        known = await self._answered(customer, session, "all", history, fresh=fresh, priority=Priority.PRESS)
        history, stored = await asyncio.gather(self._history.of(customer), self._read(customer))
        if known.unwritten:
            self._begin_writing(customer, known, stored or UpstreamSnapshot())
        return self._judged(customer, known, known.snapshot or UpstreamSnapshot(), history), history

    async def _answered(
        self,
        customer: str,
        session: Session,
        scope: Scope,
        history: CustomerHistory | None,
        *,
        fresh: bool,
        priority: Priority,
    ) -> _Known:
        """Return what is known of a customer once both services have answered, as far as they are asked."""
        known = self._known(customer)
        before = known.round
        priority = Priority.PRESS if fresh else priority
        while known.busy and known.task is not None:
            task, asker = known.task, known.asker
            known.priority = max(known.priority, priority)  # what that question has still to ask is waited for here
            serves = _WIDTH[known.scope] >= _WIDTH[scope] and (not fresh or known.round > before)
            await asyncio.wait({task})
            history = None  # which may be another one by now
            if serves and (task.exception() is None or asker == session.id):
                task.result()
                return known
        if fresh or not self._recent(known, scope):
            known.scope, known.round, known.asker = scope, known.round + 1, session.id
            known.priority = priority
            known.unwritten = False
            question = self._ask(customer, session, scope, known, history)
            known.task = asyncio.create_task(question, name="status refresh")
            known.task.add_done_callback(_mark_retrieved)
            await asyncio.shield(known.task)
        return known

    async def ask_billing(self, customer: str, *, unless_younger_than: timedelta) -> None:
        """Ask billing about a customer whose session is not at hand, unless it was asked a moment ago.

        The account can't be asked without the session: its last word stays. A failure is noted in what is known.
        Raises StoreUnavailable when the store can't be read.
        """
        known = self._known(customer)
        if known.busy and known.task is not None:
            await asyncio.wait({known.task})
            return
        if known.asked_billing_at is not None and self._now() - known.asked_billing_at < unless_younger_than:
            return
        known.scope, known.round, known.asker, known.priority = "billing", known.round + 1, "", Priority.LOOK
        known.unwritten = False
        known.task = asyncio.create_task(self._ask(customer, None, "relevant", known), name="billing refresh")
        known.task.add_done_callback(_mark_retrieved)
        await asyncio.shield(known.task)
        if known.writing is not None:
            await asyncio.shield(known.writing)

    async def last_word(self, customer: str) -> LastWord:
        """Return what is known of a customer without asking, told as memory. Raises StoreUnavailable."""
        known, now = self._known(customer), self._now()
        mine, stored = known.snapshot or UpstreamSnapshot(), await self._read(customer)
        snapshot = mine if stored is None else mine.with_memory_of(stored, now)
        history = await self._history.of(customer)
        status, as_of = self._reconcile(customer, as_if_said_now(snapshot, now), history), snapshot.as_of or now
        heard = snapshot.account is not None or bool(snapshot.records)
        asked = snapshot.billing_failed is None and snapshot.looked_at is not None
        return LastWord(dated(status, as_of) if heard else None, as_of, is_memory(snapshot, now), asked)

    def _recent(self, known: _Known, scope: Scope) -> bool:
        asked_at = {"all": known.asked_all_at, "relevant": known.asked_billing_at, "account": known.asked_at}[scope]
        return known.snapshot is not None and asked_at is not None and self._now() - asked_at < SHARED_FOR

    async def _status_of(self, customer: str, snapshot: UpstreamSnapshot) -> CustomerStatus:
        """Return the status with the checkouts as they are now: the browser may have come back a moment ago.

        The rules run once for each answer: who asks within the second, with nothing changed, gets the same outcome.
        """
        known, history = self._known(customer), await self._history.of(customer)
        return self._judged(customer, known, snapshot, history)

    def _judged(
        self, customer: str, known: _Known, snapshot: UpstreamSnapshot, history: CustomerHistory
    ) -> CustomerStatus:
        if known.judged is not None and known.judged.holds(snapshot, history, self._catalog(), self._now()):
            return known.judged.status
        return self._judge(customer, known, snapshot, history)

    async def note_portal_visit(self, customer: str) -> None:
        """Remember that the user goes to the billing portal now. Raises StoreUnavailable."""
        known = self._known(customer)
        await self._history.note_portal_visit(customer, known.snapshot or await self._load(customer, known))

    async def _ask(
        self,
        customer: str,
        session: Session | None,
        scope: Scope,
        known: _Known,
        history: CustomerHistory | None = None,
    ) -> None:
        before, before_sale = known.snapshot, history is not None
        if before is None:  # before a sale it was read along with the history
            before = (None if before_sale else await self._load(customer, known)) or UpstreamSnapshot()
        elif scope != "all":  # another replica may have found what has to be asked about since
            before = before.with_memory_of(await self._read(customer) or UpstreamSnapshot(), self._now())
        history = history or await self._history.of(customer)
        judged = (
            known.judged if session is not None else None
        )  # else the account is older now than when that was judged
        had = judged.status if judged is not None and judged.snapshot == before else None
        had = had or self._reconcile(customer, before, history)
        snapshot, looked_at_all = await self._ask_both(customer, session, scope, before, history.checkouts)
        has = self._judge(customer, known, snapshot, history)
        if _is_downgrade(had, has):
            snapshot, looked_at_all = await self._ask_again(customer, session, scope, snapshot, before, history)
            has = self._judge(customer, known, snapshot, history)
        if session is not None:
            self._tell_operator(known, has, session)
        with suppress(StoreUnavailable):  # logged by the store; noted at the next question
            await note_progress(
                self._checkouts, customer, snapshot, history.checkouts, self._catalog(), self._now(), self._grants
            )
        if self._alarms is not None and session is not None:
            evidence = CustomerEvidence(
                customer, snapshot, history.checkouts, history.portal, self._catalog(), self._now()
            )
            await self._alarms.looked(evidence)
        known.snapshot, now = snapshot, self._now()
        if session is not None:
            known.asked_at = now
        if scope != "account":
            known.asked_billing_at = now
        if looked_at_all and snapshot.billing_failed is None and session is not None:
            known.asked_all_at = now
        if self._observer is not None and session is not None:
            await self._observer.looked(customer, session.user.user_id, has, history.checkouts)
        if session is None and snapshot.account is None and not snapshot.products_on_record:
            return  # nobody has ever been here by that id: a service may ask about any
        known.unwritten = True
        if not before_sale:
            self._begin_writing(customer, known)

    async def _ask_both(
        self,
        customer: str,
        session: Session | None,
        scope: Scope,
        before: UpstreamSnapshot,
        checkouts: Sequence[Checkout],
    ) -> tuple[UpstreamSnapshot, bool]:
        """Ask, and return the snapshot and whether all products were asked about.

        An account that says something new may speak of a product that was not asked about: then what it speaks of
        follows, and all others if billing has nothing there. A record that is gone may have moved: a change of plan
        shows under another product, so all are asked about before anybody is told that there is none.
        """
        products = self._products(scope, before, checkouts)
        if scope == "account":
            billing, account = before, await self._ask_account(session, before)
        else:
            billing, account = await asyncio.gather(
                self._ask_billing(customer, products, before), self._ask_account(session, before)
            )
        snapshot = billing.model_copy(update={"account": account.account, "account_failed": account.account_failed})
        news = before.account is not None and _grant(account) != _grant(before)
        wider: Scope
        for wider in ("relevant", "all"):
            more = tuple(p for p in self._products(wider, snapshot, checkouts) if p not in products)
            failed = bool(products) and snapshot.billing_failed is not None
            moved = not set(before.products_on_record) <= set(snapshot.products_on_record)
            explained = wider == "all" and self._explains_account(snapshot, checkouts)
            if failed or not (moved or (news and not explained)):
                break
            if more:
                snapshot, products = await self._ask_billing(customer, more, snapshot), (*products, *more)
        return snapshot, set(products) >= set(self._products("all", snapshot, checkouts))

    def _explains_account(self, snapshot: UpstreamSnapshot, checkouts: Sequence[Checkout]) -> bool:
        """Whether what the account grants is on record at billing, or it grants nothing at all."""
        grant = _grant(snapshot)
        if grant is None:
            return True
        named = plan_named(catalog_for(self._catalog(), snapshot, checkouts), grant.plan)
        return named is not None and any(product in snapshot.products_on_record for product in named.products)

    async def _ask_again(
        self,
        customer: str,
        session: Session | None,
        scope: Scope,
        snapshot: UpstreamSnapshot,
        before: UpstreamSnapshot,
        history: CustomerHistory,
    ) -> tuple[UpstreamSnapshot, bool]:
        """Something good is gone: believe it only if asking once more says so too. A failed question says nothing."""
        wide: Scope = "relevant" if scope == "account" else scope
        again, looked_at_all = await self._ask_both(customer, session, wide, snapshot, history.checkouts)
        if again.billing_failed is not None or again.account_failed is not None:
            _log.info("status_flap", kept="before")
            failed = {"billing_failed": again.billing_failed, "account_failed": again.account_failed}
            return before.model_copy(update=failed), False
        had, has = self._reconcile(customer, before, history), self._reconcile(customer, again, history)
        if not _is_downgrade(had, has):
            _log.info("status_flap", kept="again")
        return again, looked_at_all

    async def _ask_billing(
        self, customer: str, products: Sequence[str], snapshot: UpstreamSnapshot
    ) -> UpstreamSnapshot:
        """Ask about each product, at once as far as the service bears it; the rest is not asked after a failure.

        No products to ask about means that nothing can differ, which is as good as asked.
        """
        snapshot = snapshot.model_copy(update={"billing_failed": None})
        width = self._payment_ms.at_once
        for first in range(0, len(products), width):
            together = products[first : first + width]
            priority = self._known(customer).priority
            questions = (self._payment_ms.subscription(customer, one, priority=priority) for one in together)
            for product, record in zip(together, await asyncio.gather(*questions, return_exceptions=True), strict=True):
                if isinstance(record, FrontendError):
                    return snapshot.model_copy(update={"billing_failed": record.code})
                if isinstance(record, BaseException):
                    raise record
                plan = self._catalog().plan_for_product(product)
                snapshot = snapshot.with_record(product, record, self._now(), plan)
        return snapshot.model_copy(update={"looked_at": self._now()})

    async def _ask_account(self, session: Session | None, snapshot: UpstreamSnapshot) -> UpstreamSnapshot:
        if session is None:
            return snapshot
        try:
            answer = await self._sessions.refresh(session)
        except (SignInUnavailable, StoreUnavailable) as error:
            return snapshot.model_copy(update={"account_failed": error.code})
        await self._marks.set(Mark.ACCOUNT_ANSWERED)
        if answer.grant is not None:
            await self._marks.set(Mark.ACCOUNT_SPOKE_OF_PLANS)
        return snapshot.with_account(answer.grant, self._now())

    def _products(self, scope: Scope, snapshot: UpstreamSnapshot, checkouts: Sequence[Checkout]) -> tuple[str, ...]:
        """Return the products to ask about: the catalog's, former ones too, and those on record or bought that it knows
        no more. None for the account alone."""
        if scope == "account":
            return ()
        catalog = catalog_for(self._catalog(), snapshot, checkouts)
        sold = self._catalog().products
        gone = tuple(product for product in catalog.products if product not in sold)
        gone += tuple(product for product in snapshot.products_on_record if product not in (*sold, *gone))
        if scope == "all" or not snapshot.knows_all(sold):
            return (*sold, *gone)
        now = self._now()
        named = plan_named(catalog, grant.plan) if (grant := _grant(snapshot)) else None
        wanted = {*snapshot.products_on_record, *(c.product_id for c in checkouts if c.payable(now) or c.unconfirmed)}
        wanted |= {
            p for p in (*sold, *gone) if (known := snapshot.records.get(p)) and now - known.as_of > ASKED_AGAIN_AFTER
        }
        return tuple(p for p in (*sold, *gone) if p in wanted or (named is not None and p in named.products))

    def _reconcile(self, customer: str, snapshot: UpstreamSnapshot, history: CustomerHistory) -> CustomerStatus:
        return reconcile(
            customer, snapshot, history.checkouts, self._catalog(), self._now(),
            grants=self._grants, portal=history.portal,
        )  # fmt: skip

    def _judge(
        self, customer: str, known: _Known, snapshot: UpstreamSnapshot, history: CustomerHistory
    ) -> CustomerStatus:
        """Reconcile, and keep the outcome for whoever asks within the second."""
        status = self._reconcile(customer, snapshot, history)
        known.judged = _Judged(status, snapshot, history, self._catalog(), self._now())
        return status

    def _tell_operator(self, known: _Known, status: CustomerStatus, session: Session) -> None:
        """Tell of what only the operator can mend: a plan that the catalog lacks, an id that billing can't take."""
        for one in status.all:
            if one.reason is Reason.UNKNOWN_PLAN and one.account_plan is not None:
                self.unknown_plans.note(one.account_plan)
        if known.told:
            return
        user = session.user
        if status.billing_failed == InvalidIdentifier.code:
            known.told = True
            reason = _why_refused(status.customer) if user.email or user.user_id == status.customer else "no e-mail"
            cure = "billing can't take this user's id: see CUSTOMER_ID"
            _log.error("customer_id_refused", reason=reason, cure=cure, user_hash=self._hash_of(user.user_id))
        elif not user.email:
            known.told = True
            cure = "no checkout can be opened for this user: have the Auth MS name an address"
            _log.error("customer_email_missing", cure=cure, user_hash=self._hash_of(user.user_id))

    async def _load(self, customer: str, known: _Known) -> UpstreamSnapshot | None:
        snapshot = await self._read(customer)
        if snapshot is not None and known.snapshot is None:
            known.snapshot = known.written = snapshot
            known.written_at = self._now()
        return known.snapshot

    async def _read(self, customer: str) -> UpstreamSnapshot | None:
        text = await self._store.get(_key(customer))
        return read_row(RowKind.UPSTREAM_SNAPSHOT, text, UpstreamSnapshot.read)

    def _begin_writing(self, customer: str, known: _Known, stored: UpstreamSnapshot | None = None) -> None:
        """Write what was asked, once what was asked before is written. `stored` is what a reader just found there."""
        known.unwritten = False
        writing = self._write_after(known.writing, customer, known, stored)
        known.writing = asyncio.create_task(writing, name="status written")

    async def _write_after(
        self, before: "asyncio.Task[None] | None", customer: str, known: _Known, stored: UpstreamSnapshot | None
    ) -> None:
        if before is not None and not before.done():
            await asyncio.wait({before})
            stored = None
        with suppress(StoreUnavailable):  # what was asked is known all the same
            await self._write(customer, known, stored)

    async def _write(self, customer: str, known: _Known, stored: UpstreamSnapshot | None) -> None:
        """Keep the snapshot in the store when it says something new, or when the kept one is getting old."""
        snapshot, now = known.snapshot, self._now()
        if snapshot is None:
            return
        old = known.written_at is None or now - known.written_at > _WRITTEN_EVERY
        if not old and known.written is not None and snapshot.content == known.written.content:
            return
        stored = stored or await self._read(customer)
        if stored is not None:
            known.snapshot = snapshot = snapshot.with_memory_of(stored, now)
        await self._store.put(_key(customer), snapshot.model_dump_json(), KEPT_FOR.total_seconds())
        known.written, known.written_at = snapshot, now

    def _known(self, customer: str) -> _Known:
        """Return what is remembered; the least used go when there are too many, but none with a question under way."""
        known = self._customers.setdefault(customer, _Known())
        self._customers.move_to_end(customer)
        if len(self._customers) > self._memory:
            idle = next(
                (name for name, other in self._customers.items() if not other.busy and other is not known), None
            )
            if idle is not None:
                del self._customers[idle]
        return known


def _key(customer: str) -> str:
    return f"evidence:{customer}"


def _why_refused(customer: str) -> str:
    """Return what is wrong with an id, without the id."""
    try:
        check_identifier("the id", customer)
    except InvalidIdentifier as error:
        return error.detail
    return "unknown"


def _grant(snapshot: UpstreamSnapshot) -> PlanGrant | None:
    return snapshot.account.grant if snapshot.account is not None else None


def _mark_retrieved(task: "asyncio.Task[None]") -> None:
    """Take note of a failure that no caller waits for any more: the poller may have ended meanwhile."""
    if not task.cancelled():
        task.exception()


def _is_downgrade(before: CustomerStatus, after: CustomerStatus) -> bool:
    """Whether access or a live subscription that was known a moment ago is gone by the latest answers."""
    for group, had in before.groups.items():
        has = after.in_group(group)
        lost = (had.access and not has.access) or (had.live and not has.live)
        if lost and has.state not in (State.UNAVAILABLE, State.CONFIRMING):
            return True
    return False
