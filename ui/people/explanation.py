"""Why one person's pages say what they say, as one value: `explain` makes it of what is kept of them.

`python app.py person` prints it, as lines or as JSON, and `/ops/people` draws it. In English and in UTC, as all that
operators read. A pure function of the record, the catalog, the operator's rules of access and the clock.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from catalog import Catalog
from services.checkout_record import Checkout, CheckoutEvent
from services.claims import Claim, subscription_claims
from services.claims.rules import RULES
from services.people.causes import CauseKind, causes_of, rule_of
from services.people.record import PersonRecord
from services.people.shown import ShownLine
from services.subscription.customer_status import CustomerStatus
from services.subscription.grant_rules import ACCOUNT_ALONE, GrantRules
from services.subscription.model import Reason, State, Subscription
from services.subscription.reconcile import reconcile
from services.subscription.snapshot import RecordResponse, UpstreamSnapshot
from services.webhooks.model import OutboxRow
from ui.text.amounts import money
from ui.text.claim_words import Reader, sentence
from ui.text.formats import relative
from ui.text.i18n import use_locale
from ui.text.state_words import describe, subscription_name
from ui.text.twice_words import twice_words

LOCALE: Final = "en"
ZONE: Final = "UTC"


class ExplainedPart(BaseModel):
    """A part of the explanation: a frozen value, written as JSON by its fields."""

    model_config = ConfigDict(frozen=True)


class ExplainedClaim(ExplainedPart):
    """One claim of a page: its words, on which evidence it rests, how old that is, and when it may be said at all."""

    says: str
    words: str
    evidence: str
    as_of: datetime
    only_on: str


class ExplainedSubscription(ExplainedPart):
    """What a page says of one subscription, or of its absence, and by which rule."""

    group: str | None
    plan: str | None
    state: State
    badge: str
    headline: str
    sentence: str
    access: bool
    rule: Reason
    because: str
    claims: tuple[ExplainedClaim, ...]


class ExplainedCause(ExplainedPart):
    """Something to know beside the rule, and what to do about it."""

    kind: CauseKind
    text: str


class ExplainedAnswer(ExplainedPart):
    """What a service said last, of what, and when that was."""

    service: str
    about: str
    said: str
    as_of: datetime | None
    age: str


class ExplainedEvent(ExplainedPart):
    """Something that happened to a checkout."""

    event: CheckoutEvent
    at: datetime


class ExplainedCheckout(ExplainedPart):
    """A checkout session that was opened here, and what became of it. `stands` is how it counts now."""

    id: str
    session_id: str
    kind: str
    what: str
    asked_for: str
    opened_at: datetime
    ends_at: datetime
    stands: str
    events: tuple[ExplainedEvent, ...]


class ExplainedDelivery(ExplainedPart):
    """An event for another service: `taken`, on its `way`, or `dead`."""

    id: str
    kind: str
    at: datetime
    became: str


class ExplainedShown(ExplainedPart):
    """What stood on a page from that moment on."""

    at: datetime
    subject: str
    words: str


class PersonExplanation(ExplainedPart):
    """Everything, on one screen. `as_of` is the age of the older of both services' answers."""

    customer: str
    user_id: str
    email: str
    found_by: str
    at: datetime
    as_of: datetime | None
    says: tuple[ExplainedSubscription, ...]
    twice: str
    causes: tuple[ExplainedCause, ...]
    answers: tuple[ExplainedAnswer, ...]
    portal_left_at: datetime | None
    checkouts: tuple[ExplainedCheckout, ...]
    events: tuple[ExplainedDelivery, ...]
    shown: tuple[ExplainedShown, ...]


def explain(
    record: PersonRecord, catalog: Catalog, now: datetime | None = None, *, grants: GrantRules = ACCOUNT_ALONE
) -> PersonExplanation:
    """Return why this person's pages say what they say at that moment, by what was heard last."""
    now = now or datetime.now(UTC)
    snapshot, history = record.snapshot or UpstreamSnapshot(), record.history
    status = reconcile(
        record.person.customer, snapshot, history.checkouts, catalog, now, grants=grants, portal=history.portal
    )
    with use_locale(LOCALE):
        return PersonExplanation(
            customer=record.person.customer,
            user_id=record.person.user_id,
            email=record.email,
            found_by=record.person.by,
            at=now,
            as_of=snapshot.as_of,
            says=tuple(_said(one, catalog, now) for one in status.all),
            twice=_twice(status, catalog),
            causes=tuple(
                ExplainedCause(kind=one.kind, text=one.text) for one in causes_of(record, status, catalog, now)
            ),
            answers=tuple(_answers(snapshot, catalog, now)),
            portal_left_at=history.portal.left_at if history.portal is not None else None,
            checkouts=tuple(_checkout(one, now) for one in history.checkouts),
            events=tuple(_events(record.outbox)),
            shown=tuple(_shown(line, catalog) for line in record.shown),
        )


def _said(one: Subscription, catalog: Catalog, now: datetime) -> ExplainedSubscription:
    words = describe(one, catalog, LOCALE, ZONE, now=now)
    reader = Reader.at(catalog, LOCALE, ZONE, now)
    return ExplainedSubscription(
        group=one.group,
        plan=subscription_name(one, catalog, LOCALE),
        state=one.state,
        badge=words.badge,
        headline=words.headline,
        sentence=words.sentence,
        access=one.access,
        rule=one.reason,
        because=rule_of(one),
        claims=tuple(_claim(claim, reader) for claim in subscription_claims(one, catalog, now)),
    )


def _claim(claim: Claim, reader: Reader) -> ExplainedClaim:
    return ExplainedClaim(
        says=claim.says, words=sentence(claim, reader), evidence=claim.evidence, as_of=claim.as_of,
        only_on=RULES[claim.says].only_on,
    )  # fmt: skip


def _twice(status: CustomerStatus, catalog: Catalog) -> str:
    """Return the warning over subscriptions that can both charge, as a page says it; nothing without."""
    words = twice_words(status.duplicates, catalog, LOCALE)
    return f"{words.title}. {words.sentence}" if words is not None else ""


def _answers(snapshot: UpstreamSnapshot, catalog: Catalog, now: datetime) -> Iterator[ExplainedAnswer]:
    account = snapshot.account
    grant = account.grant if account is not None else None
    said = "nothing of a plan" if grant is None else f"{grant.plan or 'no plan'}: {grant.status or 'no word'}"
    if grant is not None and grant.expires_at is not None:
        said += f", until {grant.expires_at:%Y-%m-%d %H:%M} UTC"
    yield _answer(
        "Auth MS", "account", said, account.as_of if account is not None else None, snapshot.account_failed, now
    )
    seen = snapshot.products_on_record
    for product, answer in snapshot.on_record:
        plan = catalog.plan_for_product(product)
        about = f"{plan.id if plan is not None else 'a plan unknown here'} ({product})"
        yield _answer("Payment MS", about, _record_words(answer), answer.as_of, snapshot.billing_failed, now)
    none = len(snapshot.records) - len(seen)
    if none or not seen:
        about = f"{none} {'other ' if seen else ''}{'product' if none == 1 else 'products'}"
        oldest = min((a.as_of for p, a in snapshot.records.items() if p not in seen), default=None)
        yield _answer("Payment MS", about, "nothing on record", oldest, snapshot.billing_failed, now)


def _record_words(answer: RecordResponse) -> str:
    record, life = answer.record, answer.record.lifecycle
    parts = [record.subscription_id or "no id", record.status or "no status word"]
    parts += [f"period ends {record.period_end:%Y-%m-%d %H:%M} UTC"] if record.period_end is not None else []
    parts += ["will not renew"] if life.ending else []
    parts += ["renews"] if life.goes_on else []
    parts += ["payments paused"] if life.paused else []
    charge = record.details.next_charge if record.details is not None else None
    if charge is not None:
        parts.append(f"next charge {money(charge.amount, charge.currency, LOCALE)} on {charge.at:%Y-%m-%d}")
    return ", ".join(parts)


def _answer(
    service: str, about: str, said: str, as_of: datetime | None, failed: str | None, now: datetime
) -> ExplainedAnswer:  # fmt: skip
    if as_of is None:
        said, age = "never answered", "never"
    else:
        age = relative(as_of, LOCALE, now=now)
    said = f"{said} (asked again since: {failed})" if failed else said
    return ExplainedAnswer(service=service, about=about, said=said, as_of=as_of, age=age)


def _checkout(checkout: Checkout, now: datetime) -> ExplainedCheckout:
    interval = f" a {checkout.interval}" if checkout.interval else ""
    free = f", {checkout.free_days} days free" if checkout.free_days else ""
    return ExplainedCheckout(
        id=checkout.id,
        session_id=checkout.session_id,
        kind=checkout.kind,
        what=", ".join(f"{line.quantity} × {line.name or line.price_id}" for line in checkout.lines),
        asked_for=f"{money(checkout.total, checkout.currency, LOCALE)}{interval}{free}",
        opened_at=checkout.started_at,
        ends_at=checkout.expires_at,
        stands=_stands(checkout, now),
        events=tuple(
            ExplainedEvent(event=event, at=at)
            for event, at in sorted(checkout.events.items(), key=lambda item: item[1])
        ),
    )


def _stands(checkout: Checkout, now: datetime) -> str:
    if checkout.went_through:
        return "confirmed"
    if checkout.disclaimed:
        return "given up: they said it was not paid"
    if checkout.confirming(now):
        return "back from it, not confirmed"
    if checkout.unconfirmed:
        return "back from it, never confirmed"
    if checkout.ordered(now):
        return "ordered; nobody tells whether it was paid"
    if checkout.in_doubt(now):
        return "open" if checkout.open(now) else "may have been paid, nobody says so"
    return "over"


def _events(row: OutboxRow | None) -> Iterator[ExplainedDelivery]:
    if row is None:
        return
    found = [(one.event, f"dead at {one.endpoint}: {one.last}") for one in row.dead]
    found += [(one.event, f"on its way to {one.endpoint}, {one.attempts} tries") for one in row.queue]
    found += [(event, "taken") for event in row.sent]
    for event, became in sorted(found, key=lambda item: item[0].at, reverse=True):
        yield ExplainedDelivery(id=event.id, kind=event.kind, at=event.at, became=became)


def _shown(line: ShownLine, catalog: Catalog) -> ExplainedShown:
    if line.code:
        quoted = f", reference {line.reference}" if line.reference else ""
        return ExplainedShown(at=line.at, subject="problem", words=f"{line.code}{quoted}")
    reader = Reader.at(catalog, LOCALE, ZONE, line.at)
    said = [words for claim in line.claims if (words := sentence(claim, reader))]
    return ExplainedShown(
        at=line.at, subject=line.subject, words=" ".join(said or [claim.says for claim in line.claims])
    )
