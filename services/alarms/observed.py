"""What the services' answers about one customer, and their checkouts, say for and against the alarms.

Pure rules, run after each look. They name no state of a subscription: an alarm is about a service, and a single
customer's oddities are none.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog import Catalog
from services.alarms.alarm import REMEMBERED, AlarmKey
from services.alarms.evidence import Observation
from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind
from services.subscription.checkout_matching import billing_has
from services.subscription.model import DELAYED_AFTER, GRANTING, LOST_AFTER
from services.subscription.normalize import normalize_account
from services.subscription.portal_trace import PortalTrace
from services.subscription.snapshot import UpstreamSnapshot


@dataclass(frozen=True, slots=True)
class CustomerEvidence:
    """What is known of one customer: who, what both services say, what was bought here, the last portal visit."""

    customer: str
    snapshot: UpstreamSnapshot
    checkouts: Sequence[Checkout]
    portal: PortalTrace | None
    catalog: Catalog
    now: datetime

    @property
    def case(self) -> str:
        """What stands for the customer: of no use to who reads it."""
        return case_of(self.customer)

    @property
    def plans_bought(self) -> Iterator[Checkout]:
        """The plans' checkouts that were opened, but for those that the user said were not charged."""
        return (c for c in self.checkouts if c.kind is CheckoutKind.SUBSCRIPTION and not c.disclaimed)

    @property
    def returned(self) -> Iterator[tuple[Checkout, datetime]]:
        """Those that the user came back from, as only Stripe sends one back, and when."""
        for checkout in self.plans_bought:
            at = checkout.at(CheckoutEvent.RETURNED)
            if at is not None:
                yield checkout, at


def case_of(name: str) -> str:
    """Return a short name that stands for a customer or a checkout and can't be led back to it."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def observed(seen: CustomerEvidence) -> Iterator[Observation]:
    """Yield what speaks for and against an alarm."""
    yield from _of_purchases(seen)
    yield from _of_the_account(seen)
    yield from _of_plan_changes(seen)


def _of_purchases(seen: CustomerEvidence) -> Iterator[Observation]:
    """A purchase counts from its return on: billing must have been asked since, long enough after it."""
    key = AlarmKey.PURCHASES_NOT_RECORDED
    for checkout in seen.plans_bought:
        case, returned = case_of(checkout.id), checkout.at(CheckoutEvent.RETURNED)
        if CheckoutEvent.BILLING_HAS_IT in checkout.events or billing_has(checkout, seen.snapshot):
            yield Observation(key, returned or checkout.handed_out_at, mended=case)
            continue
        answer = seen.snapshot.records.get(checkout.product_id or "")
        if returned is None or answer is None or answer.record.exists:
            continue
        if answer.as_of - returned >= LOST_AFTER:
            yield Observation(key, returned, case)


def _of_the_account(seen: CustomerEvidence) -> Iterator[Observation]:
    """It says nothing of plans, about somebody who bought one: about others that is no more than usual."""
    answer = seen.snapshot.account
    if answer is None or seen.snapshot.account_failed is not None:
        return
    if answer.grant is not None:
        yield Observation(AlarmKey.ACCOUNT_SILENT, answer.as_of, mended=seen.case)
        return
    bought = any(LOST_AFTER <= seen.now - returned < REMEMBERED for _checkout, returned in seen.returned)
    periods = [a.record.period_end for a in seen.snapshot.records.values() if a.record.exists and a.record.period_end]
    if bought or any(end > seen.now for end in periods):
        yield Observation(AlarmKey.ACCOUNT_SILENT, answer.as_of, seen.case)


def _of_plan_changes(seen: CustomerEvidence) -> Iterator[Observation]:
    """After a visit to the portal the account names another plan, and the one subscription on record has not moved."""
    snapshot, portal = seen.snapshot, seen.portal
    if portal is None or snapshot.account_failed is not None or snapshot.billing_failed is not None:
        return
    account = normalize_account(snapshot, seen.catalog, seen.now)
    if account is None or account.plan is None or account.state not in GRANTING or not portal.account_changed(snapshot):
        return
    products = snapshot.products_on_record
    if any(checkout.plan_id == account.plan.id for checkout, _returned in seen.returned) or len(products) != 1:
        return  # that plan was bought here: the record that is missing is another's
    on_record = seen.catalog.plan_for_product(products[0])
    if on_record is None or on_record.group != account.plan.group or seen.now - portal.left_at < LOST_AFTER:
        return
    key = AlarmKey.RECORDS_UNDER_OLD_PRODUCT
    if on_record.id == account.plan.id:
        if portal.record_changed(products[0], snapshot):
            yield Observation(key, portal.left_at, mended=seen.case)
    else:
        yield Observation(key, portal.left_at, seen.case)


def events_missing(seen: CustomerEvidence, since: datetime) -> Iterator[Observation]:
    """Purchases after `since` that were found by asking: an event should have told of each within a minute."""
    for checkout, returned in seen.returned:
        found = [checkout.at(event) for event in (CheckoutEvent.BILLING_HAS_IT, CheckoutEvent.ACCOUNT_HAS_IT)]
        at = min((moment for moment in found if moment is not None), default=None)
        if at is not None and returned > since and seen.now - at >= DELAYED_AFTER:
            yield Observation(AlarmKey.NO_EVENTS, returned, case_of(checkout.id))
