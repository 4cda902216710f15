"""What each service's latest answer means on its own: words, plans and dates, before the two are held together.

`services/subscription/reconcile.py` makes one truth of these readings.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from catalog import Catalog, Plan
from services.lifecycle import UNTOLD, Lifecycle
from services.payment_ms import SubscriptionRecord
from services.subscription.model import GRACE, GRANTING, State
from services.subscription.snapshot import RecordResponse, UpstreamSnapshot

_WORDS: Final = {
    "none": State.NONE,
    "free": State.NONE,
    "inactive": State.NONE,
    "active": State.ACTIVE,
    "trialing": State.TRIALING,
    "trial": State.TRIALING,
    "in_trial": State.TRIALING,
    "on_trial": State.TRIALING,
    "past_due": State.PAST_DUE,
    "unpaid": State.UNPAID,
    "incomplete": State.INCOMPLETE,
    "incomplete_expired": State.INCOMPLETE_EXPIRED,
    "paused": State.PAUSED,
    "canceled": State.CANCELED,
    "cancelled": State.CANCELED,
    "expired": State.CANCELED,
}


_NO_PLAN: Final = frozenset({"none", "free", "null"})
"""Names by which an account says that it has no plan, also where the catalog has no free one."""


@dataclass(frozen=True)
class NormalizedRecord:
    """One record of the Payment MS, read. `state` None: it exists and does not say what it is worth.

    `over` says that it has no word and that its period had been over for longer than the grace when it was asked: that
    proves nothing, since news of a renewal can be lost. `changes_to` is the plan of a change that is booked.
    """

    product_id: str
    plan: Plan | None
    state: State | None
    word: str | None
    over: bool
    record: SubscriptionRecord
    as_of: datetime
    changes_to: Plan | None = None


@dataclass(frozen=True)
class NormalizedAccount:
    """The Auth MS's word, read. `state` None: it was asked and says nothing of a plan.

    `plan_word` is a plan's name that the catalog does not know; `group` the group of plans that it speaks of, None for
    any. `gift` says that its word is one of the operator's for "given". `lapsed` says that its word grants access and
    its date is over: it was not told of a renewal, or of the end. Then the state is `on_record`, unless it says itself
    that this was the end.
    """

    state: State | None
    plan: Plan | None
    plan_word: str | None
    group: str | None
    word: str | None
    until: datetime | None
    access: bool
    lapsed: bool
    as_of: datetime
    gift: bool = False
    lifecycle: Lifecycle = UNTOLD

    def about(self, plan: Plan | None) -> State | None:
        """What it says of a record of this plan (None: one that is not in the catalog); None when it says nothing."""
        if plan is not None and self.group is not None and plan.group != self.group:
            return None
        return self.state

    def means(self, plan: Plan | None) -> bool:
        """Whether the plan it names is this one, or it names none at all."""
        if self.plan_word is not None:
            return plan is None
        return self.plan is None or self.plan == plan


def status_word(word: str | None) -> tuple[State | None, str | None]:
    """Return the state a service's word stands for, and the word itself where this app does not know it."""
    if word is None or not word.strip():
        return None, None
    state = _WORDS.get(word.strip().lower().replace("-", "_").replace(" ", "_"))
    return (state, None) if state is not None else (State.ON_RECORD, word.strip())


def plan_named(catalog: Catalog, word: str | None) -> Plan | None:
    """Return the plan a service means: by an id, product, price, alias or name, present or former."""
    return catalog.plan_named(word or "")


def normalize_account(
    snapshot: UpstreamSnapshot, catalog: Catalog, now: datetime, gift_words: Collection[str] = ()
) -> NormalizedAccount | None:
    """Return the account's last word, or None when it never answered.

    A grant whose end has been over for longer than the grace grants nothing more; whether what was paid for has ended
    is not known. A gift, or what was said not to renew, has. One of `gift_words` (in lower case) grants like "active",
    and says that it was given.
    """
    answer = snapshot.account
    if answer is None:
        return None
    grant = answer.grant
    state, word = status_word(grant.status) if grant else (None, None)
    gift = grant is not None and grant.status.strip().lower() in gift_words
    if gift:
        state, word = State.ACTIVE, None
    until = grant.expires_at if grant else None
    plan = plan_named(catalog, grant.plan) if grant else None
    unknown = grant.plan.strip() if grant and plan is None else ""
    if unknown.lower() in _NO_PLAN:
        unknown, state = "", State.NONE if state in (State.ACTIVE, None) else state
    group = plan.group if plan else None
    if plan is not None and plan.kind == "free":
        plan, state = None, State.NONE if state in (State.ACTIVE, None) else state
    lapsed = state in GRANTING and until is not None and now >= until + GRACE
    lifecycle = grant.lifecycle if grant else UNTOLD
    if lapsed:
        state = State.CANCELED if gift or lifecycle.ending else State.ON_RECORD
    paid_until = state is State.CANCELED and until is not None and now < until
    return NormalizedAccount(
        state=state,
        plan=plan,
        plan_word=unknown or None,
        group=group,
        word=word,
        until=until,
        access=state in GRANTING or paid_until,
        lapsed=lapsed,
        as_of=answer.as_of,
        gift=gift,
        lifecycle=lifecycle,
    )


def normalize_record(product_id: str, answer: RecordResponse, catalog: Catalog) -> NormalizedRecord:
    """Return what the Payment MS said of one product. Whether a period is over is judged when it was asked."""
    record = answer.record
    change = record.details.change if record.details is not None else None
    state, word = status_word(record.status)
    end = record.period_end
    return NormalizedRecord(
        product_id=product_id,
        plan=catalog.plan_for_product(product_id),
        state=state,
        word=word,
        over=state is None and end is not None and answer.as_of > end + GRACE,
        record=record,
        as_of=answer.as_of,
        changes_to=catalog.plan_for_product(change.product_id) if change is not None else None,
    )
