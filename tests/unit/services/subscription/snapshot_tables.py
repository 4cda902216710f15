"""A short hand for what both services said, so that tables of rules can be read.

Billing: `basic=active@+20` is a record of Basic with the word "active" and a period that ends in 20 days; `?` is the
running service's answer, which has no word; `@none` is an unknown date; `!` alone says that billing can't be asked now.
`basic=active#1 basic=active#2` are two of one product, as a service tells of them that lists all.
Account: `premium active@+20`; `- active` names no plan; `silent` was asked and says nothing of plans; `unasked` never
answered; a trailing `!` says that it can't be asked now. `ago` is how many seconds old all that is.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from catalog import Catalog
from services.auth_ms import PlanGrant
from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind
from services.lifecycle import UNTOLD, Lifecycle
from services.payment_responses import SubscriptionRecord, read_subscription
from services.purchase import PurchaseLine
from services.subscription.customer_status import CustomerStatus
from services.subscription.grant_rules import GrantRules
from services.subscription.portal_trace import PortalTrace
from services.subscription.reconcile import reconcile
from services.subscription.snapshot import AccountResponse, RecordResponse, UpstreamSnapshot
from tests.fakes import START, Shape, answer, written
from tests.shop import CATALOG
from tests.world import Row

NOW = START


def snapshot(
    billing: str, account: str, *, shape: Shape = "openapi", ago: float = 0, asked: bool = True
) -> UpstreamSnapshot:
    """Return the evidence that the two short hands stand for. With `asked`, all sold products were asked about."""
    as_of = NOW - timedelta(seconds=ago)
    known = [plan.product_id for plan in CATALOG.plans if plan.product_id] if asked else []
    records = {product: SubscriptionRecord(exists=False, product_id=product) for product in known}
    further: dict[str, tuple[SubscriptionRecord, ...]] = {}
    entries = billing.split()
    for entry in entries:
        if entry != "!":
            product, record = _record(entry, shape)
            if product in records and records[product].exists:
                further[product] = (*further.get(product, ()), record)
            else:
                records[product] = record
    return UpstreamSnapshot(
        records={
            product: RecordResponse(record=record, as_of=as_of, further=further.get(product, ()))
            for product, record in records.items()
        },
        account=_account(account.removesuffix("!").strip(), as_of),
        billing_failed="upstream_failed" if "!" in entries else None,
        account_failed="sign_in_unavailable" if account.endswith("!") or account == "unasked" else None,
    )


def customer_status(
    billing: str,
    account: str,
    *checkouts: Checkout,
    shape: Shape = "openapi",
    ago: float = 0,
    asked: bool = True,
    catalog: Catalog = CATALOG,
    now: datetime = NOW,
    gifts: Collection[str] = (),
    by_record: bool = False,
    portal: PortalTrace | None = None,
    life: Lifecycle = UNTOLD,
    account_life: Lifecycle = UNTOLD,
) -> CustomerStatus:
    """Return what the rules make of it. `life` and `account_life` are what the services say of an end."""
    said = telling(snapshot(billing, account, shape=shape, ago=ago, asked=asked), life, account_life)
    grants = GrantRules.of(gifts, by_record=by_record)
    return reconcile("user-1", said, checkouts, catalog, now, grants=grants, portal=portal)


def telling(said: UpstreamSnapshot, life: Lifecycle, account_life: Lifecycle = UNTOLD) -> UpstreamSnapshot:
    """Return the snapshot in which billing says this of the end of everything on record, and the account that."""
    records = {
        product: response.model_copy(update={"record": replace(response.record, lifecycle=life)})
        for product, response in said.records.items()
    }
    account = said.account
    if account is not None and account.grant is not None:
        account = account.model_copy(update={"grant": replace(account.grant, lifecycle=account_life)})
    return said.model_copy(update={"records": records, "account": account})


def checkout(
    plan: str = "premium",
    interval: str = "month",
    *,
    started: float = 60,
    events: Sequence[tuple[CheckoutEvent, float]] = (),
    known: tuple[str, ...] = (),
    name: str = "checkout-1",
) -> Checkout:
    """Return a checkout of a plan, started so many seconds ago; events with the seconds since each."""
    price = next(p for p in CATALOG.plan(plan).prices.values() if p.interval == interval)
    line = PurchaseLine(price_id=price.price_id, product_id=f"prod_{plan}", name=plan.title(), amount=price.amount)
    return Checkout(
        id=name,
        customer="user-1",
        kind=CheckoutKind.SUBSCRIPTION,
        session_id=f"cs_test_{name}",
        url=f"https://checkout.stripe.com/c/pay/{name}",
        lines=(line,),
        currency="usd",
        started_at=NOW - timedelta(seconds=started),
        plan_id=plan,
        group=CATALOG.plan(plan).group,
        interval=interval,
        known_subscriptions=known,
        events={event: NOW - timedelta(seconds=ago) for event, ago in events},
    )


def in_days(days: float) -> datetime:
    """Return the moment so many days from now."""
    return NOW + timedelta(days=days)


def _record(entry: str, shape: Shape) -> tuple[str, SubscriptionRecord]:
    name, _, rest = entry.partition("=")
    rest, _, subscription = rest.partition("#")
    word, _, when = rest.partition("@")
    product = f"prod_{name}"
    end = None if when == "none" else in_days(float(when or "20"))
    row = Row(product, subscription or f"sub_{name}", word, end)
    return product, read_subscription(answer(written(row, "running" if word == "?" else shape)), product)


def _account(text: str, as_of: datetime) -> AccountResponse | None:
    if text == "unasked":
        return None
    if text == "silent":
        return AccountResponse(grant=None, as_of=as_of)
    plan, _, rest = text.partition(" ")
    word, _, when = rest.partition("@")
    grant = PlanGrant(word, "" if plan == "-" else plan, in_days(float(when)) if when else None)
    return AccountResponse(grant=grant, as_of=as_of)
