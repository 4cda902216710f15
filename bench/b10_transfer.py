"""Bytes that Chromium loads for `/pricing` with an empty cache, and for the next page of the same browser.

A stranger gets documents, somebody who is signed in live pages; the reference is the bare page, twice.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page

from bench.browser import chromium
from bench.results import Figure, against, at_most
from bench.world import bare_world, element_counts, our_world
from tools.chromium import wait_until, wait_until_connected

ROUNDS: Final = 5
COLD_KB: Final = 100.0
"""For who opens the first page of a visit, which is a document."""

WARM_KB: Final = 15.0
IDLE_SECONDS: Final = 1.0
"""So long after it is connected, a page has asked for what it had put off."""


def run(folder: Path) -> list[Figure]:
    """Open both pages and go on to the next, each time with a new cache."""
    with our_world(folder) as world:
        person = world.person()
        counts = element_counts(world, person)
        cookie = person.session_cookie
        with bare_world(*counts) as bare, chromium() as browser:
            rounds = [
                (
                    _kilobytes(browser, world.url, "/shop"),
                    _kilobytes(browser, world.url, "/payment", cookie),
                    _kilobytes(browser, bare.url, "/payment"),
                )
                for _ in range(ROUNDS)
            ]

    def figure(user: int, place: int, name: str) -> Figure:
        ours, theirs = [each[user][place] for each in rounds], [each[2][place] for each in rounds]
        return against(10, f"transfer to {name}", ours, theirs, "kB")

    return [
        at_most(figure(0, 0, "a stranger: /pricing, cold"), COLD_KB),
        at_most(figure(0, 1, "a stranger: the next page, warm"), WARM_KB),
        at_most(figure(1, 0, "a signed-in user: /pricing, cold"), 1.0, of="ratio"),
        at_most(figure(1, 1, "a signed-in user: the next page, warm"), WARM_KB),
    ]


def _kilobytes(browser: Browser, url: str, then: str, cookie: str = "") -> tuple[float, float]:
    context = browser.new_context()
    if cookie:
        context.add_cookies([{"name": "session", "value": cookie, "url": url}])
    page = context.new_page()
    cold = _load(page, lambda: page.goto(f"{url}/pricing"))
    warm = _load(page, lambda: _follow(page, then))
    context.close()
    return cold, warm


def _follow(page: Page, path: str) -> None:
    """Go to another page as a link does."""
    page.evaluate("path => { location.href = path; }", path)
    wait_until(page, f"location.pathname === '{path}' && document.readyState !== 'loading'")


def _load(page: Page, go: Callable[[], object]) -> float:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    loaded: list[float] = []
    session.on("Network.loadingFinished", lambda event: loaded.append(float(event["encodedDataLength"])))
    go()
    wait_until_connected(page)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(IDLE_SECONDS * 1000)
    session.detach()
    return sum(loaded) / 1000
