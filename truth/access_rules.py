"""The rules of access, which goes by the account's word: who has it, who has none, and until when."""

from datetime import timedelta
from typing import Final

from truth.facts import Facts
from truth.rule import CatalogFacts, ReadersDay, subs_of
from truth.statements import Statement

GRACE: Final = timedelta(days=4)
"""How long a grant may be believed after its day: an account may not have been told of a renewal yet."""

GIFT_WORDS: Final = frozenset({"comped", "gifted", "lifetime"})

GRANTING: Final = frozenset({"active", "trialing", "past_due", *GIFT_WORDS})
"""Words with which an account grants a plan."""


def account_speaks(said: Statement, facts: Facts) -> bool:
    """Whether the account speaks, and of the plan that is meant, or of a plan of that group."""
    account = facts.account
    if not account.speaks or (account.group is not None and said.group not in (None, account.group)):
        return False
    return said.plan is None or account.plan.lower() in ("", said.plan.lower())


def access(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The account grants it, and its day has not passed; or a subscription runs in a group of which it says nothing.

    An account names one plan, so of other groups than that plan's it is silent.
    """
    account = facts.account
    granted = account_speaks(said, facts) and account.status not in ("none", "", "incomplete_expired")
    if granted and (account.until is None or reader.now < account.until):
        return True
    return any(
        sub.status in ("active", "trialing", "past_due") or (sub.status == "canceled" and sub.period_end > reader.now)
        for sub in subs_of(said, facts.subs)
        if not account.speaks or account.group not in (None, sub.group)
    )


def no_access(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The account grants no plan of that group, in a word that grants, until a day that is still to come; or another
    one than that plan. What it grants by a name that nobody knows may be that plan."""
    account = facts.account
    if not account.speaks or account.status not in GRANTING or account.plan in ("", "free"):
        return True
    if account.until is not None and account.until <= reader.now:
        return True
    if said.group not in (None, account.group):
        return True
    known = {plan["id"] for plan in sold.plans.values()} | {sub.plan for sub in facts.subs}
    return said.plan is not None and account.plan in known and account.plan != said.plan.lower()


def access_until(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """It is had, and ends that day: by the account, or by Stripe where the account names no day.

    What renews has no such day, unless the account grants until one; none at all where billing says that it renews, but
    for an account that says that it is over.
    """
    over = account_speaks(said, facts) and facts.account.status not in GRANTING
    renews = facts.second and any(sub.renews for sub in subs_of(said, facts.subs))
    if (renews and not over) or not access(said, facts, sold, reader):
        return False
    if account_speaks(said, facts) and facts.account.until is not None:
        return reader.same_day(facts.account.until, said.day)
    return any(
        reader.same_day(sub.ends_at or sub.period_end, said.day) for sub in subs_of(said, facts.subs) if not sub.renews
    )
