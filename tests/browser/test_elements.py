"""NiceGUI as people know it: its elements on a full page, a plain page of a team's own, and the example to copy."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Response, expect

from harness.app_process import Product, running_product
from tests.browser.people import new_person, open_signed_in
from tools.a11y import violations_of
from tools.chromium import wait_until_connected
from tools.element_walk import EXTENSIONS, use_every_element, use_plain_page


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product with both examples."""
    with running_product(tmp_path_factory.mktemp("extended"), app={"EXTENSIONS": EXTENSIONS}) as product:
        yield product


@pytest.fixture
def product(extended: Product) -> Product:
    extended.reset()
    return extended


def policy_of(response: Response | None) -> str:
    assert response is not None
    directives = response.headers["content-security-policy"].split("; ")
    return next(directive for directive in directives if directive.startswith("script-src"))


def member(page: Page, product: Product, **cookies: str) -> None:
    """Sign in as a member of the plan that the example wants."""
    made = product.control("POST", "/users", email=new_person(), name="Ada Lovelace")
    product.control("POST", f"/users/{made['user_id']}/state", status="active")
    page.context.add_cookies([{"name": name, "value": value, "url": product.url} for name, value in cookies.items()])
    page.request.get("/auth/login?provider=google&next=/payment", max_redirects=0)
    page.request.get(f"/auth/callback?auth_code={made['auth_code']}", max_redirects=0)


def test_every_element_works_on_a_full_page(page: Page, product: Product) -> None:
    page.set_viewport_size({"width": 1280, "height": 2000})

    use_every_element(page, product.url)

    assert page.get_by_role("link", name="Pricing").first.is_visible()


def test_a_plain_page_of_nicegui_works(page: Page, product: Product) -> None:
    use_plain_page(page, product.url)


def test_only_full_pages_may_compile_and_every_script_has_the_nonce(page: Page, product: Product) -> None:
    member(page, product)
    light, full, plain = (policy_of(page.goto(path)) for path in ("/pricing", "/elements", "/plain"))

    assert "unsafe-eval" not in light
    assert "'unsafe-eval'" in full
    assert "'unsafe-eval'" in plain
    assert all("'nonce-" in policy and "unsafe-inline" not in policy for policy in (light, full, plain))


def test_one_theme_for_the_frame_and_for_quasar(page: Page, product: Product) -> None:
    page.goto("/elements")
    wait_until_connected(page)
    page.locator("[data-theme-choice][value=dark]").click()

    expect(page.locator("body")).to_have_class(re.compile("body--dark"))
    assert page.evaluate("getComputedStyle(document.querySelector('.q-card')).backgroundColor") == page.evaluate(
        "getComputedStyle(document.querySelector('.site-header')).backgroundColor"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_example_is_for_members_and_axe_finds_nothing(page: Page, product: Product, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    member(page, product, theme=theme)

    page.goto("/usage")
    wait_until_connected(page)

    expect(page.get_by_role("heading", name="Usage")).to_be_visible()
    expect(page.locator(".nicegui-echart canvas, .nicegui-echart svg").first).to_be_visible()
    expect(page.get_by_role("cell", name="1720")).to_be_visible()
    assert violations_of(page) == []
    page.get_by_label("Period").click()
    page.get_by_role("option", name="This month").click()
    expect(page.get_by_role("cell", name="9140")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_example_is_in_the_navigation_and_leads_others_to_the_plan(page: Page, product: Product) -> None:
    page.goto("/pricing")
    assert not page.get_by_role("link", name="Usage").count()
    open_signed_in(page, "/account")

    page.get_by_role("link", name="Usage").first.click()

    page.wait_for_url("**/upgrade?plan=basic*")


def test_the_example_speaks_the_readers_language(page: Page, product: Product) -> None:
    member(page, product, locale="ar")

    page.goto("/usage")
    wait_until_connected(page)

    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
