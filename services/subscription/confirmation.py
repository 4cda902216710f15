"""Notes on each unfinished checkout which service has it by now: the steps that the success page shows."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from catalog import Catalog
from services.checkout_record import Checkout, CheckoutEvent, CheckoutRepository
from services.subscription.checkout_matching import access_on, account_has, awaited, billing_has, late_news
from services.subscription.customer_status import CustomerStatus
from services.subscription.former_plans import by_todays_plans, catalog_for
from services.subscription.grant_rules import ACCOUNT_ALONE, GrantRules
from services.subscription.reconcile import reconcile
from services.subscription.snapshot import UpstreamSnapshot

_log = structlog.get_logger(__name__)


async def note_progress(
    record: CheckoutRepository,
    customer: str,
    snapshot: UpstreamSnapshot,
    checkouts: Sequence[Checkout],
    catalog: Catalog,
    now: datetime,
    grants: GrantRules = ACCOUNT_ALONE,
) -> None:
    """Mark what the latest answers say of the checkouts. Raises StoreUnavailable when that can't be written."""
    known = catalog_for(catalog, snapshot, checkouts)
    todays = by_todays_plans(checkouts, known)
    unfinished = awaited(todays, now)
    for checkout in late_news(todays, snapshot, now):
        if checkout not in unfinished:
            await record.mark(checkout, CheckoutEvent.BILLING_HAS_IT)
    if not unfinished:
        return
    customer_status = reconcile(customer, snapshot, (), known, now, grants=grants)
    for checkout in unfinished:
        await _note(record, checkout, snapshot, customer_status, known, now)


async def _note(
    record: CheckoutRepository,
    checkout: Checkout,
    snapshot: UpstreamSnapshot,
    customer_status: CustomerStatus,
    catalog: Catalog,
    now: datetime,
) -> None:
    in_billing = billing_has(checkout, snapshot)
    in_account = account_has(checkout, snapshot, catalog, now)
    if in_billing:
        checkout = await record.mark(checkout, CheckoutEvent.BILLING_HAS_IT)
    if in_account:
        checkout = await record.mark(checkout, CheckoutEvent.ACCOUNT_HAS_IT)
    if (in_billing or in_account) and not checkout.confirmed and access_on(checkout, customer_status):
        checkout = await record.mark(checkout, CheckoutEvent.ACCESS_ON)
        _log.info("checkout_confirmed", after_s=_seconds_since_return(checkout))


def _seconds_since_return(checkout: Checkout) -> float | None:
    returned, on = checkout.at(CheckoutEvent.RETURNED), checkout.at(CheckoutEvent.ACCESS_ON)
    return (on - returned).total_seconds() if returned and on else None
