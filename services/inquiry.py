"""Asks both services about one customer and makes a `Standing` of the answers.

Each question is asked once for all who want it at the same time, and an answer younger than a second is shared. The
latest answers are kept in the store, so that a restart, another replica or an outage starts from what was known.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import structlog

from catalog import Catalog
from services.checkouts import Checkout, Checkouts, Event, Kind
from services.errors import FrontendError, SignInUnavailable, StoreUnavailable
from services.evidence import Evidence
from services.payment_ms import PaymentMS
from services.rules import access_on, account_has, assess, billing_has
from services.session import Session, Sessions
from services.standing import Standing
from services.store import Store
from services.subscription import State

SHARED_FOR: Final = timedelta(seconds=1)
"""How old an answer may be to be shared with somebody who asks now."""

KEPT_FOR: Final = timedelta(days=40)
_WRITTEN_EVERY: Final = timedelta(seconds=15)
_MEMORY: Final = 10_000

Scope = Literal["all", "relevant"]

_log = structlog.get_logger(__name__)


@dataclass
class _Known:
    """What this process remembers of one customer, and the question under way."""

    evidence: Evidence | None = None
    written: Evidence | None = None
    written_at: datetime | None = None
    standing: Standing | None = None
    asked_at: datetime | None = None
    asked_all_at: datetime | None = None
    task: "asyncio.Task[Standing] | None" = None
    task_scope: Scope = "relevant"
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Inquiry:
    """What customers have, asked of both services. `customer_of` says by which id the Payment MS knows a user."""

    def __init__(
        self,
        *,
        store: Store,
        payment_ms: PaymentMS,
        sessions: Sessions,
        checkouts: Checkouts,
        catalog: Callable[[], Catalog],
        customer_of: Callable[[Session], str],
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store
        self._payment_ms = payment_ms
        self._sessions = sessions
        self._checkouts = checkouts
        self._catalog = catalog
        self._customer_of = customer_of
        self._now = now or (lambda: datetime.now(UTC))
        self._customers: OrderedDict[str, _Known] = OrderedDict()

    def customer_of(self, session: Session) -> str:
        """Return the id by which the Payment MS knows this user."""
        return self._customer_of(session)

    async def remembered(self, customer: str) -> Standing | None:
        """Return what is known without asking a service; None when nothing is. Raises StoreUnavailable."""
        known = self._known(customer)
        if known.evidence is None:
            await self._recall(customer, known)
        if known.evidence is None:
            return None
        checkouts = await self._checkouts.of(customer)
        return self._assess(customer, known.evidence, checkouts)

    async def reread(self, customer: str) -> Standing | None:
        """Return what another replica has found out, from the store. Raises StoreUnavailable."""
        self._known(customer).evidence = None
        return await self.remembered(customer)

    def age(self, customer: str) -> timedelta | None:
        """Return how long ago this process asked about the customer, or None."""
        asked_at = self._known(customer).asked_at
        return None if asked_at is None else self._now() - asked_at

    async def ask(self, session: Session, scope: Scope = "relevant", *, fresh: bool = False) -> Standing:
        """Return what the customer has now.

        `scope` "all" asks about every plan; "relevant" about those with a subscription or a checkout under way, after a
        first full look. With `fresh`, the questions are certain to be asked after this call began; otherwise an answer
        younger than a second is shared. A service that can't be asked is noted in the standing, not raised. Raises
        NotSignedIn when the Auth MS has ended the session, StoreUnavailable when the store can't be read.
        """
        customer = self._customer_of(session)
        known = self._known(customer)
        while known.task is not None and not known.task.done():
            task, covers = known.task, known.task_scope == "all" or scope == "relevant"
            result = await asyncio.shield(asyncio.gather(task, return_exceptions=True))
            if covers and not fresh:
                return _result(result[0])
        if not fresh and known.standing is not None and self._recent(known, scope):
            return known.standing
        known.task_scope = scope
        known.task = asyncio.create_task(self._ask(customer, session, scope, known), name="inquiry")
        return await asyncio.shield(known.task)

    def _recent(self, known: _Known, scope: Scope) -> bool:
        asked_at = known.asked_all_at if scope == "all" else known.asked_at
        return asked_at is not None and self._now() - asked_at < SHARED_FOR

    async def _ask(self, customer: str, session: Session, scope: Scope, known: _Known) -> Standing:
        if known.evidence is None:
            await self._recall(customer, known)
        before = known.standing
        checkouts = await self._checkouts.of(customer)
        evidence = await self._questions(customer, session, scope, known.evidence or Evidence(), checkouts)
        standing = self._assess(customer, evidence, checkouts)
        if before is not None and _is_downgrade(before, standing):
            again = await self._questions(customer, session, scope, evidence, checkouts)
            if not self._assess(customer, again, checkouts).same_as(standing):
                _log.info("status_flap", kept=before.current.state, unconfirmed=standing.current.state)
                again = known.evidence or again
            evidence = again
        checkouts = await self._note_progress(evidence, checkouts, customer)
        standing = self._assess(customer, evidence, checkouts)
        known.evidence, known.standing, known.asked_at = evidence, standing, self._now()
        if self._asked_all(evidence):
            known.asked_all_at = known.asked_at if scope == "all" or known.asked_all_at is None else known.asked_all_at
        await self._write(customer, known)
        return standing

    async def _questions(
        self, customer: str, session: Session, scope: Scope, evidence: Evidence, checkouts: Iterable[Checkout]
    ) -> Evidence:
        products = self._products(scope, evidence, checkouts)
        billing, account = await asyncio.gather(
            self._ask_billing(customer, products, evidence), self._ask_account(session, evidence)
        )
        return billing.model_copy(update={"account": account.account, "account_failed": account.account_failed})

    async def _ask_billing(self, customer: str, products: Iterable[str], evidence: Evidence) -> Evidence:
        evidence = evidence.model_copy(update={"billing_failed": None})
        for product in products:
            try:
                record = await self._payment_ms.subscription(customer, product)
            except FrontendError as error:
                return evidence.model_copy(update={"billing_failed": error.code})
            evidence = evidence.with_record(product, record, self._now())
        return evidence

    async def _ask_account(self, session: Session, evidence: Evidence) -> Evidence:
        try:
            answer = await self._sessions.refresh(session)
        except (SignInUnavailable, StoreUnavailable) as error:
            return evidence.model_copy(update={"account_failed": error.code})
        return evidence.with_account(answer.grant, self._now())

    def _products(self, scope: Scope, evidence: Evidence, checkouts: Iterable[Checkout]) -> tuple[str, ...]:
        sold = tuple(plan.product_id for plan in self._catalog().plans if plan.product_id)
        gone = tuple(product for product in evidence.products_on_record if product not in sold)
        if scope == "all" or not evidence.knows_all(sold):
            return (*sold, *gone)
        now = self._now()
        bought = {c.product_id for c in checkouts if c.open(now) or c.unconfirmed}
        wanted = {*evidence.products_on_record, *bought}
        return tuple(product for product in (*sold, *gone) if product in wanted)

    def _asked_all(self, evidence: Evidence) -> bool:
        sold = tuple(plan.product_id for plan in self._catalog().plans if plan.product_id)
        return evidence.billing_failed is None and evidence.knows_all(sold)

    def _assess(self, customer: str, evidence: Evidence, checkouts: Iterable[Checkout]) -> Standing:
        return assess(customer, evidence, tuple(checkouts), self._catalog(), self._now())

    async def _note_progress(
        self, evidence: Evidence, checkouts: Iterable[Checkout], customer: str
    ) -> tuple[Checkout, ...]:
        """Note on each unfinished checkout which service has it by now."""
        now, noted = self._now(), []
        for checkout in checkouts:
            if checkout.kind is Kind.SUBSCRIPTION and not checkout.confirmed:
                in_billing = billing_has(checkout, evidence)
                in_account = account_has(checkout, evidence, self._catalog(), now)
                if in_billing:
                    checkout = await self._checkouts.mark(checkout, Event.BILLING_HAS_IT)
                if in_account:
                    checkout = await self._checkouts.mark(checkout, Event.ACCOUNT_HAS_IT)
                if (in_billing or in_account) and access_on(checkout, self._assess(customer, evidence, [checkout])):
                    checkout = await self._checkouts.mark(checkout, Event.ACCESS_ON)
                    _log.info("checkout_confirmed", after_s=_seconds_since_return(checkout))
            noted.append(checkout)
        return tuple(noted)

    async def _recall(self, customer: str, known: _Known) -> None:
        text = await self._store.get(f"evidence:{customer}")
        if text is not None:
            known.evidence = known.written = Evidence.model_validate_json(text)
            known.written_at = self._now()
            known.standing = self._assess(customer, known.evidence, await self._checkouts.of(customer))

    async def _write(self, customer: str, known: _Known) -> None:
        """Keep the evidence in the store when it says something new, or when the kept one is getting old."""
        if known.evidence is None:
            return
        now = self._now()
        old = known.written_at is None or now - known.written_at > _WRITTEN_EVERY
        if old or known.written is None or _content(known.evidence) != _content(known.written):
            await self._store.put(f"evidence:{customer}", known.evidence.model_dump_json(), KEPT_FOR.total_seconds())
            known.written, known.written_at = known.evidence, now

    def _known(self, customer: str) -> _Known:
        known = self._customers.setdefault(customer, _Known())
        self._customers.move_to_end(customer)
        while len(self._customers) > _MEMORY:
            self._customers.popitem(last=False)
        return known


def _result(result: Standing | BaseException) -> Standing:
    if isinstance(result, BaseException):
        raise result
    return result


def _is_downgrade(before: Standing, after: Standing) -> bool:
    """Whether something good is gone; such news is believed only when a second look says the same."""
    had = before.current.access or before.current.live
    return had and after.current.state in (State.NONE, State.CANCELED, State.CONFLICT)


def _content(evidence: Evidence) -> object:
    account = evidence.account
    return (
        {product: answer.record for product, answer in evidence.records.items()},
        None if account is None else account.grant,
        account is None,
        evidence.billing_failed,
        evidence.account_failed,
    )


def _seconds_since_return(checkout: Checkout) -> float | None:
    returned, on = checkout.at(Event.RETURNED), checkout.at(Event.ACCESS_ON)
    return (on - returned).total_seconds() if returned and on else None
