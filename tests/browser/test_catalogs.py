"""Pages with catalogs as shops have them: nothing is wider than the screen, whatever is sold, and no texts pile up."""

import os
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Route

from harness.app_process import Product
from tools.cast import Stage, StagedUser, newcomer
from tools.catalogs import CATALOGS, selling
from tools.chromium import wait_until_connected
from tools.scenes import Scene, scene, wear

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

PILED_UP = """() => {
    const SEEN_APART = ".visually-hidden, [hidden], [aria-hidden=true], select, .banners[data-arrived]";
    const boxes = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const node = texts.currentNode, parent = node.parentElement;
        if (!node.data.trim() || parent.closest(SEEN_APART)) continue;
        if (!parent.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
        if (getComputedStyle(parent).clipPath !== "none") continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const box of range.getClientRects()) if (box.width > 1 && box.height > 1) boxes.push([box, node]);
    }
    const piled = [];
    for (const [index, [one, a]] of boxes.entries())
        for (const [other, b] of boxes.slice(index + 1))
            if (a !== b && one.left < other.right - 2 && other.left < one.right - 2
                && one.top + one.height / 4 < other.bottom - other.height / 4
                && other.top + other.height / 4 < one.bottom - one.height / 4)
                piled.push(`${a.data.slice(0, 30)} | ${b.data.slice(0, 30)}`);
    return piled;
}"""
"""Texts that lie on each other; what their lines have above and below their letters may. A banner that arrives stands
over the page's lower edge, and the page can be scrolled clear of it (`test_layout_shift.py`)."""

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


@pytest.mark.parametrize(
    ("path", "who"), [("/", None), ("/shop", None), ("/payment", newcomer), ("/account", newcomer)]
)
def test_the_longest_words_fit_into_the_other_pages(
    place: Stage, path: str, who: Callable[[Stage], StagedUser]
) -> None:
    with selling("long words")(place.product), Scene("words", path, who).open(place, locale="de") as page:
        for width in (320, 768, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert faults(page, width) == [], f"{path}, {width} px"


@pytest.mark.parametrize("name", ["pricing-past_due", "cart"])
def test_texts_of_the_usual_catalog_do_not_lie_on_each_other(place: Stage, name: str) -> None:
    with scene(name).open(place, locale="de", width=320) as page:
        assert page.evaluate(PILED_UP) == []


def test_texts_that_lie_on_each_other_are_seen(place: Stage) -> None:
    with scene("pricing").open(place) as page:
        page.add_style_tag(content=".plan-name{margin-block-end:-2em}")

        assert page.evaluate(PILED_UP) != []


def test_a_style_sheet_without_has_lays_it_out_as_well_and_shows_what_is_chosen(
    page: Page, shared_product: Product
) -> None:
    """As browsers read it that do not know `:has`: they leave such rules out, and take those for who lacks it."""

    def older(route: Route) -> None:
        answer = route.fetch()
        html, taken = re.subn(r"@supports not selector\(:has\(\*\)\)", "@supports (color:red)", answer.text())
        html, left_out = re.subn(r"[^{}<>]*:has\([^{}]*\{[^{}]*\}", "", html)
        assert taken == 2
        assert left_out > 10
        route.fulfill(response=answer, body=html)

    page.route("**/pricing", older)
    page.goto(f"{shared_product.url}/pricing")
    wait_until_connected(page)

    chosen = page.locator(".segment :checked + span")
    assert chosen.evaluate("(words) => getComputedStyle(words).textDecorationLine") == "underline"
    assert ":has(" not in page.content()
    for width in (320, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert faults(page, width) == [], f"{width} px"
        assert page.locator(".group-name > .icon:visible").count() == 0  # nothing folds


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
        *page.evaluate(PILED_UP),
    ]


def overlap(one: list[int], other: list[int]) -> bool:
    """Whether two boxes share more than an edge."""
    return one[0] < other[2] - 1 and other[0] < one[2] - 1 and one[1] < other[3] - 1 and other[1] < one[3] - 1
