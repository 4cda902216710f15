"""Calls what was said true, softer than true, or false. It knows the sandbox's books, and nothing of the app.

A statement is *true* if it holds now. It is *late* if it held less than `NEWS_TIME` ago: a page asks once a minute.
It is *as told* if it holds in what a service was told and nobody has told it otherwise (a webhook on its way, or lost):
then a service says so in words of its own, and nobody could know better. Everything else is false.
"""

from collections.abc import Container
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from truth.account_rules import BY_ACCOUNT
from truth.facts import UNSAID, Facts, Sub
from truth.price_rules import is_priced
from truth.rule import NEWS_TIME, CatalogFacts, ReadersDay, subs_of
from truth.rules import ABOUT_THE_PAST, NOT_AFTER_A_VISIT, RULES, SAID_OF_THEN, TELLABLE, TOLD_IN_FULL
from truth.statements import Kind, Statement
from truth.told_claims import TOKEN

SHARED: Final = timedelta(seconds=2)
"""How old an answer of the services may be from which a page is drawn."""

NEVER: Final = datetime.max.replace(tzinfo=UTC) - SHARED


class Verdict(StrEnum):
    """What the oracle calls a statement."""

    TRUE = "true"
    LATE = "late"
    AS_TOLD = "as told"
    DATED = "with its age"
    """It held once, and its page says how old it is."""
    FALSE = "false"


def _as_the_catalog_groups(facts: Facts, sold: CatalogFacts) -> Facts:
    """Return the facts with subscriptions that are of no plan of the catalog in its first group.

    That is where the app has them, unless it remembers the plan.
    """
    groups = {plan["id"]: plan.get("group", "main") for plan in sold.plans.values()}
    if all(sub.plan in groups for sub in facts.subs):
        return facts
    first = next(iter(groups.values()), "main")
    return replace(facts, subs=tuple(s if s.plan in groups else replace(s, group=first) for s in facts.subs))


@dataclass
class History:
    """What was true of one user, and when. Newest last."""

    zone: str
    known: list[tuple[Facts, Facts | None, CatalogFacts]] = field(default_factory=list)
    """The truth, what billing was told where that differs, and what is sold, each from the truth's `at` on."""
    visited: tuple[datetime, int] | None = None
    """When they were last sent to the portal, and how much was known then."""
    moved_elsewhere: set[str] = field(default_factory=set)
    """Subscriptions (ids) whose plan was changed by Stripe's own link last: nothing of ours knows of such a visit."""

    def observe(self, truth: Facts, told: Facts | None, sold: CatalogFacts) -> None:
        """Note what is true from now on."""
        if self.known:
            last, last_told, last_sold = self.known[-1]
            before = None if last_told is None else replace(last_told, at=truth.at)
            if (replace(last, at=truth.at), before, last_sold) == (truth, told, sold):
                return
        self.known.append((truth, told, sold))

    def judge(self, said: Statement, now: datetime, drawn_at: datetime | None = None) -> Verdict:
        """Call a statement true, late, as told, or false. `drawn_at` is when its page was opened.

        A page that was opened after a change of the catalog has no excuse for an older one. News of a person and of
        the catalog come by ways of their own, so that one may be late without the other.
        """
        truth, told, sold = self.known[-1]
        drawn_at = drawn_at or now
        if said.kind in SAID_OF_THEN:
            then = next((facts for facts, *_ in reversed(self.known) if facts.at <= drawn_at), self.known[0][0])
            return Verdict.TRUE if self._holds(said, then, sold, drawn_at) else Verdict.FALSE
        if self._holds(said, truth, sold, now):
            return Verdict.TRUE
        as_told = self._if_told(said, now, drawn_at)
        if as_told is not Verdict.FALSE and self._by_account(said, truth, sold, now):
            return as_told
        for place in range(len(self.known) - 1, 0, -1):
            since = self.known[place][0].at
            if now - since > NEWS_TIME or (said.kind in ABOUT_THE_PAST and drawn_at > since):
                break
            if drawn_at > self._told_at(place) + SHARED:
                break
            older, older_told, older_sold = self.known[place - 1]
            if drawn_at > since:
                older_sold = sold
            if any(
                self._holds(said, facts, catalog, now) for facts in (older, truth) for catalog in (older_sold, sold)
            ):
                return Verdict.LATE
            if self._by_account(said, older, sold, now):
                return Verdict.LATE
            if older_told is not None and self._told(said, older, older_told, older_sold, now):
                return Verdict.LATE
        if told is not None and self._told(said, truth, told, sold, now):
            return as_told
        return Verdict.FALSE

    def visit(self, now: datetime) -> None:
        """Note that they are sent to the portal."""
        self.visited = now, len(self.known)

    def _if_told(self, said: Statement, now: datetime, drawn_at: datetime) -> Verdict:
        """Return what a statement is that only a service's word bears out: false, after a visit, of what may be taken
        back there; late on a page that was open before."""
        if self.visited is None or said.kind not in NOT_AFTER_A_VISIT or said.where == TOKEN:
            return Verdict.AS_TOLD
        visited, known = self.visited
        then, *since = [((told or truth).subs, truth.account) for truth, told, _sold in self.known[known - 1 :]]
        if any(words != then for words in since):
            return Verdict.AS_TOLD
        return Verdict.LATE if drawn_at <= visited and now - visited <= NEWS_TIME else Verdict.FALSE

    def _told_at(self, place: int) -> datetime:
        """Return when both services knew what is true since then; a moment to come where they still don't.

        The account's word is what the Auth MS says itself, and no news for it.
        """
        known = (truth.at for truth, told, _sold in self.known[place:] if told is None)
        return next(known, NEVER)

    def _told(self, said: Statement, truth: Facts, told: Facts, sold: CatalogFacts, now: datetime) -> bool:
        """Whether a service says so, which was told otherwise than is true.

        A service of the second version tells list prices, and whether it renews; a sum that will be charged has to be
        in the books all the same. Of the first, a list price is no service's word. It may stand beside what a service
        calls alive though that has ended, if it is right: nothing but the end is then wrong, and that is the service's
        word.
        """
        if told.second and said.kind in TOLD_IN_FULL and not (said.kind is Kind.RENEWS and said.money is not None):
            return self._holds(said, told, sold, now)
        if said.kind is Kind.HAS_PRICE:
            alive = {sub.id for sub in told.subs if sub.live or sub.status == UNSAID}
            return any(sub.id in alive and is_priced(said, sub) for sub in subs_of(said, truth.subs))
        return said.kind in TELLABLE and self._holds(said, told, sold, now)

    def sort_of(self, said: Statement, now: datetime) -> str:
        """Return which sort of failure a false statement is: its kind, and for a renewal what is wrong with it."""
        truth = self.known[-1][0]
        sort = f"false: {said.kind}"
        if said.kind not in (Kind.RENEWS, Kind.WILL_BE_CHARGED_THEN, Kind.HAS_PRICE):
            return sort
        mine = subs_of(said, truth.alive)
        if said.kind is Kind.RENEWS and any(sub.ends_at is not None for sub in mine):
            return f"{sort}, and it ends"
        if any(ReadersDay(self.zone, now).same_day(sub.period_end, said.day) for sub in mine):
            return f"{sort}, over another amount"
        return sort

    def was_ever(self, said: Statement, now: datetime) -> bool:
        """Whether it was true, or told, at any time: for pages that say themselves that they speak of the past."""
        return any(
            self._holds(said, facts, sold, now) or self._by_account(said, facts, sold, now)
            for truth, told, sold in self.known
            for facts in ((truth,) if told is None else (truth, told))
        )

    def alone_at_first(self, bought: Sub, group: str, older: Container[str]) -> bool:
        """Whether none of the older ones (ids) was alive in that group when this one began."""
        first = next(truth for truth, _told, _sold in self.known if any(sub.id == bought.id for sub in truth.subs))
        return not any(sub.id in older and sub.live and sub.group == group for sub in first.subs)

    def in_group_at(self, subscription_id: str, group: str, moment: datetime) -> bool:
        """Whether a subscription (id) was alive in that group at a moment, as far as anybody could know.

        Of a change that was made elsewhere that is what billing was told.
        """
        truth, told, _sold = next((one for one in reversed(self.known) if one[0].at <= moment), self.known[0])
        then = (told or truth) if subscription_id in self.moved_elsewhere else truth
        return any(sub.id == subscription_id and sub.group == group for sub in then.there)

    def _holds(self, said: Statement, facts: Facts, sold: CatalogFacts, now: datetime) -> bool:
        rule, reader = RULES[said.kind], ReadersDay(self.zone, now)
        grouped = _as_the_catalog_groups(facts, sold)
        return rule(said, facts, sold, reader) or (grouped is not facts and rule(said, grouped, sold, reader))

    def _by_account(self, said: Statement, facts: Facts, sold: CatalogFacts, now: datetime) -> bool:
        """Whether the account says so, whatever Stripe says."""
        rule = BY_ACCOUNT.get(said.kind)
        return rule is not None and rule(said, facts, sold, ReadersDay(self.zone, now))
