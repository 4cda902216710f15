"""The rules of what each service is said to have said, and of what was known last."""

from collections.abc import Mapping
from typing import Final

from truth.facts import Facts
from truth.rule import CatalogFacts, ReadersDay, subs_of
from truth.statements import Statement

WORDS: Final[Mapping[str, str]] = {
    "active": "Active", "trialing": "Trial", "past_due": "Payment failed", "unpaid": "Unpaid",
    "incomplete": "Not finished", "incomplete_expired": "Expired", "paused": "Paused", "canceled": "Ended",
}  # fmt: skip
"""Stripe's words for a state, as pages write them."""

UNCERTAIN: Final = frozenset({"Confirming", "Please check", "Status unknown", "On your account", "Included", "No plan"})
"""Words for what no service says in one word of its own."""


def word_of(status: str) -> str:
    """Return a status as a page writes it."""
    return WORDS.get(status) or status.replace("_", " ").capitalize()


def billing_said(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Billing has it, in that word where one is named, with a period until then."""
    return any(
        said.word in (None, word_of(sub.status)) and reader.same_day(sub.period_end, said.day)
        for sub in subs_of(said, facts.subs)
    )


def billing_said_none(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return not any(sub.status != "canceled" for sub in facts.subs)


def account_said(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    account = facts.account
    named = account.plan.lower() == (said.plan or "").lower()
    return (
        account.speaks and named and word_of(account.status) == said.word and reader.same_day(account.until, said.day)
    )


def account_said_none(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return facts.account.speaks and (facts.account.status in ("none", "") or facts.account.plan in ("", "free"))


def account_silent(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return not facts.account.speaks


def last_known(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """That was the word for one of theirs, or the account's."""
    words = {word_of(sub.status) for sub in facts.subs}
    if facts.account.speaks:
        words.add(word_of(facts.account.status))
    return said.word in words | UNCERTAIN
