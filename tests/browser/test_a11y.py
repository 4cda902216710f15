"""Every page in every state: no violation that axe can see, one heading, room for a thumb, no scrolling sideways."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from harness.app_process import Product
from tests.browser.staged import LENGTHEN, OVERFLOWING, SMALL_TARGETS
from tools.a11y import violations_of
from tools.cast import Stage
from tools.scenes import SCENES, Scene, scene, wear

ALIKE = {
    "home-signed-in",
    "pricing-year",
    "pricing-six-plans",
    "login-expired",
    "cart-empty",
    "payment-trialing",
    "payment-ending",
    "payment-unpaid",
    "payment-incomplete",
    "payment-incomplete_expired",
    "payment-paused",
    "payment-canceled",
    "payment-comped",
    "payment-unknown",
    "payment-outdated",
    "payment-arrived",
    "payment-problem",
    "payment-opened",
    "payment-from-portal",
    "payment-lost",
    "payment-loading",
    "payment-unreachable",
    "payment-unreachable-known",
    "cart-problem",
    "shop-in-cart",
    "menu-folded",
    "account",
    "success-not-ours",
    "cancel-unknown",
    "ops",
}
"""Scenes that are put together like others here, that leave the app believing a service to be away, or that have tests
elsewhere; `make a11y` looks at them too, and at the brands, which are processes of their own."""
SEEN = [each for each in SCENES if each.name not in ALIKE and not each.brand and not each.plain]
LOOKS = tuple((theme, locale) for locale in ("en", "ar", "de", "ja", "es") for theme in ("light", "dark"))
"""Each scene is looked at in one of these, in turn; `make a11y` looks at every scene in all of them."""
NARROW = (320, 640)
"""A small phone, and a window of 1280 px at a zoom of 200 %."""


@pytest.fixture(scope="module")
def place(chromium: Browser, shared_product: Product) -> Iterator[Stage]:
    shared_product.reset()
    yield Stage(shared_product, chromium)
    shared_product.reset()


@pytest.mark.parametrize(
    ("each", "theme", "locale"),
    [pytest.param(each, *LOOKS[number % len(LOOKS)], id=each.name) for number, each in enumerate(SEEN)],
)
def test_everybody_can_use_it(place: Stage, each: Scene, theme: str, locale: str) -> None:
    with each.open(place, locale=locale, width=1280) as page:
        wear(page, theme)
        found = violations_of(page)
        landmarks = {name: page.locator(name).count() for name in ("h1", "main", "header", "footer")}
        for width in NARROW:
            page.set_viewport_size({"width": width, "height": 800})
            found += [f"at {width}: {each}" for each in page.evaluate(OVERFLOWING)]
        found += [f"small: {each}" for each in page.evaluate(SMALL_TARGETS)]

    assert found == []
    assert landmarks["h1"] <= 1
    assert each.name == "embed" or landmarks == {"h1": 1, "main": 1, "header": 1, "footer": 1}


def test_everybody_can_read_what_the_api_does(place: Stage) -> None:
    with scene("api-docs").open(place, width=1280, theme="dark") as page:
        found = violations_of(page)
        for width in NARROW:
            page.set_viewport_size({"width": width, "height": 800})
            found += [f"at {width}: {each}" for each in page.evaluate(OVERFLOWING)]

    assert found == []


@pytest.mark.parametrize(
    "name", ["home", "pricing", "shop", "cart", "payment-past_due", "payment-none", "success-active", "account"]
)
def test_texts_may_be_forty_percent_longer(place: Stage, name: str) -> None:
    with scene(name).open(place) as page:
        page.evaluate(LENGTHEN)
        found = []
        for width in (320, 390, 768, 1024, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            found += [f"at {width}: {each}" for each in page.evaluate(OVERFLOWING)]

    assert found == []


@pytest.mark.parametrize("name", ["pricing", "payment-active", "account"])
def test_a_readers_own_text_size_counts(place: Stage, name: str) -> None:
    with scene(name).open(place, width=1280) as page:
        page.evaluate("document.documentElement.style.fontSize = '200%'")

        assert page.evaluate(OVERFLOWING) == []


def test_nothing_moves_for_those_who_do_not_want_it(place: Stage) -> None:
    with scene("payment-busy").open(place) as page:
        button = page.locator(".button[data-busy]")
        seconds = button.evaluate("element => getComputedStyle(element, '::after').animationDuration")

    assert float(seconds.removesuffix("s")) < 0.001


def test_forced_colours_keep_what_colour_says(place: Stage) -> None:
    with scene("pricing").open(place, forced_colors="active") as page:
        page.get_by_test_id("interval-year").focus()
        chosen, other = (
            page.locator(f"label.segment:has(#interval-{name})").evaluate(
                "element => getComputedStyle(element).backgroundColor + getComputedStyle(element).outlineStyle"
                " + getComputedStyle(element).borderTopColor"
            )
            for name in ("month", "year")
        )

        assert chosen != other
