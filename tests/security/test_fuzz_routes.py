"""Whatever is sent to any route, the answer is one of ours: never a 500, and nothing that was sent runs or leaks."""

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from harness.app_process import sandbox_for_tests
from tests.examples import examples
from tests.security import routes
from tests.security.test_fuzz_pages import PAGES
from tests.unit.api.api_world import ApiWorld, Browser, api_world

PATHS = (
    "/api/catalog", "/api/me", "/api/cart", "/api/cart/{}", "/api/entitlements", "/api/payment/subscriptions",
    "/api/entitlements/query", "/api/entitlements/{}", "/api/me/data",
    "/api/payment/checkout", "/api/payment/cart", "/api/payment/portal", "/api/payment/events", "/api/{}",
    "/payment/checkout", "/payment/portal", "/preferences", "/cart/{}", "/cart/checkout", "/auth/login",
    "/auth/callback", "/healthz", "/readyz", "/metrics", "/.well-known/jwks.json", "/start",
    "/items/{}/picture", "/signed-out", "/sandbox/words", "/{}",
)  # fmt: skip
SIGN_OUT = ("/auth/sign-out", "/sign-out", "/account/forget")
FORMS = (
    "/cart/add", "/cart/quantity", "/cart/remove", "/preferences", "/payment/checkout", "/payment/portal",
    "/cart/checkout", "/sandbox/words",
)  # fmt: skip
NAMES = st.sampled_from(
    ["price_id", "product_id", "quantity", "amount", "instead_of", "has_ended", "return_to", "return_path", "next",
     "provider", "auth_code", "state", "error", "locale", "theme", "timezone", "user_id", "catalog", "customers"]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        ["price_sandbox_sticker_pack", "price_sandbox_premium_month", "google", "../..", "//evil.example", "\x00", "-1",
         "1e9", "９", "add", "clear", "quantity", "remove", "<img src=x>", "%0d%0a", "a" * 300]
    ),
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)
BODIES = st.one_of(
    st.dictionaries(NAMES, VALUES, max_size=5).map(lambda fields: json.dumps(fields).encode()),
    st.dictionaries(NAMES, VALUES, max_size=5).map(json.dumps).map(lambda text: (text + text).encode()),
    st.binary(max_size=60),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.just(b"[" * 5000),
)
KINDS = st.sampled_from(
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        "///",
    ]
)
HEADERS = st.dictionaries(
    st.sampled_from(["cookie", "x-request-id", "x-forwarded-for", "accept-language", "x-signature", "authorization"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
    max_size=2,
)


class Fuzzed:
    """An app, and a browser of somebody signed in, driven from tests that are not asynchronous."""

    def __init__(self, runner: asyncio.Runner, api: ApiWorld, browser: Browser) -> None:
        self._runner, self._browser = runner, browser
        self.api = api
        self._cookies = dict(browser.cookies)

    def send(self, method: str, path: str, *, signed_in: bool = True, **request: Any) -> tuple[int, str]:
        """Send a request as our own page would, with the cookie of the sign-in."""
        self._browser.cookies.clear()
        self._browser.cookies.update(self._cookies if signed_in else {})
        answer = self._runner.run(self._browser.request(method, path, **request))
        return answer.status_code, answer.text


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    folder = tmp_path_factory.mktemp("fuzz")
    limits = dict.fromkeys(("limit_checkouts", "limit_sign_ins", "limit_page_views"), "1000000/minute")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with sandbox_for_tests(folder, webhook_delay="0") as sandbox, asyncio.Runner() as runner:
        world = api_world(folder, sandbox, **limits)
        api = runner.run(world.__aenter__())
        try:
            yield Fuzzed(runner, api, runner.run(api.browser().sign_in("fuzz@example.com")))
        finally:
            runner.run(world.__aexit__(None, None, None))
            structlog.reset_defaults()


@given(
    path=st.sampled_from(PATHS),
    part=TEXTS,
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]),
    query=st.dictionaries(NAMES, TEXTS, max_size=3),
    body=BODIES,
    kind=KINDS,
    headers=HEADERS,
)
@examples(1800, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_request_is_too_much_for_a_route(
    fuzzed: Fuzzed,
    path: str,
    part: str,
    method: str,
    query: dict[str, str],
    body: bytes,
    kind: str,
    headers: dict[str, str],
) -> None:
    address = path.format(quote(part, safe=""))
    status, text = fuzzed.send(method, address, params=query, content=body, headers={**headers, "content-type": kind})

    assert status != 500, text
    assert "Traceback" not in text


@given(fields=st.dictionaries(NAMES, VALUES, max_size=6), path=st.sampled_from([p for p in PATHS if "payment" in p]))
@examples(500, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_json_object_is_too_much_for_a_payment_route(fuzzed: Fuzzed, fields: dict[str, object], path: str) -> None:
    status, text = fuzzed.send("POST", path, json=fields)

    assert status not in (500, 502), text


@given(fields=st.dictionaries(NAMES, TEXTS, max_size=6), path=st.sampled_from(FORMS))
@examples(500, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_form_is_too_much_and_none_leads_off_the_site(fuzzed: Fuzzed, fields: dict[str, str], path: str) -> None:
    status, text = fuzzed.send("POST", path, data=fields)

    assert status in (303, 404, 415), text


@given(fields=st.dictionaries(NAMES, TEXTS, max_size=6), path=st.sampled_from(SIGN_OUT), cookie=TEXTS)
@examples(200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_sign_out_is_too_much(fuzzed: Fuzzed, fields: dict[str, str], path: str, cookie: str) -> None:
    headers = {"cookie": f"session={quote(cookie)}"}
    status, text = fuzzed.send("POST", path, signed_in=False, data=fields, headers=headers)

    assert status == 303, text


def test_every_route_that_takes_something_is_fuzzed() -> None:
    of_pages = {*PAGES, *(path.partition(" ")[2] for path in routes.FILES)}
    fuzzed_here = {re.sub(r"{\w+}", "{}", path) for path in (*PATHS, *SIGN_OUT)}

    found = {re.sub(r"{\w+}", "{}", route.partition(" ")[2]) for route in routes.found()}

    assert found - of_pages - fuzzed_here == set()
