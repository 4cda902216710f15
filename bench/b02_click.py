"""From the click on a plan to the browser's navigation, in Chromium, minus the time of the calls in between."""

import statistics
from pathlib import Path

from playwright.sync_api import Browser, Page

from bench.browser import chromium
from bench.results import Figure, at_most
from bench.world import MeasuredProduct, our_world
from tools.chromium import wait_until_connected

CLICKS = 7
_NOTE_CLICK = """() => document.addEventListener('click',
    event => console.log('clicked', performance.timeOrigin + event.timeStamp), {capture: true, once: true})"""


def run(folder: Path) -> list[Figure]:
    """Click as several people, each on a page of their own."""
    with our_world(folder) as world, chromium() as browser:
        taken = [_click(world, browser) for _ in range(CLICKS)]
    whole = statistics.median(total for total, _upstream in taken)
    upstream = statistics.median(upstream for _total, upstream in taken)
    own = statistics.median(total - upstream for total, upstream in taken)
    figure = Figure(
        2, "click to navigation, p50", round(own, 1), "ms", round(upstream, 1), round(whole / upstream, 2),
        note="minus the stand-in's own time, which is the reference",
    )  # fmt: skip
    return [at_most(figure, 60.0)]


def _click(world: MeasuredProduct, browser: Browser) -> tuple[float, float]:
    """Return the milliseconds from the click to the start of the next page, and the stand-in's share of them."""
    person = world.person()
    context = browser.new_context(base_url=world.url)
    context.add_cookies([{"name": "session", "value": person.session_cookie, "url": world.url}])
    page = context.new_page()
    page.goto("/payment")
    wait_until_connected(page)
    world.control("POST", "/requests/reset")
    page.evaluate(_NOTE_CLICK)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.get_by_test_id("subscribe-premium").first.click()
    page.wait_for_url("**/c/pay/cs_test_*")
    total = _started(page) - _clicked_at(said)
    calls = world.control("GET", "/requests")["recent"]
    context.close()
    return total, sum(call["milliseconds"] for call in calls if call["service"] in ("payment", "auth"))


def _started(page: Page) -> float:
    return float(page.evaluate("performance.timeOrigin"))


def _clicked_at(said: list[str]) -> float:
    return next(float(text.split()[1]) for text in said if text.startswith("clicked "))
