"""Five languages: the browser's at first, the chosen one from then on; amounts, dates and zones in each."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from harness.app_process import Product
from tools.cast import Stage, in_state
from tools.chromium import wait_until
from tools.scenes import scene


@pytest.fixture(scope="module")
def place(chromium: Browser, shared_product: Product) -> Stage:
    shared_product.reset()
    return Stage(shared_product, chromium)


@pytest.fixture
def german(chromium: Browser, product: Product) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=product.url, locale="de-AT", timezone_id="Europe/Vienna")
    yield context
    context.close()


def language(page: Page) -> tuple[str | None, str | None]:
    """Return the language and direction that a page says it has."""
    return page.locator("html").get_attribute("lang"), page.locator("html").get_attribute("dir")


def test_the_browsers_language_comes_first_and_a_choice_is_remembered(german: BrowserContext) -> None:
    page = german.new_page()
    page.goto("/pricing")
    assert language(page) == ("de", "ltr")
    expect(page.get_by_role("heading", level=1)).to_have_text("Wählen Sie den passenden Tarif")

    page.get_by_role("combobox", name="Sprache").select_option("ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    other = german.new_page()
    other.goto("/")

    assert language(other) == ("ar", "rtl")
    expect(other.get_by_role("heading", level=1)).to_have_text("خطط تنمو مع عملك")


@pytest.mark.parametrize(
    ("locale", "amount"), [("en", "$29"), ("de", "29 US$"), ("es", "29 US$"), ("ja", "US$29"), ("ar", "29")]
)
def test_amounts_are_written_as_the_language_writes_them(place: Stage, locale: str, amount: str) -> None:
    with scene("pricing").open(place, locale=locale) as page:
        text = page.get_by_test_id("plan-price-premium").inner_text()

    assert amount in text.replace("\u00a0", " ").replace("\u200f", "").replace("\u200e", ""), text


@pytest.mark.parametrize("locale", ["en", "de", "es", "ja", "ar"])
def test_no_english_is_left_on_the_billing_page(place: Stage, locale: str) -> None:
    with scene("payment-past_due").open(place, locale=locale) as page:
        text = page.get_by_role("main").inner_text()

    assert ("Update payment method" in text) == (locale == "en")
    assert ("Your last payment for Premium failed" in text) == (locale == "en")


def test_arabic_is_mirrored(place: Stage) -> None:
    with scene("pricing").open(place, locale="ar") as page:
        brand = page.locator(".brand").bounding_box()
        tools = page.locator(".site-tools").bounding_box()
        first, last = (page.get_by_test_id(f"plan-card-{name}").bounding_box() for name in ("free", "enterprise"))
        spacing = page.locator("h1").evaluate("element => getComputedStyle(element).letterSpacing")

    assert brand is not None
    assert tools is not None
    assert first is not None
    assert last is not None
    assert brand["x"] > 720 > tools["x"]
    assert first["x"] > last["x"]
    assert spacing in ("normal", "0px")


def test_japanese_lines_break_between_words(place: Stage) -> None:
    with scene("pricing").open(place, locale="ja", width=390) as page:
        rules = page.locator("h1").evaluate(
            "element => { const s = getComputedStyle(element); return [s.wordBreak, s.lineBreak, s.letterSpacing]; }"
        )

    assert rules[0] == "auto-phrase"
    assert rules[1] == "strict"
    assert rules[2] in ("normal", "0px")


@pytest.mark.parametrize(("zone", "other"), [("Pacific/Kiritimati", "Pacific/Pago_Pago")])
def test_times_are_in_the_browsers_zone(place: Stage, zone: str, other: str) -> None:
    who = in_state("active")(place)
    days = set()
    for name in (zone, other):
        context = place.browser.new_context(base_url=place.product.url, timezone_id=name)
        context.add_cookies(who.cookies)
        page = context.new_page()
        page.goto("/pricing")
        expect(page.get_by_test_id("plan-card-premium")).to_be_visible()
        wait_until(page, "document.cookie.includes('timezone=')")
        page.goto("/payment")
        days.add(page.locator("main time").first.inner_text())
        context.close()

    assert len(days) == 2, days


TOPS = (
    "() => [...document.querySelectorAll('.plan-card > *')].map((part) => Math.round(part.getBoundingClientRect().top))"
)


@pytest.mark.parametrize(("locale", "width"), [("en", 390), ("de", 1024), ("es", 1280), ("ar", 320)])
def test_the_choice_of_yearly_prices_moves_nothing(place: Stage, locale: str, width: int) -> None:
    with scene("pricing").open(place, locale=locale, width=width) as page:
        before = page.evaluate(TOPS)
        monthly = page.get_by_test_id("plan-price-premium").inner_text()
        page.get_by_test_id("interval-year").check(force=True)
        expect(page.get_by_test_id("plan-price-premium")).not_to_have_text(monthly)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

        assert page.evaluate(TOPS) == before


@pytest.mark.parametrize(("locale", "width"), [("ja", 390), ("ar", 390), ("de", 390), ("de", 320)])
def test_a_long_name_of_the_house_is_not_cut_on_a_phone(place: Stage, locale: str, width: int) -> None:
    with scene("pricing").open(place, locale=locale, width=width) as page:
        name = page.locator(".brand-name")
        box = name.bounding_box()
        cut = name.evaluate("(box) => box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1")

        assert not cut
        assert box is not None
        assert box["width"] > 40
