"""Selling one thing to one customer: looking, guarding, and opening a session or handing out the open one again.

All of it happens under the customer's lock, which `services/checkout/service.py` holds.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from catalog import Catalog, Plan, Price
from services.checkout.guards import guard_subscription
from services.checkout.idempotency import Attempts, Redirects
from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind, CheckoutLine, CheckoutRepository, newest
from services.errors import CheckoutInProgress, CheckoutUnreadable, FrontendError
from services.live_status.refresher import StatusRefresher
from services.live_status.service import StatusService
from services.payment_ms import (
    CartCheckout,
    CartCheckoutLine,
    CheckoutSession,
    ItemCheckout,
    PaymentMS,
    SubscriptionCheckout,
)
from services.rate_limits import Policy, RateLimits
from services.sessions.service import Session
from services.subscription.customer_status import CustomerStatus


class PurchaseOutcome(StrEnum):
    """What became of a press."""

    OPENED = "opened"
    REUSED = "reused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One press, checked: what is to be sold to whom. `instead_of` is the open checkout that the user gives up."""

    session: Session
    customer: str
    kind: CheckoutKind
    lines: tuple[CheckoutLine, ...]
    currency: str
    instead_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPurchase(Purchase):
    """A press on a plan. `has_ended` is the user's answer to the plain question of `services/checkout/guards.py`."""

    plan: Plan
    price: Price
    has_ended: bool = False


class Seller:
    """Sells. Call it under the customer's lock."""

    def __init__(
        self,
        *,
        attempts: Attempts,
        checkouts: CheckoutRepository,
        refresher: StatusRefresher,
        status: StatusService,
        payment_ms: PaymentMS,
        catalog: Callable[[], Catalog],
        limits: RateLimits,
        redirects: Redirects,
        policy: Policy,
        now: Callable[[], datetime],
    ) -> None:
        self._attempts = attempts
        self._checkouts = checkouts
        self._refresher = refresher
        self._status = status
        self._payment_ms = payment_ms
        self._catalog = catalog
        self._limits = limits
        self._redirects = redirects
        self._policy = policy
        self._now = now

    async def subscribe(self, purchase: PlanPurchase) -> tuple[Checkout, PurchaseOutcome]:
        """Return a checkout of a plan, after a fresh look at both services."""
        plan, customer = purchase.plan, purchase.customer
        group = self._catalog().group_products(plan)
        again = self._same(await self._checkouts.of(customer), purchase)
        in_hand = again is not None and again.open(self._now())
        customer_status = await self._refresher.ask(purchase.session, "all", fresh=not in_hand)
        guard_subscription(customer_status, plan, group, has_ended=purchase.has_ended)
        unreadable = await self._checkouts.unreadable(customer)
        if unreadable and not purchase.has_ended:
            raise CheckoutUnreadable(None, f"{len(unreadable)} checkouts can't be read")
        known = await self._checkouts.of(customer)
        again = self._same(known, purchase)
        given_up = self._given_up(known, again, plan, purchase.instead_of)
        if purchase.has_ended:
            given_up += _answered(known, customer_status, plan)
        if again is not None:
            await self._replace(given_up)
            await self._disclaim(customer, unreadable)
            if not again.open(self._now()):
                again = await self._hand_out(again, customer_status)
            return again, PurchaseOutcome.REUSED
        await self._limits.hit(self._policy, customer)
        opened = await self._open_subscription(purchase, customer_status)
        await self._replace(given_up)
        await self._disclaim(customer, unreadable)
        await self._notify_tabs(customer)
        return opened, PurchaseOutcome.OPENED

    async def buy(self, purchase: Purchase) -> tuple[Checkout, PurchaseOutcome]:
        """Return a checkout of an item or a cart."""
        known = await self._checkouts.of(purchase.customer)
        again = self._same(known, purchase)
        if again is not None:
            return again, PurchaseOutcome.REUSED
        await self._limits.hit(self._policy, purchase.customer)
        session = purchase.session
        opened = await self._attempts.open(
            _draft(purchase, self._now()), session.user.email, lambda made, key: self._one_off(session, made, key)
        )
        await self._replace(c for c in known if c.id == purchase.instead_of and c.open(self._now()))
        return opened, PurchaseOutcome.OPENED

    async def _hand_out(self, again: Checkout, customer_status: CustomerStatus) -> Checkout:
        """Note that the user is sent to a session once more. What is on record by now is none of its doing."""
        known = tuple(sorted({*again.known_subscriptions, *customer_status.subscription_ids}))
        again = again.model_copy(update={"known_subscriptions": known})
        await self._checkouts.add(again)
        again = await self._checkouts.mark(again, CheckoutEvent.HANDED_OUT)
        await self._notify_tabs(again.customer)
        return again

    async def _open_subscription(self, purchase: PlanPurchase, customer_status: CustomerStatus) -> Checkout:
        price, line = purchase.price, purchase.lines[0]
        email = purchase.session.user.email
        about = {
            "plan_id": purchase.plan.id,
            "group": purchase.plan.group,
            "interval": price.interval,
            "trial_days": price.trial_days,
            "known_subscriptions": customer_status.subscription_ids,
        }

        async def ask(made: Checkout, key: str) -> CheckoutSession:
            request = SubscriptionCheckout(
                user_id=made.customer,
                email=email,
                product_id=line.product_id or "",
                price_id=line.price_id,
                success_url=self._redirects.success_url(),
                cancel_url=self._redirects.cancel_url(made.id),
            )
            return await self._payment_ms.create_subscription_checkout(request, idempotency_key=key)

        return await self._attempts.open(_draft(purchase, self._now()).model_copy(update=about), email, ask)

    async def _one_off(self, session: Session, made: Checkout, key: str) -> CheckoutSession:
        customer, email = made.customer, session.user.email
        success_url, cancel_url = self._redirects.success_url(), self._redirects.cancel_url(made.id)
        if made.kind is CheckoutKind.CART:
            lines = tuple(CartCheckoutLine(line.price_id, line.quantity, line.product_id) for line in made.lines)
            cart = CartCheckout(customer, email, lines, success_url, cancel_url)
            return await self._payment_ms.create_cart_checkout(cart, idempotency_key=key)
        line = made.lines[0]
        item = ItemCheckout(
            customer, email, line.product_id or "", line.price_id, success_url, cancel_url, line.quantity
        )
        return await self._payment_ms.create_item_checkout(item, idempotency_key=key)

    def _same(self, known: Iterable[Checkout], purchase: Purchase) -> Checkout | None:
        """Return the session that sells exactly this at these amounts and can still be paid, an open one first."""
        now, wanted = self._now(), _priced(purchase.lines)
        same = [c for c in known if c.kind is purchase.kind and _priced(c.lines) == wanted and c.reusable(now)]
        left = [c for c in same if c.id != purchase.instead_of]
        return newest(left, lambda c: c.open(now)) or newest(left, lambda c: True)

    def _given_up(
        self, known: Iterable[Checkout], again: Checkout | None, plan: Plan, instead_of: str | None
    ) -> list[Checkout]:
        """Return the group's open checkouts that the user gives up; raise if there is one of which they did not say so.

        Also when a session is handed out again: only one at a time is one that the user may be paying.
        """
        mine = [
            c for c in known if c.kind is CheckoutKind.SUBSCRIPTION and c.group == plan.group and c.open(self._now())
        ]
        others = [c for c in mine if again is None or c.id != again.id]
        for other in others:
            if other.id != instead_of:
                raise CheckoutInProgress(other, "another checkout is open")
        return others

    async def _replace(self, given_up: Iterable[Checkout]) -> None:
        for checkout in given_up:
            await self._checkouts.mark(checkout, CheckoutEvent.REPLACED)

    async def _disclaim(self, customer: str, unreadable: Iterable[str]) -> None:
        for checkout_id in unreadable:
            await self._checkouts.disclaim(customer, checkout_id)

    async def _notify_tabs(self, customer: str) -> None:
        """Let the user's other tabs know which checkout is open now."""
        with suppress(FrontendError):
            customer_status = await self._refresher.remembered(customer)
            if customer_status is not None:
                await self._status.changed(customer_status)


def _answered(known: Iterable[Checkout], customer_status: CustomerStatus, plan: Plan) -> list[Checkout]:
    """Return the group's purchases of which the user, asked by the guard, has said that they were not charged."""
    asked = customer_status.unconfirmed.id if customer_status.unconfirmed is not None else None
    return [c for c in known if c.group == plan.group and (c.unconfirmed or c.id == asked)]


def _draft(purchase: Purchase, now: datetime) -> Checkout:
    return Checkout(
        id="",
        customer=purchase.customer,
        kind=purchase.kind,
        session_id="",
        url="",
        lines=purchase.lines,
        currency=purchase.currency,
        started_at=now,
    )


def _priced(lines: Iterable[CheckoutLine]) -> list[tuple[str, int, int]]:
    return sorted((line.price_id, line.quantity, line.amount) for line in lines)
