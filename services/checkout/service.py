"""The one way to a checkout, of a plan, an item or a cart. A button's callback, a form and the API call `start`.

Nobody pays twice: a checkout is opened under the customer's lock, after a fresh look at both services, and what may
have been paid already is a question first. What was shown is what is sold: prices and terms come from the catalog, and
a press that was shown others is refused. The customer comes from the session, the addresses from `PUBLIC_URL`.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog

from catalog import Catalog
from services.alarms.recorder import AlarmRecorder
from services.checkout.earlier_records import EarlierRecords
from services.checkout.opening import CheckoutOpener, PurchaseOutcome
from services.checkout_record import SESSION_LIFE, Checkout, CheckoutEvent, CheckoutKind, CheckoutRepository, newest
from services.errors import FrontendError, LockLost, SellingOff, StoreUnavailable
from services.live_status.refresher import StatusRefresher
from services.live_status.service import StatusService
from services.live_status.session_states import SessionStates
from services.payment_ms import PaymentMS
from services.purchase import Purchase
from services.rate_limits import CHECKOUT, Policy, RateLimits
from services.sessions.service import Session
from services.storage.port import Store
from services.web.safe_urls import Redirects

__all__ = ["CheckoutService", "Observer"]

_LOCK_LIFE: Final = 8.0
"""Seconds after which a crashed replica's customers can start again; a live one extends its lock every two."""

_LOCK_WAIT: Final = 20.0

_UNREPLACED: Final = "CHECKOUT_SESSION_ID"
"""What a success URL still holds when Stripe's placeholder reached Stripe encoded, or never did."""

_log = structlog.get_logger(__name__)


class Observer(Protocol):
    """Told about each checkout that was asked for, for metrics."""

    def __call__(self, kind: str, outcome: str) -> None:
        """Count one: `outcome` is `opened`, `reused`, or the error's code."""


def customer_lock(store: Store, customer: str) -> AbstractAsyncContextManager[None]:
    """Return the lock under which a customer's checkouts are opened, one at a time."""
    return store.lock(f"checkout:{customer}", _LOCK_LIFE, _LOCK_WAIT)


class CheckoutService:
    """Opens checkout sessions, and hands out the open one again. All methods raise the errors of `services/errors.py`.

    A method that has begun goes on to its end when its caller is cancelled: a browser that leaves cuts nothing off,
    and finds the session it started when it comes back.
    """

    def __init__(
        self,
        *,
        store: Store,
        checkouts: CheckoutRepository,
        refresher: StatusRefresher,
        status: StatusService,
        payment_ms: PaymentMS,
        catalog: Callable[[], Catalog],
        limits: RateLimits,
        redirects: Redirects,
        policy: Policy = CHECKOUT,
        observe: Observer | None = None,
        alarms: AlarmRecorder | None = None,
        session_life: timedelta = SESSION_LIFE,
        earlier_records: EarlierRecords | None = None,
        selling: bool = True,
        not_sold_because: str = "",
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """Without `selling` every press is refused, with the operator's words for it where they have some."""
        now = now or (lambda: datetime.now(UTC))
        self._now = now
        self._store = store
        self._checkouts = checkouts
        self._refresher = refresher
        self._status = status
        self._catalog = catalog
        self._selling, self._not_sold_because = selling, not_sold_because
        self._states = SessionStates(payment_ms, checkouts)
        self._observe = observe or (lambda kind, outcome: None)
        self._opener = CheckoutOpener(
            store=store,
            checkouts=checkouts,
            refresher=refresher,
            status=status,
            payment_ms=payment_ms,
            catalog=catalog,
            limits=limits,
            redirects=redirects,
            policy=policy,
            alarms=alarms,
            life=session_life,
            earlier_records=earlier_records,
            now=now,
        )
        self._under_way: set[asyncio.Task[Checkout]] = set()

    async def start(self, session: Session, purchase: Purchase, *, locale: str = "") -> Checkout:
        """Return a checkout for a purchase: a new one, or the open one that the press goes on with.

        `locale` is the reader's language, in which Stripe's page opens where the Payment MS passes it on.
        Raises CatalogChanged where the user was shown other terms than are sold now, CheckoutInProgress for a checkout
        that may be paid or may have been and of which the press says nothing (PaymentUnknown for an old one), what the
        guard of a plan raises (AlreadySubscribed, SubscriptionOnRecord, StatusUnclear, StatusUnknown,
        PurchaseUnconfirmed), PriceNotSold, InvalidQuantity, InvalidCart, RateLimited, StoreUnavailable, UnsafeRedirect
        and the UpstreamErrors; SellingOff while nothing is sold at all.
        """
        if not self._selling:
            raise SellingOff(words=self._not_sold_because)
        return await self._run_to_completion(session, purchase.as_sold(self._catalog()), locale)

    async def record_return(self, session: Session, session_id: str | None, key: str = "") -> Checkout | None:
        """Note that the browser is back through the success URL; return the checkout of this user that it is about.

        Only a return that brings the key of the success URL was sent by Stripe, and is noted: an address typed by hand
        proves nothing. Without a key the session's id finds the checkout; where that was never filled in, it is the
        one that this user is in the middle of. Any other address returns None.
        """
        customer = self._refresher.customer_of(session)
        checkout = await self._checkouts.by_return_key(customer, key) if key else None
        proven = checkout is not None
        if checkout is None and session_id and _UNREPLACED in session_id:
            checkout = newest(await self._checkouts.of(customer), lambda c: c.payable(self._now()))
        elif checkout is None and session_id:
            checkout = await self._checkouts.by_session(customer, session_id)
        if checkout is None:
            _log.info("return_unbound", has_session_id=session_id is not None)
            return None
        if checkout.at(CheckoutEvent.RETURNED) is None:
            if proven or not checkout.return_key:
                checkout = await self._checkouts.mark(checkout, CheckoutEvent.RETURNED)
            if checkout.kind is CheckoutKind.SUBSCRIPTION:
                await self._status.poll_fast(customer)
        return checkout

    async def record_cancel(self, session: Session, checkout_id: str | None) -> Checkout | None:
        """Note that the browser is back through the cancel URL; return that checkout if this user started it.

        It proves nothing either: the checkout may have been paid in another tab meanwhile.
        """
        customer = self._refresher.customer_of(session)
        checkout = await self._checkouts.by_id(customer, checkout_id) if checkout_id else None
        if checkout is None:
            return None
        checkout = await self._checkouts.mark(checkout, CheckoutEvent.CANCELED)
        await self._status.poll_once(customer)
        return checkout

    async def find(self, session: Session, checkout_id: str) -> Checkout | None:
        """Return this user's checkout with that id of ours, or None."""
        return await self._checkouts.by_id(self._refresher.customer_of(session), checkout_id)

    async def look_at(self, checkout: Checkout) -> tuple[Checkout, bool]:
        """Return a checkout with what billing says of its session now, and whether it says open and unpaid.

        Of a Payment MS that knows no sessions nothing is learned. Raises StoreUnavailable.
        """
        return await self._states.look_at(checkout)

    async def finish(self) -> None:
        """Wait for the checkouts under way, at shutdown."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _run_to_completion(self, session: Session, purchase: Purchase, locale: str) -> Checkout:
        task = asyncio.ensure_future(self._counted(session, purchase, locale))
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: "asyncio.Task[Checkout]") -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # its caller may be gone; what happened is logged where it happened

    async def _counted(self, session: Session, purchase: Purchase, locale: str) -> Checkout:
        outcome = "crashed"
        try:
            checkout, outcome = await self._guarded(session, purchase, locale)
        except FrontendError as error:
            outcome = error.code
            raise
        finally:
            self._observe(purchase.kind, outcome)
            _log.info("checkout", kind=purchase.kind, outcome=outcome)
        return checkout

    async def _guarded(self, session: Session, purchase: Purchase, locale: str) -> tuple[Checkout, PurchaseOutcome]:
        """Open it under the customer's lock. What was opened under a lock that was lost is handed to nobody."""
        customer, pressed_at = self._refresher.customer_of(session), self._now()
        done: tuple[Checkout, PurchaseOutcome] | None = None
        try:
            async with customer_lock(self._store, customer):
                done = await self._opener.open(session, customer, purchase, pressed_at, locale)
        except LockLost:
            if done is not None and done[1] is PurchaseOutcome.OPENED:
                with suppress(StoreUnavailable):
                    await self._checkouts.mark(done[0], CheckoutEvent.REPLACED)
            raise
        return done
