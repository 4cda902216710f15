"""Whatever stands in an address, a cookie or a header, a page opens, and what was sent is text in it or nowhere."""

import asyncio
from typing import Final

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from harness.app_process import NO_AUTHORITIES
from tests.examples import some_of
from tests.faults.shop import ProxiedProduct

PAGES: Final = (
    "/", "/pricing", "/login", "/payment", "/payment/success", "/payment/cancel", "/account", "/members", "/upgrade",
    "/account/forget", "/shop", "/cart", "/embed/pricing", "/ops", "/ops/people",
)  # fmt: skip
MARKUP: Final = "<img src=x onerror=alert(1)>"
EXAMPLES: Final = 250

NAMES: Final = st.sampled_from(
    ["price", "quantity", "problem", "next", "error", "session_id", "checkout", "from", "interval", "plan", "locale",
     "theme", "user_id", "product"]
)  # fmt: skip
TEXTS: Final = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        [MARKUP, f'"{MARKUP}', f"</script>{MARKUP}", "price_sandbox_sticker_pack", "year",
         "rate_limited", "cs_test_a", "//evil.example", "javascript:alert(1)", "{{7*7}}", "%0d%0aX-A: b", "-1",
         "9" * 300, "\x00", "../../etc/passwd", "portal", "expired"]
    ),
)  # fmt: skip
VISIBLE: Final = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.strip)
HEADERS: Final = st.dictionaries(
    st.sampled_from(["accept-language", "user-agent", "referer", "x-request-id", "x-forwarded-for", "authorization"]),
    VISIBLE,
    max_size=2,
)
COOKIES: Final = st.dictionaries(
    st.sampled_from(["locale", "theme", "timezone", "login"]),
    st.one_of(st.sampled_from(["de", "ar", "dark", "Asia%2FTokyo"]), VISIBLE.map(lambda t: t.replace(";", ""))),
    max_size=2,
)


def open_pages(url: str, session: str) -> None:
    """Open pages with generated queries, headers and cookies, with and without a sign-in."""
    with httpx.Client(base_url=url, verify=NO_AUTHORITIES, trust_env=False, timeout=20) as client:

        @settings(
            max_examples=some_of(EXAMPLES), deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(
            path=st.sampled_from(PAGES), query=st.dictionaries(NAMES, TEXTS, max_size=3), headers=HEADERS,
            cookies=COOKIES, signed_in=st.booleans(),
        )  # fmt: skip
        def check(
            path: str, query: dict[str, str], headers: dict[str, str], cookies: dict[str, str], signed_in: bool
        ) -> None:
            pairs = [*cookies.items(), *([("session", session)] if signed_in else [])]
            cookie = "; ".join(f"{name}={value}" for name, value in pairs).strip()
            answer = client.get(path, params=query, headers={**headers, "cookie": cookie})
            client.cookies.clear()
            assert answer.status_code in (200, 303, 401, 404), (answer.status_code, answer.text[:500])
            assert MARKUP not in answer.text
            assert "evil.example" not in answer.headers.get("location", "").partition("?")[0]

        check()


@pytest.mark.examples
async def test_no_address_cookie_or_header_is_too_much_for_a_page(shop: ProxiedProduct) -> None:
    await shop.open({"LIMIT_UNCONNECTED_VIEWS": "10000", "LIMIT_PAGE_VIEWS": "1000000/minute"})
    person = await shop.person().sign_in()

    await asyncio.to_thread(open_pages, shop.app.url, person.client.cookies["session"])

    assert not shop.app.events("page_failed")
    assert not shop.app.events("request_failed")
    assert "Traceback" not in shop.app.log()
