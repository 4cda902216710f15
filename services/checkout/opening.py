"""Opening a checkout for a purchase: looking, guarding, and opening a session or handing out the one that is open.

Two sessions that sell the same, or two plans of one group, can both be paid only where the user was asked: whatever
may have been paid without a word is a question first (`CheckoutInProgress`), and its answer names that checkout. All of
it happens under the customer's lock, which `services/checkout/service.py` holds.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from catalog import Catalog, Plan
from services.alarms.recorder import AlarmRecorder
from services.checkout.earlier_records import EarlierRecords
from services.checkout.guards import guard_portal_news, guard_subscription
from services.checkout.idempotency import IdempotencyKey, IdempotencyKeys, outcome_unknown
from services.checkout_record import Checkout, CheckoutEvent, CheckoutRepository, CheckoutsOnRecord, newest
from services.concurrency.limit import Priority
from services.errors import (
    CheckoutInProgress,
    CheckoutUnreadable,
    EmailMissing,
    FrontendError,
    PaymentUnknown,
    PurchaseUnconfirmed,
    SubscriptionOnRecord,
    TrialNotOffered,
    UpstreamFailed,
)
from services.live_status.history import CustomerHistory
from services.live_status.refresher import StatusRefresher
from services.live_status.service import StatusService
from services.live_status.session_states import SessionStates
from services.payment_contract.features import ContractFeature
from services.payment_ms import CheckoutSession, PaymentMS
from services.purchase import CheckoutKind, Purchase
from services.rate_limits import Policy, RateLimits
from services.sessions.service import Session
from services.storage.port import Store
from services.subscription.customer_status import CustomerStatus
from services.web.safe_urls import Redirects

_LATEST_END: Final = timedelta(days=8)
"""An end that a service tells and that is later than this is no end of a session: Stripe keeps one for a day."""

_STRIPE_ERROR: Final = "STRIPE_ERROR"


class PurchaseOutcome(StrEnum):
    """What became of a press."""

    OPENED = "opened"
    REUSED = "reused"


class CheckoutOpener:
    """Opens checkouts. Call it under the customer's lock. `life` is how long Stripe keeps a session open."""

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
        policy: Policy,
        alarms: AlarmRecorder | None,
        life: timedelta,
        now: Callable[[], datetime],
        earlier_records: EarlierRecords | None = None,
    ) -> None:
        self._states = SessionStates(payment_ms, checkouts)
        self._keys = IdempotencyKeys(store, life, redirects.public_url)
        self._checkouts = checkouts
        self._refresher = refresher
        self._status = status
        self._payment_ms = payment_ms
        self._catalog = catalog
        self._limits = limits
        self._redirects = redirects
        self._policy = policy
        self._alarms = alarms
        self._life = life
        self._earlier_records = earlier_records
        self._now = now

    async def open(
        self, session: Session, customer: str, purchase: Purchase, pressed_at: datetime, locale: str = ""
    ) -> tuple[Checkout, PurchaseOutcome]:
        """Return a checkout of the purchase; a plan's after a fresh look at both services.

        `pressed_at` is when the press began: one that began before the open session was handed out is the same press
        once more, and gets it. Any later one is asked.
        """
        history = await self._refresher.history(customer)
        settled = await self._states.look(history.checkouts, self._now(), Priority.PRESS)
        history, known = history.with_checkouts(settled.checkouts), settled.checkouts
        plan = self._catalog().offer(purchase.price_id).plan if purchase.kind is CheckoutKind.SUBSCRIPTION else None
        customer_status: CustomerStatus | None = None
        in_hand = False
        if plan is not None:
            in_hand = self._in_hand(known, purchase, pressed_at, settled.open_now) is not None
            try:
                customer_status, history = await self._refresher.ask_before_sale(session, history, fresh=not in_hand)
                self._guard(customer_status, history, plan, has_ended=purchase.has_ended)
                if not (in_hand or purchase.has_ended):  # before the question about an open one: one answers both
                    await self._guard_by_email(session, plan, customer_status)
            except FrontendError as refusal:
                if isinstance(refusal, SubscriptionOnRecord | PurchaseUnconfirmed):
                    refusal.also_open = newest(known, lambda c: c.in_doubt(self._now()) and c.group == plan.group)
                await self._notify_tabs(customer)  # what it is refused for was found just now
                raise
            known = history.checkouts
        unreadable = history.record.unreadable if plan is not None else ()
        again = self._in_hand(known, purchase, pressed_at, settled.open_now)
        known = await self._close_others(known, purchase, plan, again)
        given_up = self._given_up(known, purchase, plan, again)
        if plan is not None and customer_status is not None and purchase.has_ended:
            given_up += _answered(known, customer_status, plan)
        if again is not None:
            await self._replace(given_up)
            await self._disclaim(customer, unreadable)
            if again.id == purchase.resume or again.id in settled.open_now or not again.open(self._now()):
                again = await self._hand_out(again, customer_status, history.record)
                await self._notify_tabs(customer)
            return again, PurchaseOutcome.REUSED
        if plan is not None and customer_status is not None and in_hand and not purchase.has_ended:
            await self._guard_by_email(session, plan, customer_status)
        await self._limits.hit(self._policy, customer)
        is_first = not known and customer_status is not None and not customer_status.subscription_ids
        try:
            opened = await self._open_session(
                session, customer, purchase, plan, customer_status, history.record, locale
            )
        except UpstreamFailed as error:
            if is_first and self._alarms is not None and error.upstream_code == _STRIPE_ERROR:
                await self._alarms.checkout_refused(customer)
            raise
        if is_first and self._alarms is not None:
            await self._alarms.checkout_opened()
        await self._replace(given_up)
        await self._disclaim(customer, unreadable)
        await self._notify_tabs(customer)
        return opened, PurchaseOutcome.OPENED

    def _guard(self, customer_status: CustomerStatus, history: CustomerHistory, plan: Plan, *, has_ended: bool) -> None:
        """Raise what stands against the plan, by what both services say and what is on record here."""
        guard_subscription(customer_status, plan, self._catalog(), has_ended=has_ended)
        if has_ended:
            return
        guard_portal_news(customer_status, plan)
        if history.record.unreadable:
            raise CheckoutUnreadable(None, f"{len(history.record.unreadable)} checkouts can't be read")

    async def _guard_by_email(self, session: Session, plan: Plan, customer_status: CustomerStatus) -> None:
        """Raise SubscriptionUnderEmail for a new customer whom billing knows by the address: asked plan by plan."""
        if self._earlier_records is not None:
            rest = (product for product in self._catalog().group_products(plan) if product != plan.product_id)
            products = (plan.product_id, *rest) if plan.product_id is not None else tuple(rest)
            await self._earlier_records.guard(customer_status, session.user.email, products)

    async def _close_others(
        self, known: Sequence[Checkout], purchase: Purchase, plan: Plan | None, again: Checkout | None
    ) -> tuple[Checkout, ...]:
        """End the sessions that would be payable beside this one, where the service can; return all as they are now.

        One that was paid meanwhile is no longer in doubt, but bought: that stands against another sale.
        """
        now = self._now()
        closed = [
            await self._states.close(c) if c != again and c.in_doubt(now) and _same_thing(c, purchase, plan) else c
            for c in known
        ]
        paid = newest(closed, lambda c: c not in known and c.at(CheckoutEvent.RETURNED) is not None)
        if paid is not None and plan is not None:
            raise CheckoutInProgress(paid, "it was paid a moment ago")
        return tuple(closed)

    def _in_hand(
        self, known: Iterable[Checkout], purchase: Purchase, pressed_at: datetime, open_now: Collection[str]
    ) -> Checkout | None:
        """Return the session that this press gets again: the one it goes on with, one opened while it waited, or one
        that a service says is open and unpaid now."""
        now = self._now()
        same = [c for c in known if c.id != purchase.instead_of and c.reusable(now) and c.purchase.is_same_as(purchase)]
        same = [c for c in same if not (purchase.trial_shown and c.without_trial)]
        resumed = newest(same, lambda c: c.id == purchase.resume)
        known_open = newest(same, lambda c: c.id in open_now)
        again = newest(same, lambda c: c.in_doubt(now) and (purchase.reuse or c.handed_out_at >= pressed_at))
        return resumed or again or known_open

    def _given_up(
        self, known: Sequence[Checkout], purchase: Purchase, plan: Plan | None, again: Checkout | None
    ) -> list[Checkout]:
        """Return the checkouts that the user gives up for this one; raise for one that they were not asked about.

        Also when a session is handed out again: only one at a time is one that the user may be paying.
        """
        now = self._now()
        others = [c for c in known if c.in_doubt(now) and c != again and _same_thing(c, purchase, plan)]
        others += [c for c in known if c.ordered(now) and _same_order(c, purchase)]
        unasked = newest(others, lambda c: c.id != purchase.instead_of)
        if unasked is not None:
            if unasked.unheard(now):
                raise PaymentUnknown(unasked, "no service ever said whether an earlier checkout was paid")
            raise CheckoutInProgress(unasked, "another checkout may be paid, or may have been")
        return others

    async def _hand_out(
        self, again: Checkout, customer_status: CustomerStatus | None, record: CheckoutsOnRecord
    ) -> Checkout:
        """Note that the user is sent to a session once more. What is on record by now is none of its doing."""
        if customer_status is not None:
            known = tuple(sorted({*again.known_subscriptions, *customer_status.subscription_ids}))
            again = again.model_copy(update={"known_subscriptions": known})
            await self._checkouts.add(again, beside=record)
        return await self._checkouts.mark(again, CheckoutEvent.HANDED_OUT)

    async def _open_session(
        self,
        session: Session,
        customer: str,
        purchase: Purchase,
        plan: Plan | None,
        customer_status: CustomerStatus | None,
        record: CheckoutsOnRecord,
        locale: str,
    ) -> Checkout:
        """Ask for a session and return it as a remembered checkout.

        Raises TrialNotOffered where the user was shown a trial that is not theirs, UnsafeRedirect for an address that
        no browser may be sent to, StoreUnavailable when the session can't be remembered (then nobody is sent to it),
        and the UpstreamErrors.
        """
        email = session.user.email
        if not email:
            raise EmailMissing("the account has no e-mail address")
        trial = plan is not None and customer_status is not None and plan.id not in customer_status.had_plans
        if purchase.trial_shown and not trial:
            raise TrialNotOffered("a trial was shown, and this customer has had the plan")
        told = locale if self._payment_ms.contract.has(ContractFeature.LOCALE) else ""
        key = await self._keys.key_for(customer, email, purchase, record.kept, trial=trial, locale=told)
        try:
            answer = await self._payment_ms.create_checkout(
                purchase,
                user_id=customer,
                email=email,
                success_url=self._redirects.success_url(key.return_key),
                cancel_url=self._redirects.cancel_url(key.checkout_id),
                idempotency_key=key.value,
                trial_days=purchase.lines[0].trial_days if trial else 0,
                locale=told,
            )
            url = self._redirects.checked(answer.url)
        except FrontendError as error:
            if not outcome_unknown(error):
                await self._keys.forget(key)
            raise
        opened = self._remembered(customer, purchase, plan, key, answer, url)
        if customer_status is not None:
            known = customer_status.subscription_ids
            opened = opened.model_copy(update={"known_subscriptions": known, "without_trial": not trial})
        await self._checkouts.add(opened, beside=record, instead_of=key.name)
        return opened

    def _remembered(
        self,
        customer: str,
        purchase: Purchase,
        plan: Plan | None,
        key: IdempotencyKey,
        answer: CheckoutSession,
        url: str,
    ) -> Checkout:
        """Return what is remembered of a session that was just opened."""
        now, line = self._now(), purchase.lines[0]
        told = answer.expires_at
        return Checkout(
            id=key.checkout_id,
            customer=customer,
            kind=purchase.kind,
            session_id=answer.id,
            url=url,
            lines=purchase.lines,
            currency=line.currency or "",
            started_at=now,
            ends_at=told if told is not None and now < told < now + _LATEST_END else now + self._life,
            return_key=key.return_key,
            plan_id=plan.id if plan is not None else None,
            group=plan.group if plan is not None else None,
            interval=line.interval if plan is not None else None,
            trial_days=line.trial_days,
        )

    async def _replace(self, given_up: Iterable[Checkout]) -> None:
        await asyncio.gather(*(self._checkouts.mark(checkout, CheckoutEvent.REPLACED) for checkout in given_up))

    async def _disclaim(self, customer: str, unreadable: Iterable[str]) -> None:
        for checkout_id in unreadable:
            await self._checkouts.disclaim(customer, checkout_id)

    async def _notify_tabs(self, customer: str) -> None:
        """Let the user's other tabs know which checkout is open now."""
        with suppress(FrontendError):
            await self._status.checkouts_changed(customer)


def _same_thing(checkout: Checkout, purchase: Purchase, plan: Plan | None) -> bool:
    """Whether paying both would be paying twice: plans of one group, the same item in any quantity, two carts."""
    if checkout.kind is not purchase.kind:
        return False
    if plan is not None:
        return checkout.group == plan.group
    return purchase.kind is CheckoutKind.CART or checkout.price_id == purchase.price_id


def _same_order(checkout: Checkout, purchase: Purchase) -> bool:
    """Whether a press orders once more what was ordered: the same item in any quantity, a cart of the same content."""
    if checkout.kind is not purchase.kind:
        return False
    content = tuple(sorted((line.price_id, line.quantity) for line in purchase.lines))
    return checkout.content == content or (len(content) == 1 and checkout.price_id == purchase.price_id)


def _answered(known: Iterable[Checkout], customer_status: CustomerStatus, plan: Plan) -> list[Checkout]:
    """Return the group's purchases of which the user, asked by the guard, has said that they were not charged."""
    asked = customer_status.unconfirmed.id if customer_status.unconfirmed is not None else None
    return [c for c in known if c.group == plan.group and (c.unconfirmed or c.id == asked)]
