"""Every page in every state, as scenes that can be opened in Chromium: for screenshots, for axe, for pictures in tests.

A scene is who looks, at which address, and what they have done there. People keep their state: a scene that is opened
again in another language or theme shows the same person, so only the first time costs a purchase.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, sync_playwright

from harness.app_process import Product
from tools import acts
from tools.brands import BRANDS, settings_of
from tools.cast import (
    PREMIUM,
    Stage,
    StagedUser,
    at_checkout,
    at_sandbox,
    back_for,
    back_from_portal,
    buyer,
    collector,
    explained,
    in_portal,
    in_state,
    known_of_old,
    lapsed,
    leaver,
    newcomer,
    orderer,
    paid,
    recorded,
    stranger,
    typist,
    unheard,
)
from tools.catalogs import selling
from tools.chromium import ARGUMENTS, CONNECTED, EXECUTABLE
from tools.trouble import slow_answers, store_away, unreachable

ROOT: Final = Path(__file__).resolve().parents[1]
SETTINGS: Final = {
    "TERMS_URL": "https://example.com/terms",
    "PRIVACY_URL": "https://example.com/privacy",
    "SUPPORT_URL": "https://example.com/help",
    "EXTENSIONS": "examples.members_page",
    "OPS_TOKEN": "an-operators-token-for-scenes",
}
"""What an operator sets, so that scenes show the links and the pages that it brings."""


def _as_just_pressed(path: str) -> str:
    """Return the address with the moment of the press that it tells of, if it tells of one."""
    return f"{path}&at={int(time.time())}" if "problem=" in path else path


@dataclass(frozen=True, slots=True)
class Scene:
    """A page in a state. `who` is asked for the person looking (None: a visitor); `act` is what they do there.

    `still` says that nothing in it depends on the time of day or on random ids, so that pictures can be compared.
    `during` is the trouble that there is while it is open. `brand` is one of `examples/brands/`. A `plain` one is none
    of the app's living pages: the API's reference, or one of the sandbox's.
    """

    name: str
    path: str
    who: Callable[[Stage], StagedUser] | None = None
    act: acts.Do | None = None
    still: bool = False
    during: Callable[[Product], AbstractContextManager[None]] | None = None
    brand: str = ""
    plain: bool = False

    @contextmanager
    def open(
        self, stage: Stage, *, locale: str = "en", theme: str = "light", width: int = 1440, **options: Any
    ) -> Iterator[Page]:
        """Open the scene in a browser of its own, and wait until it is alive and at rest."""
        person = self.who(stage) if self.who is not None else None
        product = stage.of_brand(self.brand)
        chosen = {"locale": locale, "theme": theme, "timezone": "Europe%2FBerlin"}
        with ExitStack() as stack:
            if self.during is not None:
                stack.enter_context(self.during(product))
            # Closed before the trouble ends: at its end pages load themselves again, which one being closed must not.
            context = stage.browser.new_context(
                base_url=product.url, viewport={"width": width, "height": 900}, timezone_id="Europe/Berlin",
                reduced_motion="reduce", bypass_csp=True,
                http_credentials={"username": "ops", "password": SETTINGS["OPS_TOKEN"]}, **options,
            )  # fmt: skip
            stack.callback(context.close)
            context.set_default_timeout(20_000)
            context.add_cookies([{"name": name, "value": value, "url": product.url} for name, value in chosen.items()])
            if person is not None:
                context.add_cookies(person.cookies)
            page = context.new_page()
            page.goto(_as_just_pressed(self.path) or (person.address if person is not None else "/"))
            if self.plain:
                wear(page, theme)
            elif options.get("java_script_enabled", True):
                page.wait_for_function(CONNECTED)
            if self.act is not None:
                self.act(stage, page)
            yield page


@contextmanager
def stage(product: Product) -> Iterator[Stage]:
    """Open a browser for scenes with a running product."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=EXECUTABLE, args=[*ARGUMENTS, "--font-render-hinting=none"]
        )
        place = Stage(product, browser)
        try:
            yield place
        finally:
            browser.close()
            place.ends.close()


def wear(page: Page, theme: str) -> None:
    """Change the theme in place, and let the new colours be drawn. The sandbox's pages go by the browser's alone."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
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
    Scene("pricing-year", "/pricing", act=acts.year, still=True),
    Scene("pricing-signed-in", "/pricing", in_state("active")),
    Scene("pricing-past_due", "/pricing", in_state("past_due")),
    *(
        Scene(f"pricing-{name.replace(' ', '-')}", "/pricing", during=selling(name))
        for name in ("one plan", "six plans", "eight plans", "long words", "yen", "yearly only", "add-ons")
    ),
    *(
        Scene(f"brand-{brand}-{name}", path, brand=brand)
        for brand in BRANDS
        for name, path in (("home", "/"), ("pricing", "/pricing"), ("login", "/login"))
        if settings_of(brand).get("HOME_PAGE") is None or path != "/"
    ),
    Scene("brand-kotori-shop", "/shop", brand="kotori"),
    Scene("home-yearly-only", "/", during=selling("yearly only")),
    Scene("pricing-questions", "/pricing", act=acts.answered),
    Scene("menu", "/pricing", newcomer, acts.folded_menu),
    Scene("menu-folded", "/pricing", newcomer, acts.unfolded),
    Scene("connection-lost", "/pricing", newcomer, acts.lost),
    Scene("connection-back", "/pricing", newcomer, acts.found_again),
    Scene("login", "/login", still=True),
    Scene("login-expired", "/login?error=expired&next=/cart"),
    Scene("signed-out", "/signed-out"),
    Scene("not-found", "/nope", still=True),
    Scene("shop", "/shop", still=True),
    Scene("shop-order-again", "/shop", orderer, acts.refused("buy-sticker-pack")),
    Scene("shop-in-cart", "/shop", collector),
    Scene("shop-refused", "/shop", act=acts.press("add-to-cart-sticker-pack")),
    Scene("cart-empty", "/cart", still=True),
    Scene("cart", "/cart", collector),
    Scene("cart-removed", "/cart?removed=price_sandbox_sticker_pack&quantity=2", collector),
    Scene("cart-problem", "/cart?problem=upstream_unavailable", collector),
    Scene("embed", "/embed/pricing"),
    *(Scene(f"payment-{state}", "/payment", in_state(state)) for state in STATES),
    Scene("payment-on_record", "/payment", in_state("on_record", "running")),
    Scene("payment-outdated", "/payment", lapsed),
    Scene("payment-arrived", "/payment", recorded),
    Scene("payment-payment_unknown", "/payment", unheard, acts.refused("subscribe-premium")),
    Scene("payment-chosen", f"/payment?price={PREMIUM}", newcomer),
    Scene("payment-problem", "/payment?problem=upstream_unavailable", newcomer),
    Scene("payment-chosen-year", "/payment?plan=basic&interval=year", newcomer),
    Scene("payment-busy", "/payment", newcomer, acts.busy),
    Scene("payment-slow", "/payment", newcomer, acts.slow),
    Scene("payment-loading", "/payment", stranger, acts.deaf, during=slow_answers),
    Scene("payment-opened", "/payment", leaver),
    Scene("payment-opened-other", "/payment?plan=basic", leaver),
    Scene("payment-question", "/payment", leaver, acts.press("subscribe-basic")),
    Scene("payment-perhaps-kept", "/payment", back_from_portal("detailed")),
    Scene("payment-perhaps-kept-account", "/payment", back_from_portal("running")),
    Scene("payment-from-portal", "/payment?from=portal", in_state("active")),
    Scene("payment-confirming", "/payment", buyer),
    Scene("payment-delayed", "/payment", back_for(minutes=2)),
    Scene("payment-lost", "/payment", back_for(minutes=20)),
    Scene("payment-unconfirmed", "/payment", back_for(minutes=2_900)),
    Scene("account", "/account", in_state("active")),
    Scene("account-free", "/account", newcomer),
    Scene("account-forget", "/account/forget", in_state("active")),
    Scene("payment-purchases", "/payment", paid),
    Scene("success-confirming", "", buyer),
    Scene("success-delayed", "", back_for(minutes=2)),
    Scene("success-lost", "", back_for(minutes=20)),
    Scene("success-active", "", paid),
    Scene("success-order", "", orderer),
    Scene("success-unproven", "", typist),
    Scene("success-not-ours", "/payment/success?session_id=cs_test_nobody", newcomer),
    Scene("success-signed-out", "/payment/success?session_id=cs_test_nobody"),
    Scene("cancel", "", leaver),
    Scene("cancel-unknown", "/payment/cancel", newcomer),
    Scene("cancel-signed-out", "/payment/cancel"),
    Scene("members", "/members", in_state("active")),
    Scene("upgrade", "/members", newcomer),
    Scene("payment-unreachable", "/payment", stranger, during=unreachable),
    Scene("payment-unreachable-known", "/payment", known_of_old, during=unreachable),
    Scene("ops", "/ops"),
    Scene("api-docs", "/api/docs", plain=True),
    Scene("sandbox-panel", "", at_sandbox("/"), plain=True),
    Scene("sandbox-states", "", at_sandbox("/states"), plain=True),
    Scene("sandbox-calls", "", at_sandbox("/calls"), plain=True),
    Scene("sandbox-checkout", "", at_checkout, plain=True),
    Scene("sandbox-portal", "", in_portal, plain=True),
    Scene("error", "/account", newcomer, during=store_away),
    Scene("ops-people", "", explained),
)  # fmt: skip


def scene(name: str) -> Scene:
    """Return the scene of that name; raises KeyError."""
    return {each.name: each for each in SCENES}[name]
