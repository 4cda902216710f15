"""The rules of checkouts: whether one was paid, what it sold, and what is waited for."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from truth.facts import Facts, PaidSession
from truth.rule import CatalogFacts, ReadersDay, is_as_old, opened_on
from truth.statements import Statement

WHOLE_SECONDS: Final = timedelta(seconds=1)
"""Stripe's own moments are whole seconds, so what came later may seem to come a moment before."""

RUNNING: Final = frozenset({"active", "trialing"})


def nothing_charged(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Of a checkout that was left: nobody has paid it, or another one since it was opened without coming back.

    A refusal is about its own press, which led to no checkout. Elsewhere without one, nobody has ever paid any.
    """
    if said.refusal:
        return True
    about = [one for one in facts.sessions if one.id == said.subject]
    if not about:
        return not any(one.paid_at is not None for one in facts.sessions)
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
    """A checkout of items was paid: in a list the one of the row."""
    return any(one.mode == "payment" and one.paid_at is not None for one in _meant(said, facts, reader))


def confirmed(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The checkout that the page is about was paid, as far as anybody can tell."""
    return any(_arrived(one, facts) for one in facts.sessions if one.id == said.subject)


def any_confirmed(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """One of their checkouts was: in a list of them the one of the row."""
    return any(_arrived(one, facts) for one in _meant(said, facts, reader))


def _arrived(session: PaidSession, facts: Facts) -> bool:
    """It was paid; or a subscription of that plan has begun since, which nobody can tell from it."""
    since = session.created - WHOLE_SECONDS
    return session.paid_at is not None or any(sub.plan == session.plan and sub.created >= since for sub in facts.subs)


def _meant(said: Statement, facts: Facts, reader: ReadersDay) -> Iterator[PaidSession]:
    """Yield the checkouts that a row may be about: those of that sum and day; all where it names none."""
    for one in facts.sessions:
        money = said.money
        if money is None or (
            (one.total, one.lines[0][3]) == (money.amount, money.currency) and (opened_on(one, said, facts, reader))
        ):
            yield one


def awaited(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """There is a checkout of theirs to wait for, in that row. Whether a service's word confirms it is not judged."""
    return any(_meant(said, facts, reader))


def changed_since(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """What the page's checkout sold is another plan's by now, or does not run any more, or not for long."""
    bought = next((one.plan for one in facts.sessions if one.id == said.subject), "")
    mine = [sub for sub in facts.subs if sub.session == said.subject]
    changed = (sub.plan != bought or sub.status not in RUNNING or sub.ends_at is not None for sub in mine)
    return bool(mine) and all(changed)


def started(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """A checkout of that was started so long ago, or that day."""
    return any(
        opened_on(one, said, facts, reader) and is_as_old(one.created - facts.ahead, reader.now, said.ago)
        for one in facts.sessions
        if _sells(one, said, sold)
    )


def came_back(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """A checkout of that was gone through with at Stripe, so long ago or until that day: from there a browser comes."""
    return any(
        reader.not_later(one.paid_at - max(facts.ahead, timedelta()), said.day)
        and is_as_old(one.paid_at - facts.ahead, reader.now, said.ago)
        for one in facts.sessions
        if one.paid_at is not None and _sells(one, said, sold)
    )


def _sells(session: PaidSession, said: Statement, sold: CatalogFacts) -> bool:
    """Whether a checkout sells what is named: a plan, some of an item, or so many things; anything where nothing is."""
    name = said.plan
    if name is None or session.plan == name.lower() or name.endswith((" item", " items")):
        return True
    single = name.rpartition(" × ")[2]
    prices = {item["price"]["price_id"] for item in sold.items if item["name"] == single}
    former = single.lower().replace(" ", "_")  # one that is not sold any more is named as it was called then
    return any(price in prices or former in price for price, *_rest in session.lines)
