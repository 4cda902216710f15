"""Notes on each unfinished checkout which service has it by now: the steps that the success page shows."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog

from catalog import Catalog
from services.checkouts import SESSION_LIFE, Checkout, Checkouts, Event, Kind
from services.evidence import Evidence
from services.rules import access_on, account_has, assess, billing_has
from services.standing import Standing

_log = structlog.get_logger(__name__)


async def note_progress(
    record: Checkouts, customer: str, evidence: Evidence, checkouts: Sequence[Checkout], catalog: Catalog, now: datetime
) -> None:
    """Mark what the latest answers say of the checkouts. Raises StoreUnavailable when that can't be written."""
    standing = assess(customer, evidence, (), catalog, now)
    for checkout in awaited(checkouts, now):
        await _note(record, checkout, evidence, standing, catalog, now)


def awaited(checkouts: Iterable[Checkout], now: datetime) -> tuple[Checkout, ...]:
    """Return the checkouts that the latest news can be about: for each plan those that the user came back from.

    Besides, the one that the user was sent to since, if it can have been paid: somebody may never come back from it.
    One that is in force goes on for a day until both services have it.
    """
    unfinished = [c for c in checkouts if c.kind is Kind.SUBSCRIPTION and not _complete(c, now)]
    found: list[Checkout] = []
    for plan_id in {c.plan_id for c in unfinished}:
        mine = [c for c in unfinished if c.plan_id == plan_id]
        returns = {c.id: returned for c in mine if (returned := c.at(Event.RETURNED)) is not None}
        found += [c for c in mine if c.id in returns]
        last = max(mine, key=lambda c: c.handed_out_at)
        since = last.handed_out_at > max(returns.values(), default=last.started_at - SESSION_LIFE)
        if last.id not in returns and since and now < last.expires_at + SESSION_LIFE:
            found.append(last)
    return tuple(found)


def _complete(checkout: Checkout, now: datetime) -> bool:
    on = checkout.at(Event.ACCESS_ON)
    if on is None:
        return False
    return now - on > SESSION_LIFE or {Event.BILLING_HAS_IT, Event.ACCOUNT_HAS_IT} <= checkout.events.keys()


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
