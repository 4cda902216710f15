"""What the oracle reads from a screen: which card says how old its words are, and what a press is shown to cost."""

from typing import cast

from nicegui.element import Element

from tests.truth.books import ADA
from truth.grammar import statements_of
from truth.judging import PriceShown, dated_cards, shown_price
from truth.oracle import History
from truth.people import BrowserTab, Person, PersonalBrowser
from truth.reading import Pressable, Reading, Said
from truth.statements import Statement

COURSE = ("item-grid", "item-course", "card", "card=7", "item-form")
STICKER = ("item-grid", "item-sticker", "card", "card=9", "item-form")


def test_what_an_item_costs_is_read_beside_the_button_that_buys_it() -> None:
    said = (Said("$5.00 once.", (*STICKER, "total-sticker")), Said("$98.00 once.", (*COURSE, "total-course")))
    tab = BrowserTab(PersonalBrowser(Person(ADA, History("UTC")), 0), "/shop", reading=Reading(said, ()))
    buy = Pressable("Buy now", cast("Element", None), (*COURSE, "buy-course"))
    closed = Pressable("Buy now", cast("Element", None), ("item-grid", "item-gone", "card", "card=11"))

    assert shown_price(tab, buy) == PriceShown(9800, "usd", 0)
    assert shown_price(tab, closed) is None


def test_only_the_card_that_says_how_old_its_words_are_is_old() -> None:
    first, second = ("card=1", "card", "group=main"), ("card=2", "card", "group=addons")
    reading = Reading(
        (Said("Last updated 5 minutes ago", first), Said("Active", first), Said("Paused", second), Said("Unpaid", ())),
        (),
    )

    old = dated_cards(reading)
    said = [one for one in statements_of(reading, "/payment") if isinstance(one, Statement)]
    assert [one.text for one in said if one.box in old] == ["Active"]


def test_words_of_age_outside_any_card_excuse_nothing() -> None:
    assert dated_cards(Reading((Said("Last updated 5 minutes ago", ()),), ())) == frozenset()
