"""Every page in every state, as scenes that can be opened in Chromium: for screenshots, for axe, for pictures in tests.

A scene is who looks, at which address, and what they have done there. People keep their state: a scene that is opened
again in another language or theme shows the same person, so only the first time costs a purchase.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.app_process import Product
from tools.chromium import ARGUMENTS, EXECUTABLE

ROOT: Final = Path(__file__).resolve().parents[1]
PREMIUM: Final = "price_sandbox_premium_month"
LIVE: Final = "window.did_handshake === true"

Do = Callable[["Stage", Page], None]


@dataclass(slots=True)
class Person:
    """Somebody signed in: their cookies, their id, and the address that a scene about them opens."""

    user_id: str
    cookies: list[Any]
    address: str = ""


@dataclass(slots=True)
class Stage:
    """Where scenes are played: the running product, a browser, and the people met so far."""

    product: Product
    browser: Browser
    people: dict[str, Person] = field(default_factory=dict)

    def person(self, name: str, prepare: Callable[["Stage", BrowserContext, Person], None] | None = None) -> Person:
        """Return the person of that name, made and prepared at the first call."""
        if name not in self.people:
            context = self.browser.new_context(base_url=self.product.url)
            email = f"{name.replace('_', '.')}.{secrets.token_hex(3)}@example.com"
            made = self.product.control("POST", "/users", email=email, name="Ada Lovelace")
            context.request.get("/auth/login?provider=google&next=/payment", max_redirects=0)
            context.request.get(f"/auth/callback?auth_code={made['auth_code']}", max_redirects=0)
            person = Person(made["user_id"], [])
            if prepare is not None:
                prepare(self, context, person)
            person.cookies = [*context.cookies()]
            self.people[name] = person
            context.close()
        return self.people[name]


@dataclass(frozen=True, slots=True)
class Scene:
    """A page in a state. `who` is asked for the person looking (None: a visitor); `act` is what they do there.

    `still` says that nothing in it depends on the time of day or on random ids, so that pictures can be compared.
    """

    name: str
    path: str
    who: Callable[[Stage], Person] | None = None
    act: Do | None = None
    still: bool = False

    @contextmanager
    def open(
        self, stage: Stage, *, locale: str = "en", theme: str = "light", width: int = 1440, **options: Any
    ) -> Iterator[Page]:
        """Open the scene in a browser of its own, and wait until it is alive and at rest."""
        person = self.who(stage) if self.who is not None else None
        chosen = {"locale": locale, "theme": theme, "timezone": "Europe%2FBerlin"}
        context = stage.browser.new_context(
            base_url=stage.product.url, viewport={"width": width, "height": 900}, timezone_id="Europe/Berlin",
            reduced_motion="reduce", bypass_csp=True, **options,
        )  # fmt: skip
        context.set_default_timeout(20_000)
        context.add_cookies(
            [{"name": name, "value": value, "url": stage.product.url} for name, value in chosen.items()]
        )
        if person is not None:
            context.add_cookies(person.cookies)
        page = context.new_page()
        try:
            page.goto(self.path or (person.address if person is not None else "/"))
            if options.get("java_script_enabled", True):
                page.wait_for_function(LIVE)
            if self.act is not None:
                self.act(stage, page)
            yield page
        finally:
            context.close()


@contextmanager
def stage(product: Product) -> Iterator[Stage]:
    """Open a browser for scenes with a running product."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=EXECUTABLE, args=[*ARGUMENTS, "--font-render-hinting=none"]
        )
        try:
            yield Stage(product, browser)
        finally:
            browser.close()


def in_state(state: str, shape: str = "documented") -> Callable[[Stage], Person]:
    """Return somebody whom the sandbox has put in that state; `shape` is how the Payment MS answers about them."""

    def put(stage: Stage, _context: BrowserContext, person: Person) -> None:
        stage.product.control("POST", f"/users/{person.user_id}/state", status=state)

    def who(stage: Stage) -> Person:
        person = stage.person(state, put)
        stage.product.knobs(status_shape=shape)
        return person

    return who


def newcomer(stage: Stage) -> Person:
    """Return somebody signed in who has bought nothing."""
    return stage.person("newcomer")


def _open_checkout(stage: Stage, context: BrowserContext, person: Person) -> dict[str, Any]:
    """Start the checkout of Premium as a form does, and return the sandbox's session."""
    headers = {"Origin": stage.product.url}
    context.request.post("/payment/checkout", form={"price_id": PREMIUM}, headers=headers, max_redirects=0)
    sessions: list[dict[str, Any]] = stage.product.control("GET", f"/sessions?user_id={person.user_id}")
    return sessions[0]


def buyer(stage: Stage, *, webhook: str = "lose") -> Person:
    """Return somebody who is back from paying, with a webhook that is lost (or arrives)."""

    def pay(stage: Stage, context: BrowserContext, person: Person) -> None:
        session = _open_checkout(stage, context, person)
        stage.product.knobs(webhook_mode=webhook, webhook_delay=0)
        stage.product.control("POST", f"/pay/{session['id']}")
        stage.product.control("GET", "/settled")
        stage.product.knobs(webhook_mode="deliver")
        person.address = f"/payment/success?session_id={session['id']}"
        context.request.get(person.address)

    return stage.person(f"buyer_{webhook}", pay)


def paid(stage: Stage) -> Person:
    """Return somebody back from paying whose purchase is confirmed."""
    return buyer(stage, webhook="deliver")


def orderer(stage: Stage) -> Person:
    """Return somebody back from paying for an item."""

    def order(stage: Stage, context: BrowserContext, person: Person) -> None:
        headers = {"Origin": stage.product.url}
        form: dict[str, str | float | bool] = {"price_id": "price_sandbox_sticker_pack"}
        context.request.post("/payment/checkout", form=form, headers=headers, max_redirects=0)
        session = stage.product.control("GET", f"/sessions?user_id={person.user_id}")[0]
        stage.product.control("POST", f"/pay/{session['id']}")
        person.address = f"/payment/success?session_id={session['id']}"

    return stage.person("orderer", order)


def leaver(stage: Stage) -> Person:
    """Return somebody who left the checkout unpaid."""

    def leave(stage: Stage, context: BrowserContext, person: Person) -> None:
        person.address = re.sub(r"^https?://[^/]+", "", _open_checkout(stage, context, person)["cancel_url"])

    return stage.person("leaver", leave)


def collector(stage: Stage) -> Person:
    """Return somebody with three things in the cart."""

    def collect(stage: Stage, context: BrowserContext, _person: Person) -> None:
        for item in ("sticker_pack", "api_credits"):
            form: dict[str, str | float | bool] = {"price_id": f"price_sandbox_{item}", "quantity": "2"}
            context.request.post("/cart/add", form=form, headers={"Origin": stage.product.url}, max_redirects=0)

    return stage.person("collector", collect)


def press(testid: str) -> Do:
    """Return the act of pressing what has that test id."""
    return lambda _stage, page: page.get_by_test_id(testid).first.click()


def folded_menu(_stage: Stage, page: Page) -> None:
    """Open the menu that the navigation folds into on a phone, or the account's on a wide screen."""
    menus = page.locator("details[data-menu] > summary:visible")
    menus.last.click()


def busy(_stage: Stage, page: Page) -> None:
    """Press a plan's button and stay before the answer: the request that would follow never leaves."""
    page.evaluate("window.socket.emit = () => undefined")
    page.get_by_test_id("subscribe-premium").first.click()


def lost(_stage: Stage, page: Page) -> None:
    """Lose the connection for good."""
    page.context.set_offline(True)
    page.evaluate("window.socket.io.reconnection(false); window.socket.io.engine.close()")
    page.locator("#popup:not([aria-hidden=true])").wait_for()


def year(_stage: Stage, page: Page) -> None:
    """Choose yearly prices."""
    page.get_by_test_id("interval-year").check(force=True)


def wear(page: Page, theme: str) -> None:
    """Change the theme in place, and let the new colours be drawn."""
    page.evaluate(
        """theme => {
            document.documentElement.dataset.theme = theme;
            document.querySelectorAll("[data-theme-choice]").forEach(
                (button) => button.setAttribute("aria-pressed", String(button.value === theme)));
            return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }""",
        theme,
    )


STATES: Final = (
    "none", "trialing", "active", "ending", "past_due", "unpaid", "incomplete", "incomplete_expired", "paused",
    "canceled", "conflict", "comped", "unavailable", "two_live", "unknown",
)  # fmt: skip

SCENES: Final = (
    Scene("home", "/", still=True),
    Scene("home-signed-in", "/", newcomer),
    Scene("pricing", "/pricing", still=True),
    Scene("pricing-year", "/pricing", act=year, still=True),
    Scene("pricing-signed-in", "/pricing", in_state("active")),
    Scene("menu", "/pricing", newcomer, folded_menu),
    Scene("connection-lost", "/pricing", act=lost),
    Scene("login", "/login", still=True),
    Scene("login-expired", "/login?error=expired&next=/cart"),
    Scene("not-found", "/nope", still=True),
    Scene("shop", "/shop", still=True),
    Scene("shop-refused", "/shop", act=lambda _stage, page: page.get_by_test_id("add-to-cart-sticker-pack").click()),
    Scene("cart-empty", "/cart", still=True),
    Scene("cart", "/cart", collector),
    Scene("embed", "/embed/pricing"),
    *(Scene(f"payment-{state}", "/payment", in_state(state)) for state in STATES),
    Scene("payment-on_record", "/payment", in_state("on_record", "running")),
    Scene("payment-chosen", f"/payment?price={PREMIUM}", newcomer),
    Scene("payment-problem", "/payment?problem=upstream_unavailable", newcomer),
    Scene("payment-busy", "/payment", newcomer, busy),
    Scene("payment-confirming", "/payment", buyer),
    Scene("account", "/account", in_state("active")),
    Scene("account-free", "/account", newcomer),
    Scene("account-purchases", "/account", paid),
    Scene("success-confirming", "", buyer),
    Scene("success-active", "", paid),
    Scene("success-order", "", orderer),
    Scene("success-not-ours", "/payment/success?session_id=cs_test_nobody", newcomer),
    Scene("success-signed-out", "/payment/success?session_id=cs_test_nobody"),
    Scene("cancel", "", leaver),
    Scene("cancel-unknown", "/payment/cancel", newcomer),
    Scene("cancel-signed-out", "/payment/cancel"),
    Scene("members", "/members", in_state("active")),
    Scene("upgrade", "/members", newcomer),
)  # fmt: skip


def scene(name: str) -> Scene:
    """Return the scene of that name; raises KeyError."""
    return {each.name: each for each in SCENES}[name]
