"""The grammar: what a sentence claims, and that one it does not know is told."""

import pytest

from truth.grammar import Unknown, statements_of
from truth.reading import Reading, Said
from truth.statements import Kind, Money, Statement


def said(text: str, *within: str) -> list[Statement | Unknown]:
    return list(statements_of(Reading((Said(text, within),), ()), "/payment"))


def test_a_renewal_is_read_with_its_day_and_amount() -> None:
    [statement] = said("Renews on 1 January 2027 for $29.00.")

    assert isinstance(statement, Statement)
    assert (statement.kind, statement.day, statement.money) == (Kind.RENEWS, "1 January 2027", Money(2900, "usd"))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("$29 per month", Money(2900, "usd")),
        ("€1,299.50 per month", Money(129950, "eur")),
        ("¥800 each", Money(800, "jpy")),
    ],
)
def test_amounts_are_read_in_minor_units(text: str, amount: Money) -> None:
    [statement] = said(text)

    assert isinstance(statement, Statement)
    assert statement.money == amount


def test_a_price_belongs_to_the_card_on_which_it_stands() -> None:
    [statement] = said("$29.00 today, then monthly.", "plan-grid", "plan-card-premium", "plan-note")

    assert isinstance(statement, Statement)
    assert (statement.kind, statement.card, statement.interval) == (Kind.DUE_TODAY, "premium", "month")


@pytest.mark.parametrize(
    ("text", "kind", "plan", "word", "day"),
    [
        ("Billing, 2 hours ago: no subscription.", Kind.BILLING_SAID_NONE, None, None, None),
        (
            "Billing, just now: Premium, Payment failed, current period until 1 January 2027.",
            Kind.BILLING_SAID, "Premium", "Payment failed", "1 January 2027",
        ),
        ("Billing, just now: Premium, until January 1.", Kind.BILLING_SAID, "Premium", None,
         "January 1"),
        ("Your account, just now: gold-2023, Active, until 6 December.", Kind.ACCOUNT_SAID, "gold-2023", "Active",
         "6 December"),
        ("Your account, just now: nothing about plans.", Kind.ACCOUNT_SILENT, None, None, None),
        ("Last known: Payment failed, 3 minutes ago.", Kind.LAST_KNOWN, None, "Payment failed", None),
        ("Paused", Kind.PAUSED, None, None, None),
        ("Not confirmed", Kind.AWAITED, None, None, None),
        ("Still confirming", Kind.AWAITED, None, None, None),
        ("To be paid", Kind.INVOICE_IS, None, "To be paid", None),
        ("No invoices yet.", Kind.NO_INVOICES, None, None, None),
    ],
)  # fmt: skip
def test_words_of_services_and_badges_are_claims(
    text: str, kind: Kind, plan: str | None, word: str | None, day: str | None
) -> None:
    [statement] = said(text)

    assert isinstance(statement, Statement)
    assert (statement.kind, statement.plan, statement.word, statement.day) == (kind, plan, word, day)


def test_a_sentence_is_about_the_group_of_its_card() -> None:
    [statement] = said("Paid until 1 January 2027.", "card=7", "card", "group=addons", "subscription-sentence")

    assert isinstance(statement, Statement)
    assert (statement.kind, statement.group) == (Kind.PAID_UNTIL, "addons")


def test_a_sum_belongs_to_the_item_in_whose_entry_it_stands() -> None:
    [statement] = said("$98.00 once.", "card", "item-course", "item-form")

    assert isinstance(statement, Statement)
    assert (statement.kind, statement.items, statement.money) == (
        Kind.ITEM_PRICE,
        ("course", "form"),
        Money(9800, "usd"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "You'll get a refund of $5.00 tomorrow.",
        "Your card expires in May.",
        "Premium renews by itself.",
        "Nobody was charged so far.",
        "It ends on 3 March 2027, perhaps.",
    ],
)
def test_a_sentence_about_money_dates_or_state_that_nobody_knows_is_told(text: str) -> None:
    [found] = said(text)

    assert isinstance(found, Unknown)


@pytest.mark.parametrize("text", ["Skip to content", "Unlimited projects", "Check again", "We never see your card."])
def test_a_sentence_that_claims_nothing_is_let_be(text: str) -> None:
    assert said(text) == []
