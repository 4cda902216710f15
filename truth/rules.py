"""The rules: which facts make a statement of each kind true. They know the sandbox's books, and nothing of the app."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from truth.access_rules import GIFT_WORDS, GRACE, access, access_until, account_speaks, no_access
from truth.account_rules import as_called, keeps_by_account
from truth.facts import UNSAID, Facts, PaidSession, Sub
from truth.price_rules import (
    amount,
    card_price,
    due_today,
    has_price,
    invoice_is,
    invoiced,
    item_price,
    no_invoices,
    purchase,
    saving,
    taxed,
    trial_offer,
)
from truth.rule import NEWS_TIME, CatalogFacts, ReadersDay, Rule, subs_of
from truth.said_rules import (
    account_said,
    account_said_none,
    account_silent,
    billing_said,
    billing_said_none,
    last_known,
)
from truth.statements import Kind, Statement


def _word(*words: str) -> Rule:
    """A state: Stripe's word for a subscription."""

    def rule(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
        return any(sub.status in words for sub in subs_of(said, facts.subs))

    return rule


def _renews(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
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


def _charged_then(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return any(sub.status == "trialing" and sub.renews and _is_charged(said, sub) for sub in subs_of(said, facts.subs))


def _trial_ends(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return any(
        sub.status == "trialing" and reader.same_day(sub.trial_end, said.day) for sub in subs_of(said, facts.subs)
    )


def _ends(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Stripe ends it on that day, or has ended it."""
    alive = subs_of(said, facts.alive)
    stripe = any(sub.ends_at is not None and reader.same_day(sub.ends_at, said.day) for sub in alive)
    return stripe or _ended(said, facts, sold, reader)


def _ended(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """It has ended, and on that day; a subscription that was canceled keeps the end of its period beside its end."""
    return any(
        sub.status == "canceled" and reader.same_day(sub.ended_at, said.day) for sub in subs_of(said, facts.subs)
    )


def _keeps(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
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


def _was_to_end(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The end that it had: what became of it is not said."""
    ends = [sub.ends_at or sub.ended_at or sub.period_end for sub in subs_of(said, facts.subs) if not sub.renews]
    return any(reader.same_day(end, said.day) for end in ends)


def _paid_until(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return any(reader.same_day(sub.period_end, said.day) for sub in subs_of(said, facts.subs))


def _renews_unless(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """It goes on, or somebody has canceled it or paused its payments."""
    return any(
        sub.renews or sub.held or sub.ends_at is not None or sub.status == "canceled"
        for sub in subs_of(said, facts.subs)
    )


def _account_until(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return account_speaks(said, facts) and reader.same_day(facts.account.until, said.day)


def _held(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return any(sub.held for sub in subs_of(said, facts.alive))


def _changes(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
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


def _on_record(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return bool(subs_of(said, facts.subs))


def _called(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """That is Stripe's word for one of theirs."""
    return any(as_called(sub.status) == said.word for sub in subs_of(said, facts.subs))


def _would_go_on(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Something of theirs is alive: Stripe takes a booked end back with a change of plan."""
    return any(sub.status in ("active", "trialing", "past_due", UNSAID) for sub in subs_of(said, facts.subs))


def _account_has(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    until = facts.account.until
    return account_speaks(said, facts) and (until is None or reader.now < until + GRACE)


def _account_lacks(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    account = facts.account
    over = account.until is not None and account.until <= reader.now
    has = account.plan.title() == said.plan and account.status in ("active", "trialing") and not over
    return not (account.speaks and has)


def _billing_has(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return bool(subs_of(said, facts.subs))


def _billing_lacks(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Billing has nothing alive of that plan, or of that group."""
    group = said.group or (None if said.plan else "main")
    return not any(group in (None, sub.group) for sub in subs_of(said, facts.there))


def _billing_lacks_it(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Billing has nothing alive of the plan that the account names; of one that is not sold, nothing of its group."""
    if any(plan["id"] == facts.account.plan for plan in sold.plans.values()):
        return not any(sub.plan == facts.account.plan for sub in facts.there)
    return _billing_lacks(said, facts, sold, reader)


def _given(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Somebody gave it, and said so: the account's own word, and nothing at Stripe that charges."""
    return account_speaks(said, facts) and facts.account.status in GIFT_WORDS and not facts.alive


WHOLE_SECONDS: Final = timedelta(seconds=1)
"""Stripe's own moments are whole seconds, so what came later may seem to come a moment before."""


def _free(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Nothing at Stripe that is alive in the group, and an account that grants nothing of it, and says so."""
    if not facts.account.speaks:
        return False
    return _nothing_runs(said, facts, sold, reader)


def _nothing_runs(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Nothing at Stripe that is alive in the group, and an account that grants nothing of it.

    The group of a plan that was taken out of the catalog is the one it was bought in.
    """
    account, group = facts.account, said.group or "main"
    known = next((plan for plan in sold.plans.values() if plan["id"] == account.plan), None)
    if any(sub.group == group for sub in facts.there):
        return False
    groups = {known.get("group", "main")} if known else {sub.group for sub in facts.subs if sub.plan == account.plan}
    if groups and group not in groups:
        return True
    over = account.until is not None and account.until <= reader.now
    grants = account.speaks and account.status in ("active", "trialing", "past_due", *GIFT_WORDS) and not over
    unreadable = account.speaks and account.status not in ("none", "", "canceled", "incomplete_expired") and not over
    return not grants and not (unreadable and account.plan not in ("", "free"))


def _twice(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Two of one group are active, by Stripe's word: a trial is not paid for, nor what is on hold."""
    return _two_of_a_group(sub for sub in facts.subs if sub.status == "active")


def _more_than_one(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return _two_of_a_group(sub for sub in facts.subs if sub.charging)


def _two_of_a_group(subs: Iterable[Sub]) -> bool:
    return any(many > 1 for many in Counter(sub.group for sub in subs).values())


def _once(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Of what is waited for no second one charges, nor can: neither a subscription nor an open session of its group.

    A session may be paid as long as Stripe keeps it open, whoever was asked to leave it.
    """
    groups = {plan["id"]: plan.get("group", "main") for plan in sold.plans.values()}
    sessions = [one for one in facts.sessions if one.mode == "subscription"]
    about = next((groups.get(one.plan, "main") for one in sessions if one.id == said.subject), said.group)
    found = [sub.group for sub in facts.subs if sub.charging and sub.ends_at is None]
    found += [groups.get(one.plan, "main") for one in sessions if one.status == "open"]
    return all(many == 1 for group, many in Counter(found).items() if about in (None, group))


def _one_ended(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return len(facts.alive) < len(facts.subs)


def _one_changed(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """One of several has ended, or is not of the plan any more that was bought."""
    bought = {one.id: one.plan for one in facts.sessions}
    other = any(sub.plan != bought.get(sub.session, sub.plan) for sub in facts.subs)
    return len(facts.subs) > 1 and (other or _one_ended(said, facts, sold, reader))


def _nothing_charged(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """Of a checkout that was left: nobody has paid it, or another one since it was opened without coming back."""
    about = [one for one in facts.sessions if one.id == said.subject]
    if not about:
        return True  # a refusal before any checkout: its own press took no money
    since = about[0].created - WHOLE_SECONDS
    return not any(one.paid_at is not None and one.paid_at >= since for one in facts.sessions)


def _not_charged_then(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The checkout that the page is about had not been paid; `facts` are those of when the page was opened."""
    about = [one for one in facts.sessions if one.id == said.subject]
    return bool(about) and all(one.paid_at is None for one in about)


def _checkout_ended(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The checkout that the page is about can't be paid any more, and was not."""
    about = [one for one in facts.sessions if one.id == said.subject]
    return bool(about) and all(one.status == "expired" and one.paid_at is None for one in about)


def _plan_unchanged(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    about = [one for one in facts.sessions if one.id == said.subject]
    if not about:
        return True
    since = about[0].created - WHOLE_SECONDS
    return not any(one.created >= since or (one.ended_at or since) > since for one in facts.subs)


def _submitted(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The checkout that the page is about was paid."""
    return any(one.paid_at is not None for one in facts.sessions if one.id == said.subject)


def _ordered(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """A checkout of items was paid."""
    return any(one.mode == "payment" and one.paid_at is not None for one in facts.sessions)


def _confirmed(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The checkout that the page is about was paid, as far as anybody can tell."""
    return any(_arrived(one, facts) for one in facts.sessions if one.id == said.subject)


def _any_confirmed(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """One of their checkouts was, in a list of them."""
    return any(_arrived(one, facts) for one in facts.sessions)


def _arrived(session: PaidSession, facts: Facts) -> bool:
    """It was paid; or a subscription of that plan has begun since, which nobody can tell from it."""
    since = session.created - WHOLE_SECONDS
    return session.paid_at is not None or any(sub.plan == session.plan and sub.created >= since for sub in facts.subs)


def _awaited(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """There is a checkout of theirs to wait for. Whether a service's word confirms it is not judged."""
    return bool(facts.sessions)


def _started(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    name = (said.plan or "").lower()
    return any(one.plan == name or any(name in price for price, *_rest in one.lines) for one in facts.sessions)


def _free_plan_sold(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return any(plan["kind"] == "free" and not plan.get("retired") for plan in sold.plans.values())


def _current(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The card's plan is the one that they have: at Stripe, or by the account's word."""
    if said.card is None:
        return True
    plan = next((plan for plan in sold.plans.values() if plan["id"] == said.card), None)
    if plan is not None and plan["kind"] == "free":
        return _free(said, facts, sold, reader)
    paid = [sub for sub in facts.subs if sub.live or (sub.status == "canceled" and sub.period_end > reader.now)]
    if any(sub.plan == said.card for sub in paid):
        return True
    account = facts.account
    if account.status == "canceled" and (account.until is None or account.until <= reader.now):
        return False
    return account.speaks and account.plan == said.card and account.status not in ("none", "", "incomplete_expired")


def _promised(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The operator states it."""
    return "cancel_any_time" in sold.promises


def _always(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
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
    Kind.CHANGES: _changes,
    Kind.NOTHING_RUNS: _nothing_runs,
    Kind.ENDS: _ends,
    Kind.PAST_DUE: _word("past_due"),
    Kind.UNPAID: _word("unpaid"),
    Kind.INCOMPLETE: _word("incomplete"),
    Kind.NEVER_STARTED: _word("incomplete_expired"),
    Kind.PAUSED: _word("paused"),
    Kind.ENDED: _ended,
    Kind.KEEPS: _keeps,
    Kind.WAS_TO_END: _was_to_end,
    Kind.PAID_UNTIL: _paid_until,
    Kind.ON_RECORD: _on_record,
    Kind.CALLED: _called,
    Kind.WOULD_GO_ON: _would_go_on,
    Kind.ACCOUNT_HAS: _account_has,
    Kind.ACCOUNT_LACKS: _account_lacks,
    Kind.BILLING_HAS: _billing_has,
    Kind.BILLING_LACKS: _billing_lacks,
    Kind.BILLING_LACKS_IT: _billing_lacks_it,
    Kind.BILLING_SAID: billing_said,
    Kind.BILLING_SAID_NONE: billing_said_none,
    Kind.ACCOUNT_SAID: account_said,
    Kind.ACCOUNT_SAID_NONE: account_said_none,
    Kind.ACCOUNT_SILENT: account_silent,
    Kind.LAST_KNOWN: last_known,
    Kind.GIVEN: _given,
    Kind.FREE: _free,
    Kind.ONCE: _once,
    Kind.ACCESS: access,
    Kind.NO_ACCESS: no_access,
    Kind.ACCESS_UNTIL: access_until,
    Kind.TWICE: _twice,
    Kind.MORE_THAN_ONE: _more_than_one,
    Kind.ONE_ENDED: _one_ended,
    Kind.ONE_CHANGED: _one_changed,
    Kind.NOTHING_CHARGED: _nothing_charged,
    Kind.PLAN_UNCHANGED: _plan_unchanged,
    Kind.NOT_CHARGED_THEN: _not_charged_then,
    Kind.CHECKOUT_ENDED: _checkout_ended,
    Kind.STARTED: _started,
    Kind.CONFIRMING: _always,
    Kind.SUBMITTED: _submitted,
    Kind.ORDERED: _ordered,
    Kind.CONFIRMED: _confirmed,
    Kind.BOUGHT: _any_confirmed,
    Kind.HAS_PRICE: has_price,
    Kind.PURCHASE: purchase,
    Kind.INVOICED: invoiced,
    Kind.INVOICE_IS: invoice_is,
    Kind.NO_INVOICES: no_invoices,
    Kind.AWAITED: _awaited,
    Kind.CARD_PRICE: card_price,
    Kind.ITEM_PRICE: item_price,
    Kind.AMOUNT: amount,
    Kind.TAXED: taxed,
    Kind.DUE_TODAY: due_today,
    Kind.TRIAL_OFFER: trial_offer,
    Kind.SAVING: saving,
    Kind.FREE_PLAN_SOLD: _free_plan_sold,
    Kind.CANCEL_ANY_TIME: _promised,
    Kind.CURRENT: _current,
    Kind.MAY_SWITCH: _always,
    Kind.NO_MONEY_MOVES: _always,
    Kind.CAN_CHOOSE: _always,
}

ABOUT_THE_PAST: Final = frozenset({Kind.NOTHING_CHARGED, Kind.PLAN_UNCHANGED})
"""What is said of what happened before the page was drawn: what came between is no news that is on its way."""

SAID_OF_THEN: Final = frozenset({Kind.NOT_CHARGED_THEN})
"""What is said of the moment at which the page was opened: nothing that comes later makes it false, or true."""

TELLABLE: Final = frozenset(RULES) - {
    Kind.RENEWS, Kind.HAS_PRICE, Kind.WILL_BE_CHARGED_THEN, Kind.NOTHING_CHARGED, Kind.PLAN_UNCHANGED, Kind.SUBMITTED,
    Kind.ORDERED, Kind.CONFIRMED, Kind.BOUGHT, Kind.CHANGES, Kind.CHECKOUT_ENDED, Kind.NOT_CHARGED_THEN, Kind.INVOICED,
    Kind.ONCE, Kind.INVOICE_IS, Kind.NO_INVOICES,
}  # fmt: skip
"""What a service says in words of its own, so that its word may be repeated. None of the first version names an amount
that will be charged, says that a subscription renews, or tells what became of a checkout."""

TOLD_IN_FULL: Final = frozenset({Kind.RENEWS, Kind.HAS_PRICE, Kind.CHANGES})
"""What a service of the second version says besides."""
