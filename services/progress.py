"""Notes on each unfinished checkout which service has it by now: the steps that the success page shows."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from catalog import Catalog
from services.attribution import access_on, account_has, awaited, billing_has
from services.checkouts import Checkout, Checkouts, Event
from services.evidence import Evidence
from services.rules import assess
from services.standing import Standing

_log = structlog.get_logger(__name__)


async def note_progress(
    record: Checkouts, customer: str, evidence: Evidence, checkouts: Sequence[Checkout], catalog: Catalog, now: datetime
) -> None:
    """Mark what the latest answers say of the checkouts. Raises StoreUnavailable when that can't be written."""
    standing = assess(customer, evidence, (), catalog, now)
    for checkout in awaited(checkouts, now):
        await _note(record, checkout, evidence, standing, catalog, now)


async def _note(
    record: Checkouts, checkout: Checkout, evidence: Evidence, standing: Standing, catalog: Catalog, now: datetime
) -> None:
    in_billing = billing_has(checkout, evidence)
    in_account = account_has(checkout, evidence, catalog, now)
    if in_billing:
        checkout = await record.mark(checkout, Event.BILLING_HAS_IT)
    if in_account:
        checkout = await record.mark(checkout, Event.ACCOUNT_HAS_IT)
    if (in_billing or in_account) and not checkout.confirmed and access_on(checkout, standing):
        checkout = await record.mark(checkout, Event.ACCESS_ON)
        _log.info("checkout_confirmed", after_s=_seconds_since_return(checkout))


def _seconds_since_return(checkout: Checkout) -> float | None:
    returned, on = checkout.at(Event.RETURNED), checkout.at(Event.ACCESS_ON)
    return (on - returned).total_seconds() if returned and on else None
