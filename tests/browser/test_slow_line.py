"""A page that comes in pieces: what is drawn of its beginning stays where it is when the rest comes."""

import re

import pytest
from playwright.sync_api import Browser, Page, Route

from harness.app_process import Product

PIECES = 12
HEIGHT = 840
LINE = 24
"""Cards in a row share their lines: one with more words may push its neighbours by a line of text."""
PLACES = """() => {
  const name = (element) => {
    const path = [];
    for (let node = element; node && node.id !== "app"; node = node.parentElement) {
      path.unshift([...node.parentElement.children].indexOf(node));
    }
    return path.join(".");
  };
  const found = {};
  for (const element of document.querySelectorAll("#app :is(h1, h2, h3, .button, .plan-card, .card, .price)")) {
    const box = element.getBoundingClientRect();
    if (element.closest("[aria-hidden=true]")) continue; // a drawing
    if (element.checkVisibility()) found[name(element)] = Math.round(box.top);
  }
  return found;
}"""
"""Where things are, by their place in the tree; top in pixels."""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("path", ["/", "/pricing", "/shop"])
def test_nothing_moves_while_the_page_arrives(chromium: Browser, product: Product, path: str, width: int) -> None:
    context = chromium.new_context(
        base_url=product.url, java_script_enabled=False, viewport={"width": width, "height": HEIGHT}
    )
    page = context.new_page()
    html = context.request.get(path).text()
    begin, end = html.index('id="app"'), html.index("<script", html.index('id="app"'))
    whole = places(page, path, html)
    moved: dict[str, tuple[int, int, int]] = {}
    for piece in range(1, PIECES):
        part = html[: begin + (end - begin) * piece // PIECES]
        for name, top in places(page, path, re.sub(r"<[^>]*$", "", part)).items():
            if top < HEIGHT and abs(whole[name] - top) > LINE:
                moved.setdefault(name, (piece, top, whole[name]))
    context.close()

    assert moved == {}


def places(page: Page, path: str, html: str) -> dict[str, int]:
    """Return where things are in a page of which no more than `html` has come."""

    def answer(route: Route) -> None:
        route.fulfill(body=html, content_type="text/html; charset=utf-8")

    page.route(f"**{path}", answer)
    page.goto(path)
    page.unroute(f"**{path}")
    found: dict[str, int] = page.evaluate(PLACES)
    return found
