"""What may be said of a subscription, and of all that a customer has. Pure functions; the rules are in the table."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from catalog import Catalog
from services.claims.model import Claim, ClaimKind, Evidence
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import ConfirmationWait, Reason, Source, State, Subscription
from services.subscription.told_terms import BookedChange

_EVIDENCE: Final = {
    Source.BILLING: Evidence.BILLING,
    Source.ACCOUNT: Evidence.ACCOUNT,
    Source.BOTH: Evidence.BOTH,
    Source.CHECKOUT: Evidence.CHECKOUT,
    Source.MEMORY: Evidence.MEMORY,
}
_WAITS: Final = {
    ConfirmationWait.CONFIRMING: ClaimKind.CONFIRMING,
    ConfirmationWait.DELAYED: ClaimKind.CONFIRMING_LONG,
    ConfirmationWait.LOST: ClaimKind.NOT_HEARD,
    ConfirmationWait.ARRIVED: ClaimKind.ARRIVED,
    ConfirmationWait.UNCONFIRMED: ClaimKind.UNCONFIRMED,
}
"""What is said of a purchase that is waited for."""

_UNSURE: Final = {
    ClaimKind.CONFIRMING_LONG: ClaimKind.CONFIRMING_LONG_UNSURE,
    ClaimKind.NOT_HEARD: ClaimKind.NOT_HEARD_UNSURE,
}
"""What is said instead where something else of its group may charge as well."""

_ALONE: Final = {
    State.PAST_DUE: ClaimKind.PAYMENT_FAILED,
    State.INCOMPLETE: ClaimKind.PAYMENT_UNFINISHED,
    State.INCOMPLETE_EXPIRED: ClaimKind.PAYMENT_EXPIRED,
    State.PAUSED: ClaimKind.PAUSED,
    State.ON_ACCOUNT: ClaimKind.ON_ACCOUNT,
    State.COMPED: ClaimKind.GIFT,
}
"""States of which one thing is said, and no date."""


def subscription_claims(one: Subscription, catalog: Catalog, now: datetime) -> tuple[Claim, ...]:
    """Return what may be said of a subscription, or of its absence: first what it is, then access and price."""
    return tuple(_claims(one, catalog, now))


def status_claims(customer_status: CustomerStatus, catalog: Catalog, now: datetime) -> tuple[Claim, ...]:
    """Return all that may be said of what a customer has: group by group, then the others, then what is twice."""
    found = [claim for one in customer_status.all for claim in subscription_claims(one, catalog, now)]
    return (*found, *twice_claims(customer_status.duplicates))


def twice_claims(duplicates: Sequence[Subscription]) -> tuple[Claim, ...]:
    """Return that there is more than one subscription of a group, in the name of the first, if there is.

    That it is paid for twice is said only of what a service calls active: not of a trial, nor of what is on hold.
    """
    if not duplicates:
        return ()
    paid = sum(one.state is State.ACTIVE and not one.held for one in duplicates)
    return (claim_about(duplicates[0], ClaimKind.PAYING_TWICE if paid > 1 else ClaimKind.MORE_THAN_ONE),)


def portal_claims(one: Subscription) -> tuple[Claim, ...]:
    """Return what a visit to the portal adds: that what was changed there may not show yet."""
    return (claim_about(one, ClaimKind.PORTAL_NEWS_DUE),) if one.portal_open else ()


def change_claims(one: Subscription) -> tuple[Claim, ...]:
    """Return what a change of plan may bring about: of one that ends, that its cancellation is taken back."""
    says = ClaimKind.CHANGE_MAY_RESUME if one.portal_open else ClaimKind.CHANGE_RESUMES
    return (claim_about(one, says),) if one.ends and one.live else ()


def access_until(one: Subscription) -> datetime | None:
    """Return when access ends, where that is known: pages, API, token and guards go by this one date."""
    if not one.access:
        return None
    ends = one.ends or one.state is State.CANCELED
    granted = one.state in (State.ON_ACCOUNT, State.COMPED) or one.source is Source.ACCOUNT
    granted = granted or one.reason is Reason.GRANTED_BY_RECORD
    return one.until if ends or granted else None


def waiting_kind(wait: ConfirmationWait, *, alone: bool, seen_back: bool) -> ClaimKind:
    """Return what is said of a purchase that is waited for.

    `alone` says that nothing else of its group can charge, `seen_back` that the browser came back by itself.
    """
    says = _WAITS[wait]
    if says is ClaimKind.UNCONFIRMED and not seen_back:
        return ClaimKind.NEVER_CONFIRMED
    return says if alone else _UNSURE.get(says, says)


def _claims(one: Subscription, catalog: Catalog, now: datetime) -> Iterator[Claim]:
    yield from _what_it_is(one, catalog, now)
    if one.access:
        yield claim_about(one, ClaimKind.HAS_ACCESS, date=access_until(one))
    yield from portal_claims(one)
    if one.amount is not None and one.currency is not None:
        price = {"amount": one.amount, "currency": one.currency, "interval": one.interval}
        told = one.told is not None and one.told.price is not None
        evidence = Evidence.BILLING if told else Evidence.BOUGHT_HERE
        yield claim_about(one, ClaimKind.LIST_PRICE, evidence=evidence).model_copy(update=price)


def _what_it_is(one: Subscription, catalog: Catalog, now: datetime) -> Iterator[Claim]:
    ahead = one.until if one.until is not None and one.until > now else None
    if one.state in (State.ACTIVE, State.TRIALING):
        yield from _running(one, ahead)
    elif one.state is State.ON_ACCOUNT and one.plan_id is None and one.account_plan is not None:
        yield claim_about(one, ClaimKind.ON_ACCOUNT_UNKNOWN)
    elif one.state is State.PAST_DUE and one.reason is Reason.PLAN_CHANGED:
        # That billing's subscription became the account's plan is concluded, not told: it may be a gift beside it.
        yield claim_about(one, ClaimKind.PAYMENT_FAILED).model_copy(update={"plan": None, "product_id": None})
    elif one.state in _ALONE:
        yield claim_about(one, _ALONE[one.state])
    elif one.state is State.NONE:
        yield claim_about(one, _nothing(one, catalog))
    elif one.state is State.CONFIRMING:
        wait = one.wait or ConfirmationWait.CONFIRMING
        says = waiting_kind(wait, alone=one.charges_alone, seen_back=one.seen_back)
        yield claim_about(one, says, date=one.since)
    elif one.state is State.UNPAID:
        yield claim_about(one, ClaimKind.INVOICE_OPEN if one.access else ClaimKind.INVOICE_OPEN_NO_ACCESS)
    elif one.state is State.CANCELED:
        yield from _over(one, ahead)
    elif one.state is State.ON_RECORD:
        yield _on_record(one, ahead)
    elif one.state is State.CONFLICT:
        yield _conflict(one)
    else:
        yield from _unavailable(one)


def _nothing(one: Subscription, catalog: Catalog) -> ClaimKind:
    """Being on the free plan is said only if both services say that there is nothing else, and it exists."""
    if one.reason is not Reason.NO_SUBSCRIPTION:
        return ClaimKind.NONE_IN_BILLING
    free = catalog.free_plan
    return ClaimKind.FREE_PLAN if free is not None and free.group == one.group else ClaimKind.NO_SUBSCRIPTION


def _running(one: Subscription, ahead: datetime | None) -> Iterator[Claim]:
    """A date in the past is not said, and renewing only by a service that says that nothing ends it.

    After a visit to the portal not even by that: its word may be older than what was changed there, as may the one that
    payments are paused. Nor is a date that nobody has told since then: another plan or interval has another one.
    """
    held = one.held and not one.portal_open
    if one.date_of_before and not one.ends:
        ahead = None
    if one.ends:
        yield _ends(one, ahead)
    elif one.state is State.TRIALING:
        yield claim_about(one, ClaimKind.FREE_UNTIL, date=ahead) if ahead else claim_about(one, ClaimKind.ON_TRIAL)
        if ahead and one.goes_on and not one.portal_open and one.told is not None and one.told.payment is not None:
            yield _charging(one, ClaimKind.CHARGED_THEN, ahead)
    elif ahead is None:
        yield claim_about(one, ClaimKind.ACTIVE)
    elif one.goes_on and not one.portal_open:
        yield _charging(one, ClaimKind.RENEWS_ON, ahead)
    elif one.source is Source.ACCOUNT:
        yield claim_about(one, ClaimKind.ON_ACCOUNT_UNTIL, date=ahead)
    else:
        yield claim_about(one, ClaimKind.PAID_UNTIL, date=ahead)
        if not held:
            yield claim_about(one, ClaimKind.RENEWS_UNLESS_CANCELED, date=ahead)
    if one.told is not None and one.told.change is not None and not one.ends:
        yield _changing(one, one.told.change)
    if held:
        yield claim_about(one, ClaimKind.COLLECTION_PAUSED, date=one.told.resumes_at if one.told is not None else None)


def _charging(one: Subscription, says: ClaimKind, date: datetime) -> Claim:
    """Return that it goes on at that date, with the sum that billing names for it, if it names one."""
    payment = one.told.payment if one.told is not None else None
    claim = claim_about(one, says, date=date)
    if payment is None:
        return claim
    return claim.model_copy(update={**payment.model_dump(exclude_none=True), "evidence": Evidence.BILLING})


def _changing(one: Subscription, change: BookedChange) -> Claim:
    claim = claim_about(one, ClaimKind.CHANGES_ON, evidence=Evidence.BILLING, date=change.at)
    price = change.price
    update: dict[str, object] = {"other_plan": change.plan_id}
    if price is not None:
        update |= {"amount": price.amount, "currency": price.currency, "interval": price.interval}
    return claim.model_copy(update=update)


def _over(one: Subscription, ahead: datetime | None) -> Iterator[Claim]:
    if one.access:
        yield _ends(one, ahead)
    elif one.until is not None and ahead is None:
        yield claim_about(one, ClaimKind.ENDED_ON, date=one.until)
    else:
        yield claim_about(one, ClaimKind.ENDED)


def _ends(one: Subscription, ahead: datetime | None) -> Claim:
    """What is to end has done so, as far as is known, once its day has passed: no paid time is left to speak of.

    After a visit to the portal it may have been taken back, and services repeat what they were told before.
    """
    if one.portal_open and (ahead is not None or one.until is None):
        return claim_about(one, ClaimKind.ENDS_UNLESS_CHANGED, date=ahead)
    if ahead is not None:
        return claim_about(one, ClaimKind.ENDS_ON, date=ahead)
    return claim_about(one, ClaimKind.ENDS if one.until is None else ClaimKind.WAS_TO_END, date=one.until)


def _on_record(one: Subscription, ahead: datetime | None) -> Claim:
    ahead = None if one.date_of_before else ahead
    if one.word:
        return claim_about(one, ClaimKind.STATUS_WORD, date=ahead)
    if ahead is not None:
        return claim_about(one, ClaimKind.FOUND_PAID_UNTIL, date=ahead)
    if one.until is None or one.date_of_before:
        return claim_about(one, ClaimKind.FOUND)
    old = ClaimKind.WAS_ON_ACCOUNT_UNTIL if one.source is Source.ACCOUNT else ClaimKind.WAS_PAID_UNTIL
    return claim_about(one, old, date=one.until)


def _conflict(one: Subscription) -> Claim:
    known = one.last_known
    word = (known.word or known.state.value) if known is not None else None
    if not one.access:
        if known is None:
            return claim_about(one, ClaimKind.SERVICES_DIFFER)
        claim = claim_about(known, ClaimKind.BILLING_WITHOUT_ACCESS, evidence=Evidence.BOTH)
        return claim.model_copy(update={"word": word})
    if known is None:
        return claim_about(one, ClaimKind.ACCESS_BILLING_NONE)
    if one.reason is Reason.PLAN_DIFFERS and known.plan_id is not None:
        claim = claim_about(one, ClaimKind.ACCESS_BILLING_OTHER_PLAN)
        other = None if one.plan_id == known.plan_id and one.account_plan is None else known.plan_id
        return claim.model_copy(update={"other_plan": other, "word": word})
    return claim_about(one, ClaimKind.ACCESS_BILLING_DIFFERS).model_copy(update={"word": word})


def _unavailable(one: Subscription) -> Iterator[Claim]:
    if one.reason is Reason.ID_REFUSED:
        yield claim_about(one, ClaimKind.ID_REFUSED, evidence=Evidence.ASKED_NOBODY)
        return
    yield claim_about(one, ClaimKind.CANT_CHECK, evidence=Evidence.ASKED_NOBODY)
    known = one.last_known
    if known is not None:
        claim = claim_about(known, ClaimKind.LAST_KNOWN, evidence=Evidence.MEMORY, date=known.as_of)
        yield claim.model_copy(update={"word": known.state.value})


def claim_about(
    one: Subscription, says: ClaimKind, *, evidence: Evidence | None = None, date: datetime | None = None
) -> Claim:
    """Return a claim of that kind about a subscription; on the word of the service it is known from, unless given."""
    return Claim(
        says=says,
        evidence=evidence or _EVIDENCE[one.source],
        as_of=one.as_of,
        group=one.group,
        plan=one.plan_id,
        account_plan=one.account_plan,
        product_id=one.product_id,
        subscription_id=one.subscription_id,
        date=date,
        word=one.word,
    )
