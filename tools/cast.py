"""Who looks in scenes (`tools/scenes.py`): people in a state, made once on a running product and kept."""

import re
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from playwright.sync_api import Browser, BrowserContext

from harness.app_process import Product
from tools import past
from tools.brands import branded

PREMIUM: Final = "price_sandbox_premium_month"


@dataclass(slots=True)
class StagedUser:
    """Somebody signed in: their cookies, their id, and the address that a scene about them opens."""

    user_id: str
    cookies: list[Any]
    address: str = ""


@dataclass(slots=True)
class Stage:
    """Where scenes are played: the running product, a browser, and the people met so far."""

    product: Product
    browser: Browser
    people: dict[str, StagedUser] = field(default_factory=dict)
    brands: dict[str, Product] = field(default_factory=dict)
    ends: ExitStack = field(default_factory=ExitStack)

    def of_brand(self, brand: str) -> Product:
        """Return the product as that brand, started at the first call; it runs until `ends` is closed."""
        if not brand:
            return self.product
        if brand not in self.brands:
            self.brands[brand] = self.ends.enter_context(branded(brand))
        return self.brands[brand]

    def person(
        self, name: str, prepare: Callable[["Stage", BrowserContext, StagedUser], None] | None = None
    ) -> StagedUser:
        """Return the person of that name, made and prepared at the first call."""
        if name not in self.people:
            context = self.browser.new_context(base_url=self.product.url)
            email = f"{name.replace('_', '.')}.{secrets.token_hex(3)}@example.com"
            made = self.product.control("POST", "/users", email=email, name="Ada Lovelace")
            context.request.get("/auth/login?provider=google&next=/payment", max_redirects=0)
            context.request.get(f"/auth/callback?auth_code={made['auth_code']}", max_redirects=0)
            person = StagedUser(made["user_id"], [])
            if prepare is not None:
                prepare(self, context, person)
            person.cookies = [*context.cookies()]
            self.people[name] = person
            context.close()
        return self.people[name]


def in_state(state: str, shape: str = "documented") -> Callable[[Stage], StagedUser]:
    """Return somebody whom the sandbox has put in that state; `shape` is how the Payment MS answers about them."""

    def put(stage: Stage, _context: BrowserContext, person: StagedUser) -> None:
        stage.product.control("POST", f"/users/{person.user_id}/state", status=state)

    def who(stage: Stage) -> StagedUser:
        person = stage.person(state, put)
        stage.product.change_settings(status_shape=shape)
        return person

    return who


def newcomer(stage: Stage) -> StagedUser:
    """Return somebody signed in who has bought nothing."""
    return stage.person("newcomer")


def _open_checkout(stage: Stage, context: BrowserContext, person: StagedUser) -> dict[str, Any]:
    """Start the checkout of Premium as a form does, and return the sandbox's session."""
    headers = {"Origin": stage.product.url}
    context.request.post("/payment/checkout", form={"price_id": PREMIUM}, headers=headers, max_redirects=0)
    sessions: list[dict[str, Any]] = stage.product.control("GET", f"/sessions?user_id={person.user_id}")
    return sessions[0]


def _success_address(session: dict[str, Any]) -> str:
    """Return where Stripe sends the browser after paying."""
    address = str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])
    return re.sub(r"^https?://[^/]+", "", address)


def buyer(stage: Stage, *, webhook: str = "lose", ago: timedelta | None = None) -> StagedUser:
    """Return somebody who is back from paying (`ago`: for how long), with a webhook that is lost (or arrives)."""

    def pay(stage: Stage, context: BrowserContext, person: StagedUser) -> None:
        session = _open_checkout(stage, context, person)
        stage.product.change_settings(webhook_mode=webhook, webhook_delay=0)
        stage.product.control("POST", f"/pay/{session['id']}")
        stage.product.control("GET", "/settled")
        stage.product.change_settings(webhook_mode="deliver")
        person.address = _success_address(session)
        context.request.get(person.address)
        if ago is not None:
            past.came_back(stage.product, person.user_id, ago)

    return stage.person(f"buyer_{webhook}" + (f"_{ago.total_seconds():.0f}" if ago is not None else ""), pay)


def recorded(stage: Stage) -> StagedUser:
    """Return somebody back from paying whose purchase billing has, while the account does not know of it."""

    def pay(stage: Stage, context: BrowserContext, person: StagedUser) -> None:
        session = _open_checkout(stage, context, person)
        stage.product.change_settings(webhook_delay=0, status_shape="documented")
        stage.product.control("POST", f"/pay/{session['id']}")
        stage.product.control("GET", "/settled")
        stage.product.control("DELETE", f"/users/{person.user_id}/plan")
        context.request.get(_success_address(session))

    return stage.person("recorded", pay)


def lapsed(stage: Stage) -> StagedUser:
    """Return somebody whose account grants Premium until a day that is past, and of whom billing has no record."""

    def grant(stage: Stage, _context: BrowserContext, person: StagedUser) -> None:
        until = (datetime.now(UTC) - timedelta(days=6)).isoformat()
        plan = {"status": "active", "plan": "premium", "expires_at": until}
        stage.product.control("PUT", f"/users/{person.user_id}/plan", **plan)

    return stage.person("lapsed", grant)


def unheard(stage: Stage) -> StagedUser:
    """Return somebody who opened a checkout long ago, of which nobody ever said whether it was paid."""

    def leave(stage: Stage, context: BrowserContext, person: StagedUser) -> None:
        _open_checkout(stage, context, person)
        past.came_back(stage.product, person.user_id, timedelta(days=9))

    return stage.person("unheard", leave)


def back_for(**ago: float) -> Callable[[Stage], StagedUser]:
    """Return somebody who came back from paying that long ago, and whose purchase nobody has confirmed yet."""
    return lambda stage: buyer(stage, ago=timedelta(**ago))


def stranger(stage: Stage) -> StagedUser:
    """Return somebody signed in of whom no service has said anything yet."""
    return stage.person(f"stranger_{secrets.token_hex(2)}")


def known_of_old(stage: Stage) -> StagedUser:
    """Return somebody signed in of whom both services said three minutes ago that Premium is active."""

    def remember(stage: Stage, _context: BrowserContext, person: StagedUser) -> None:
        past.had_premium(stage.product, person.user_id, timedelta(minutes=3))

    return stage.person(f"known_{secrets.token_hex(2)}", remember)


def paid(stage: Stage) -> StagedUser:
    """Return somebody back from paying whose purchase is confirmed."""
    return buyer(stage, webhook="deliver")


def explained(stage: Stage) -> StagedUser:
    """Return somebody whose purchase is confirmed, as those who run the app look at them."""
    person = paid(stage)
    return replace(person, address=f"/ops/people?{urlencode({'who': person.user_id})}")


def orderer(stage: Stage) -> StagedUser:
    """Return somebody back from paying for an item."""

    def order(stage: Stage, context: BrowserContext, person: StagedUser) -> None:
        headers = {"Origin": stage.product.url}
        form: dict[str, str | float | bool] = {"price_id": "price_sandbox_sticker_pack"}
        context.request.post("/payment/checkout", form=form, headers=headers, max_redirects=0)
        session = stage.product.control("GET", f"/sessions?user_id={person.user_id}")[0]
        stage.product.control("POST", f"/pay/{session['id']}")
        person.address = _success_address(session)
        context.request.get(person.address)

    return stage.person("orderer", order)


def leaver(stage: Stage) -> StagedUser:
    """Return somebody who left the checkout unpaid."""

    def leave(stage: Stage, context: BrowserContext, person: StagedUser) -> None:
        person.address = re.sub(r"^https?://[^/]+", "", _open_checkout(stage, context, person)["cancel_url"])

    return stage.person("leaver", leave)


def typist(stage: Stage) -> StagedUser:
    """Return somebody who types the success address with their own unpaid session."""

    def type_it(stage: Stage, context: BrowserContext, person: StagedUser) -> None:
        person.address = f"/payment/success?session_id={_open_checkout(stage, context, person)['id']}"

    return stage.person("typist", type_it)


def collector(stage: Stage) -> StagedUser:
    """Return somebody with three things in the cart."""

    def collect(stage: Stage, context: BrowserContext, _person: StagedUser) -> None:
        for item in ("sticker_pack", "api_credits"):
            form: dict[str, str | float | bool] = {"price_id": f"price_sandbox_{item}", "quantity": "2"}
            context.request.post("/cart/add", form=form, headers={"Origin": stage.product.url}, max_redirects=0)

    return stage.person("collector", collect)


def at_sandbox(path: str) -> Callable[[Stage], StagedUser]:
    """Return a visitor of one of the sandbox's own pages."""
    return lambda stage: StagedUser("", [], f"{stage.product.sandbox.stripe_url}{path}")


def at_checkout(stage: Stage) -> StagedUser:
    """Return somebody at the sandbox's checkout."""

    def open_it(stage: Stage, context: BrowserContext, person: StagedUser) -> None:
        person.address = f"{stage.product.sandbox.stripe_url}/c/pay/{_open_checkout(stage, context, person)['id']}"

    return stage.person("at_checkout", open_it)


def _open_portal(stage: Stage, context: BrowserContext) -> str:
    """Press for the portal as a form does; return its address."""
    headers = {"Origin": stage.product.url}
    answer = context.request.post("/payment/portal", form={}, headers=headers, max_redirects=0)
    return answer.headers["location"]


def back_from_portal(shape: str) -> Callable[[Stage], StagedUser]:
    """Return somebody whose plan ends and who has been in the portal since; `shape` is as for `in_state`.

    Of an end the shape "detailed" tells, else the account alone.
    """

    def visit(stage: Stage, context: BrowserContext, person: StagedUser) -> None:
        stage.product.change_settings(status_shape=shape)
        stage.product.control("POST", f"/users/{person.user_id}/state", status="ending")
        context.request.get("/payment")
        _open_portal(stage, context)

    def who(stage: Stage) -> StagedUser:
        person = stage.person(f"back_from_portal_{shape}", visit)
        stage.product.change_settings(status_shape=shape)
        return person

    return who


def in_portal(stage: Stage) -> StagedUser:
    """Return somebody with a failed payment in the sandbox's portal."""

    def open_it(stage: Stage, context: BrowserContext, person: StagedUser) -> None:
        stage.product.control("POST", f"/users/{person.user_id}/state", status="past_due")
        person.address = _open_portal(stage, context)

    return stage.person("in_portal", open_it)
