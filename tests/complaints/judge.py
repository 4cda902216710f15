"""What a page says of money, dates and states, held against what is so: each claim, each sum and each date on it.

Written from the words alone and from the sandbox's truth. What nothing here accounts for is untrue.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from sandbox.truth.model import SubscriptionTruth, Truth
from tests.complaints.life import CustomerLife

Judge = Callable[[dict[str, Any], Truth, SubscriptionTruth | None], bool]
DATE: Final = re.compile(
    r"\b(\d{1,2}) ((?:Janu|Febru)ary|March|April|May|June|July|August|(?:Septem|Octo|Novem|Decem)ber)\b"
)
SUM: Final = re.compile(r"\$([\d,]+(?:\.\d\d)?)")


async def untruths(ada: CustomerLife) -> list[str]:
    """Return what the open page says that is not so."""
    truth = ada.truth
    text = ada.text()
    sold = await ada.control("GET", "prices")
    prices = {one["amount"] for one in sold}
    return [
        *(f"claimed: {claim}" for claim in ada.claims() if not (_offered(claim, sold) or _holds(claim, truth))),
        *(f"sum: {words}" for words, cents in _sums(text) if cents not in _known_sums(truth, prices)),
        *(f"date: {words}" for words in _dates(text) if words not in _known_dates(truth)),
    ]


def _offered(claim: dict[str, Any], sold: list[dict[str, Any]]) -> bool:
    """Whether it is said of a price that is for sale now: what it asks for, how often, and how long it is free."""
    if claim["says"] not in OFFERS:
        return False
    wanted = [(one["product_id"], one["interval"]) for one in sold if one["active"]]
    asked = [one["amount"] for one in sold if one["active"] and one["product_id"] == claim.get("product_id")]
    fits = claim.get("amount") is None or any(claim["amount"] % amount == 0 for amount in asked)
    return fits and (claim.get("product_id"), claim.get("interval")) in wanted


def _holds(claim: dict[str, Any], truth: Truth) -> bool:
    one = next((one for one in truth.subscriptions if one.id == claim.get("subscription_id")), None)
    if one is not None and claim.get("plan") is not None and claim["plan"] != one.plan:
        return False
    if claim["says"] in OFFERS:
        return False
    return CLAIMS[claim["says"]](claim, truth, one)


def _at(claim: dict[str, Any]) -> datetime | None:
    return datetime.fromisoformat(claim["date"]) if claim.get("date") else None


def _confirming(_claim: dict[str, Any], truth: Truth, _one: SubscriptionTruth | None) -> bool:
    return bool(truth.charges) and not truth.records


def _access(claim: dict[str, Any], truth: Truth, one: SubscriptionTruth | None) -> bool:
    granted = truth.account is not None and truth.account.status != "none"
    return granted and one is not None and one.live and _at(claim) in (None, one.ends_at)


def _paid(moment: datetime | None, one: SubscriptionTruth) -> bool:
    """Whether it is paid until then: by the last invoice, or until the period's end, which may be sooner."""
    return (
        moment is not None
        and one.paid_until is not None
        and moment in (one.paid_until, one.period_end)
        and (moment <= one.paid_until)
    )


def _renews_unless(claim: dict[str, Any], _truth: Truth, one: SubscriptionTruth | None) -> bool:
    """Whether it renews then, or is canceled or paused, which nobody has told."""
    if one is None or not one.live or _at(claim) != one.period_end:
        return False
    return one.renews or one.ends_at is not None or one.pause_collection is not None


def _list_price(claim: dict[str, Any], truth: Truth, one: SubscriptionTruth | None) -> bool:
    """Whether it is that of a subscription, or of a checkout: in a list of purchases, and on the way back from one."""
    said = (claim["amount"], claim["currency"], claim.get("interval"))
    if "checkout_id" in claim:
        asked = [
            (sum(line.amount * line.quantity for line in each.lines), each.lines[0].currency, each.lines[0].interval)
            for each in truth.sessions
        ]
        return said in asked
    return said in [
        (each.list_amount, each.list_currency, each.interval) for each in ([one] if one else truth.subscriptions)
    ]


def _may_resume(_claim: dict[str, Any], _truth: Truth, one: SubscriptionTruth | None) -> bool:
    return one is not None and one.live and one.ends_at is not None


OFFERS: Final = frozenset({"due_today", "then_each", "trial_offered", "trial_for_new"})
"""What is said of what is for sale."""

CLAIMS: Final[dict[str, Judge]] = {
    "free_plan": lambda claim, truth, one: not any(one.live for one in truth.subscriptions),
    "confirming": _confirming,
    "confirming_long": _confirming,
    "not_heard": _confirming,
    "paid_until": lambda claim, truth, one: one is not None and one.live and _paid(_at(claim), one),
    "renews_unless_canceled": _renews_unless,
    "renews_on": lambda claim, truth, one: one is not None and one.renews and _at(claim) == one.period_end,
    "free_until": lambda claim, truth, one: (
        one is not None and one.status == "trialing" and _at(claim) == one.trial_end
    ),
    "ends_on": lambda claim, truth, one: one is not None and one.live and _at(claim) == one.ends_at,
    "ends_unless_changed": lambda claim, truth, one: (
        one is not None and _at(claim) in (one.ends_at, one.ended_at, one.period_end)
    ),
    "ended_on": lambda claim, truth, one: one is not None and not one.live and _at(claim) == one.ended_at,
    "ended": lambda claim, truth, one: one is not None and not one.live,
    "has_access": _access,
    "list_price": _list_price,
    "change_resumes": _may_resume,
    "change_may_resume": lambda claim, truth, one: True,  # says what follows if it is still canceled
    "purchase_arrived": lambda claim, truth, one: bool(truth.records),
    "collection_paused": lambda claim, truth, one: one is not None and one.pause_collection is not None,
    "receipt": lambda claim, truth, one: bool(truth.charged),  # there is one only for money that was taken
    "order_placed": lambda claim, truth, one: any(each.completed_at is not None for each in truth.sessions),
    "back_from_checkout": lambda claim, truth, one: True,  # says what follows if it was paid
    "payment_failed": lambda claim, truth, one: one is not None and one.status == "past_due",
    "portal_news_due": lambda claim, truth, one: True,  # says nothing of what is, only that it may be late
    "nothing_charged": lambda claim, truth, one: not truth.charged,
    "nothing_charged_here": lambda claim, truth, one: not truth.charged,
    "not_charged_then": lambda claim, truth, one: not truth.charged,
    "promised": lambda claim, truth, one: True,  # the operator states it, in the catalog that is sold from
    "no_invoices": lambda claim, truth, one: not truth.charges,
    "no_word_yet": lambda claim, truth, one: bool(truth.sessions),  # nobody has said so, whatever is so
    "plan_changed": lambda claim, truth, one: one is not None and one.live,
    "active_again": lambda claim, truth, one: one is not None and one.status == "active",
    "paused_since": lambda claim, truth, one: one is not None and one.status == "paused",
    "state_changed": lambda claim, truth, one: True,  # what it is the other claims say
    "one_ended": lambda claim, truth, one: not all(each.live for each in truth.subscriptions),
    "one_changed": lambda claim, truth, one: len(truth.subscriptions) > 1,
}
"""What it takes for each kind of claim to be so."""


def _sums(text: str) -> Iterator[tuple[str, int]]:
    for found in SUM.finditer(text):
        yield found[0], round(float(found[1].replace(",", "")) * 100)


def _known_sums(truth: Truth, prices: set[int]) -> set[int]:
    """What is charged, what things cost, and a yearly price by the month."""
    return {0, *prices, *(round(price / 12) for price in prices), *(charge.amount for charge in truth.charges)}


def _dates(text: str) -> Iterator[str]:
    for found in DATE.finditer(text):
        yield f"{found[1]} {found[2]}"


def _known_dates(truth: Truth) -> set[str]:
    moments: list[datetime | None] = [session.created for session in truth.sessions]
    for one in truth.subscriptions:
        moments += [one.period_end, one.paid_until, one.ends_at, one.ended_at, one.trial_end, one.created]
    return {f"{moment.day} {moment:%B}" for moment in moments if moment is not None}
