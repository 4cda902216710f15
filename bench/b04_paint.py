"""First and largest contentful paint of `/pricing` in Chromium, with nothing in its cache, against the bare page."""

from pathlib import Path

from playwright.sync_api import Browser

from bench.browser import chromium
from bench.results import Figure, against, at_most
from bench.world import bare_world, element_counts, our_world
from tools.chromium import wait_until_connected

ROUNDS = 5
_OBSERVE = """
globalThis.paints = {};
new PerformanceObserver(list => { for (const e of list.getEntries()) paints[e.entryType + e.name] = e.startTime; })
    .observe({type: 'paint', buffered: true});
new PerformanceObserver(list => { for (const e of list.getEntries()) paints.largest = e.startTime; })
    .observe({type: 'largest-contentful-paint', buffered: true});
"""


def run(folder: Path) -> list[Figure]:
    """Open both pages in turns, each time in a new browser context."""
    with our_world(folder) as world:
        counts = element_counts(world, world.person())
        with bare_world(*counts) as bare, chromium() as browser:
            pairs = [(_paints(browser, world.url), _paints(browser, bare.url)) for _ in range(ROUNDS + 1)][1:]
    figures = []
    for place, (name, most) in enumerate((("first", 0.5), ("largest", 0.33))):
        theirs = [pair[1][place] for pair in pairs]
        figure = against(4, f"{name} contentful paint of /pricing", [pair[0][place] for pair in pairs], theirs, "ms")
        figures.append(at_most(figure, most, of="ratio"))
    return figures


def _paints(browser: Browser, url: str) -> tuple[float, float]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(_OBSERVE)
    page = context.new_page()
    page.goto(f"{url}/pricing")
    wait_until_connected(page)
    page.wait_for_timeout(300)
    paints = page.evaluate("paints")
    context.close()
    return float(paints["paintfirst-contentful-paint"]), float(paints["largest"])
