"""Why a page says what it says, in an operator's words: the rule that decided, and what there is to know besides.

Pure functions of what is kept of a person. A cause says what is known and what only Stripe can tell; it accuses nobody
of what no evidence shows. In English only, as operators' pages are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from catalog import Catalog, NotInCatalog
from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind
from services.people.record import PersonRecord
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import ConfirmationWait, Reason, State, Subscription

REASONS: Final[Mapping[Reason, str]] = {
    Reason.NO_SUBSCRIPTION: "Both services were asked, and neither has a subscription.",
    Reason.AGREED: "Both services say so.",
    Reason.BILLING_SAYS: "Billing says so in a word of its own.",
    Reason.ACCOUNT_SAYS: "The account says so; billing adds nothing.",
    Reason.ACCOUNT_SILENT: "Billing was asked; the account says nothing of plans.",
    Reason.ACCOUNT_DIFFERS: "The account says something else than billing.",
    Reason.ACCOUNT_UNREACHABLE: "The account can't be asked, so billing's word stands alone.",
    Reason.BILLING_LAGS: "Bought within a day; the account has it, and billing may not have heard yet.",
    Reason.BILLING_UNREACHABLE: "Billing can't be asked, so the account's word, or memory, stands alone.",
    Reason.NO_SERVICE_REACHABLE: "Neither service can be asked.",
    Reason.PLAN_DIFFERS: "The account grants one plan of the group, and billing has another one alive.",
    Reason.PERIOD_OVER: "What was paid for or granted is over by its date, and no service says what became of it.",
    Reason.PLAN_CHANGED: "One subscription, changed in the portal: billing lists it under the plan before, the account "
    "under the new one.",
    Reason.BILLING_LACKS: "Bought here and granted by the account; billing has never listed it.",
    Reason.UNKNOWN_WORD: "A service used a status word that this app does not know.",
    Reason.AWAITING_CONFIRMATION: "The browser came back from checkout, and no service has confirmed the purchase.",
    Reason.GRANTED: "The account grants it; billing has no subscription for it.",
    Reason.GRANTED_BY_RECORD: "The account says nothing of plans, and GRANT_BY_RECORD lets billing's record grant.",
    Reason.UNKNOWN_PLAN: "The account names a plan that the catalog does not know.",
    Reason.ID_REFUSED: "Billing can't be asked about this id at all.",
}
"""The rules of `services/subscription/`, by the name that the state carries."""

_LOOK: Final = "Look the session up at Stripe"


class CauseKind(StrEnum):
    """What there is to know beside the rule."""

    BILLING_SILENT = "billing_silent"
    ACCOUNT_SILENT = "account_silent"
    NEVER_SEEN = "never_seen"
    NOT_CONFIRMED = "not_confirmed"
    ACCOUNT_NOT_TOLD = "account_not_told"
    PAYMENT_UNDER_WAY = "payment_under_way"
    NEVER_CAME_BACK = "never_came_back"
    GAVE_UP = "gave_up"
    TWO_SUBSCRIPTIONS = "two_subscriptions"
    PORTAL_UNHEARD = "portal_unheard"
    CANCELLATION_UNTOLD = "cancellation_untold"
    TRIAL_LEFT_OUT = "trial_left_out"
    TRIAL_OVER = "trial_over"
    UNKNOWN_PLAN = "unknown_plan"
    RETIRED_PLAN = "retired_plan"
    LIST_PRICE_ONLY = "list_price_only"
    REFUNDS_UNSEEN = "refunds_unseen"
    UNREADABLE = "unreadable"
    EVENTS_NOT_TAKEN = "events_not_taken"


@dataclass(frozen=True, slots=True)
class StatusCause:
    """One thing to know, and what to do about it."""

    kind: CauseKind
    text: str


def causes_of(record: PersonRecord, status: CustomerStatus, catalog: Catalog, now: datetime) -> tuple[StatusCause, ...]:
    """Return what there is to know of why a person's pages say what they say, what matters most first."""
    found = [*_silence(record), *_purchases(record, status, catalog, now), *_subscriptions(record, status, now)]
    return (*found, *_money(record, status, catalog), *_keeping(record))


def rule_of(one: Subscription) -> str:
    """Return the rule that made a subscription's state, in a sentence."""
    return REASONS[one.reason]


def _silence(record: PersonRecord) -> Iterator[StatusCause]:
    snapshot = record.snapshot
    if snapshot is None:
        yield StatusCause(
            CauseKind.NEVER_SEEN, "No service was ever asked about this person here: they have not signed in."
        )
        return
    if snapshot.billing_failed is not None:
        since = f"its last answer is from {_at(snapshot.looked_at)}" if snapshot.looked_at else "it never answered"
        yield StatusCause(
            CauseKind.BILLING_SILENT,
            f"The Payment MS could not be asked the last time ({snapshot.billing_failed}); {since}. Nothing is sold "
            "meanwhile; look at the Payment MS.",
        )
    if snapshot.account_failed is not None:
        since = f"its last answer is from {_at(snapshot.account.as_of)}" if snapshot.account else "it never answered"
        yield StatusCause(
            CauseKind.ACCOUNT_SILENT,
            f"The Auth MS could not be asked the last time ({snapshot.account_failed}); {since}.",
        )


def _purchases(record: PersonRecord, status: CustomerStatus, catalog: Catalog, now: datetime) -> Iterator[StatusCause]:
    waiting = status.confirming or status.unconfirmed
    if waiting is not None and status.wait is ConfirmationWait.ARRIVED:
        yield StatusCause(
            CauseKind.ACCOUNT_NOT_TOLD,
            f"Billing has what was bought ({_what(waiting)}), and the account does not grant it: whatever tells the "
            "Auth MS of purchases has not, or not yet.",
        )
    elif waiting is not None:
        returned = _at(waiting.at(CheckoutEvent.RETURNED))
        back = "Back from" if waiting.seen_back else "Nobody was seen back from, and billing calls complete,"
        yield StatusCause(
            CauseKind.NOT_CONFIRMED,
            f"{back} checkout {waiting.session_id} ({_what(waiting)}) since {returned}; no service has spoken of it."
            f" {_LOOK}: if it is paid, its webhook was lost on the way to the Payment MS; if it is complete and "
            "unpaid, a slow method (a bank debit) is under way and takes days.",
        )
    for checkout in record.history.checkouts:
        if checkout is waiting or checkout.kind is not CheckoutKind.SUBSCRIPTION:
            continue
        if checkout.disclaimed or CheckoutEvent.REPLACED in checkout.events:
            yield StatusCause(
                CauseKind.GAVE_UP,
                f"Asked about checkout {checkout.session_id} ({_what(checkout)}), they said at "
                f"{_at(checkout.at(CheckoutEvent.REPLACED))} that it was not paid, and started another one.",
            )
        elif checkout.in_doubt(now):
            yield StatusCause(CauseKind.NEVER_CAME_BACK, _never_came_back(checkout, now))
        yield from _trial(checkout, catalog, now)


def _never_came_back(checkout: Checkout, now: datetime) -> str:
    back = checkout.at(CheckoutEvent.CANCELED)
    how = f"was left by Stripe's back link at {_at(back)}" if back else "has not come back here"
    open_until = f"It stays payable until {_at(checkout.expires_at)}." if now < checkout.expires_at else "It has ended."
    return (
        f"Checkout {checkout.session_id} ({_what(checkout)}) was opened at {_at(checkout.started_at)} and {how}. "
        f"It may have been paid in another tab, and no service says so. {open_until} {_LOOK}."
    )


def _trial(checkout: Checkout, catalog: Catalog, now: datetime) -> Iterator[StatusCause]:
    if checkout.without_trial and checkout.trial_days:
        yield StatusCause(
            CauseKind.TRIAL_LEFT_OUT,
            f"Checkout {checkout.session_id} was opened without the {checkout.trial_days} free days of "
            f"{_plan(checkout.plan_id, catalog)}: they had a trial or a subscription of it before.",
        )
    ended = checkout.started_at + timedelta(days=checkout.free_days)
    if checkout.free_days and checkout.confirmed and now >= ended:
        yield StatusCause(
            CauseKind.TRIAL_OVER,
            f"The {checkout.free_days} free days of checkout {checkout.session_id} ended about {_at(ended)}; what "
            "follows is charged unless it was canceled before.",
        )


def _subscriptions(record: PersonRecord, status: CustomerStatus, now: datetime) -> Iterator[StatusCause]:
    if status.duplicates:
        listed = "; ".join(_with_origin(one, record.history.checkouts) for one in status.duplicates)
        yield StatusCause(
            CauseKind.TWO_SUBSCRIPTIONS,
            f"At least {len(status.duplicates)} subscriptions of one group can charge: {listed}. End all but one at "
            "Stripe.",
        )
    for one in status.all:
        if one.reason is Reason.UNKNOWN_PLAN:
            yield StatusCause(
                CauseKind.UNKNOWN_PLAN,
                f"The account names the plan “{one.account_plan}”, which the catalog does not know. Give it to a plan "
                "as an alias in products.json, or correct it at the Auth MS.",
            )
        if one.state is State.INCOMPLETE:
            yield StatusCause(
                CauseKind.PAYMENT_UNDER_WAY,
                f"A service calls {one.subscription_id or 'it'} incomplete: its first payment is not through. A bank "
                "debit takes days; a card that asked for a confirmation waits for its holder, for 23 hours.",
            )
        if one.former_name is not None:
            yield StatusCause(
                CauseKind.RETIRED_PLAN, f"{one.former_name} is no longer in the catalog; it is kept as bought."
            )
    yield from _portal(record, status, now)


def _portal(record: PersonRecord, status: CustomerStatus, now: datetime) -> Iterator[StatusCause]:
    visit, snapshot = record.history.portal, record.snapshot
    live = [one for one in status.all if one.live]
    if visit is not None and snapshot is not None and any(one.portal_open for one in live):
        yield StatusCause(
            CauseKind.PORTAL_UNHEARD,
            f"In the billing portal at {_at(visit.left_at)}, and neither service has said anything new since.",
        )
    told = [answer.record.lifecycle for _product, answer in snapshot.on_record] if snapshot else []
    unsaid = [one for one in live if not one.ends and not one.goes_on and one.state in (State.ACTIVE, State.TRIALING)]
    if unsaid and told and not any(life.goes_on or life.ending for life in told):
        yield StatusCause(
            CauseKind.CANCELLATION_UNTOLD,
            "The Payment MS does not say whether it renews: a cancellation for the period's end changes nothing that "
            "it tells, so pages say “unless it's canceled”. Stripe has the truth.",
        )


def _money(record: PersonRecord, status: CustomerStatus, catalog: Catalog) -> Iterator[StatusCause]:
    for one in status.all:
        if one.amount is not None and one.currency is not None and one.told is None:
            yield StatusCause(
                CauseKind.LIST_PRICE_ONLY,
                f"The amount on the page is the list price of {_plan(one.plan_id, catalog)} when it was bought here. "
                "Promotion codes, discounts and tax are Stripe's, and neither service tells of them: the invoice has "
                "what was charged.",
            )
    if any(one.access and one.live for one in status.all):
        yield StatusCause(
            CauseKind.REFUNDS_UNSEEN,
            "A refund or a dispute does not show here: no service tells of it, and it ends no subscription at Stripe. "
            "Access stays until a service says that it has ended; to end it, cancel it at Stripe.",
        )


def _keeping(record: PersonRecord) -> Iterator[StatusCause]:
    unreadable = record.history.record.unreadable
    if unreadable:
        yield StatusCause(
            CauseKind.UNREADABLE,
            f"{len(unreadable)} checkouts can't be read by this release; a plain question stands before the next sale.",
        )
    if record.outbox is not None and record.outbox.dead:
        names = ", ".join(sorted({one.endpoint for one in record.outbox.dead}))
        yield StatusCause(
            CauseKind.EVENTS_NOT_TAKEN,
            f"{len(record.outbox.dead)} events were taken by nobody ({names}): other services may not know. See "
            "python app.py events list --dead.",
        )


def _with_origin(one: Subscription, checkouts: Sequence[Checkout]) -> str:
    bought = next((c for c in checkouts if c.product_id == one.product_id and c.confirmed), None)
    origin = f"bought here, {bought.session_id}" if bought is not None else "not bought here, as far as is known"
    return f"{one.subscription_id or one.product_id} ({one.plan_id or 'a plan unknown here'}, {one.state}; {origin})"


def _what(checkout: Checkout) -> str:
    return ", ".join(line.name or line.price_id for line in checkout.lines)


def _plan(plan_id: str | None, catalog: Catalog) -> str:
    try:
        return str(catalog.plan(plan_id).name) if plan_id is not None else "a plan"
    except NotInCatalog:
        return plan_id or "a plan"


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment is not None else "a time unknown"
