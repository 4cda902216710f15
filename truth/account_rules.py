"""What only the account says: nothing at Stripe makes it true, so a page that says so repeats the account's word."""

from collections.abc import Mapping
from typing import Final

from truth.access_rules import GRACE, GRANTING, account_speaks
from truth.facts import FREE, Facts
from truth.rule import NEWS_TIME, CatalogFacts, ReadersDay, Rule, subs_of
from truth.statements import Kind, Statement


def as_called(word: str) -> str:
    """Return a status as a page writes it whose word for it is nobody's own."""
    return word.replace("_", " ").capitalize()


def _word(status: str) -> Rule:
    """A state: the account's word for the plan."""

    def rule(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
        return account_speaks(said, facts) and facts.account.status == status

    return rule


def _trial_ends(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    trial = account_speaks(said, facts) and facts.account.status == "trialing"
    return trial and reader.same_day(facts.account.until, said.day)


def _ends(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """It grants until a day, and nobody charges for it; or it calls it canceled, until that day."""
    account = facts.account
    if not account_speaks(said, facts):
        return False
    granted = account.until is not None and not any(sub.renews for sub in facts.alive)
    if granted and reader.same_day(account.until, said.day):
        return True
    days = (account.until, *(sub.period_end for sub in subs_of(said, facts.subs)))
    canceled = account.status == "canceled" and any(reader.same_day(moment, said.day) for moment in days)
    return canceled or _ended(said, facts, sold, reader)


def _ended(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    account = facts.account
    if not account_speaks(said, facts):
        return False
    if account.until is not None and account.until <= reader.now + NEWS_TIME:
        return reader.same_day(account.until, said.day)
    return account.status == "canceled" and said.day is None


def keeps_by_account(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Access lasts until the account's day, which has not passed."""
    until = facts.account.until if account_speaks(said, facts) else None
    return until is not None and until > reader.now - NEWS_TIME and reader.same_day(until, said.day)


def _was_to_end(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    until = facts.account.until if account_speaks(said, facts) else None
    return until is not None and reader.same_day(until, said.day)


def _on_record(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return account_speaks(said, facts) and facts.account.status not in ("none", "")


def _called(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return account_speaks(said, facts) and as_called(facts.account.status) == said.word


def _access(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Its day has passed, and it may not have been told of a renewal yet; or what it grants has a name that nobody
    knows, which may be its word for what runs at Stripe."""
    account = facts.account
    if account.until is not None and reader.now >= account.until + GRACE:
        return False
    if account_speaks(said, facts):
        return account.status not in ("none", "", "incomplete_expired")
    known = {"", FREE, *(plan["id"] for plan in sold.plans.values()), *(sub.plan for sub in facts.subs)}
    nameless = account.speaks and account.plan not in known and account.status in GRANTING
    return nameless and any(sub.status in ("active", "trialing", "past_due") for sub in subs_of(said, facts.subs))


def _changed_since(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """It names another plan than was bought, or that one in a word that is not of one which runs.

    Where that other plan is a subscription of its own, it speaks of that one.
    """
    account = facts.account
    bought = next((one.plan for one in facts.sessions if one.id == said.subject), "")
    if not account.speaks or account.plan in ("", FREE):
        return False
    if account.plan != bought and any(sub.live and sub.plan == account.plan for sub in facts.subs):
        return False
    return account.plan != bought or account.status not in ("active", "trialing")


BY_ACCOUNT: Final[Mapping[Kind, Rule]] = {
    Kind.ACTIVE: _word("active"), Kind.TRIALING: _word("trialing"), Kind.PAST_DUE: _word("past_due"),
    Kind.UNPAID: _word("unpaid"), Kind.INCOMPLETE: _word("incomplete"), Kind.PAUSED: _word("paused"),
    Kind.NEVER_STARTED: _word("incomplete_expired"),
    Kind.TRIAL_ENDS: _trial_ends, Kind.ENDS: _ends, Kind.ENDED: _ended, Kind.KEEPS: keeps_by_account,
    Kind.WAS_TO_END: _was_to_end, Kind.ENDS_UNLESS: _was_to_end, Kind.ON_RECORD: _on_record, Kind.CALLED: _called,
    Kind.ACCESS: _access, Kind.CHANGED_SINCE: _changed_since,
}  # fmt: skip
"""The kinds of which the account has a word of its own."""
