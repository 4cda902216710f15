"""The rules of prices: what is sold, what is paid now and then, and what a year saves."""

from collections.abc import Mapping
from typing import Any, Final

from truth.facts import Facts, Sub
from truth.rule import NEWS_TIME, CatalogFacts, ReadersDay, opened_on, subs_of
from truth.statements import Statement

INVOICE_WORDS: Final[Mapping[str, str]] = {
    "draft": "Draft", "open": "To be paid", "paid": "Paid", "void": "Void", "uncollectible": "Not collected"
}  # fmt: skip
"""Stripe's words for an invoice, as pages write them."""


def has_price(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The list price and the interval of something that they have."""
    return any(is_priced(said, sub) for sub in subs_of(said, facts.alive))


def is_priced(said: Statement, sub: Sub) -> bool:
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


def card_price(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
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


def item_price(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """What an item's entry asks for: of one, or of as many as are sold at once."""
    mine = [item for item in sold.items if item["id"] in said.items]
    return any(
        _so_many(said, item) in range(1, 2 if "each" in said.text else item["max_quantity"] + 1) for item in mine
    )


def _so_many(said: Statement, item: Mapping[str, Any]) -> int:
    """How many of an item a sum is; 0 where it is another one's."""
    money, price = said.money, item["price"]
    if money is None or money.currency != price["currency"] or money.amount % price["amount"]:
        return 0
    return int(money.amount // price["amount"])


def amount(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """A sum without words: in an item's entry it is the item's. Elsewhere words or a press say what it is for."""
    known = any(item["id"] in said.items for item in sold.items)
    return not known or item_price(said, facts, sold, reader)


def taxed(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return sold.tax == ("included" if "include" in (said.word or "") else "added")


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


def purchase(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """One of their checkouts was over that amount, and was started that day."""
    return any(
        said.money is not None
        and (one.total, one.lines[0][3]) == (said.money.amount, said.money.currency)
        and opened_on(one, said, facts, reader)
        for one in facts.sessions
    )


def invoiced(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """There is such an invoice of that day."""
    money = said.money
    return money is not None and any(
        (money.amount, money.currency) == (amount, currency) and reader.same_day(day, said.day)
        for day, amount, currency, _status in facts.invoices
    )


def invoice_is(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The invoice of that row, by its sum and day, is in that state."""
    money = said.money
    return money is not None and any(
        (money.amount, money.currency, said.word) == (amount, currency, INVOICE_WORDS[status])
        and reader.same_day(day, said.day)
        for day, amount, currency, status in facts.invoices
    )


def no_invoices(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return not facts.invoices


def due_today(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return any(
        said.money is not None
        and (price["amount"], price["currency"]) == (said.money.amount, said.money.currency)
        and price["interval"] == said.interval
        and (said.word is not None) == (sold.tax == "added")
        and not (sold.trials and price.get("trial_days"))
        for price in _prices_of(said, sold)
    )


def trial_offer(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The catalog offers that trial, and this user has had no trial or subscription of that plan."""
    if said.subject:
        return _session_price(said, facts)
    if not sold.trials:
        return False
    had = [sub for sub in facts.subs if sub.plan == said.card and sub.created < reader.now - NEWS_TIME]
    if had and not said.visitor:
        return False
    return any(
        price.get("trial_days", 0) == (said.count or price.get("trial_days", 0)) != 0
        and (said.money is None or (price["amount"], price["currency"]) == (said.money.amount, said.money.currency))
        for price in _prices_of(said, sold)
    )


def saving(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
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


def free_plan_sold(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return any(plan["kind"] == "free" and not plan.get("retired") for plan in sold.plans.values())


def promised(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    """The operator states it."""
    return "cancel_any_time" in sold.promises
