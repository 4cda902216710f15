"""Errors of the API are RFC 9457 documents: each class of our tree, each kind of bad request."""

import inspect
import json
import re
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from api.problems import add_error_handlers
from api.request_context import RequestContextMiddleware
from services import errors
from services.checkout_record import Checkout, CheckoutKind
from services.errors import CheckoutInProgress, FrontendError, KeyRejected, UpstreamError, with_money
from services.purchase import PurchaseLine
from tests.unit.api.api_world import ApiWorld

URL = "https://billing.example.com"
KINDS = [
    kind
    for _name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, FrontendError) and kind.__module__ == errors.__name__
]


def raised(kind: type[FrontendError]) -> FrontendError:
    """An error of this class whose operator's text must not be shown."""
    if issubclass(kind, KeyRejected):
        return kind("payment_ms", "status", "the operator's text", worked_before=True)
    if issubclass(kind, UpstreamError):
        return kind("payment_ms", "status", "the operator's text", retry_after=2.2)
    if issubclass(kind, CheckoutInProgress):
        return kind(None, "the operator's text")
    return kind("the operator's text", retry_after=2.2)


async def answer_to(error: Exception) -> httpx.Response:
    app = FastAPI()
    add_error_handlers(app, URL)

    @app.get("/")
    async def fail() -> None:
        raise error

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        return await client.get("/")


@pytest.mark.parametrize("kind", KINDS)
async def test_every_error_is_a_problem_document(kind: type[FrontendError]) -> None:
    error = raised(kind)

    answer = await answer_to(error)

    problem = answer.json()
    assert answer.status_code == problem["status"] == error.status
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["code"], problem["title"], problem["detail"]) == (
        error.code,
        error.title,
        with_money(error.sentence, "Nothing was charged."),
    )
    assert problem["retryable"] is error.retryable
    assert problem["type"] == f"/api/docs#{error.code}"
    assert "operator" not in answer.text
    assert answer.headers.get("retry-after") == ("3" if error.retry_after else None)


async def test_an_open_checkout_is_named_with_its_address() -> None:
    checkout = Checkout(
        id="c1", customer="usr_1", kind=CheckoutKind.SUBSCRIPTION, session_id="cs_test_1",
        url="https://checkout.stripe.com/c/1", lines=(PurchaseLine(price_id="price_1", name="Premium", amount=2900),),
        currency="usd", started_at=datetime.now(UTC),
    )  # fmt: skip

    problem = (await answer_to(CheckoutInProgress(checkout))).json()

    assert problem["checkout_url"] == "https://checkout.stripe.com/c/1"
    assert problem["checkout_session_id"] == "cs_test_1"
    assert problem["manage_url"] == f"{URL}/payment"
    assert "usr_1" not in json.dumps(problem)


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "null", '"x"', "{}", '{"price_id":1}', '{"price_id":""}', '{"price_id":null}',
        '{"price_id":"a","quantity":0}', '{"price_id":"a","quantity":"2"}', '{"price_id":"a","quantity":1.5}',
        '{"price_id":"a","quantity":true}', '{"price_id":"a","price_id":"b"}', '{"price_id":"a","quantity":NaN}',
        '{"price_id":"a","quantity":99999999999999999999}', "[" * 10_000,
        "\ufeff{}", '{"price_id":"' + "a" * 300 + '"}',
    ],
)  # fmt: skip
async def test_a_bad_body_is_a_422_that_repeats_nothing(api: ApiWorld, body: str) -> None:
    browser = await api.browser().sign_in()

    answer = await browser.post(
        "/api/payment/checkout", content=body.encode(), headers={"content-type": "application/json"}
    )

    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"
    assert answer.json()["errors"]
    assert "input" not in answer.text


async def test_a_price_that_is_not_sold_is_404(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()

    answer = await browser.post("/api/payment/checkout", json={"price_id": "price_of_nothing"})

    assert (answer.status_code, answer.json()["code"]) == (404, "price_not_sold")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/api/nope", 404), ("PUT", "/api/me", 405)])
async def test_unknown_addresses_and_methods_are_problems_too(
    api: ApiWorld, method: str, path: str, status: int
) -> None:
    answer = await api.browser().request(method, path, json={})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"status": 500, "body": "<b>stack trace</b>"}, 502),
        ({"status": 503, "retry_after": "7"}, 503),
        ({"status": 200, "body": "{}"}, 502),
        ({"truncate": True}, 502),
        ({"status": 401, "body": "Invalid API key", "content_type": "text/plain"}, 502),
    ],
)
async def test_a_payment_ms_that_fails_is_said_in_a_sentence(
    api: ApiWorld, fault: dict[str, object], status: int
) -> None:
    browser = await api.browser().sign_in()
    await api.control("POST", "faults", {"operation": "checkout_subscription", **fault})

    try:
        answer = await browser.post("/api/payment/checkout", json={"price_id": api.price()})
    finally:
        await api.control("DELETE", "faults")

    assert answer.status_code == status
    assert re.search(r"Nothing was charged\.|aren't set up|unavailable right now", answer.json()["detail"])
    assert "stack trace" not in answer.text
    if "retry_after" in fault:
        assert answer.headers["retry-after"] == "7"


async def test_an_unexpected_exception_is_a_500_without_its_text(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object) -> None:
        raise RuntimeError("canary in an exception")

    monkeypatch.setattr(type(api.container.cart), "read", crash)

    with capture_logs() as logs:
        answer = await api.browser().get("/api/cart")

    assert [line["event"] for line in logs] == ["request_failed", "request"]
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "canary" not in answer.text
    assert answer.headers["content-security-policy"]


async def test_what_fails_since_its_sender_is_gone_leaves_one_line_and_no_trace() -> None:
    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        assert (await receive())["type"] == "http.disconnect"
        raise KeyError("REQUEST_METHOD")

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        raise AssertionError("nobody is there")

    scope: Scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": None}
    with capture_logs() as logs:
        await RequestContextMiddleware(app)(scope, receive, send)

    assert [line["event"] for line in logs] == ["sender_gone", "request"]
    assert logs[0]["cause"] == "KeyError('REQUEST_METHOD')"


async def test_the_id_of_a_request_is_in_the_problem_the_header_and_only_if_it_is_usable(api: ApiWorld) -> None:
    browser = api.browser()

    ours = await browser.get("/api/me")
    given = await browser.get("/api/me", headers={"x-request-id": "trace-0123456789"})
    refused = await browser.get("/api/me", headers={"x-request-id": "a b<script>"})

    assert ours.headers["x-request-id"] == ours.json()["request_id"]
    assert given.headers["x-request-id"] == given.json()["request_id"] == "trace-0123456789"
    assert refused.headers["x-request-id"] == refused.json()["request_id"] != "a b<script>"
