"""The pricing page with catalogs as shops have them: nothing is wider than the screen, whatever is sold."""

import os

import pytest
from playwright.sync_api import Browser, Page

from harness.app_process import Product
from tools.cast import Stage
from tools.catalogs import CATALOGS, selling
from tools.scenes import Scene, wear

LOCALES = ("de", "ar", "en") if os.environ.get("ALL_LOCALES") else ("de", "ar")
"""The longest words, and the mirrored page; English is shorter than both."""

WIDTHS = (320, 390, 768, 1024, 1440)
WIDEST_CARD = 24 * 16

TOO_WIDE = """() => [...document.querySelectorAll("main *")].filter((element) => {
    const box = element.getBoundingClientRect();
    const hidden = element.closest(".visually-hidden") || getComputedStyle(element).visibility === "hidden";
    return !hidden && box.width > 0 && (box.right > innerWidth + 1 || box.left < -1);
}).map((element) => `${element.tagName}.${element.className}: ${element.textContent.slice(0, 40)}`)"""

CUT_OFF = """() => [...document.querySelectorAll(".plan-card *, .comparison *")].filter((element) => {
    const inline = getComputedStyle(element).display === "inline";
    return !inline && !element.closest(".visually-hidden") && element.scrollWidth > element.clientWidth + 1;
}).map((element) => `${element.tagName}.${element.className}: ${element.textContent.slice(0, 40)}`)"""

CARDS = """() => [...document.querySelectorAll(".plan-card")].map((card) => {
    const box = card.getBoundingClientRect();
    return [box.left, box.top, box.right, box.bottom].map(Math.round);
})"""


@pytest.fixture(scope="module")
def place(chromium: Browser, shared_product: Product) -> Stage:
    shared_product.reset()
    return Stage(shared_product, chromium)


@pytest.mark.parametrize("name", CATALOGS)
def test_nothing_is_wider_than_the_screen_or_than_its_card(place: Stage, name: str) -> None:
    with selling(name)(place.product):
        for locale in LOCALES:
            with Scene("pricing", "/pricing?interval=year").open(place, locale=locale) as page:
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": 900})
                    assert faults(page, width) == [], f"{name}, {locale}, {width} px"
                light = page.evaluate(CARDS)
                wear(page, "dark")
                assert page.evaluate(CARDS) == light, f"{name}, {locale}: another layout in the dark"


def faults(page: Page, width: int) -> list[object]:
    """Return what does not fit: the page, what is in it, cards that are too wide or lie on each other."""
    cards = page.evaluate(CARDS)
    wide = [card for card in cards if card[2] - card[0] > WIDEST_CARD]
    piled = [(one, other) for one in cards for other in cards if one != other and overlap(one, other)]
    scrolls = [page.evaluate("document.documentElement.scrollWidth")]
    return [
        *wide,
        *piled,
        *(each for each in scrolls if each > width),
        *page.evaluate(TOO_WIDE),
        *page.evaluate(CUT_OFF),
    ]


def overlap(one: list[int], other: list[int]) -> bool:
    """Whether two boxes share more than an edge."""
    return one[0] < other[2] - 1 and other[0] < one[2] - 1 and one[1] < other[3] - 1 and other[1] < one[3] - 1
