"""Bytes that Chromium loads for `/pricing`, with an empty cache and with a filled one, against the bare page."""

from pathlib import Path

from playwright.sync_api import Browser, Page

from bench.browser import chromium
from bench.results import Figure, against, at_most
from bench.world import bare_world, element_counts, our_world
from tools.chromium import wait_until_connected

ROUNDS = 5


def run(folder: Path) -> list[Figure]:
    """Load both pages twice, each time with a new cache."""
    with our_world(folder) as world:
        counts = element_counts(world, world.person())
        with bare_world(*counts) as bare, chromium() as browser:
            pairs = [(_kilobytes(browser, world.url), _kilobytes(browser, bare.url)) for _ in range(ROUNDS)]
    figures = []
    for place, word in enumerate(("cold", "warm")):
        name = f"transfer of /pricing, {word}"
        figure = against(10, name, [ours[place] for ours, _ in pairs], [theirs[place] for _, theirs in pairs], "kB")
        figures.append(at_most(figure, 1.0, of="ratio"))
    return figures


def _kilobytes(browser: Browser, url: str) -> tuple[float, float]:
    context = browser.new_context()
    page = context.new_page()
    cold = _load(page, url)
    warm = _load(page, url)
    context.close()
    return cold, warm


def _load(page: Page, url: str) -> float:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    loaded: list[float] = []
    session.on("Network.loadingFinished", lambda event: loaded.append(float(event["encodedDataLength"])))
    page.goto(f"{url}/pricing")
    wait_until_connected(page)
    page.wait_for_load_state("networkidle")
    session.detach()
    return sum(loaded) / 1000
