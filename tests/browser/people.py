"""What people do in the browser, as steps that several tests share."""

import re
import secrets
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

VISA = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
NEEDS_CONFIRMATION = "4000 0025 0000 3155"


def new_person(name: str = "ada") -> str:
    """Return an address nobody has used before, so that no test sees what another bought."""
    return f"{name}.{secrets.token_hex(4)}@example.com"


def sign_in(page: Page, who: str | None = None) -> None:
    """Sign in from any page of the app that shows the sign-in link."""
    page.get_by_test_id("sign-in").first.click()
    choose_person(page, who)


def choose_person(page: Page, who: str | None = None) -> None:
    """From `/login` through the sandbox's Auth MS and back; `who` is an address or one of its named people."""
    page.get_by_test_id("sign-in-google").click()
    who = who or new_person()
    if "@" in who:
        page.get_by_label(re.compile("address|e-?mail", re.IGNORECASE)).fill(who)
        page.get_by_role("button", name=re.compile("continue|sign in", re.IGNORECASE)).last.click()
    else:
        page.get_by_test_id(f"sandbox-user-{who}").click()
    page.wait_for_url(re.compile(r"//localhost:\d+/"))


def open_signed_in(page: Page, path: str, who: str | None = None) -> None:
    """Open a page as somebody. If it wants a sign-in, that is made without its pages: see `choose_person` for them."""
    if "/login" in page.request.get(path, max_redirects=0).headers.get("location", ""):
        if who is None or "@" in who:
            _sign_in_unseen(page, who or new_person())
        else:  # one of the sandbox's, who are known there by name
            page.goto(path)
            choose_person(page, who)
    page.goto(path)
    if page.get_by_test_id("success-state").count():
        page.get_by_role("main").get_by_role("link", name=re.compile("sign in", re.IGNORECASE)).click()
        choose_person(page, who)


def _sign_in_unseen(page: Page, who: str) -> None:
    """Make the requests of a sign-in, whose pages take Chromium longer than most of what is tested after it."""
    at_auth_ms = page.request.get("/auth/login?provider=google&next=/payment", max_redirects=0).headers["location"]
    (back,) = parse_qs(urlsplit(at_auth_ms).query)["redirect_uri"]
    chosen = page.request.post(
        at_auth_ms,
        form={"email": who, "redirect_uri": back},
        max_redirects=0,
    )
    page.request.get(chosen.headers["location"], max_redirects=0)


def pay(page: Page, card: str = VISA) -> None:
    """On the hosted checkout page: fill in the card and pay."""
    page.get_by_test_id("card-number").fill(card)
    page.get_by_test_id("pay").click()


def at_checkout(page: Page) -> None:
    """Wait until the browser is at the hosted checkout."""
    page.wait_for_url(re.compile(r"/c/pay/cs_test_"))


def subscription_state(page: Page, state: str, *, seconds: float = 10) -> None:
    """Wait until the page shows the subscription in that state, with no reload."""
    expect(page.get_by_test_id("subscription-status").first).to_have_attribute(
        "data-state", state, timeout=seconds * 1000
    )


def success_state(page: Page, state: str, *, seconds: float = 10) -> None:
    """Wait until the success page is in that state."""
    expect(page.get_by_test_id("success-state")).to_have_attribute("data-state", state, timeout=seconds * 1000)
