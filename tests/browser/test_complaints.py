"""Complaints of other products' users that only a browser can show. Their siblings are in `tests/complaints/`.

The one marked `optimized` presses before the scripts have run, when without `HTML_FIRST` nothing is on screen.

Each class is a row of complaints found in public threads; the source stands above it.
"""

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from harness.app_process import Product
from tests.browser.people import (
    at_checkout,
    choose_person,
    new_person,
    open_signed_in,
    pay,
    subscription_state,
    success_state,
)
from tests.browser.test_before_live import SOCKET, Gate, open_early, sold
from tests.browser.test_catalogs import TOO_WIDE
from tests.browser.test_focus import become, billing
from tools.catalogs import selling
from tools.chromium import wait_until, wait_until_connected

TRANSLATE = """() => {
  const walker = document.createTreeWalker(document.getElementById("app"), NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) if (walker.currentNode.data.trim()) texts.push(walker.currentNode);
  for (const text of texts) {
    if (text.parentElement.closest("[translate=no]")) continue;
    const outer = document.createElement("font"), inner = document.createElement("font");
    inner.textContent = `«${text.data}»`;
    outer.append(inner);
    text.replaceWith(outer);
  }
}"""
"""What a translator in the browser does: elements of its own take the place of the texts."""

TRANSLATES_ALWAYS = """
  const translate = %s;
  document.addEventListener("DOMContentLoaded", () => {
    const app = document.getElementById("app");
    if (!app) return;
    const all = { subtree: true, childList: true, characterData: true };
    const watching = new MutationObserver(() => {
      watching.disconnect();
      document.querySelectorAll("font:empty").forEach((font) => font.remove());
      translate();
      watching.observe(app, all);
    });
    translate();
    watching.observe(app, all);
  });
"""
"""One that stays on: each text is translated that comes, also those of the next pages."""

OLDER = """
  delete Element.prototype.checkVisibility;
  for (const name of ["popover", "showPopover", "hidePopover", "togglePopover"]) delete HTMLElement.prototype[name];
  delete Document.prototype.startViewTransition;
  delete HTMLFormElement.prototype.requestSubmit;
  delete AbortSignal.timeout;
  for (const name of ["Segmenter", "ListFormat", "RelativeTimeFormat", "DurationFormat", "DisplayNames"]) {
    delete Intl[name];
  }
  Intl.DateTimeFormat.prototype.resolvedOptions = () => ({});
  const hasNoHas = (select) => function (selector) {
    if (String(selector).includes(":has(")) throw new SyntaxError(`unknown: ${selector}`);
    return select.call(this, selector);
  };
  for (const owner of [Element.prototype, Document.prototype]) {
    for (const name of ["querySelector", "querySelectorAll"]) owner[name] = hasNoHas(owner[name]);
  }
  Element.prototype.matches = hasNoHas(Element.prototype.matches);
  Element.prototype.closest = hasNoHas(Element.prototype.closest);
"""
"""A browser of some years ago: what newer ones have beside it is not there."""

REFUSED = """window.WebSocket = class {
  constructor() { setTimeout(() => (this.onerror?.(new Event("error")), this.onclose?.(new CloseEvent("close")))); }
  send() {}
  close() {}
}"""
"""A network that lets no websocket through."""

CARD = """() => {
  const card = document.querySelector("[data-testid=plan-card-premium]");
  return [card.querySelector(".price").textContent, card.querySelector(".price-under").textContent,
          card.querySelector(".plan-note").textContent, card.querySelector("[name=price_id]").value,
          card.querySelector("[name=amount]")?.value];
}"""


def card(page: Page) -> list[str]:
    """Return what the card shows and what it would post, without a translator's marks."""
    return [text.replace("«", "").replace("»", "") for text in page.evaluate(CARD)]


# vue#9008, svelte#15090, gumroad#4489
class TestPageTranslatedByTheBrowser:
    @pytest.mark.parametrize("path", ["/payment", "/pricing"])
    def test_the_other_interval_is_shown_and_posted_together(self, page: Page, path: str) -> None:
        if path == "/payment":
            open_signed_in(page, path)  # a visitor's prices are a document, a user's are live
        page.goto(f"{path}?interval=year")
        wait_until_connected(page)
        yearly = page.evaluate(CARD)
        page.goto(path)
        wait_until_connected(page)
        page.evaluate(TRANSLATE)
        assert "«" in page.evaluate(CARD)[1]

        page.get_by_test_id("interval-year").check()

        expect(page.get_by_test_id("plan-card-premium").locator(".price-under")).to_contain_text(yearly[1])
        assert card(page) == yearly

    @pytest.mark.optimized
    def test_also_before_the_page_is_live(self, page: Page) -> None:
        page.goto("/pricing?interval=year")
        wait_until_connected(page)
        yearly = page.evaluate(CARD)
        Gate(page)
        open_early(page, "/pricing")
        page.evaluate(TRANSLATE)

        page.get_by_test_id("interval-year").check()

        assert card(page) == yearly

    def test_a_year_is_bought_from_the_first_price_to_the_last_step(self, page: Page, product: Product) -> None:
        page.add_init_script(TRANSLATES_ALWAYS % TRANSLATE)
        page.goto("/pricing")
        wait_until_connected(page)
        page.get_by_test_id("interval-year").check()
        assert "«" in page.get_by_role("main").inner_text()
        page.get_by_test_id("subscribe-premium").click()
        choose_person(page)
        page.get_by_test_id("continue-to-checkout").click()
        assert sold(page, product) == [("price_sandbox_premium_year", 1)]
        product.change_settings(webhook_delay=3600)
        pay(page)
        page.wait_for_url("**/payment/success?*")
        success_state(page, "confirming")
        wait_until_connected(page)
        product.control("POST", "/webhooks/flush")

        success_state(page, "active")
        expect(page.locator("[data-progress=done]")).to_have_count(4)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Premium")
        expect(page.get_by_role("heading", level=1)).to_contain_text("«")

    def test_a_state_that_changes_is_seen(self, page: Page, product: Product) -> None:
        user = billing(page, product)
        page.evaluate(TRANSLATE)
        become(page, product, user, "active")
        expect(page.locator(".subscription-title")).to_have_text("You're on Premium")
        page.evaluate(TRANSLATE)

        become(page, product, user, "past_due")

        expect(page.locator(".subscription-title")).to_have_text("Your last payment for Premium failed")
        expect(page.get_by_test_id("subscription-status")).to_have_text("Payment failed")
        expect(page.locator(".subscription-sentence")).to_have_text("Update your card to keep Premium.")

    def test_a_total_that_changes_is_seen(self, page: Page) -> None:
        page.goto("/shop")
        wait_until_connected(page)
        page.get_by_test_id("add-to-cart-api-credits").click()
        expect(page.get_by_test_id("cart-count")).to_have_text("1")
        page.goto("/cart")
        wait_until_connected(page)
        page.evaluate(TRANSLATE)

        page.get_by_test_id("quantity-api-credits").fill("3")
        page.keyboard.press("Enter")

        expect(page.get_by_test_id("cart-total")).to_have_text("$75.00")
        expect(page.get_by_test_id("line-total-api-credits")).to_have_text("$75.00")


# worth keeping
class TestConnectionsThatFail:
    def test_where_no_websocket_comes_through_news_comes_all_the_same(
        self, forgiving_page: Page, product: Product
    ) -> None:
        forgiving_page.add_init_script(REFUSED)
        user = billing(forgiving_page, product)

        become(forgiving_page, product, user, "active")

        subscription_state(forgiving_page, "active", seconds=20)

    def test_a_socket_that_is_cut_again_and_again_loses_no_press(self, forgiving_page: Page, product: Product) -> None:
        page, sockets = forgiving_page, []

        def through(socket: WebSocketRoute) -> None:
            socket.connect_to_server()
            sockets.append(socket)

        page.route_web_socket(SOCKET, through)
        billing(page, product)
        for _cut in range(3):
            sockets[-1].close()
            wait_until(page, "!window.socket.connected")
            wait_until_connected(page)

        page.get_by_test_id("subscribe-premium").click()

        at_checkout(page)


# pan#24, gutenberg#65069
class TestBrowserWithoutCheckVisibility:
    def test_a_button_drawn_anew_keeps_the_focus_and_nothing_fails(self, page: Page, product: Product) -> None:
        page.add_init_script(OLDER)
        user = billing(page, product)
        page.get_by_test_id("subscribe-basic").focus()

        become(page, product, user, "active")

        expect(page.get_by_test_id("subscribe-basic")).to_have_text("Change to Basic")
        expect(page.get_by_test_id("subscribe-basic")).to_be_focused()

    def test_a_press_is_answered_and_the_button_is_free_again(self, page: Page, product: Product) -> None:
        page.add_init_script(OLDER)
        billing(page, product)
        product.control("POST", "/faults", operation="checkout_subscription", status=503, times=1)
        button = page.get_by_test_id("subscribe-premium")

        button.click()

        expect(page.get_by_test_id("notice").first).to_be_visible()
        expect(button).not_to_have_attribute("data-busy", "")


# disaster-ninja-fe#1007
class TestNamesOfTwentyFiveLetters:
    def test_no_page_of_whoever_has_such_a_plan_scrolls_sideways(self, page: Page, product: Product) -> None:
        name, who = "Abcdefghijklmnopqrstuvwxy", new_person()
        user = product.control("POST", "/users", email=who)["user_id"]
        product.control("PUT", f"/users/{user}/plan", status="active", plan=name.lower())
        with selling("long words")(product):
            open_signed_in(page, "/payment", who)
            for path in ("/payment", "/account", "/pricing"):
                page.goto(path)
                expect(page.locator("body")).to_contain_text(name)
                for width in (320, 390):
                    page.set_viewport_size({"width": width, "height": 900})
                    assert page.evaluate(TOO_WIDE) == [], (path, width)
                    assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
            page.close()  # before another catalog makes it load itself again
