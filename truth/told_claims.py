"""What the API and tokens say, as statements: their claims and fields in the kinds that the oracle judges.

The words are those of the wire (`docs/api.md`). A claim that nobody has told this table about is `Unknown`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from truth.grammar import Unknown
from truth.said_rules import word_of
from truth.statements import MONTHS, Kind, Money, Statement

K = Kind
TOKEN: Final = "/api/entitlements"  # noqa: S105 - a path
Wire = Mapping[str, Any]

MEANS: Final[Mapping[str, tuple[Kind, ...]]] = {
    "has_access": (K.ACCESS,), "free_plan": (K.FREE,), "no_subscription": (K.FREE,),
    "none_in_billing": (K.BILLING_LACKS,),
    "confirming": (K.CONFIRMING,), "confirming_long": (K.CONFIRMING, K.ONCE), "not_heard": (K.CONFIRMING, K.ONCE),
    "confirming_long_unsure": (K.CONFIRMING,), "not_heard_unsure": (K.CONFIRMING,),
    "unconfirmed": (K.CONFIRMING,), "never_confirmed": (K.CONFIRMING,), "arrived": (K.BILLING_HAS, K.ACCOUNT_LACKS),
    "on_trial": (K.TRIALING,), "free_until": (K.TRIALING, K.TRIAL_ENDS), "active": (K.ACTIVE,),
    "paid_until": (K.PAID_UNTIL,), "renews_on": (K.RENEWS,), "renews_unless_canceled": (K.RENEWS_UNLESS,),
    "on_account_until": (K.ACCOUNT_UNTIL,), "charged_then": (K.WILL_BE_CHARGED_THEN,), "changes_on": (K.CHANGES,),
    "collection_paused": (K.HELD,), "ends_on": (K.KEEPS, K.ENDS), "ends": (K.KEEPS, K.ENDS),
    "ends_unless_changed": (K.ENDS_UNLESS,), "was_to_end": (K.WAS_TO_END,),
    "payment_failed": (K.PAST_DUE,), "invoice_open": (K.UNPAID,), "invoice_open_no_access": (K.UNPAID,),
    "payment_unfinished": (K.INCOMPLETE,), "payment_expired": (K.NEVER_STARTED,), "paused": (K.PAUSED,),
    "ended": (K.ENDED,), "ended_on": (K.ENDED,),
    "found_paid_until": (K.ON_RECORD, K.PAID_UNTIL), "found": (K.ON_RECORD,), "was_paid_until": (K.PAID_UNTIL,),
    "was_on_account_until": (K.ACCOUNT_UNTIL,), "status_word": (K.CALLED,),
    "access_billing_differs": (K.ACCESS,), "access_billing_none": (K.ACCESS, K.BILLING_LACKS),
    "access_billing_other_plan": (K.ACCESS,), "billing_without_access": (K.BILLING_HAS, K.ACCOUNT_LACKS),
    "services_differ": (), "on_account_unknown": (K.ACCOUNT_HAS,), "on_account": (K.ACCOUNT_HAS, K.BILLING_LACKS_IT),
    "gift": (K.GIVEN,), "cant_check": (), "last_known": (K.LAST_KNOWN,), "id_refused": (), "list_price": (K.HAS_PRICE,),
    "paying_twice": (K.TWICE,), "more_than_one": (K.MORE_THAN_ONE,), "portal_news_due": (),
}  # fmt: skip
"""What each claim of a subscription says. Those of offers and checkouts stand on pages alone."""

UNDATED: Final = frozenset(
    {
        "ends_on",
        "ends",
        "ends_unless_changed",
        "collection_paused",
        "unconfirmed",
        "never_confirmed",
        "last_known",
        "status_word",
    }
)
"""Claims whose date is none of the kinds' own: only what is kept until then is dated."""

STATES: Final[Mapping[str, tuple[Kind, ...]]] = {
    "active": (K.ACTIVE,), "trialing": (K.TRIALING,), "past_due": (K.PAST_DUE,), "unpaid": (K.UNPAID,),
    "incomplete": (K.INCOMPLETE,), "incomplete_expired": (K.NEVER_STARTED,), "paused": (K.PAUSED,),
    "on_account": (K.ACCOUNT_HAS,), "comped": (K.GIVEN,), "none": (K.NOTHING_RUNS,),
}  # fmt: skip
"""What the word for a state says by itself; "canceled" says it with `access`, the others say that it isn't known."""

OWN_WORDS: Final[Mapping[str, str]] = {
    "none": "No plan", "confirming": "Confirming", "on_record": "Status unknown", "conflict": "Please check",
    "on_account": "On your account", "comped": "Included", "unavailable": "Can't check",
}  # fmt: skip


def claimed(claim: Wire, where: str, zone: str) -> Iterator[Statement | Unknown]:
    """Yield what one claim says."""
    says = str(claim["says"])
    if says not in MEANS:
        yield Unknown(says, where)
        return
    for kind in MEANS[says]:
        dated = says not in UNDATED or kind is K.KEEPS
        if says == "billing_without_access" and claim.get("plan") is None:
            kind = K.ON_RECORD
        yield Statement(
            kind if says != "has_access" or claim.get("date") is None else K.ACCESS_UNTIL,
            f"{says} {claim.get('date') or ''}".strip(),
            plan=_name(claim.get("other_plan") if kind is K.CHANGES else _plan(claim)),
            group=claim.get("group"),
            day=written(claim.get("date"), zone) if dated else None,
            money=_money(claim.get("amount"), claim.get("currency")),
            interval=claim.get("interval"),
            off=claim.get("percent_off"),
            tax=_money(claim.get("tax_amount"), claim.get("currency")) if claim.get("tax") != "none" else None,
            word=_word(says, claim.get("word")),
            where=where,
        )


def viewed(view: Wire, where: str, zone: str) -> Iterator[Statement]:
    """Yield what the fields of a subscription say, or of what a token grants, beside its claims."""
    plan, group, state = _name(_plan(view)), view.get("group"), view["state"]

    def said(kind: Kind, day: str | None = None) -> Statement:
        return Statement(kind, f"{kind.name.lower()} {day or ''}".strip(), plan=plan, group=group, day=day, where=where)

    kinds = STATES.get(state, ())
    if state == "canceled":
        perhaps = any(claim["says"] == "ends_unless_changed" for claim in view.get("claims", ()))
        kinds = (K.ENDS_UNLESS if perhaps else K.ENDS,) if view["access"] else (K.ENDED,)
    yield from (said(kind) for kind in kinds)
    if view["access"]:
        yield said(K.ACCESS)
    elif state != "unavailable":  # which says that nobody could be asked
        yield said(K.NO_ACCESS)
    if view.get("renews"):
        yield said(K.RENEWS)
    if view.get("ends"):
        yield said(K.ENDS)


def granted(grant: Wire, group: str | None, where: str, zone: str) -> Iterator[Statement]:
    """Yield what a token says of a group, or in all: its state, access, and until when."""
    yield from viewed({**grant, "group": group}, where, zone)
    if grant["access"] and grant["until"] is not None:
        yield Statement(
            K.ACCESS_UNTIL, f"access until {grant['until']}", plan=_name(_plan(grant)), group=group,
            day=written(grant["until"], zone), where=where,
        )  # fmt: skip


def written(moment: str | None, zone: str) -> str | None:
    """Return the day of a moment as a page writes it for somebody there."""
    if moment is None:
        return None
    local = datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
    return f"{local.day} {MONTHS[local.month - 1]} {local.year}"


def _plan(of: Wire) -> str | None:
    return of.get("plan") or of.get("account_plan")


def _name(plan: str | None) -> str | None:
    return plan.title() if plan else None


def _money(amount: int | None, currency: str | None) -> Money | None:
    return Money(amount, currency) if amount is not None and currency is not None else None


def _word(says: str, word: str | None) -> str | None:
    if word is None:
        return None
    return (OWN_WORDS.get(word) or word_of(word)) if says == "last_known" else word.replace("_", " ").capitalize()
