"""The rules of what somebody has: its state, its dates, which service has it, and that there is nothing."""

from truth.access_rules import GIFT_WORDS, GRACE, account_speaks
from truth.account_rules import as_called, keeps_by_account
from truth.facts import UNSAID, Facts, Sub
from truth.rule import NEWS_TIME, CatalogFacts, ReadersDay, Rule, subs_of
from truth.statements import Statement


def word(*words: str) -> Rule:
    """A state: Stripe's word for a subscription."""

    def rule(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
        return any(sub.status in words for sub in subs_of(said, facts.subs))

    return rule


def renews(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Only Stripe's own books say so: alive, not ending, on that day, over that amount."""
    return any(
        sub.renews
        and sub.period_end > reader.now - NEWS_TIME
        and reader.same_day(sub.period_end, said.day)
        and _is_charged(said, sub)
        for sub in subs_of(said, facts.subs)
    )


def _is_charged(said: Statement, sub: Sub) -> bool:
    """Whether the sum is what will be taken, made up as it is said; where no sum is named there is none to be wrong."""
    if said.money is None:
        return True
    before, discount, tax = sub.made_of
    off = said.off is None or round(before * said.off / 100) == discount
    taxed = said.tax is None or (said.tax.amount == tax and said.tax.currency == said.money.currency)
    return (said.money.amount, said.money.currency) == sub.charge and off and taxed


def charged_then(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return any(sub.status == "trialing" and sub.renews and _is_charged(said, sub) for sub in subs_of(said, facts.subs))


def trial_ends(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return any(
        sub.status == "trialing" and reader.same_day(sub.trial_end, said.day) for sub in subs_of(said, facts.subs)
    )


def ends(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Stripe ends it on that day, or has ended it."""
    alive = subs_of(said, facts.alive)
    stripe = any(sub.ends_at is not None and reader.same_day(sub.ends_at, said.day) for sub in alive)
    return stripe or ended(said, facts, sold, reader)


def ended(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """It has ended, and on that day; a subscription that was canceled keeps the end of its period beside its end."""
    return any(
        sub.status == "canceled" and reader.same_day(sub.ended_at, said.day) for sub in subs_of(said, facts.subs)
    )


def keeps(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Access goes by the account's date where it has one, else by the end of what was paid.

    A date of an account that doesn't say "canceled" is an end where Stripe has one, too, and a later one. Where Stripe
    goes on the account alone says so.
    """
    account, until = facts.account, facts.account.until
    ends_later = any(sub.ends_at is not None and until is not None and until < sub.ends_at for sub in facts.subs)
    if account_speaks(said, facts) and (account.status == "canceled" or ends_later):
        goes_on = any(sub.renews for sub in subs_of(said, facts.subs))
        return not goes_on and keeps_by_account(said, facts, sold, reader)
    return any(
        (sub.ends_at is not None or sub.status == "canceled")
        and sub.period_end > reader.now - NEWS_TIME
        and reader.same_day(sub.ends_at or sub.period_end, said.day)
        for sub in subs_of(said, facts.subs)
    )


def was_to_end(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The end that it had: what became of it is not said."""
    days = [sub.ends_at or sub.ended_at or sub.period_end for sub in subs_of(said, facts.subs) if not sub.renews]
    return any(reader.same_day(day, said.day) for day in days)


def ends_unless(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The end that it has, or had before it was taken back."""
    days = [sub.ends_at or sub.ended_at or sub.period_end for sub in subs_of(said, facts.subs)]
    return any(reader.same_day(day, said.day) for day in days)


def paid_until(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return any(reader.same_day(sub.period_end, said.day) for sub in subs_of(said, facts.subs))


def renews_unless(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """It goes on, or somebody has canceled it or paused its payments; a service without words may mean either."""
    return any(
        sub.renews or sub.held or sub.ends_at is not None or sub.status in ("canceled", UNSAID)
        for sub in subs_of(said, facts.subs)
    )


def account_until(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return account_speaks(said, facts) and reader.same_day(facts.account.until, said.day)


def held(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return any(sub.held for sub in subs_of(said, facts.alive))


def changes(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """A change to that plan is booked for that day, at that list price."""
    for sub in facts.alive:
        if sub.change is None or said.group not in (None, sub.group):
            continue
        at, plan, amount, currency, interval = sub.change
        named = said.plan is None or plan == said.plan.lower()
        priced = said.money is None or (said.money.amount, said.money.currency) == (amount, currency)
        if named and priced and said.interval in (None, interval) and reader.same_day(at, said.day):
            return True
    return False


def on_record(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return bool(subs_of(said, facts.subs))


def called(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """That is Stripe's word for one of theirs."""
    return any(as_called(sub.status) == said.word for sub in subs_of(said, facts.subs))


def would_go_on(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Something of theirs is alive: Stripe takes a booked end back with a change of plan."""
    return any(sub.status in ("active", "trialing", "past_due", UNSAID) for sub in subs_of(said, facts.subs))


def account_has(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    until = facts.account.until
    return account_speaks(said, facts) and (until is None or reader.now < until + GRACE)


def account_lacks(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    account = facts.account
    over = account.until is not None and account.until <= reader.now
    has = account.plan.title() == said.plan and account.status in ("active", "trialing") and not over
    return not (account.speaks and has)


def billing_has(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return bool(subs_of(said, facts.subs))


def billing_lacks(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Billing has nothing alive of that plan, or of that group."""
    group = said.group or (None if said.plan else "main")
    return not any(group in (None, sub.group) for sub in subs_of(said, facts.there))


def billing_lacks_it(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Billing has nothing alive of the plan that the account names; of one that is not sold, nothing of its group."""
    if any(plan["id"] == facts.account.plan for plan in sold.plans.values()):
        return not any(sub.plan == facts.account.plan for sub in facts.there)
    return billing_lacks(said, facts, sold, reader)


def given(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Somebody gave it, and said so: the account's own word, and nothing at Stripe that charges."""
    return account_speaks(said, facts) and facts.account.status in GIFT_WORDS and not facts.alive


def free(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Nothing at Stripe that is alive in the group, and an account that grants nothing of it, and says so."""
    if not facts.account.speaks:
        return False
    return nothing_runs(said, facts, sold, reader)


def nothing_runs(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Nothing at Stripe that is alive in the group, and an account that grants nothing of it.

    The group of a plan that was taken out of the catalog is the one it was bought in; of one that nobody sells or has,
    the first.
    """
    account, group = facts.account, said.group or "main"
    known = next((plan for plan in sold.plans.values() if plan["id"] == account.plan), None)
    if any(sub.group == group for sub in facts.there):
        return False
    groups = {known.get("group", "main")} if known else {sub.group for sub in facts.subs if sub.plan == account.plan}
    if group not in (groups or {account.group}):
        return True
    over = account.until is not None and account.until <= reader.now
    grants = account.speaks and account.status in ("active", "trialing", "past_due", *GIFT_WORDS) and not over
    unreadable = account.speaks and account.status not in ("none", "", "canceled", "incomplete_expired") and not over
    return not grants and not (unreadable and account.plan not in ("", "free"))


def current(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The card's plan is the one that they have: at Stripe, or by the account's word."""
    if said.card is None:
        return True
    plan = next((plan for plan in sold.plans.values() if plan["id"] == said.card), None)
    if plan is not None and plan["kind"] == "free":
        return free(said, facts, sold, reader)
    paid = [sub for sub in facts.subs if sub.live or (sub.status == "canceled" and sub.period_end > reader.now)]
    if any(sub.plan == said.card for sub in paid):
        return True
    account = facts.account
    if account.status == "canceled" and (account.until is None or account.until <= reader.now):
        return False
    return account.speaks and account.plan == said.card and account.status not in ("none", "", "incomplete_expired")
