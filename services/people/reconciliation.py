"""What does not fit together for a customer, in an operator's words: who has two, who pays without access, and so on.

Pure rules over what billing says now and the account said last, so that each has a test. `python app.py reconcile`
looks at everybody.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from services.subscription.customer_status import CustomerStatus
from services.subscription.last_word import LastWord
from services.subscription.model import ConfirmationWait, Reason, State, Subscription


class FindingKind(StrEnum):
    """What does not fit."""

    TWO = "two_subscriptions"
    """Two subscriptions of one group can both charge."""
    NO_ACCESS = "pays_without_access"
    """Billing has a subscription that runs, and the account grants nothing."""
    NO_RECORD = "access_without_record"
    """The account grants a plan of which billing has no subscription that runs."""
    UNKNOWN_PLAN = "unknown_plan"
    """The account or billing names a plan that the catalog does not know."""
    NOT_ASKED = "not_asked"
    """Billing could not be asked about this customer."""


class ReconcileFinding(BaseModel):
    """One thing that does not fit, of one customer. `heard` is how old the older of both services' words is."""

    model_config = ConfigDict(frozen=True)

    kind: FindingKind
    customer: str
    user_id: str
    detail: str
    heard: datetime


_PAYING = frozenset({State.ACTIVE, State.TRIALING, State.PAST_DUE})


def findings_of(customer: str, user_id: str, word: LastWord) -> tuple[ReconcileFinding, ...]:
    """Return what does not fit for a customer: nothing for one of whom no service ever spoke."""
    status = word.status
    if not word.billing_answered:
        failed = status.billing_failed if status is not None else None
        found = [(FindingKind.NOT_ASKED, failed or "billing did not answer")]
    else:
        found = list(_found(status)) if status is not None else []
    return tuple(
        ReconcileFinding(kind=kind, customer=customer, user_id=user_id, detail=detail, heard=word.as_of)
        for kind, detail in dict.fromkeys(found)
    )


def _found(status: CustomerStatus) -> Iterator[tuple[FindingKind, str]]:
    if status.duplicates:
        yield FindingKind.TWO, "; ".join(_words(one) for one in status.duplicates)
    for one in status.all:
        if _pays(one) and not one.access:
            yield FindingKind.NO_ACCESS, _words(one)
        if _granted_alone(one):
            yield (
                FindingKind.NO_RECORD,
                f"the account grants {one.plan_id or one.account_plan or 'a plan'} ({one.reason})",
            )
        if one.reason is Reason.UNKNOWN_PLAN:
            yield FindingKind.UNKNOWN_PLAN, f"the account names {one.account_plan}"
        elif one.live and one.plan_id is None and one.product_id:
            yield FindingKind.UNKNOWN_PLAN, f"billing has {_words(one)}"


def _pays(one: Subscription) -> bool:
    """Whether billing has it running: by its own word, or by a period that runs of which the account says otherwise."""
    if one.state is State.CONFLICT:
        return one.last_known is not None and one.last_known.live
    if one.wait is ConfirmationWait.ARRIVED:
        return True
    differs = one.state is State.ON_RECORD and one.reason is Reason.ACCOUNT_DIFFERS
    return differs or (one.state in _PAYING and one.reason is not Reason.ACCOUNT_UNREACHABLE)


def _granted_alone(one: Subscription) -> bool:
    """Whether the account grants it without a subscription of billing's that runs. A gift is meant so."""
    if not one.access:
        return False
    if one.state is State.CONFLICT:
        return one.last_known is None or not one.last_known.live or one.reason is Reason.PLAN_DIFFERS
    return one.state is State.ON_ACCOUNT or one.reason is Reason.BILLING_LACKS


def _words(one: Subscription) -> str:
    known = one.last_known if one.state is State.CONFLICT and one.last_known is not None else one
    name = known.subscription_id or known.product_id or "a subscription"
    until = f", until {known.until:%Y-%m-%d}" if known.until is not None else ""
    return f"{name} ({known.plan_id or 'a plan unknown here'}, {known.state}{until})"
