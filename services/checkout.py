"""The one way to a checkout: subscribe, buy an item, buy a cart. A button's callback and the API call the same methods.

Nobody pays twice: a checkout is opened under the customer's lock, after a fresh look at both services, and an open
session for the same thing is handed out again instead of a second one (Stripe lets a session be paid once). Prices and
amounts come from the catalog, the customer from the session, the addresses from `PUBLIC_URL`; a browser names a price
and a quantity, no more.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

import structlog

from catalog import Catalog, Item, Offer, Plan, UnknownPrice
from services.checkout_guards import guard_subscription
from services.checkouts import SESSION_LIFE, Checkout, Checkouts, Event, Kind, Line, newest
from services.errors import (
    CartEmpty,
    CartFull,
    CatalogChanged,
    CheckoutInProgress,
    FrontendError,
    InvalidQuantity,
    MixedCurrencies,
    PriceNotSold,
    RequestRefused,
)
from services.inquiry import Inquiry
from services.payment_ms import (
    CartCheckout,
    CartLine,
    CheckoutSession,
    ItemCheckout,
    PaymentMS,
    SubscriptionCheckout,
)
from services.rate_limits import CHECKOUT, Policy, RateLimits
from services.redirects import safe_redirect
from services.session import Session
from services.status import StatusService
from services.store import Store

MOST_LINES: Final = 20
"""The Payment MS takes 1 to 20 lines in one cart."""

_OPENED: Final = "opened"
_REUSED: Final = "reused"
_LOCK_LIFE: Final = 30.0
_LOCK_WAIT: Final = 20.0

_log = structlog.get_logger(__name__)


class Observer(Protocol):
    """Told about each checkout that was asked for, for metrics."""

    def __call__(self, kind: str, outcome: str) -> None:
        """Count one: `outcome` is `opened`, `reused`, or the error's code."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to buy: a price, how many, and the amount (minor units) their page showed for one."""

    price_id: str
    quantity: int = 1
    shown_amount: int | None = None


@dataclass(frozen=True, slots=True)
class Redirects:
    """Where browsers come from and may be sent: our own address, and the hosts allowed for checkout."""

    public_url: str
    allowed_hosts: Collection[str]
    allow_http: bool = False

    def success_url(self) -> str:
        """Where Stripe sends the browser after paying; Stripe puts the session's id in place of the braces."""
        return f"{self.public_url}/payment/success?session_id={{CHECKOUT_SESSION_ID}}"

    def cancel_url(self, checkout_id: str) -> str:
        """Where Stripe's back link leads."""
        return f"{self.public_url}/payment/cancel?checkout={checkout_id}"


class CheckoutService:
    """Opens checkout sessions, and hands out the open one again. All methods raise the errors of `services/errors.py`.

    A method that has begun goes on to its end when its caller is cancelled: a browser that leaves cuts nothing off,
    and finds the session it started when it comes back.
    """

    def __init__(
        self,
        *,
        store: Store,
        checkouts: Checkouts,
        inquiry: Inquiry,
        status: StatusService,
        payment_ms: PaymentMS,
        catalog: Callable[[], Catalog],
        limits: RateLimits,
        redirects: Redirects,
        policy: Policy = CHECKOUT,
        observe: Observer | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store
        self._checkouts = checkouts
        self._inquiry = inquiry
        self._status = status
        self._payment_ms = payment_ms
        self._catalog = catalog
        self._limits = limits
        self._redirects = redirects
        self._policy = policy
        self._observe = observe or (lambda kind, outcome: None)
        self._now = now or (lambda: datetime.now(UTC))
        self._under_way: set[asyncio.Task[Checkout]] = set()

    async def start(
        self, session: Session, wanted: Wanted, *, instead_of: str | None = None, has_ended: bool = False
    ) -> Checkout:
        """Return a checkout for one price: the open one for the same thing, or a new one.

        For a plan, `instead_of` names the open checkout (our id) that the user gives up for this one, and `has_ended`
        is the user's answer that the subscription on record has ended, or that an unconfirmed purchase was not charged.
        Raises PriceNotSold, InvalidQuantity, CatalogChanged, AlreadySubscribed, SubscriptionOnRecord, StandingUnclear,
        CheckoutInProgress, StatusUnknown, RateLimited, StoreUnavailable, UnsafeRedirect and the UpstreamErrors.
        """
        offer = self._offer(wanted)
        if offer.plan is not None:
            plan = offer.plan
            return await self._to_the_end(
                Kind.SUBSCRIPTION, lambda: self._subscribe(session, plan, offer, wanted, instead_of, has_ended)
            )
        if offer.item is None:
            raise PriceNotSold(f"{wanted.price_id} belongs to neither a plan nor an item")
        line = _item_line(offer.item, wanted)
        return await self._to_the_end(Kind.ITEM, lambda: self._buy(session, Kind.ITEM, (line,), offer.price.currency))

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
        currency = offers[0].price.currency
        return await self._to_the_end(Kind.CART, lambda: self._buy(session, Kind.CART, bought, currency))

    async def came_back(self, session: Session, session_id: str | None) -> Checkout | None:
        """Note that the browser is back through the success URL; return that checkout if this user started it.

        A session id that this user's sign-in did not start, or none, returns None and changes nothing.
        """
        customer = self._inquiry.customer_of(session)
        checkout = await self._checkouts.by_session(customer, session_id) if session_id else None
        if checkout is None:
            _log.info("return_unbound", has_session_id=session_id is not None)
            return None
        if checkout.at(Event.RETURNED) is None:
            checkout = await self._checkouts.mark(checkout, Event.RETURNED)
            await self._status.hurry(customer)
        return checkout

    async def called_off(self, session: Session, checkout_id: str | None) -> Checkout | None:
        """Note that the browser is back through the cancel URL; return that checkout if this user started it."""
        customer = self._inquiry.customer_of(session)
        checkout = await self._checkouts.by_id(customer, checkout_id) if checkout_id else None
        if checkout is None:
            return None
        checkout = await self._checkouts.mark(checkout, Event.CANCELED)
        await self._status.poke(customer)
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

    async def _to_the_end(self, kind: Kind, work: Callable[[], Awaitable[tuple[Checkout, str]]]) -> Checkout:
        task = asyncio.ensure_future(self._counted(kind, work))
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: "asyncio.Task[Checkout]") -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # its caller may be gone; what happened is logged where it happened

    async def _counted(self, kind: Kind, work: Callable[[], Awaitable[tuple[Checkout, str]]]) -> Checkout:
        outcome = "crashed"
        try:
            checkout, outcome = await work()
            return checkout
        except FrontendError as error:
            outcome = error.code
            raise
        finally:
            self._observe(kind, outcome)
            _log.info("checkout", kind=kind, outcome=outcome)

    async def _subscribe(
        self, session: Session, plan: Plan, offer: Offer, wanted: Wanted, instead_of: str | None, has_ended: bool
    ) -> tuple[Checkout, str]:
        if wanted.quantity != 1:
            raise InvalidQuantity("a plan is bought once")
        customer = self._inquiry.customer_of(session)
        catalog, price = self._catalog(), offer.price
        group = tuple(p.product_id for p in catalog.group(plan) if p.product_id)
        line = Line(price_id=price.price_id, product_id=offer.product_id, name=str(plan.name), amount=price.amount)
        async with self._store.lock(f"checkout:{customer}", _LOCK_LIFE, _LOCK_WAIT):
            earlier = await self._checkouts.of(customer)
            again = newest(earlier, lambda c: c.kind is Kind.SUBSCRIPTION and self._is_same(c, (line,)))
            standing = await self._inquiry.ask(session, "all", fresh=again is None)
            guard_subscription(standing, plan, group, has_ended=has_ended)
            if again is not None:
                return again, _REUSED
            for other in await self._checkouts.of(customer):
                if other.kind is Kind.SUBSCRIPTION and other.group == plan.group and other.open(self._now()):
                    if other.id != instead_of:
                        raise CheckoutInProgress(other, "another plan's checkout is open")
                    await self._checkouts.mark(other, Event.REPLACED)
            await self._limits.hit(self._policy, customer)
            known = tuple(s.subscription_id for s in standing.all if s.subscription_id)
            checkout = self._new(
                customer,
                Kind.SUBSCRIPTION,
                (line,),
                price.currency,
                plan_id=plan.id,
                group=plan.group,
                interval=price.interval,
                trial_days=price.trial_days,
                known_subscriptions=known,
            )
            request = SubscriptionCheckout(
                user_id=customer,
                email=session.user.email,
                product_id=offer.product_id,
                price_id=price.price_id,
                success_url=self._redirects.success_url(),
                cancel_url=self._redirects.cancel_url(checkout.id),
            )
            return await self._open(
                checkout, lambda key: self._payment_ms.create_subscription_checkout(request, idempotency_key=key)
            )

    async def _buy(self, session: Session, kind: Kind, lines: tuple[Line, ...], currency: str) -> tuple[Checkout, str]:
        customer = self._inquiry.customer_of(session)
        async with self._store.lock(f"checkout:{customer}", _LOCK_LIFE, _LOCK_WAIT):
            earlier = await self._checkouts.of(customer)
            again = newest(earlier, lambda c: c.kind is kind and self._is_same(c, lines))
            if again is not None:
                return again, _REUSED
            await self._limits.hit(self._policy, customer)
            checkout = self._new(customer, kind, lines, currency)
            urls = (self._redirects.success_url(), self._redirects.cancel_url(checkout.id))
            return await self._open(checkout, lambda key: self._one_off(session, checkout, urls, key))

    async def _one_off(self, session: Session, checkout: Checkout, urls: tuple[str, str], key: str) -> CheckoutSession:
        customer, email, (success_url, cancel_url) = checkout.customer, session.user.email, urls
        if checkout.kind is Kind.CART:
            lines = tuple(CartLine(line.price_id, line.quantity, line.product_id) for line in checkout.lines)
            cart = CartCheckout(customer, email, lines, success_url, cancel_url)
            return await self._payment_ms.create_cart_checkout(cart, idempotency_key=key)
        line = checkout.lines[0]
        item = ItemCheckout(
            customer, email, line.product_id or "", line.price_id, success_url, cancel_url, line.quantity
        )
        return await self._payment_ms.create_item_checkout(item, idempotency_key=key)

    async def _open(self, checkout: Checkout, ask: Callable[[str], Awaitable[CheckoutSession]]) -> tuple[Checkout, str]:
        """Ask for the session under a key that stays the same until this attempt has an end, and remember it."""
        attempt = f"attempt:{checkout.customer}:{hashlib.sha256(repr(checkout.content).encode()).hexdigest()[:16]}"
        await self._store.add(attempt, secrets.token_urlsafe(24), SESSION_LIFE.total_seconds())
        key = await self._store.get(attempt) or secrets.token_urlsafe(24)
        try:
            answer = await ask(key)
        except RequestRefused:
            await self._store.delete(attempt)
            raise
        url = safe_redirect(answer.url, self._redirects.allowed_hosts, self._redirects.allow_http)
        opened = checkout.model_copy(update={"session_id": answer.id, "url": url, "started_at": self._now()})
        await self._checkouts.add(opened)
        await self._store.delete(attempt)
        return opened, _OPENED

    def _new(
        self,
        customer: str,
        kind: Kind,
        lines: tuple[Line, ...],
        currency: str,
        *,
        plan_id: str | None = None,
        group: str | None = None,
        interval: str | None = None,
        trial_days: int = 0,
        known_subscriptions: tuple[str, ...] = (),
    ) -> Checkout:
        return Checkout(
            id=secrets.token_urlsafe(12),
            customer=customer,
            kind=kind,
            session_id="",
            url="",
            lines=lines,
            currency=currency,
            started_at=self._now(),
            plan_id=plan_id,
            group=group,
            interval=interval,
            trial_days=trial_days,
            known_subscriptions=known_subscriptions,
        )

    def _is_same(self, checkout: Checkout, lines: tuple[Line, ...]) -> bool:
        """Whether that session sells exactly this, at these amounts, and can still be paid."""
        wanted = sorted((line.price_id, line.quantity, line.amount) for line in lines)
        offered = sorted((line.price_id, line.quantity, line.amount) for line in checkout.lines)
        return wanted == offered and checkout.reusable(self._now())


def _item_line(item: Item, wanted: Wanted) -> Line:
    if not item.min_quantity <= wanted.quantity <= item.max_quantity:
        raise InvalidQuantity(f"{wanted.quantity} of {item.id}; sold in {item.min_quantity} to {item.max_quantity}")
    return Line(
        price_id=item.price.price_id,
        product_id=item.product_id,
        name=str(item.name),
        quantity=wanted.quantity,
        amount=item.price.amount,
    )
