"""The rules of more than one subscription of a group: what charges twice, and what became of one of them."""

from collections import Counter
from collections.abc import Iterable

from truth.facts import Facts, Sub
from truth.rule import CatalogFacts, ReadersDay
from truth.statements import Statement


def twice(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Two of one group are active, by Stripe's word: a trial is not paid for, nor what is on hold."""
    return _two_of_a_group(sub for sub in facts.subs if sub.status == "active")


def more_than_one(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return _two_of_a_group(sub for sub in facts.subs if sub.charging)


def _two_of_a_group(subs: Iterable[Sub]) -> bool:
    return any(many > 1 for many in Counter(sub.group for sub in subs).values())


def once(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Of what is waited for no second one charges, nor can: neither a subscription nor an open session of its group.

    A session may be paid as long as Stripe keeps it open, whoever was asked to leave it.
    """
    groups = {plan["id"]: plan.get("group", "main") for plan in sold.plans.values()}
    sessions = [one for one in facts.sessions if one.mode == "subscription"]
    about = next((groups.get(one.plan, "main") for one in sessions if one.id == said.subject), said.group)
    found = [sub.group for sub in facts.subs if sub.charging and sub.ends_at is None]
    found += [groups.get(one.plan, "main") for one in sessions if one.status == "open"]
    return all(many == 1 for group, many in Counter(found).items() if about in (None, group))


def one_ended(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return len(facts.alive) < len(facts.subs)


def one_changed(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """One of several has ended, or is not of the plan any more that was bought."""
    bought = {one.id: one.plan for one in facts.sessions}
    other = any(sub.plan != bought.get(sub.session, sub.plan) for sub in facts.subs)
    return len(facts.subs) > 1 and (other or one_ended(said, facts, sold, reader))
