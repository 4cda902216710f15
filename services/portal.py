"""The customer portal at Stripe: opening it, what changed while the user was there, and the invoices that it has.

Coming back proves nothing: the portal has a plain back link. So what was known before is kept, and for two minutes the
page watches and says what changed, or that nothing has yet.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from services.errors import UnsafePortal
from services.live_status.refresher import StatusRefresher
from services.live_status.service import StatusService
from services.payment_contract.features import ContractFeature, PortalFlow
from services.payment_contract.invoices import Invoice
from services.payment_ms import PaymentMS
from services.rate_limits import PORTAL, Policy, RateLimits
from services.sessions.service import Session
from services.storage.port import Store
from services.storage.rows import RowKind, StoredMoment, read_row
from services.subscription.customer_status import CustomerStatus
from services.web.safe_paths import safe_next
from services.web.safe_urls import Redirects

WATCHED_FOR: Final = timedelta(minutes=2)
"""How long after the return the page says what has changed, or that nothing has yet."""

INVOICE_HOSTS: Final = ("invoice.stripe.com",)
"""Where Stripe shows invoices, besides the hosts of the portal."""

_STAY: Final = timedelta(hours=12)
_TOGETHER: Final = 0.2
"""Seconds within which the tabs of a user share a question: news of a status comes to all of them at once."""


@dataclass(frozen=True, slots=True)
class PortalWay:
    """Where in the portal a button leads: straight to one of its pages, of one subscription, or to its front."""

    flow: PortalFlow | None = None
    subscription_id: str = ""

    @property
    def fields(self) -> dict[str, str]:
        """What a form posts of it."""
        named = {"flow": self.flow or "", "subscription_id": self.subscription_id if self.flow else ""}
        return {name: value for name, value in named.items() if value}

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> Self:
        """Return the way that a form posts; an unknown page is the front."""
        flow = fields.get("flow", "")
        return cls(PortalFlow(flow) if flow in set(PortalFlow) else None, fields.get("subscription_id", ""))


FRONT: Final = PortalWay()


class PortalVisit(BaseModel):
    """A visit to the portal: what was known before, and when the user came back (None: not yet)."""

    model_config = ConfigDict(frozen=True)

    before: CustomerStatus | None
    left_at: StoredMoment
    returned_at: StoredMoment | None = None


class InvoiceService:
    """Asks for a customer's invoices, once for all tabs that want them at the same moment.

    `redirects` knows the hosts that their pages may be on.
    """

    def __init__(self, payment_ms: PaymentMS, refresher: StatusRefresher, redirects: Redirects) -> None:
        self._payment_ms = payment_ms
        self._refresher = refresher
        self._redirects = redirects
        self._asked: dict[str, tuple[float, asyncio.Task[tuple[Invoice, ...] | None]]] = {}

    @property
    def told(self) -> bool:
        """Whether the Payment MS says that it tells invoices."""
        return self._payment_ms.contract.has(ContractFeature.INVOICES)

    async def of(self, session: Session) -> tuple[Invoice, ...] | None:
        """Return the user's invoices, newest first; None where the service does not tell them.

        A link to a host that browsers may not be sent to is left out. Raises the UpstreamErrors and InvalidIdentifier.
        """
        if not self.told:
            return None
        customer, now = self._refresher.customer_of(session), asyncio.get_running_loop().time()
        asked_at, question = self._asked.get(customer, (-_TOGETHER, None))
        if question is None or now - asked_at >= _TOGETHER:
            question = asyncio.create_task(self._ask(customer), name="invoices")
            self._asked[customer] = now, question
            question.add_done_callback(lambda done: self._answered(customer, done))
        return await asyncio.shield(question)  # a tab that goes takes nothing from the others

    async def _ask(self, customer: str) -> tuple[Invoice, ...] | None:
        found = await self._payment_ms.invoices(customer)
        return tuple(self._with_safe_page(invoice) for invoice in found) if found is not None else None

    def _answered(self, customer: str, question: "asyncio.Task[tuple[Invoice, ...] | None]") -> None:
        if customer in self._asked and self._asked[customer][1] is question:
            del self._asked[customer]
        if not question.cancelled():
            question.exception()  # whoever wanted it may be gone

    def _with_safe_page(self, invoice: Invoice) -> Invoice:
        if invoice.url is None:
            return invoice
        try:
            return replace(invoice, url=self._redirects.checked(invoice.url, refusal=UnsafePortal))
        except UnsafePortal:  # logged
            return replace(invoice, url=None)


class PortalService:
    """Opens the portal for a user and remembers what was known when they left."""

    def __init__(
        self,
        *,
        store: Store,
        refresher: StatusRefresher,
        status: StatusService,
        payment_ms: PaymentMS,
        limits: RateLimits,
        redirects: Redirects,
        policy: Policy = PORTAL,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store
        self._refresher = refresher
        self._status = status
        self._payment_ms = payment_ms
        self._limits = limits
        self._redirects = redirects
        self._policy = policy
        self._now = now or (lambda: datetime.now(UTC))

    @property
    def leads_straight(self) -> bool:
        """Whether the Payment MS says that it leads straight to a page of the portal."""
        return self._payment_ms.contract.has(ContractFeature.PORTAL_FLOWS)

    async def open(self, session: Session, return_path: str, way: PortalWay = FRONT, *, locale: str = "") -> str:
        """Return the portal's address for this user, who will come back to `return_path` on this site.

        A subscription in `way` that is not known to be this user's is left out. `locale` is the reader's language.

        Raises CustomerUnknown for a user who never bought anything, RateLimited, StoreUnavailable, UnsafePortal and
        the UpstreamErrors.
        """
        customer = self._refresher.customer_of(session)
        await self._limits.hit(self._policy, customer)
        path = urlsplit(safe_next(return_path)).path or "/payment"
        before = await self._refresher.remembered(customer)
        theirs = before is not None and way.subscription_id in before.subscription_ids
        portal = await self._payment_ms.create_portal_session(
            customer, self._redirects.portal_return_url(path), flow=way.flow, locale=locale,
            subscription_id=way.subscription_id if theirs else "",
        )  # fmt: skip
        url = self._redirects.checked(portal.url, refusal=UnsafePortal)
        visit = PortalVisit(before=before, left_at=self._now())
        await self._refresher.note_portal_visit(customer)
        await self._store.put(portal_visit_key(customer), visit.model_dump_json(), _STAY.total_seconds())
        return url

    async def record_return(self, session: Session) -> PortalVisit | None:
        """Note the return and look closely for a while; return the visit while its changes are worth telling."""
        customer = self._refresher.customer_of(session)
        visit = read_row(
            RowKind.PORTAL_VISIT, await self._store.get(portal_visit_key(customer)), PortalVisit.model_validate_json
        )
        if visit is None:
            return None
        if visit.returned_at is None:
            visit = visit.model_copy(update={"returned_at": self._now()})
            await self._store.put(portal_visit_key(customer), visit.model_dump_json(), WATCHED_FOR.total_seconds())
            await self._status.poll_fast(customer, from_portal=True)
        return visit


def portal_visit_key(customer: str) -> str:
    """Return what a customer's visit to the portal is kept under while it lasts."""
    return f"portal:{hashlib.sha256(customer.encode()).hexdigest()}"
