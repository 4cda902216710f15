"""Asks both services about one customer and makes a `CustomerStatus` of the answers.

Each question is asked once for all who want it at the same time, and an answer younger than a second is shared. The
latest answers are kept in the store, so that a restart, another replica or an outage starts from what was known.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog

from catalog import Catalog
from services.alarms.observed import CustomerEvidence
from services.alarms.recorder import AlarmRecorder
from services.checkout_record import Checkout, CheckoutRepository
from services.concurrency.limit import Priority
from services.errors import InvalidIdentifier, StoreUnavailable
from services.live_status.history import CustomerHistory, HistoryRepository
from services.live_status.memory import SHARED_FOR, CustomerMemory, Judged, RememberedCustomer
from services.live_status.questions import UpstreamQuestions
from services.live_status.schedule import Scope
from services.live_status.session_states import SessionStates
from services.payment_ms import PaymentMS
from services.sessions.service import Session, Sessions
from services.storage.marks import Marks
from services.storage.port import Store
from services.stripe_mode import StripeModeService
from services.subscription.confirmation import note_progress
from services.subscription.customer_status import CustomerStatus
from services.subscription.grant_rules import ACCOUNT_ALONE, GrantRules
from services.subscription.last_word import LastWord, as_if_said_now, dated, is_memory
from services.subscription.model import Reason, State
from services.subscription.reconcile import reconcile
from services.subscription.snapshot import UpstreamSnapshot
from services.subscription.unknown_plans import UnknownPlans
from services.upstream.identifiers import check_identifier

_MEMORY: Final = 10_000

_WIDTH: Final = {"billing": -1, "account": 0, "relevant": 1, "shown": 2, "all": 3}
"""A question serves who wants as much or less. One to billing alone serves nobody who has a session."""

_log = structlog.get_logger(__name__)


class LookObserver(Protocol):
    """Is told of each look at a customer who is here, and never fails it."""

    async def looked(self, customer: str, user_id: str, status: CustomerStatus, checkouts: Sequence[Checkout]) -> None:
        """Take note of what a look found."""
        ...


class StatusRefresher:
    """What customers have, asked of both services. `customer_of` says by which id the Payment MS knows a user.

    `hash_of` makes what stands for a user's id in the log; `alarms` and the `observer` are told of each look, and
    `stripe_mode` of the mode that billing says its subscriptions are of, `disagreed` of each after which the services
    contradict each other about a group of plans, and did not before.
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
        stripe_mode: StripeModeService | None = None,
        disagreed: Callable[[Reason], None] = lambda reason: None,
        now: Callable[[], datetime] | None = None,
        memory: int = _MEMORY,
    ) -> None:
        self._checkouts = checkouts
        self._catalog = catalog
        self._customer_of = customer_of
        self._grants = grants
        self._hash_of = hash_of
        self._alarms = alarms
        self._observer = observer
        self._stripe_mode = stripe_mode
        self._disagreed = disagreed
        self._now = now or (lambda: datetime.now(UTC))
        self._memory = CustomerMemory(store, self._now, memory)
        self._questions = UpstreamQuestions(payment_ms, sessions, marks or Marks(store), catalog, self._now)
        self._session_states = SessionStates(payment_ms, checkouts)
        self._history = HistoryRepository(store, checkouts, self._now)
        self.unknown_plans = UnknownPlans()

    def customer_of(self, session: Session) -> str:
        """Return the id by which the Payment MS knows this user."""
        return self._customer_of(session)

    def last_heard(self, customer: str) -> UpstreamSnapshot | None:
        """Return the answers that this process remembers: another object whenever a service was asked."""
        known = self._memory.find(customer)
        return known.snapshot if known is not None else None

    async def remembered(self, customer: str) -> CustomerStatus | None:
        """Return what is known without asking a service; None when nothing is. Raises StoreUnavailable."""
        known = self._memory.of(customer)
        snapshot = known.snapshot or await self._memory.load(customer, known)
        return None if snapshot is None else await self._status_of(customer, snapshot)

    async def reread(self, customer: str, *, news: bool = False) -> CustomerStatus | None:
        """Return what is known with what another replica has found out since. Raises StoreUnavailable.

        With `news` that replica has just said so: it is younger than what was asked here, whatever the clocks say.
        """
        known = self._memory.of(customer)
        mine, age = known.snapshot or UpstreamSnapshot(), self.age(customer)
        found = await self._memory.read(customer)
        if found is not None and not known.busy:
            sure = news and (age is None or age > SHARED_FOR)
            known.snapshot = found.over(mine) if sure else found.with_memory_of(mine, self._now())
        return await self.remembered(customer)

    def outdate(self, customer: str) -> None:
        """Trust what is remembered of a customer no more without asking, here or in the store: a service says that it
        changed."""
        self._memory.of(customer).outdated = True

    def outdate_all(self) -> None:
        """The same of every customer: what a service said of some of them may have been lost on the way here."""
        for known in self._memory.all():
            known.outdated = True

    def is_outdated(self, customer: str) -> bool:
        """Whether billing was not asked since a service said that something changed."""
        known = self._memory.find(customer)
        return known is not None and known.outdated

    def age(self, customer: str) -> timedelta | None:
        """Return how long ago this process asked about the customer, or None."""
        known = self._memory.find(customer)
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
        those of which the last answer is old, after a first full look; "shown" besides about those of which billing's
        last answer alone says that there is none, for whoever is told so now; "account" asks the Auth MS alone, and
        billing only if that says something new. `priority` is the place in the Payment MS's queue; who needs it
        `fresh` goes first. With `fresh`, the questions are certain to be asked after this call began; otherwise an
        answer younger than a second is shared. A service that can't be asked is noted in the status, not raised.
        Raises NotSignedIn when the Auth MS has ended the session, StoreUnavailable when the store can't be read.
        """
        customer = self._customer_of(session)
        known = await self._answered(customer, session, scope, None, fresh=fresh, priority=priority)
        if known.unwritten:
            self._memory.begin_writing(customer, known)
        if known.writing is not None:
            await asyncio.shield(known.writing)
        return await self._status_of(customer, known.snapshot or UpstreamSnapshot())

    async def history(self, customer: str) -> CustomerHistory:
        """Return what happened here with the customer, as it is on record now. Raises StoreUnavailable.

        What was known of them is read along with it, so that a question that follows need not.
        """
        known = self._memory.of(customer)
        if known.snapshot is not None:
            return await self._history.of(customer)
        history, _snapshot = await asyncio.gather(self._history.of(customer), self._memory.load(customer, known))
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
        history, stored = await asyncio.gather(self._history.of(customer), self._memory.read(customer))
        if known.unwritten:
            self._memory.begin_writing(customer, known, stored or UpstreamSnapshot())
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
    ) -> RememberedCustomer:
        """Return what is known of a customer once both services have answered, as far as they are asked."""
        known = self._memory.of(customer)
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
            known.scope, known.asker, known.priority = scope, session.id, priority
            await self._begin_asking(known, self._ask(customer, session, scope, known, history))
        return known

    async def ask_billing(self, customer: str, *, unless_younger_than: timedelta) -> None:
        """Ask billing about a customer whose session is not at hand, unless it was asked a moment ago.

        The account can't be asked without the session: its last word stays. A failure is noted in what is known.
        Raises StoreUnavailable when the store can't be read.
        """
        known = self._memory.of(customer)
        if known.busy and known.task is not None:
            await asyncio.wait({known.task})
            return
        if known.asked_billing_at is not None and self._now() - known.asked_billing_at < unless_younger_than:
            return
        known.scope, known.asker, known.priority = "billing", "", Priority.LOOK
        await self._begin_asking(known, self._ask(customer, None, "relevant", known))
        if known.writing is not None:
            await asyncio.shield(known.writing)

    def looked_at_all(self, customer: str) -> datetime | None:
        """Return when this process last heard of all products of a customer; None for never."""
        known = self._memory.find(customer)
        return known.asked_all_at if known is not None else None

    async def last_word(self, customer: str) -> LastWord:
        """Return what is known of a customer without asking, told as memory. Raises StoreUnavailable."""
        known, now = self._memory.of(customer), self._now()
        mine, stored = known.snapshot or UpstreamSnapshot(), await self._memory.read(customer)
        snapshot = mine if stored is None else mine.with_memory_of(stored, now)
        history = await self._history.of(customer)
        status, as_of = self._reconcile(customer, as_if_said_now(snapshot, now), history), snapshot.as_of or now
        heard = snapshot.account is not None or bool(snapshot.records)
        asked = snapshot.billing_failed is None and snapshot.looked_at is not None
        return LastWord(dated(status, as_of) if heard else None, as_of, is_memory(snapshot, now), asked)

    async def _begin_asking(self, known: RememberedCustomer, question: Coroutine[None, None, None]) -> None:
        """Ask in a task that others may wait for too, and that goes on where this caller does not."""
        known.round += 1
        known.unwritten = False
        known.outdated = known.outdated and known.scope == "account"
        known.task = asyncio.create_task(question, name="status refresh")
        known.task.add_done_callback(_mark_retrieved)
        await asyncio.shield(known.task)

    def _recent(self, known: RememberedCustomer, scope: Scope) -> bool:
        asked_at = {
            "all": known.asked_all_at,
            "shown": known.asked_shown_at,
            "relevant": known.asked_billing_at,
            "account": known.asked_at,
        }[scope]
        if known.snapshot is None or asked_at is None or (known.outdated and scope != "account"):
            return False
        return self._now() - asked_at < SHARED_FOR

    async def _status_of(self, customer: str, snapshot: UpstreamSnapshot) -> CustomerStatus:
        """Return the status with the checkouts as they are now: the browser may have come back a moment ago.

        The rules run once for each answer: who asks within the second, with nothing changed, gets the same outcome.
        """
        known, history = self._memory.of(customer), await self._history.of(customer)
        return self._judged(customer, known, snapshot, history)

    def _judged(
        self, customer: str, known: RememberedCustomer, snapshot: UpstreamSnapshot, history: CustomerHistory
    ) -> CustomerStatus:
        if known.judged is not None and known.judged.holds(snapshot, history, self._catalog(), self._now()):
            return known.judged.status
        return self._judge(customer, known, snapshot, history)

    async def forget(self, customer: str) -> None:
        """Remember nothing of a customer in this process; what is being asked or written is awaited."""
        known = self._memory.find(customer)
        under_way = [task for task in (known.task, known.writing) if task is not None] if known is not None else []
        if under_way:
            await asyncio.wait(under_way)
        self._memory.forget(customer)

    async def note_portal_visit(self, customer: str) -> None:
        """Remember that the user goes to the billing portal now. Raises StoreUnavailable."""
        known = self._memory.of(customer)
        await self._history.note_portal_visit(customer, known.snapshot or await self._memory.load(customer, known))

    async def _ask(
        self,
        customer: str,
        session: Session | None,
        scope: Scope,
        known: RememberedCustomer,
        history: CustomerHistory | None = None,
    ) -> None:
        before, before_sale = known.snapshot, history is not None
        if before is None:  # before a sale it was read along with the history
            before = (None if before_sale else await self._memory.load(customer, known)) or UpstreamSnapshot()
        elif scope != "all":  # another replica may have found what has to be asked about since
            before = before.with_memory_of(await self._memory.read(customer) or UpstreamSnapshot(), self._now())
        history = history or await self._history.of(customer)
        # what was judged for a session says nothing without one: the account is older now
        judged = known.judged if session is not None else None
        had = judged.status if judged is not None and judged.snapshot == before else None
        had = had or self._reconcile(customer, before, history)
        snapshot, looked_at_all = await self._questions.ask(
            customer, session, scope, before, history.checkouts, lambda: known.priority
        )
        if scope != "account":
            with suppress(StoreUnavailable):  # logged by the store; learned again at the next question
                settled = await self._session_states.look(history.checkouts, self._now(), known.priority)
                history = history.with_checkouts(settled.checkouts)
        has = self._judge(customer, known, snapshot, history)
        if _is_downgrade(had, has):
            snapshot, looked_at_all = await self._ask_again(customer, session, scope, snapshot, before, history)
            has = self._judge(customer, known, snapshot, history)
        for group in _newly_disagreeing(had, has):
            self._disagreed(has.in_group(group).reason)
        if session is not None:
            self._tell_operator(known, has, session)
        self._note_mode(snapshot)
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
        if scope in ("shown", "all"):
            known.asked_shown_at = now
        if looked_at_all and snapshot.billing_failed is None and session is not None:
            known.asked_all_at = now
        if self._observer is not None and session is not None:
            await self._observer.looked(customer, session.user.user_id, has, history.checkouts)
        if session is None and snapshot.account is None and not snapshot.products_on_record:
            return  # nobody has ever been here by that id: a service may ask about any
        known.unwritten = True
        if not before_sale:
            self._memory.begin_writing(customer, known)

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
        again, looked_at_all = await self._questions.ask(
            customer, session, wide, snapshot, history.checkouts, lambda: self._memory.of(customer).priority
        )
        if again.billing_failed is not None or again.account_failed is not None:
            _log.info("status_flap", kept="before")
            failed = {"billing_failed": again.billing_failed, "account_failed": again.account_failed}
            return before.model_copy(update=failed), False
        had, has = self._reconcile(customer, before, history), self._reconcile(customer, again, history)
        if not _is_downgrade(had, has):
            _log.info("status_flap", kept="again")
        return again, looked_at_all

    def _reconcile(self, customer: str, snapshot: UpstreamSnapshot, history: CustomerHistory) -> CustomerStatus:
        return reconcile(
            customer, snapshot, history.checkouts, self._catalog(), self._now(),
            grants=self._grants, portal=history.portal,
        )  # fmt: skip

    def _judge(
        self, customer: str, known: RememberedCustomer, snapshot: UpstreamSnapshot, history: CustomerHistory
    ) -> CustomerStatus:
        """Reconcile, and keep the outcome for whoever asks within the second."""
        status = self._reconcile(customer, snapshot, history)
        known.judged = Judged(status, snapshot, history, self._catalog(), self._now())
        return status

    def _note_mode(self, snapshot: UpstreamSnapshot) -> None:
        """Let the operator's checks know which of Stripe's modes billing's subscriptions are of, where it says so."""
        details = (answer.record.details for _product, answer in snapshot.on_record)
        modes = {one.live_mode for one in details if one is not None and one.live_mode is not None}
        if self._stripe_mode is not None:
            for live in modes:
                self._stripe_mode.note_record(live=live)

    def _tell_operator(self, known: RememberedCustomer, status: CustomerStatus, session: Session) -> None:
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


def _why_refused(customer: str) -> str:
    """Return what is wrong with an id, without the id."""
    try:
        check_identifier("the id", customer)
    except InvalidIdentifier as error:
        return error.detail
    return "unknown"


def _mark_retrieved(task: "asyncio.Task[None]") -> None:
    """Take note of a failure that no caller waits for any more: the poller may have ended meanwhile."""
    if not task.cancelled():
        task.exception()


def _newly_disagreeing(before: CustomerStatus, after: CustomerStatus) -> list[str]:
    """Return the groups of plans about which the two services contradict each other, and did not before."""
    return [
        group for group, has in after.groups.items()
        if has.state is State.CONFLICT and before.in_group(group).state is not State.CONFLICT
    ]  # fmt: skip


def _is_downgrade(before: CustomerStatus, after: CustomerStatus) -> bool:
    """Whether access or a live subscription that was known a moment ago is gone by the latest answers."""
    for group, had in before.groups.items():
        has = after.in_group(group)
        lost = (had.access and not has.access) or (had.live and not has.live)
        if lost and has.state not in (State.UNAVAILABLE, State.CONFIRMING):
            return True
    return False
