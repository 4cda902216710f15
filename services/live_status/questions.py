"""The questions to both services about one customer: which products to ask billing about, and what to ask once more."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from catalog import Catalog
from services.auth_ms import PlanGrant
from services.checkout_record import Checkout
from services.concurrency.limit import Priority
from services.errors import FrontendError, SignInUnavailable, StoreUnavailable
from services.live_status.schedule import Scope
from services.payment_ms import PaymentMS, SubscriptionRecord
from services.sessions.service import Session, Sessions
from services.storage.marks import Mark, Marks
from services.subscription.checkout_matching import ENDED
from services.subscription.former_plans import catalog_for
from services.subscription.model import LIVE, State
from services.subscription.normalize import normalize_account, plan_named, status_word
from services.subscription.snapshot import UpstreamSnapshot

ASKED_AGAIN_AFTER: Final = timedelta(minutes=10)
"""An answer of billing's older than this is asked for again, also where nothing says that it may differ: "none" of last
month proves nothing about today (a purchase in a browser that never came back, a subscription made elsewhere)."""

NONE_STANDS_FOR: Final = timedelta(seconds=45)
"""The same where an open page says "none" by billing's word alone: the account says nothing of plans, so no news of a
subscription made elsewhere would come from it. Shorter than the pause between two looks of that page. Who is told so
anew, by whichever word, is told what billing says now."""


class UpstreamQuestions:
    """Asks the Payment MS and the Auth MS, and puts their answers over what was known before."""

    def __init__(
        self,
        payment_ms: PaymentMS,
        sessions: Sessions,
        marks: Marks,
        catalog: Callable[[], Catalog],
        now: Callable[[], datetime],
    ) -> None:
        self._payment_ms = payment_ms
        self._sessions = sessions
        self._marks = marks
        self._catalog = catalog
        self._now = now

    async def ask(
        self,
        customer: str,
        session: Session | None,
        scope: Scope,
        before: UpstreamSnapshot,
        checkouts: Sequence[Checkout],
        priority: Callable[[], Priority],
    ) -> tuple[UpstreamSnapshot, bool]:
        """Ask, and return the snapshot and whether all products were asked about.

        An account that says something new may speak of a product that was not asked about: then what it speaks of
        follows, and all others if billing has nothing there. A record that is gone may have moved: a change of plan
        shows under another product, so all are asked about before anybody is told that there is none. `priority` is
        asked for each question, as somebody in more of a hurry may have come to wait for the same answers.
        """
        products = self._products(scope, before, checkouts)
        if scope == "account":
            billing, account = before, await self._ask_account(session, before)
        else:
            (billing, asked), account = await asyncio.gather(
                self._ask_billing(customer, products, before, checkouts, priority), self._ask_account(session, before)
            )
            products = asked
        snapshot = billing.model_copy(update={"account": account.account, "account_failed": account.account_failed})
        news = before.account is not None and granted(account) != granted(before)
        wider: Scope
        for wider in ("relevant", "all"):
            more = tuple(p for p in self._products(wider, snapshot, checkouts) if p not in products)
            failed = bool(products) and snapshot.billing_failed is not None
            moved = not set(before.products_on_record) <= set(snapshot.products_on_record)
            explained = wider == "all" and self._explains_account(snapshot, checkouts)
            if failed or not (moved or (news and not explained)):
                break
            if more:
                snapshot, asked = await self._ask_billing(customer, more, snapshot, checkouts, priority)
                products = (*products, *asked)
        return snapshot, set(products) >= set(self._products("all", snapshot, checkouts))

    def _explains_account(self, snapshot: UpstreamSnapshot, checkouts: Sequence[Checkout]) -> bool:
        """Whether what the account grants is on record at billing, or it grants nothing at all."""
        grant = granted(snapshot)
        if grant is None:
            return True
        named = plan_named(catalog_for(self._catalog(), snapshot, checkouts), grant.plan)
        return named is not None and any(product in snapshot.products_on_record for product in named.products)

    async def _ask_billing(
        self,
        customer: str,
        products: tuple[str, ...],
        snapshot: UpstreamSnapshot,
        checkouts: Sequence[Checkout],
        priority: Callable[[], Priority],
    ) -> tuple[UpstreamSnapshot, tuple[str, ...]]:
        """Return what billing says, and about which products it was asked: all, where one answer holds all.

        No products to ask about means that nothing can differ, which is as good as asked.
        """
        snapshot = snapshot.model_copy(update={"billing_failed": None})
        try:
            found = await self._payment_ms.subscriptions(customer, priority=priority()) if products else None
        except FrontendError as error:
            return snapshot.model_copy(update={"billing_failed": error.code}), products
        if found is None:
            return await self._ask_each(customer, products, snapshot, priority), products
        every = self._products("all", snapshot, checkouts)
        return self._with_all(snapshot, found, every), (*every, *(record.product_id for record in found))

    def _with_all(
        self, snapshot: UpstreamSnapshot, found: Sequence[SubscriptionRecord], every: Sequence[str]
    ) -> UpstreamSnapshot:
        """Return the snapshot with an answer that holds all that a customer has; of one product the first counts, and
        whatever of it is alive besides.

        It leaves out what ended long ago: of a product whose record had ended, that stays so.
        """
        now, told, further = self._now(), *_by_product(found)
        for product in dict.fromkeys((*every, *told)):
            record = told.get(product)
            if record is None:
                known = snapshot.records.get(product)
                over = known is not None and status_word(known.record.status)[0] in ENDED
                record = known.record if known is not None and over else SubscriptionRecord(False, product)
            plan = self._catalog().plan_for_product(product)
            snapshot = snapshot.with_record(product, record, now, plan, further.get(product, ()))
        return snapshot.model_copy(update={"looked_at": now})

    async def _ask_each(
        self, customer: str, products: Sequence[str], snapshot: UpstreamSnapshot, priority: Callable[[], Priority]
    ) -> UpstreamSnapshot:
        """Ask about each product, at once as far as the service bears it; the rest is not asked after a failure."""
        width = self._payment_ms.at_once
        for first in range(0, len(products), width):
            together = products[first : first + width]
            place = priority()
            questions = (self._payment_ms.subscription(customer, one, priority=place) for one in together)
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
        named = plan_named(catalog, grant.plan) if (grant := granted(snapshot)) else None
        wanted = {*snapshot.products_on_record, *(c.product_id for c in checkouts if c.payable(now) or c.unconfirmed)}
        told_now = scope == "shown"
        unsaid = _none_by_billing_alone(snapshot, catalog, every_group=told_now)
        if told_now:
            unsaid |= self._none_by_both(snapshot, catalog)
        stands_for = timedelta() if told_now else NONE_STANDS_FOR
        wanted |= {
            p
            for p in (*sold, *gone)
            if (known := snapshot.records.get(p))
            and now - known.as_of > (stands_for if p in unsaid else ASKED_AGAIN_AFTER)
        }
        return tuple(p for p in (*sold, *gone) if p in wanted or (named is not None and p in named.products))

    def _none_by_both(self, snapshot: UpstreamSnapshot, catalog: Catalog) -> frozenset[str]:
        """Return the products of the headline's group where both services say that there is nothing of it: an account
        may not have been told."""
        account = normalize_account(snapshot, catalog, self._now())
        none = account is not None and account.state is State.NONE
        return _without_record(snapshot, catalog, catalog.plans[0].group) if none else frozenset()


def _by_product(
    found: Sequence[SubscriptionRecord],
) -> tuple[dict[str, SubscriptionRecord], dict[str, tuple[SubscriptionRecord, ...]]]:
    """Return the first record of each product, and what else of it is alive: one without an id may be the same."""
    first: dict[str, SubscriptionRecord] = {}
    further: dict[str, tuple[SubscriptionRecord, ...]] = {}
    for record in found:
        known = first.setdefault(record.product_id, record)
        ids = {known.subscription_id, *(one.subscription_id for one in further.get(record.product_id, ())), None}
        if record.subscription_id not in ids and status_word(record.status)[0] in LIVE:
            further[record.product_id] = (*further.get(record.product_id, ()), record)
    return first, further


def _none_by_billing_alone(snapshot: UpstreamSnapshot, catalog: Catalog, *, every_group: bool) -> frozenset[str]:
    """Return the products of the headline's group, or of each, where billing's word alone says that there is nothing
    of it."""
    if snapshot.account is None or snapshot.account.grant is not None:
        return frozenset()
    groups = {plan.group for plan in catalog.plans} if every_group else {catalog.plans[0].group}
    return frozenset(product for group in groups for product in _without_record(snapshot, catalog, group))


def _without_record(snapshot: UpstreamSnapshot, catalog: Catalog, group: str) -> frozenset[str]:
    """Return the products of a group of plans of which billing has nothing on record."""
    products = frozenset(product for plan in catalog.plans if plan.group == group for product in plan.products)
    return products if products.isdisjoint(snapshot.products_on_record) else frozenset()


def granted(snapshot: UpstreamSnapshot) -> PlanGrant | None:
    """Return what the account grants by its last answer; None for nothing, and without one."""
    return snapshot.account.grant if snapshot.account is not None else None
