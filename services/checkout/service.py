"""The one way to a checkout: subscribe, buy an item, buy a cart. A button's callback and the API call the same methods.

Nobody pays twice: a checkout is opened under the customer's lock, after a fresh look at both services, and an open
session for the same thing is handed out again instead of a second one (Stripe lets a session be paid once). Prices and
amounts come from the catalog, the customer from the session, the addresses from `PUBLIC_URL`; a browser names a price
and a quantity, no more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar

import structlog

from catalog import Catalog, Item, Offer, UnknownPrice
from services.checkout.idempotency import Attempts, Redirects
from services.checkout.purchase import PlanPurchase, Purchase, PurchaseOutcome, Seller
from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind, CheckoutLine, CheckoutRepository
from services.errors import (
    CartEmpty,
    CartFull,
    CatalogChanged,
    FrontendError,
    InvalidQuantity,
    LockLost,
    MixedCurrencies,
    PriceNotSold,
    StoreUnavailable,
)
from services.live_status.refresher import StatusRefresher
from services.live_status.service import StatusService
from services.payment_ms import PaymentMS
from services.rate_limits import CHECKOUT, Policy, RateLimits
from services.sessions.service import Session
from services.storage.port import Store

__all__ = ["MOST_LINES", "CheckoutService", "Observer", "Redirects", "Wanted"]

MOST_LINES: Final = 20
"""The Payment MS takes 1 to 20 lines in one cart."""

_LOCK_LIFE: Final = 8.0
"""Seconds after which a crashed replica's customers can start again; a live one extends its lock every two."""

_LOCK_WAIT: Final = 20.0

P = TypeVar("P", bound=Purchase)
Work = Callable[[P], Awaitable[tuple[Checkout, PurchaseOutcome]]]

_log = structlog.get_logger(__name__)


class Observer(Protocol):
    """Told about each checkout that was asked for, for metrics."""

    def __call__(self, kind: str, outcome: str) -> None:
        """Count one: `outcome` is `opened`, `reused`, or the error's code."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a customer wants to buy: a price, how many, and the amount (minor units) their page showed for one."""

    price_id: str
    quantity: int = 1
    shown_amount: int | None = None


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
        now: Callable[[], datetime] | None = None,
    ) -> None:
        now = now or (lambda: datetime.now(UTC))
        self._store = store
        self._checkouts = checkouts
        self._refresher = refresher
        self._status = status
        self._catalog = catalog
        self._observe = observe or (lambda kind, outcome: None)
        self._seller = Seller(
            attempts=Attempts(store, checkouts, redirects, now),
            checkouts=checkouts,
            refresher=refresher,
            status=status,
            payment_ms=payment_ms,
            catalog=catalog,
            limits=limits,
            redirects=redirects,
            policy=policy,
            now=now,
        )
        self._under_way: set[asyncio.Task[Checkout]] = set()

    async def start(
        self, session: Session, wanted: Wanted, *, instead_of: str | None = None, has_ended: bool = False
    ) -> Checkout:
        """Return a checkout for one price: the open one for the same thing, or a new one.

        `instead_of` names the open checkout (our id) that the user gives up for this one; if that one sells the same
        thing, a new session replaces it. For a plan, `has_ended` is the user's answer that the subscription on record
        has ended, or that an unconfirmed purchase was not charged.
        Raises PriceNotSold, InvalidQuantity, CatalogChanged, AlreadySubscribed, SubscriptionOnRecord, StatusUnclear,
        CheckoutInProgress, StatusUnknown, RateLimited, StoreUnavailable, UnsafeRedirect and the UpstreamErrors.
        """
        offer = self._offer(wanted)
        customer, price = self._refresher.customer_of(session), offer.price
        if offer.plan is None:
            if offer.item is None:
                raise PriceNotSold(f"{wanted.price_id} belongs to neither a plan nor an item")
            item = Purchase(
                session=session,
                customer=customer,
                kind=CheckoutKind.ITEM,
                lines=(_item_line(offer.item, wanted),),
                currency=price.currency,
                instead_of=instead_of,
            )
            return await self._run_to_completion(item, self._seller.buy)
        if wanted.quantity != 1:
            raise InvalidQuantity("a plan is bought once")
        line = CheckoutLine(
            price_id=price.price_id, product_id=offer.product_id, name=str(offer.name), amount=price.amount
        )
        plan = PlanPurchase(
            session=session,
            customer=customer,
            kind=CheckoutKind.SUBSCRIPTION,
            lines=(line,),
            currency=price.currency,
            instead_of=instead_of,
            plan=offer.plan,
            price=price,
            has_ended=has_ended,
        )
        return await self._run_to_completion(plan, self._seller.subscribe)

    async def start_cart(self, session: Session, lines: Sequence[Wanted]) -> Checkout:
        """Return a checkout for a cart of items: 1 to 20 lines in one currency.

        Raises CartEmpty, CartFull and MixedCurrencies besides what `start` raises for an item.
        """
        if not lines:
            raise CartEmpty("checkout of an empty cart")
        if len(lines) > MOST_LINES:
            raise CartFull(f"{len(lines)} lines")
        offers = [self._offer(wanted) for wanted in lines]
        if len({offer.price.currency for offer in offers}) > 1:
            raise MixedCurrencies("a cart in more than one currency")
        items = [offer.item for offer in offers if offer.item is not None]
        if len(items) != len(offers):
            raise PriceNotSold("a plan can't be bought in a cart")
        bought = tuple(_item_line(item, wanted) for item, wanted in zip(items, lines, strict=True))
        cart = Purchase(
            session=session,
            customer=self._refresher.customer_of(session),
            kind=CheckoutKind.CART,
            lines=bought,
            currency=offers[0].price.currency,
        )
        return await self._run_to_completion(cart, self._seller.buy)

    async def record_return(self, session: Session, session_id: str | None) -> Checkout | None:
        """Note that the browser is back through the success URL; return that checkout if this user started it.

        A session id that this user's sign-in did not start, or none, returns None and changes nothing.
        """
        customer = self._refresher.customer_of(session)
        checkout = await self._checkouts.by_session(customer, session_id) if session_id else None
        if checkout is None:
            _log.info("return_unbound", has_session_id=session_id is not None)
            return None
        if checkout.at(CheckoutEvent.RETURNED) is None:
            checkout = await self._checkouts.mark(checkout, CheckoutEvent.RETURNED)
            if checkout.kind is CheckoutKind.SUBSCRIPTION:
                await self._status.poll_fast(customer)
        return checkout

    async def record_cancel(self, session: Session, checkout_id: str | None) -> Checkout | None:
        """Note that the browser is back through the cancel URL; return that checkout if this user started it."""
        customer = self._refresher.customer_of(session)
        checkout = await self._checkouts.by_id(customer, checkout_id) if checkout_id else None
        if checkout is None:
            return None
        checkout = await self._checkouts.mark(checkout, CheckoutEvent.CANCELED)
        await self._status.poll_once(customer)
        return checkout

    async def finish(self) -> None:
        """Wait for the checkouts under way, at shutdown."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _offer(self, wanted: Wanted) -> Offer:
        try:
            offer = self._catalog().offer(wanted.price_id)
        except UnknownPrice:
            raise PriceNotSold("a price that the catalog does not sell") from None
        if wanted.shown_amount is not None and wanted.shown_amount != offer.price.amount:
            raise CatalogChanged(f"{wanted.price_id} was shown at {wanted.shown_amount}, costs {offer.price.amount}")
        return offer

    async def _run_to_completion(self, purchase: P, work: Work[P]) -> Checkout:
        task = asyncio.ensure_future(self._counted(purchase, work))
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: "asyncio.Task[Checkout]") -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # its caller may be gone; what happened is logged where it happened

    async def _counted(self, purchase: P, work: Work[P]) -> Checkout:
        outcome = "crashed"
        try:
            checkout, outcome = await self._guarded(purchase, work)
        except FrontendError as error:
            outcome = error.code
            raise
        finally:
            self._observe(purchase.kind, outcome)
            _log.info("checkout", kind=purchase.kind, outcome=outcome)
        return checkout

    async def _guarded(self, purchase: P, work: Work[P]) -> tuple[Checkout, PurchaseOutcome]:
        """Do the work under the customer's lock. What was opened under a lock that was lost is not handed out."""
        done: tuple[Checkout, PurchaseOutcome] | None = None
        try:
            async with self._store.lock(f"checkout:{purchase.customer}", _LOCK_LIFE, _LOCK_WAIT):
                done = await work(purchase)
        except LockLost:
            if done is not None and done[1] is PurchaseOutcome.OPENED:
                with suppress(StoreUnavailable):
                    await self._checkouts.mark(done[0], CheckoutEvent.REPLACED)
            raise
        return done


def _item_line(item: Item, wanted: Wanted) -> CheckoutLine:
    if not item.min_quantity <= wanted.quantity <= item.max_quantity:
        raise InvalidQuantity(f"{wanted.quantity} of {item.id}; sold in {item.min_quantity} to {item.max_quantity}")
    return CheckoutLine(
        price_id=item.price.price_id,
        product_id=item.product_id,
        name=str(item.name),
        quantity=wanted.quantity,
        amount=item.price.amount,
    )
