"""On what a user's billing page rests, as facts for that user: what each service said and when, what they did here.

Nothing of it concludes anything, and nothing names an id: `ui/text/heard_words.py` puts it into a reader's words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from catalog import Catalog, Text
from services.checkout_record import CheckoutEvent
from services.payment_ms import SubscriptionRecord
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Reason, State
from services.subscription.normalize import normalize_account, status_word
from services.subscription.snapshot import RecordResponse, UpstreamSnapshot


class HeardKind(StrEnum):
    """What was heard, or done. `at`, `plan`, `word` and `until` name the fields that go with it."""

    BILLING_HAS = "billing_has"
    BILLING_HAS_UNNAMED = "billing_has_unnamed"
    """It has a subscription and does not say in which state."""
    BILLING_NONE = "billing_none"
    BILLING_SILENT = "billing_silent"
    ACCOUNT_HAS = "account_has"
    ACCOUNT_NONE = "account_none"
    ACCOUNT_SAYS_NOTHING = "account_says_nothing"
    """It was asked, and says nothing of plans."""
    ACCOUNT_SILENT = "account_silent"
    CAME_BACK = "came_back"
    """Back from a checkout that no service has confirmed."""
    WENT_THROUGH = "went_through"
    """The same, where nobody was seen to come back: billing said that its session went through."""
    NOT_BACK = "not_back"
    PORTAL_UNHEARD = "portal_unheard"
    CANCELLATION_UNTOLD = "cancellation_untold"
    MONEY_UNTOLD = "money_untold"


@dataclass(frozen=True, slots=True)
class Heard:
    """One fact. `plan` is a plan's name in all its languages, `word` a state or a service's own word for one."""

    kind: HeardKind
    at: datetime | None = None
    plan: Text | str | None = None
    word: str | None = None
    until: datetime | None = None


def heard_of(
    status: CustomerStatus, snapshot: UpstreamSnapshot, catalog: Catalog, now: datetime
) -> tuple[Heard, ...]:  # fmt: skip
    """Return on what a status rests: billing first, then the account, then what the user did here, then what is
    heard from nobody."""
    said = (*_billing(snapshot, catalog), *_account(snapshot, catalog, now))
    return (*said, *_deeds(status, now), *_untold(status, snapshot))


def _billing(snapshot: UpstreamSnapshot, catalog: Catalog) -> Iterator[Heard]:
    if snapshot.billing_failed is not None:
        yield Heard(HeardKind.BILLING_SILENT)
    for product, answer in snapshot.on_record:
        plan = catalog.plan_for_product(product)
        yield _record(answer, plan.name if plan is not None else answer.plan.name if answer.plan else None)
    if snapshot.looked_at is not None and not snapshot.products_on_record:
        yield Heard(HeardKind.BILLING_NONE, at=snapshot.looked_at)


def _record(answer: RecordResponse, name: Text | None) -> Heard:
    record: SubscriptionRecord = answer.record
    state, word = status_word(record.status)
    kind = HeardKind.BILLING_HAS if state is not None else HeardKind.BILLING_HAS_UNNAMED
    return Heard(kind, at=answer.as_of, plan=name, word=word or state, until=record.period_end)


def _account(snapshot: UpstreamSnapshot, catalog: Catalog, now: datetime) -> Iterator[Heard]:
    if snapshot.account_failed is not None:
        yield Heard(HeardKind.ACCOUNT_SILENT)
    said = normalize_account(snapshot, catalog, now)
    if said is None:
        return
    if said.state is None and said.plan is None:
        yield Heard(HeardKind.ACCOUNT_SAYS_NOTHING, at=said.as_of)
    elif said.state is State.NONE:
        yield Heard(HeardKind.ACCOUNT_NONE, at=said.as_of)
    else:
        plan = said.plan.name if said.plan is not None else said.plan_word
        grant = snapshot.account.grant if snapshot.account is not None else None
        state, word = status_word(grant.status if grant is not None else None)  # as it was said, not what it is worth
        yield Heard(HeardKind.ACCOUNT_HAS, at=said.as_of, plan=plan, word=word or state, until=said.until)


def _deeds(status: CustomerStatus, now: datetime) -> Iterator[Heard]:
    waiting = status.confirming or status.unconfirmed
    if waiting is not None:
        kind = HeardKind.CAME_BACK if waiting.seen_back else HeardKind.WENT_THROUGH
        yield Heard(kind, at=waiting.at(CheckoutEvent.RETURNED))
    if status.open is not None and status.open is not waiting:
        yield Heard(HeardKind.NOT_BACK, at=status.open.handed_out_at)
    if any(one.portal_open for one in status.all):
        yield Heard(HeardKind.PORTAL_UNHEARD)


def _untold(status: CustomerStatus, snapshot: UpstreamSnapshot) -> Iterator[Heard]:
    """What no service tells of: a cancellation for later, a discount, a refund. One of the contract's second version
    tells more, and shows its invoices."""
    running = [one for one in status.all if one.live and one.state in (State.ACTIVE, State.TRIALING)]
    told = [answer.record.lifecycle for _product, answer in snapshot.on_record]
    silent = told and not any(life.goes_on or life.ending for life in told)
    if silent and any(not one.ends and not one.goes_on and one.reason is not Reason.PLAN_CHANGED for one in running):
        yield Heard(HeardKind.CANCELLATION_UNTOLD)
    detailed = any(answer.record.details is not None for answer in snapshot.records.values())
    if running and not detailed:
        yield Heard(HeardKind.MONEY_UNTOLD)
