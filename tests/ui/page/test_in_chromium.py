"""What only a browser can show: nothing moves when the page comes alive, one press is one press, every width fits."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from tests.ui.simulation import ROOT
from tools.chromium import ARGUMENTS, EXECUTABLE, wait_until, wait_until_connected

pytestmark = pytest.mark.browser

PAGES = ("/", "/pricing", "/login", "/nope", "/broken")
WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
}).observe({ type: "layout-shift", buffered: true });
"""
LAYOUT = """
() => [...document.querySelectorAll("#app *")].map((element) => {
  const box = element.getBoundingClientRect();
  return [element.tagName, element.className, Math.round(box.x), Math.round(box.y), Math.round(box.width),
          Math.round(box.height), element.children.length ? "" : element.textContent];
})
"""
HOLD_PAINT = """
window.PerformanceObserver = class {
  static supportedEntryTypes = ["paint"];
  constructor(tell) { this.tell = tell; }
  observe(options) {
    if (options.type === "paint") window.sayPainted = () => this.tell({ getEntriesByName: () => [{}] });
  }
};
const later = window.setTimeout;
if ("KIND" !== "never said")
  window.setTimeout = (call, after, ...rest) => later(call, after === 1000 ? 1e6 : after, ...rest);
if ("KIND" === "hidden") Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
"""


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (folder / "log").open("wb")
    command = [sys.executable, "-m", "tests.ui.served", str(port), str(folder)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "NICEGUI"))}
    server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment)
    try:
        wait_for(server, f"http://localhost:{port}/pricing", folder / "log")
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def wait_for(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            httpx.get(url, timeout=5, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, base_url: str) -> Iterator[Callable[..., Page]]:
    """Open a page in a browser of its own. Anything the console complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_one(path: str, *, width: int = 1440, cookies: dict[str, str] | None = None, **options: Any) -> Page:
        context = chromium.new_context(base_url=base_url, viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        context.add_cookies(
            [{"name": name, "value": value, "url": base_url} for name, value in (cookies or {}).items()]
        )
        page = context.new_page()
        page.on("console", lambda message: note(message.type, message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.add_init_script(WATCH_SHIFTS)
        page.goto(path)
        if options.get("java_script_enabled", True):
            wait_until_connected(page)
        return page

    def note(kind: str, text: str) -> None:
        asked_for = "the server responded with a status of" in text
        if kind in {"error", "warning"} and not asked_for:
            complaints.append(text)

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def test_scripts_are_asked_for_once_the_text_is_on_screen(open_page: Callable[..., Page]) -> None:
    page = open_page("/pricing")

    painted, asked = page.evaluate(
        """[
          performance.getEntriesByName("first-contentful-paint")[0].startTime,
          performance.getEntriesByType("resource")
            .filter(({ name }) => /nicegui.*\\.js/.test(name)).map(({ startTime }) => startTime),
        ]"""
    )

    assert len(asked) == 3
    assert min(asked) >= painted


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [320, 768, 1440])
def test_nothing_moves_when_the_page_comes_alive(open_page: Callable[..., Page], path: str, width: int) -> None:
    page = open_page(path, width=width)
    wait_until(page, "document.readyState === 'complete'")

    assert sum(page.evaluate("window.shifts")) <= 0.02


def place(page: Page, selector: str) -> object:
    """Return where the first such element is, None without one."""
    found = page.locator(selector).first
    return found.bounding_box() if found.count() else None


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("locale", ["en", "ar"])
def test_the_first_html_is_laid_out_as_the_living_page(open_page: Callable[..., Page], path: str, locale: str) -> None:
    cookies = {"locale": locale, "visitor": "ada", "theme": "light"} if path != "/login" else {"locale": locale}
    still = open_page(path, cookies=cookies, java_script_enabled=False)
    living = open_page(path, cookies=cookies)
    still.evaluate("document.querySelectorAll('noscript').forEach((element) => element.remove())")
    assert place(still, ".interval-links") == place(living, ".interval-links + .interval-form")  # it stands in for it
    still.evaluate("document.documentElement.dataset.scripted = ''")
    living.evaluate("document.querySelectorAll('noscript').forEach((element) => element.remove())")

    assert living.evaluate(LAYOUT) == still.evaluate(LAYOUT)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("locale", ["en", "ar"])
def test_no_page_scrolls_sideways(open_page: Callable[..., Page], path: str, locale: str) -> None:
    page = open_page(path, cookies={"locale": locale, "visitor": "ada"})
    for width in (320, 390, 768, 1024, 1920):
        page.set_viewport_size({"width": width, "height": 900})

        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_page: Callable[..., Page], path: str, theme: str) -> None:
    page = open_page(path, cookies={"theme": theme}, bypass_csp=True, reduced_motion="reduce")
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})

        found = Axe().run(page)

        assert found.violations_count == 0, found.generate_report()


def test_controls_are_large_enough_for_a_thumb(open_page: Callable[..., Page]) -> None:
    page = open_page("/pricing", width=390)

    small = page.evaluate(
        """() => [...document.querySelectorAll("a, button, summary, select, label.segment")]
          .filter((element) => element.checkVisibility() && !element.closest("p, .skip-link, .theme-choice"))
          .map((element) => [element.textContent.trim(), element.getBoundingClientRect().height])
          .filter(([, height]) => height < 44)"""
    )

    assert small == []


OFF_ITS_LINE = """() => {
  const line = document.createRange(), center = ({ top, height }) => top + height / 2;
  line.selectNodeContents(document.querySelector(".notice p"));
  const icon = document.querySelector(".notice > .icon").getBoundingClientRect();
  return Math.abs(center(icon) - center(line.getClientRects()[0]));
}"""


@pytest.mark.parametrize("width", [390, 1440])
def test_a_notices_icon_stands_at_its_first_line(open_page: Callable[..., Page], width: int) -> None:
    page = open_page("/login?error=expired", width=width)
    above_a_button = """() => document.querySelector(".notice-body").insertAdjacentHTML(
      "beforeend", "<a class='button button-secondary'>See it</a>")"""

    assert page.evaluate(OFF_ITS_LINE) <= 1.5
    page.evaluate("() => { document.querySelector('.notice p').textContent = 'Short.' }")
    page.evaluate(above_a_button)
    assert page.evaluate(OFF_ITS_LINE) <= 1.5


def test_the_switch_answers_at_once_and_the_server_follows(open_page: Callable[..., Page]) -> None:
    page = open_page("/pricing")

    at_once = page.evaluate(
        """() => { document.getElementById("interval-year").click();
                   return document.querySelector("[data-testid=plan-price-premium]").textContent; }"""
    )

    assert at_once == "$24.17 per month"
    expect(page.get_by_test_id("plan-price-premium")).to_have_text("$24.17 per month")
    expect(page.get_by_test_id("plan-card-premium")).to_contain_text("$290.00 today, then yearly.")


def test_the_switch_moves_nothing(open_page: Callable[..., Page]) -> None:
    page = open_page("/pricing")
    places = "() => [...document.querySelectorAll('.plan-card, .plan-card *')].map((e) => e.getBoundingClientRect().y)"
    before = page.evaluate(places)

    page.get_by_test_id("interval-year").check()
    expect(page.get_by_test_id("plan-price-premium")).to_have_text("$24.17 per month")

    assert page.evaluate(places) == before


def test_the_switch_is_a_radio_group_for_the_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page("/pricing")

    page.get_by_test_id("interval-month").focus()
    page.keyboard.press("ArrowRight")

    expect(page.get_by_test_id("interval-year")).to_be_checked()
    expect(page.get_by_test_id("plan-price-basic")).to_have_text("$7.50 per month")


def test_many_clicks_are_one_press(open_page: Callable[..., Page]) -> None:
    page = open_page("/presses?seconds=0.5")
    button = page.get_by_test_id("subscribe-premium")

    busy, said = page.evaluate(
        """() => {
          const button = document.querySelector("[data-testid=subscribe-premium]");
          for (let i = 0; i < 20; i++) button.click();
          return [button.dataset.busy, document.getElementById("announcements").textContent];
        }"""
    )

    assert (busy, said) == ("", "Opening secure checkout…")
    expect(page.get_by_test_id("notice")).to_be_focused()
    expect(button).not_to_have_attribute("data-busy", "")
    expect(page.get_by_test_id("pressed")).to_have_text("pressed: premium-month")


def test_a_released_button_can_be_pressed_again(open_page: Callable[..., Page]) -> None:
    page = open_page("/presses?seconds=0")
    for times in (1, 2):
        page.get_by_test_id("subscribe-basic").click()
        expect(page.get_by_test_id("pressed")).to_have_text("pressed:" + " basic-month" * times)
        expect(page.get_by_test_id("subscribe-basic")).not_to_have_attribute("data-busy", "")


def test_a_slow_answer_is_explained_and_given_up(open_page: Callable[..., Page]) -> None:
    page = open_page("/presses?seconds=30")

    page.get_by_test_id("subscribe-premium").click()

    form = page.locator("form:has([data-testid=subscribe-premium])")
    expect(form).to_have_attribute("data-slow", "This takes longer than usual. Nothing has been charged.", timeout=6000)
    expect(page.get_by_test_id("subscribe-premium")).not_to_have_attribute("data-busy", "", timeout=12_000)
    expect(page.locator("#announcements")).to_contain_text("isn't answering")


def test_without_a_socket_the_form_is_posted(open_page: Callable[..., Page]) -> None:
    page = open_page("/presses")
    page.evaluate("window.socket.disconnect()")

    page.get_by_test_id("subscribe-premium").click()

    page.wait_for_url("**/payment/checkout")
    assert "posted" in page.content()


def test_without_a_script_the_page_is_whole(open_page: Callable[..., Page]) -> None:
    page = open_page("/pricing", java_script_enabled=False)

    expect(page.get_by_test_id("plan-price-premium")).to_have_text("$29 per month")
    expect(page.get_by_test_id("interval-year")).to_be_hidden()
    page.get_by_test_id("interval-year-link").click()
    expect(page.get_by_test_id("plan-price-premium")).to_have_text("$24.17 per month")
    page.get_by_test_id("subscribe-premium").click()
    page.wait_for_url("**/payment/checkout")


def test_what_was_begun_before_the_page_came_alive_is_kept(open_page: Callable[..., Page]) -> None:
    held: list[Route] = []
    page = open_page("/login")  # for a context to prepare
    page.route("**/vue.esm-browser.prod.js", lambda route: held.append(route))
    page.goto("/pricing", wait_until="commit")
    year = page.get_by_test_id("interval-year")
    year.check()
    page.locator(".question summary").first.click()
    while not held:
        page.wait_for_timeout(20)
    expect(page.locator("#c0")).to_have_count(0)
    held[0].continue_()

    wait_until_connected(page)

    expect(year).to_be_checked()
    expect(page.get_by_test_id("plan-price-premium")).to_have_text("$24.17 per month")
    assert page.evaluate("document.querySelector('.question').open")


def test_the_theme_is_changed_in_place_and_remembered(open_page: Callable[..., Page]) -> None:
    page = open_page("/")

    page.get_by_role("button", name="Dark").click()

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.goto("/pricing")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(12, 14, 20)"


def test_the_zone_of_the_browser_is_remembered(open_page: Callable[..., Page]) -> None:
    page = open_page("/", timezone_id="Asia/Tokyo")

    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    assert cookies["timezone"] == "Asia%2FTokyo"


def test_a_lost_connection_is_a_calm_line_that_goes_again(open_page: Callable[..., Page]) -> None:
    page = open_page("/pricing")
    bar = page.locator("#popup")

    page.evaluate(
        """() => {
          const bar = document.getElementById("popup");
          window.said = [];
          new MutationObserver(() => said.push(bar.textContent)).observe(bar, { childList: true });
          socket.io.engine.close();
        }"""
    )
    wait_until(page, "window.socket.connected && document.getElementById('popup').ariaHidden === 'true'")

    assert page.evaluate("said[0]") == "Connection lost. Reconnecting…"
    expect(bar).to_have_text("You're back online.")
    expect(bar).to_be_hidden()


def test_a_step_within_the_site_starts_at_the_new_heading(open_page: Callable[..., Page]) -> None:
    page = open_page("/")

    page.get_by_role("link", name="Compare plans").click()

    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_menus_open_by_keyboard_and_close_by_escape(open_page: Callable[..., Page]) -> None:
    page = open_page("/", cookies={"visitor": "ada"})
    summary = page.locator(".account summary")

    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("sign-out")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.get_by_test_id("sign-out")).to_be_hidden()
    expect(summary).to_be_focused()


def test_the_skip_link_is_first_and_leads_to_the_content(open_page: Callable[..., Page]) -> None:
    page = open_page("/pricing")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()


def test_forced_colours_keep_icons_and_borders(open_page: Callable[..., Page]) -> None:
    page = open_page("/pricing", forced_colors="active")

    shown = page.evaluate(
        "() => { const icon = getComputedStyle(document.querySelector('.features .icon'));"
        " return icon.backgroundColor !== getComputedStyle(document.body).backgroundColor }"
    )

    assert shown


@pytest.mark.parametrize("kind", ["shown", "never said", "hidden"])
def test_vue_begins_when_the_text_is_on_screen_and_does_not_wait_for_ever(
    chromium: Browser, base_url: str, kind: str
) -> None:
    page = chromium.new_page(base_url=base_url)
    page.add_init_script(HOLD_PAINT.replace("KIND", kind))
    page.goto("/pricing")

    if kind == "shown":
        wait_until(page, "Boolean(window.sayPainted)")
        before = page.evaluate("[Boolean(document.querySelector('h1')), Boolean(document.getElementById('c0'))]")
        page.evaluate("sayPainted()")
        assert before == [True, False]
    page.locator("#c0").wait_for(state="attached", timeout=10_000)
    page.close()


def test_a_socket_that_comes_back_finds_the_page_it_left(open_page: Callable[..., Page]) -> None:
    page = open_page("/presses?seconds=0")
    page.evaluate("window.sameDocument = true")
    presses = page.get_by_test_id("pressed")
    for turn in (1, 2):
        page.get_by_test_id("subscribe-basic").click()
        expect(presses).to_have_text(re.compile(f"^pressed:( basic-month){{{turn}}}$"))
        before = page.evaluate("socket.id")
        page.evaluate("socket.io.engine.close()")
        wait_until(page, f"socket.connected && socket.id !== {before!r}", seconds=20)

    assert page.evaluate("window.sameDocument") is True
