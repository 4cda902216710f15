"""The rules of checkouts: whether one was paid, what it sold, and what is waited for."""

from datetime import timedelta
from typing import Final

from truth.facts import Facts, PaidSession
from truth.rule import CatalogFacts, ReadersDay
from truth.statements import Statement

WHOLE_SECONDS: Final = timedelta(seconds=1)
"""Stripe's own moments are whole seconds, so what came later may seem to come a moment before."""


def nothing_charged(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Of a checkout that was left: nobody has paid it, or another one since it was opened without coming back."""
    about = [one for one in facts.sessions if one.id == said.subject]
    if not about:
        return True  # a refusal before any checkout: its own press took no money
    since = about[0].created - WHOLE_SECONDS
    return not any(one.paid_at is not None and one.paid_at >= since for one in facts.sessions)


def not_charged_then(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The checkout that the page is about had not been paid; `facts` are those of when the page was opened."""
    about = [one for one in facts.sessions if one.id == said.subject]
    return bool(about) and all(one.paid_at is None for one in about)


def checkout_ended(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The checkout that the page is about can't be paid any more, and was not."""
    about = [one for one in facts.sessions if one.id == said.subject]
    return bool(about) and all(one.status == "expired" and one.paid_at is None for one in about)


def plan_unchanged(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    about = [one for one in facts.sessions if one.id == said.subject]
    if not about:
        return True
    since = about[0].created - WHOLE_SECONDS
    return not any(one.created >= since or (one.ended_at or since) > since for one in facts.subs)


def submitted(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The checkout that the page is about was paid."""
    return any(one.paid_at is not None for one in facts.sessions if one.id == said.subject)


def ordered(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """A checkout of items was paid."""
    return any(one.mode == "payment" and one.paid_at is not None for one in facts.sessions)


def confirmed(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The checkout that the page is about was paid, as far as anybody can tell."""
    return any(_arrived(one, facts) for one in facts.sessions if one.id == said.subject)


def any_confirmed(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """One of their checkouts was, in a list of them."""
    return any(_arrived(one, facts) for one in facts.sessions)


def _arrived(session: PaidSession, facts: Facts) -> bool:
    """It was paid; or a subscription of that plan has begun since, which nobody can tell from it."""
    since = session.created - WHOLE_SECONDS
    return session.paid_at is not None or any(sub.plan == session.plan and sub.created >= since for sub in facts.subs)


def awaited(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """There is a checkout of theirs to wait for. Whether a service's word confirms it is not judged."""
    return bool(facts.sessions)


def started(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    name = (said.plan or "").lower()
    return any(one.plan == name or any(name in price for price, *_rest in one.lines) for one in facts.sessions)
