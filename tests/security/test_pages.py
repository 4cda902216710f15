"""Every page, in Chromium and without: the policy with its nonce, the headers, HEAD, and nothing the console minds."""

import re
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from tests.faults.fault_server import reply
from tests.faults.shop import CHECKOUT, OPS_TOKEN, STATUS, AsyncHttpUser, ProxiedProduct
from tools.chromium import ARGUMENTS, EXECUTABLE, connected
from wiring.web import PAGES

PUBLIC: Final = (
    "/", "/pricing", "/shop", "/cart", "/login", "/login?error=failed&next=/account", "/embed/pricing", "/signed-out"
)  # fmt: skip
PRIVATE: Final = (
    "/payment", "/payment?problem=store_unavailable", "/account", "/members", "/upgrade", "/payment/cancel",
    "/payment/success", "/payment/success?session_id=cs_test_made_up", "/shop", "/cart", "/account/forget",
)  # fmt: skip
STRANGE: Final = ("/nowhere", "/payment?price=%3Cimg%20src=x%20onerror=alert(1)%3E&problem=%3Cscript%3E")
STATES: Final = ("none", "active", "trialing", "past_due", "unpaid", "canceled", "incomplete", "paused")
MARKUP: Final = "<img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}"
REQUIRED: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


def directives(policy: str) -> dict[str, list[str]]:
    """Return a policy's directives."""
    return {part.split()[0]: part.split()[1:] for part in policy.split(";") if part.strip()}


OTHERS: Final = frozenset({"index_files", "ops", "operators.people", "start", "sandbox_words"})
"""Modules of pages that answer no person as these do: they lead on, are for programs, or have a password."""


async def test_every_page_module_is_looked_at() -> None:
    paths = {path.partition("?")[0] for path in PUBLIC + PRIVATE + STRANGE}

    assert {_path(name) for name in PAGES if name not in OTHERS} <= paths


def _path(name: str) -> str:
    known = {
        "privacy.forget": "/account/forget",
        "home": "/",
        "success": "/payment/success",
        "cancel": "/payment/cancel",
        "embed": "/embed/pricing",
    }
    return known.get(name, "/nowhere" if name == "errors" else f"/{name.replace('_', '-')}")


async def test_every_page_has_a_strict_policy_and_its_scripts_the_nonce(shop: ProxiedProduct) -> None:
    await shop.open()
    visitor, person = shop.person(), await shop.person().sign_in()
    await visitor.client.put("/api/cart/price_sandbox_sticker_pack", json={"quantity": 1})  # known by a cookie now
    nonces = set()
    for who, paths in ((visitor, PUBLIC + STRANGE), (person, PUBLIC[:5] + PRIVATE)):
        for path in paths:
            page = await who.look(path)
            policy = directives(page.headers["content-security-policy"])
            scripts = re.findall(r"<script\b[^>]*>", page.html)
            nonce = next(source for source in policy["script-src"] if source.startswith("'nonce-"))[7:-1]
            nonces.add(nonce)

            assert policy["script-src"] == ["'self'", f"'nonce-{nonce}'"], path
            assert scripts, path
            assert not [tag for tag in scripts if f'nonce="{nonce}"' not in tag], path
            assert "unsafe-eval" not in page.headers["content-security-policy"]
            assert not re.search(r"<[a-z][^<>]*\son[a-z]+=", page.html.partition("<body")[2].split("<script")[0]), path
            assert policy["frame-ancestors"] == ["'none'"]
            assert policy["object-src"] == policy["base-uri"] == ["'none'"]
            assert policy["form-action"][0] == "'self'"
            assert "*" not in " ".join(policy["form-action"])
            assert {n: page.headers[n] for n in REQUIRED} == REQUIRED, path
            assert "payment=()" in page.headers["permissions-policy"]
    assert len(nonces) == len(PUBLIC + STRANGE) + len(PUBLIC[:5] + PRIVATE)


@pytest.mark.browser
async def test_the_operators_page_is_the_operators_and_as_strict(shop: ProxiedProduct, chromium: Browser) -> None:
    await shop.open()
    person, watched = await shop.person().sign_in(MARKUP), Watched()
    shop.payment.fail(CHECKOUT, reply({"error": {"code": MARKUP, "message": MARKUP}}, 500))
    await person.ask("price_sandbox_sticker_pack")
    refused = await person.client.get("/ops")
    wrong = await person.client.get("/ops", headers={"Authorization": f"Bearer {OPS_TOKEN}x"})
    context = await context_of(chromium, person, watched)
    await context.set_extra_http_headers({"Authorization": f"Bearer {OPS_TOKEN}"})

    assert (refused.status_code, wrong.status_code) == (401, 401)
    assert "<script" not in refused.text
    assert await visit(await context.new_page(), "/ops") == watched.complaints == []


async def test_head_answers_like_get(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    for path in ("/", "/pricing", "/payment", "/nowhere", "/api/catalog", "/api/nowhere", "/healthz"):
        got, head = await person.client.get(path), await person.client.head(path)

        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers["content-type"] == got.headers["content-type"], path
        assert head.headers.keys() >= REQUIRED.keys(), path
    code = await person.code()
    await person.client.get("/auth/login?provider=google&next=/payment")
    await person.client.head(f"/auth/callback?auth_code={code}")
    assert (await person.client.get(f"/auth/callback?auth_code={code}")).headers["location"] == "/payment"


async def test_nothing_answers_other_origins_or_trace(shop: ProxiedProduct) -> None:
    await shop.open()
    person = shop.person()
    for path in ("/", "/api/catalog", "/api/me", "/nowhere"):
        answer = await person.client.get(path, headers={"Origin": "https://evil.example"})
        traced = await person.client.request("TRACE", path)

        assert not [name for name in answer.headers if name.startswith("access-control-")], path
        assert traced.status_code in (404, 405), path


async def test_behind_https_cookies_and_transport_are_strict(shop: ProxiedProduct) -> None:
    public = "https://billing.example.com"
    await shop.open({"PUBLIC_URL": public, "TRUSTED_PROXIES": "127.0.0.1,::1"})
    person = shop.person()
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    person.client.headers.update({"Origin": public, **forwarded})

    page = await person.client.get("/pricing")
    begun = await person.client.get("/auth/login?provider=google&next=/payment")
    added = await person.client.post("/cart/add", data={"price_id": "price_sandbox_sticker_pack"})
    chosen = await person.client.post("/preferences", data={"theme": "dark"})
    cookies = [line for answer in (page, begun, added, chosen) for line in answer.headers.get_list("set-cookie")]

    assert page.headers["strict-transport-security"].startswith("max-age=31536000")
    assert "upgrade-insecure-requests" in page.headers["content-security-policy"]
    assert "wss://billing.example.com" in page.headers["content-security-policy"]
    names = {re.sub(r"^(__Host-login)-[0-9a-f]+$", r"\1", line.partition("=")[0]) for line in cookies}
    assert names == {"__Host-session", "__Host-login", "theme"}
    for line in cookies:
        parts = {part.strip().lower() for part in line.split(";")[1:]}
        assert {"secure", "samesite=lax", "path=/"} <= parts, line
        assert not [part for part in parts if part.startswith("domain")], line
        assert line.startswith("theme=") or "httponly" in parts, line


class Watched:
    """A browser that writes down what its console minds and which policy was violated."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    def listen(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("dialog", lambda dialog: self.complaints.append(f"{page.url}: a dialog opened"))

    def _console(self, message: ConsoleMessage) -> None:
        expected = "status of" in message.text and re.search(r"(404|503)", message.text)
        if message.type == "error" and not expected:
            self.complaints.append(f"{message.location.get('url')}: {message.text}")


@pytest_asyncio.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield browser
        await browser.close()


VIOLATIONS: Final = """
window.violations = [];
document.addEventListener("securitypolicyviolation", event => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


async def context_of(browser: Browser, person: AsyncHttpUser, watched: Watched) -> BrowserContext:
    """Open a browser with somebody's cookies."""
    context = await browser.new_context(base_url=person.shop.app.url, locale="en-US")
    await context.add_init_script(VIOLATIONS)
    cookies: list[Any] = [
        {"name": c.name, "value": c.value, "url": person.shop.app.url, "httpOnly": True}
        for c in person.client.cookies.jar
    ]
    await context.add_cookies(cookies)
    context.on("page", watched.listen)
    return context


async def visit(page: Page, path: str) -> list[str]:
    """Open a page, wait until its socket has connected, and return the violations it noticed."""
    await page.goto(path)
    await connected(page)
    found: list[str] = await page.evaluate("window.violations")
    return [f"{path}: {one}" for one in found]


@pytest.mark.browser
async def test_chromium_minds_nothing_on_any_page_or_state(shop: ProxiedProduct, chromium: Browser) -> None:
    await shop.open()
    visitor, person = shop.person(), await shop.person().sign_in(MARKUP)
    await visitor.look("/")
    watched, found = Watched(), []
    for who, paths in ((visitor, PUBLIC + STRANGE), (person, PRIVATE)):
        page = await (await context_of(chromium, who, watched)).new_page()
        for path in paths:
            found += await visit(page, path)
    for state in STATES:
        await shop.control("POST", f"/users/{person.user_id}/state", status=state, email=person.email)
        found += await visit(page, "/payment?from=portal")
        found += await visit(page, "/account")

    assert found == []
    assert watched.complaints == []


@pytest.mark.browser
async def test_markup_from_the_services_stays_text(shop: ProxiedProduct, chromium: Browser) -> None:
    await shop.open()
    person = await shop.person().sign_in(MARKUP)
    watched = Watched()
    page = await (await context_of(chromium, person, watched)).new_page()
    record = {"exists": True, "status": MARKUP, "subscription_id": MARKUP, "customer_id": MARKUP, "period_end": "x"}
    record["period_end"] = "2031-01-01T00:00:00Z"
    await shop.control("PUT", f"/users/{person.user_id}/plan", status=MARKUP, plan=MARKUP)
    shop.payment.fail(STATUS, reply(record))
    error = {"error": {"type": MARKUP, "code": MARKUP, "message": MARKUP, "description": MARKUP}}
    shop.payment.fail(CHECKOUT, reply(error, 400))

    violations = await visit(page, "/payment?from=portal") + await visit(page, "/account")
    first = await person.look("/account")
    failed = await person.press("price_sandbox_sticker_pack")

    assert violations == watched.complaints == []
    assert await page.locator("img[src=x], #app script").count() == 0
    assert MARKUP in await page.locator("body").inner_text()
    assert "<img src=x" not in first.html.partition("<script")[0] + failed.html.partition("<script")[0]
    assert "49" not in (await page.get_by_test_id("user-name").first.inner_text())


@pytest.mark.browser
async def test_nothing_about_the_user_is_kept_by_the_browser(shop: ProxiedProduct, chromium: Browser) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    page = await (await context_of(chromium, person, Watched())).new_page()
    await visit(page, "/account")

    kept = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")

    assert person.email not in kept
    assert person.user_id not in kept
    assert "session=" not in kept
