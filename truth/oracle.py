"""Calls what was said true, softer than true, or false. It knows the sandbox's books, and nothing of the app.

A statement is *true* if it holds now. It is *late* if it held less than `NEWS_TIME` ago: a page asks once a minute.
It is *as told* if it holds in what a service was told and nobody has told it otherwise (a webhook on its way, or lost):
then a service says so in words of its own, and nobody could know better. Everything else is false.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from truth.facts import UNSAID, Facts, PaidSession, Sub
from truth.statements import MONTHS, Kind, Statement

NEWS_TIME: Final = timedelta(seconds=75)
"""How long a page may say what was true before: its watcher asks once a minute."""


class Verdict(StrEnum):
    """What the oracle calls a statement."""

    TRUE = "true"
    LATE = "late"
    AS_TOLD = "as told"
    DATED = "with its age"
    """It held once, and its page says how old it is."""
    FALSE = "false"


@dataclass(frozen=True, slots=True)
class CatalogFacts:
    """What the operator's file says now."""

    plans: Mapping[str, Mapping[str, Any]]
    """Plans by their names."""
    items: tuple[Mapping[str, Any], ...]
    promises: frozenset[str] = frozenset()
    trials: bool = True
    """Whether the Payment MS gives the trials that the file names."""


def sold_in(document: Mapping[str, Any], *, trials: bool = True) -> CatalogFacts:
    """Return what a catalog's document sells."""
    return CatalogFacts(
        {plan["name"]: plan for plan in document["plans"]},
        tuple(document["items"]),
        frozenset(document.get("promises", {})),
        trials,
    )


@dataclass
class History:
    """What was true of one user, and when. Newest last."""

    zone: str
    known: list[tuple[Facts, Facts | None, CatalogFacts]] = field(default_factory=list)
    """The truth, what billing was told where that differs, and what is sold, each from the truth's `at` on."""

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

        A page that was opened after a change of the catalog has no excuse for an older one.
        """
        truth, told, sold = self.known[-1]
        drawn_at = drawn_at or now
        if _holds(said, truth, sold, self, now):
            return Verdict.TRUE
        for place in range(len(self.known) - 1, 0, -1):
            since = self.known[place][0].at
            recent = now - since <= NEWS_TIME
            if not recent and (said.kind not in DRAWN_ONCE or drawn_at > since):
                break
            if said.kind in ABOUT_THE_PAST and drawn_at > since:
                break
            older, older_told, older_sold = self.known[place - 1]
            if drawn_at > since:
                older_sold = sold
            if _holds(said, older, older_sold, self, now) or _holds(said, truth, older_sold, self, now):
                return Verdict.LATE
            if older_told is not None and self._told(said, older, older_told, older_sold, now):
                return Verdict.LATE
        if told is not None and self._told(said, truth, told, sold, now):
            return Verdict.AS_TOLD
        return Verdict.FALSE

    def _told(self, said: Statement, truth: Facts, told: Facts, sold: CatalogFacts, now: datetime) -> bool:
        """Whether a service says so, which was told otherwise than is true.

        A list price is no service's word. It may stand beside what a service calls alive though that has ended, if it
        is right: nothing but the end is then wrong, and that is the service's word.
        """
        if said.kind is Kind.HAS_PRICE:
            alive = {sub.id for sub in told.subs if sub.live or sub.status == UNSAID}
            return any(sub.id in alive and _priced(said, sub) for sub in truth.subs)
        return said.kind in TELLABLE and _holds(said, told, sold, self, now)

    def sort_of(self, said: Statement, now: datetime) -> str:
        """Return which sort of failure a false statement is: its kind, and for a renewal what is wrong with it."""
        truth = self.known[-1][0]
        sort = f"false: {said.kind}"
        if said.kind not in (Kind.RENEWS, Kind.WILL_BE_CHARGED_THEN, Kind.HAS_PRICE):
            return sort
        mine = _of(said, truth.alive)
        if said.kind is Kind.RENEWS and any(sub.ends_at is not None for sub in mine):
            return f"{sort}, and it ends"
        if any(self.same_day(sub.period_end, said.day, now) for sub in mine):
            return f"{sort}, over another amount"
        return sort

    def was_ever(self, said: Statement, now: datetime) -> bool:
        """Whether it was true, or told, at any time: for pages that say themselves that they speak of the past."""
        return any(
            _holds(said, facts, sold, self, now)
            for truth, told, sold in self.known
            for facts in ((truth,) if told is None else (truth, told))
        )

    def alone_at_first(self, bought: Sub, group: str, older: Container[str]) -> bool:
        """Whether none of the older ones (ids) was alive in that group when this one began."""
        first = next(truth for truth, _told, _sold in self.known if any(sub.id == bought.id for sub in truth.subs))
        return not any(sub.id in older and sub.live and sub.group == group for sub in first.subs)

    def same_day(self, moment: datetime | None, day: str | None, now: datetime) -> bool:
        """Whether a day as a page writes it is the day of a moment, where the reader lives. No day said is no error."""
        if day is None:
            return True
        if moment is None:
            return False
        local, today = moment.astimezone(ZoneInfo(self.zone)), now.astimezone(ZoneInfo(self.zone))
        month, this_year = MONTHS[local.month - 1], local.year == today.year
        if day in (f"{month} {local.day}, {local.year}", f"{local.day} {month} {local.year}"):
            return True
        return this_year and day in (f"{month} {local.day}", f"{local.day} {month}")


Rule = Callable[[Statement, Facts, CatalogFacts, History, datetime], bool]


def _holds(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    return RULES[said.kind](said, facts, sold, history, now)


def _of(said: Statement, subs: tuple[Sub, ...]) -> tuple[Sub, ...]:
    """Return the subscriptions that a statement may be about: those of its plan (by name or id) and of its group."""
    named = [sub for sub in subs if said.plan is None or sub.plan == said.plan.lower()]
    return tuple(sub for sub in named if said.group in (None, sub.group))


def _account(said: Statement, facts: Facts) -> bool:
    """Whether the account speaks, and of the plan that is meant."""
    account = facts.account
    return account.speaks and (said.plan is None or account.plan.lower() in ("", said.plan.lower()))


def _word(*words: str) -> Rule:
    """A state: Stripe's word for a subscription, or the account's for the plan."""

    def rule(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
        if any(sub.status in words for sub in _of(said, facts.subs)):
            return True
        return _account(said, facts) and facts.account.status in words

    return rule


def _renews(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """Only Stripe's own books say so: alive, not ending, on that day, over that amount."""
    return any(
        sub.renews
        and sub.period_end > now - NEWS_TIME
        and history.same_day(sub.period_end, said.day, now)
        and (said.money is None or (said.money.amount, said.money.currency) == sub.charge)
        for sub in _of(said, facts.subs)
    )


def _charged_then(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    return any(
        sub.status == "trialing"
        and sub.renews
        and (said.money is None or (said.money.amount, said.money.currency) == sub.charge)
        for sub in facts.subs
    )


def _trial_ends(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    return any(
        sub.status == "trialing" and history.same_day(sub.trial_end, said.day, now) for sub in _of(said, facts.subs)
    ) or (facts.account.status == "trialing" and history.same_day(facts.account.until, said.day, now))


def _ends(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """Stripe ends it on that day; or the account calls it canceled, until that day."""
    stripe = any(
        sub.ends_at is not None and history.same_day(sub.ends_at, said.day, now) for sub in _of(said, facts.alive)
    )
    granted = _account(said, facts) and not any(sub.renews for sub in facts.alive)
    if granted and facts.account.until is not None and history.same_day(facts.account.until, said.day, now):
        return True  # what the account grants until a day, and nobody charges for
    return stripe or _canceled_account(said, facts, history, now) or _ended(said, facts, sold, history, now)


def _canceled_account(said: Statement, facts: Facts, history: History, now: datetime) -> bool:
    account = facts.account
    days = (account.until, *(sub.period_end for sub in _of(said, facts.subs)))
    return (
        _account(said, facts)
        and account.status == "canceled"
        and any(history.same_day(moment, said.day, now) for moment in days)
    )


def _ended(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """It has ended, and on that day; a subscription that was canceled keeps the end of its period beside its end."""
    for sub in _of(said, facts.subs):
        if sub.status == "canceled" and (said.day is None or history.same_day(sub.ended_at, said.day, now)):
            return True
    account = facts.account
    if not _account(said, facts):
        return False
    if account.until is not None and account.until <= now + NEWS_TIME:
        return history.same_day(account.until, said.day, now)
    return account.status == "canceled" and said.day is None


def _keeps(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """Access goes by the account's date where it has one, else by the end of what was paid.

    A date of an account that doesn't say "canceled" is an end where Stripe has one, too, and a later one.
    """
    account, until = facts.account, facts.account.until
    ends_later = any(sub.ends_at is not None and until is not None and until < sub.ends_at for sub in facts.subs)
    if _account(said, facts) and (account.status == "canceled" or ends_later):
        return until is not None and until > now - NEWS_TIME and history.same_day(until, said.day, now)
    return any(
        (sub.ends_at is not None or sub.status == "canceled")
        and sub.period_end > now - NEWS_TIME
        and history.same_day(sub.ends_at or sub.period_end, said.day, now)
        for sub in _of(said, facts.subs)
    )


def _paid_until(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    return any(history.same_day(sub.period_end, said.day, now) for sub in _of(said, facts.subs))


def _renews_unless(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """It goes on, or somebody has canceled it or paused its payments."""
    return any(
        sub.renews or sub.held or sub.ends_at is not None or sub.status == "canceled" for sub in _of(said, facts.subs)
    )


def _account_until(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    return _account(said, facts) and history.same_day(facts.account.until, said.day, now)


def _held(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    return any(sub.held for sub in _of(said, facts.alive))


def _on_record(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    return bool(_of(said, facts.subs)) or (_account(said, facts) and facts.account.status not in ("none", ""))


def _called(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """That is Stripe's word for one of theirs, or the account's."""
    words = [sub.status for sub in _of(said, facts.subs)]
    words += [facts.account.status] if _account(said, facts) else []
    return any(word.replace("_", " ").capitalize() == said.word for word in words)


def _would_go_on(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """Something of theirs is alive: Stripe takes a booked end back with a change of plan."""
    return any(sub.status in ("active", "trialing", "past_due", UNSAID) for sub in _of(said, facts.subs))


def _account_has(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    until = facts.account.until
    return _account(said, facts) and (until is None or now < until + GRACE)


def _account_lacks(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    account = facts.account
    over = account.until is not None and account.until <= now
    has = account.plan.title() == said.plan and account.status in ("active", "trialing") and not over
    return not (account.speaks and has)


def _billing_has(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    return bool(_of(said, facts.subs))


def _billing_lacks(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """Billing has nothing alive of that plan, or of that group."""
    group = said.group or (None if said.plan else "main")
    return not any(group in (None, sub.group) for sub in _of(said, facts.alive))


def _given(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """Somebody gave it, and said so: the account's own word, and nothing at Stripe that charges."""
    return _account(said, facts) and facts.account.status in GIFT_WORDS and not facts.alive


WHOLE_SECONDS: Final = timedelta(seconds=1)
"""Stripe's own moments are whole seconds, so what came later may seem to come a moment before."""

GRACE: Final = timedelta(days=4)
"""How long a grant may be believed after its day: an account may not have been told of a renewal yet."""

GIFT_WORDS: Final = frozenset({"comped", "gifted", "lifetime"})


def _free(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """Nothing at Stripe that is alive in the group, and an account that grants nothing of it, and says so."""
    if not facts.account.speaks:
        return False
    return _nothing_runs(said, facts, sold, history, now)


def _nothing_runs(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """Nothing at Stripe that is alive in the group, and an account that grants nothing of it."""
    account, group = facts.account, said.group or "main"
    known = next((plan for plan in sold.plans.values() if plan["id"] == account.plan), None)
    if any(sub.group == group for sub in facts.alive):
        return False
    if known is not None and known.get("group", "main") != group:
        return True
    over = account.until is not None and account.until <= now
    grants = account.speaks and account.status in ("active", "trialing", "past_due", *GIFT_WORDS) and not over
    unreadable = account.speaks and account.status not in ("none", "", "canceled", "incomplete_expired") and not over
    return not grants and not (unreadable and account.plan not in ("", "free"))


def _access(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """The account grants it, and not only until long ago; or a subscription runs."""
    until = facts.account.until
    granted = _account(said, facts) and facts.account.status not in ("none", "", "incomplete_expired")
    if granted and (until is None or now < until + GRACE):
        return True
    running = ("active", "trialing", "past_due")
    paid = any(sub.status == "canceled" and sub.period_end > now for sub in _of(said, facts.subs))
    return paid or any(sub.status in running for sub in _of(said, facts.subs))


def _twice(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    groups = [sub.group for sub in facts.subs if sub.charging]
    most = max((groups.count(group) for group in groups), default=0)
    return most >= 2 and (said.count is None or said.count == most)


def _nothing_charged(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """Of a checkout that was left: nobody has paid it, or another one since it was opened without coming back."""
    about = [one for one in facts.sessions if one.id == said.subject]
    if not about:
        return True  # a refusal before any checkout: its own press took no money
    since = about[0].created - WHOLE_SECONDS
    return not any(one.paid_at is not None and one.paid_at >= since for one in facts.sessions)


def _plan_unchanged(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    about = [one for one in facts.sessions if one.id == said.subject]
    if not about:
        return True
    since = about[0].created - WHOLE_SECONDS
    return not any(one.created >= since or (one.ended_at or since) > since for one in facts.subs)


def _submitted(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """The checkout that the page is about was paid."""
    return any(one.paid_at is not None for one in facts.sessions if one.id == said.subject)


def _ordered(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """A checkout of items was paid."""
    return any(one.mode == "payment" and one.paid_at is not None for one in facts.sessions)


def _confirmed(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """The checkout that the page is about was paid, as far as anybody can tell."""
    return any(_arrived(one, facts) for one in facts.sessions if one.id == said.subject)


def _any_confirmed(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """One of their checkouts was, in a list of them."""
    return any(_arrived(one, facts) for one in facts.sessions)


def _arrived(session: PaidSession, facts: Facts) -> bool:
    """It was paid; or a subscription of that plan has begun since, which nobody can tell from it."""
    since = session.created - WHOLE_SECONDS
    return session.paid_at is not None or any(sub.plan == session.plan and sub.created >= since for sub in facts.subs)


def _started(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    name = (said.plan or "").lower()
    return any(one.plan == name or any(name in price for price, *_rest in one.lines) for one in facts.sessions)


def _has_price(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """The list price and the interval of something that they have."""
    return any(_priced(said, sub) for sub in facts.alive)


def _priced(said: Statement, sub: Sub) -> bool:
    money = said.money
    return money is not None and (sub.amount, sub.currency, sub.interval) == (
        money.amount,
        money.currency,
        said.interval,
    )


def _prices_of(said: Statement, sold: CatalogFacts) -> list[Mapping[str, Any]]:
    """Return the catalog's prices that a statement on a card may mean."""
    if said.card is None:
        named = sold.plans.get(said.plan or "")
        plans = [named] if named is not None else list(sold.plans.values())
    else:
        plans = [plan for plan in sold.plans.values() if plan["id"] == said.card]
    found: list[Mapping[str, Any]] = []
    for plan in plans:
        found += [{**price, "interval": interval} for interval, price in plan.get("prices", {}).items()]
    return found


def _card_price(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """What a card says that a plan costs: the price of an interval, or a twelfth of a year's, rounded up."""
    if said.money is None:
        return True
    if said.money.amount == 0:
        return any(plan["kind"] == "free" and not plan.get("retired") for plan in sold.plans.values())
    if said.subject:
        return _session_price(said, facts)
    wanted = (said.money.amount, said.money.currency)
    for item in sold.items:
        if said.plan == item["name"]:
            return _item_amount(item, said, facts)
    for price in _prices_of(said, sold):
        by_month = "per month" in said.text
        twelfth = (-(-price["amount"] // 12), price["currency"])
        if price["interval"] == "year" and by_month and wanted == twelfth:
            return True
        fits = by_month or said.interval in (None, price["interval"])
        if fits and wanted == (price["amount"], price["currency"]):
            return True
    return False


def _item_amount(item: Mapping[str, Any], said: Statement, facts: Facts) -> bool:
    """Some of an item, at its price of now or at that of a checkout of theirs."""
    prices = [(item["price"]["amount"], item["price"]["currency"])]
    prices += [(amount, currency) for one in facts.sessions for _id, _many, amount, currency, _trial in one.lines]
    money = said.money
    return money is not None and any(money.currency == what and money.amount % each == 0 for each, what in prices)


def _session_price(said: Statement, facts: Facts) -> bool:
    """What a page about one checkout says that it costs."""
    mine = [one for one in facts.sessions if one.id == said.subject]
    return any(
        said.money is not None and (amount * quantity, currency) == (said.money.amount, said.money.currency)
        for one in mine
        for _price, quantity, amount, currency, _trial in one.lines
    )


def _purchase(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """One of their checkouts was over that amount, and was started that day."""
    return any(
        said.money is not None
        and (sum(quantity * amount for _price, quantity, amount, _c, _t in one.lines), one.lines[0][3])
        == (said.money.amount, said.money.currency)
        and history.same_day(one.created, said.day, now)
        for one in facts.sessions
    )


def _due_today(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    return any(
        said.money is not None
        and (price["amount"], price["currency"]) == (said.money.amount, said.money.currency)
        and price["interval"] == said.interval
        and not (sold.trials and price.get("trial_days"))
        for price in _prices_of(said, sold)
    )


def _trial_offer(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """The catalog offers that trial, and this user has had no trial or subscription of that plan."""
    if said.subject:
        return _session_price(said, facts)
    if not sold.trials:
        return False
    had = [sub for sub in facts.subs if sub.plan == said.card and sub.created < now - NEWS_TIME]
    if had and not said.visitor:
        return False
    return any(
        price.get("trial_days", 0) == (said.count or price.get("trial_days", 0)) != 0
        and (said.money is None or (price["amount"], price["currency"]) == (said.money.amount, said.money.currency))
        for price in _prices_of(said, sold)
    )


def _saving(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """It holds for every plan that it stands beside, and is at least one per cent; or an amount for what they have."""
    if said.count is None and said.money is not None:
        years = [price for price in _prices_of(said, sold) if price["interval"] == "year"]
        mine = [sub for sub in facts.alive if sub.plan == said.card and sub.interval == "month"]
        wanted = (said.money.amount, said.money.currency)
        return any((12 * sub.amount - price["amount"], price["currency"]) == wanted for sub in mine for price in years)
    count = said.count or 0
    shown = [plan for plan in sold.plans.values() if not plan.get("retired") and said.card in (None, plan["id"])]
    both = [plan["prices"] for plan in shown if len(plan.get("prices", {})) == 2]
    if not both or count < 1:
        return False
    if "up to" in said.text:
        both = [max(both, key=lambda prices: 1 - prices["year"]["amount"] / prices["month"]["amount"] / 12)]
    for prices in both:
        month, year = prices["month"]["amount"], prices["year"]["amount"]
        if prices["month"]["currency"] != prices["year"]["currency"]:
            return False
        least = count * month if "free" in said.text else 12 * month * count / 100
        if 12 * month - year < least - 0.5:
            return False
    return True


def _free_plan_sold(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    return any(plan["kind"] == "free" and not plan.get("retired") for plan in sold.plans.values())


def _current(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """The card's plan is the one that they have: at Stripe, or by the account's word."""
    if said.card is None:
        return True
    plan = next((plan for plan in sold.plans.values() if plan["id"] == said.card), None)
    if plan is not None and plan["kind"] == "free":
        return _free(said, facts, sold, history, now)
    paid = [sub for sub in facts.subs if sub.live or (sub.status == "canceled" and sub.period_end > now)]
    if any(sub.plan == said.card for sub in paid):
        return True
    account = facts.account
    if account.status == "canceled" and (account.until is None or account.until <= now):
        return False
    return account.speaks and account.plan == said.card and account.status not in ("none", "", "incomplete_expired")


def _promised(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    """The operator states it."""
    return "cancel_any_time" in sold.promises


def _always(said: Statement, facts: Facts, sold: CatalogFacts, history: History, now: datetime) -> bool:
    return True


RULES: Final[Mapping[Kind, Rule]] = {
    Kind.ACTIVE: _word("active"),
    Kind.TRIALING: _word("trialing"),
    Kind.TRIAL_ENDS: _trial_ends,
    Kind.WILL_BE_CHARGED_THEN: _charged_then,
    Kind.RENEWS: _renews,
    Kind.RENEWS_UNLESS: _renews_unless,
    Kind.ACCOUNT_UNTIL: _account_until,
    Kind.HELD: _held,
    Kind.NOTHING_RUNS: _nothing_runs,
    Kind.ENDS: _ends,
    Kind.PAST_DUE: _word("past_due"),
    Kind.UNPAID: _word("unpaid"),
    Kind.INCOMPLETE: _word("incomplete"),
    Kind.NEVER_STARTED: _word("incomplete_expired"),
    Kind.PAUSED: _word("paused"),
    Kind.ENDED: _ended,
    Kind.KEEPS: _keeps,
    Kind.PAID_UNTIL: _paid_until,
    Kind.ON_RECORD: _on_record,
    Kind.CALLED: _called,
    Kind.WOULD_GO_ON: _would_go_on,
    Kind.ACCOUNT_HAS: _account_has,
    Kind.ACCOUNT_LACKS: _account_lacks,
    Kind.BILLING_HAS: _billing_has,
    Kind.BILLING_LACKS: _billing_lacks,
    Kind.GIVEN: _given,
    Kind.FREE: _free,
    Kind.ACCESS: _access,
    Kind.TWICE: _twice,
    Kind.NOTHING_CHARGED: _nothing_charged,
    Kind.PLAN_UNCHANGED: _plan_unchanged,
    Kind.STARTED: _started,
    Kind.CONFIRMING: _always,
    Kind.SUBMITTED: _submitted,
    Kind.ORDERED: _ordered,
    Kind.CONFIRMED: _confirmed,
    Kind.BOUGHT: _any_confirmed,
    Kind.HAS_PRICE: _has_price,
    Kind.PURCHASE: _purchase,
    Kind.CARD_PRICE: _card_price,
    Kind.ITEM_PRICE: _always,
    Kind.DUE_TODAY: _due_today,
    Kind.TRIAL_OFFER: _trial_offer,
    Kind.SAVING: _saving,
    Kind.FREE_PLAN_SOLD: _free_plan_sold,
    Kind.CANCEL_ANY_TIME: _promised,
    Kind.CURRENT: _current,
    Kind.MAY_SWITCH: _always,
    Kind.NO_MONEY_MOVES: _always,
    Kind.CAN_CHOOSE: _always,
}

DRAWN_ONCE: Final = frozenset({Kind.FREE_PLAN_SOLD, Kind.CANCEL_ANY_TIME})
"""What stands in texts that are drawn once: an open page says it until it is loaded again."""

ABOUT_THE_PAST: Final = frozenset({Kind.NOTHING_CHARGED, Kind.PLAN_UNCHANGED})
"""What is said of what happened before the page was drawn: what came between is no news that is on its way."""

TELLABLE: Final = frozenset(RULES) - {
    Kind.RENEWS, Kind.HAS_PRICE, Kind.WILL_BE_CHARGED_THEN, Kind.NOTHING_CHARGED, Kind.PLAN_UNCHANGED, Kind.SUBMITTED,
    Kind.ORDERED, Kind.CONFIRMED, Kind.BOUGHT,
}  # fmt: skip
"""What a service says in words of its own, so that its word may be repeated. No service names an amount that will be
charged, says that a subscription renews, or tells what became of a checkout."""
