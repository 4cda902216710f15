"""Rows 12 to 23: the Payment MS answers, but not what its contract allows."""

import gzip
import json
import resource
from datetime import UTC, datetime

import pytest
import time_machine
from structlog.testing import capture_logs

from services.errors import CustomerUnknown, RequestRefused, UnsafeRedirect, UpstreamContractError, UpstreamFailed
from services.payment_ms import PaymentMS, SubscriptionRecord
from services.web.safe_urls import safe_redirect
from tests.faults.calls import checkout, failure, status
from tests.faults.fault_server import Behaviour, FaultServer, flood, limit_data, redirect, reply

RUNNING = {"exists": True, "stripe_subscription_id": "sub_1", "period_end": "2026-03-31T23:30:00Z"}
MIB = 1024 * 1024


@pytest.mark.faults("12 status 400 or 422")
@pytest.mark.parametrize("code", [400, 405, 422])
async def test_refused_request_is_told_to_the_operator_and_not_repeated(
    server: FaultServer, payment_ms: PaymentMS, code: int
) -> None:
    server.behave(reply({"error": {"code": "VALIDATION_FAILED", "message": "<b>raw</b>"}}, code))

    with capture_logs() as logs:
        error = await failure(checkout(payment_ms), RequestRefused)

    assert (error.status, error.retryable, error.upstream_code) == (502, False, "VALIDATION_FAILED")
    assert "error" in {entry["log_level"] for entry in logs}
    assert "raw" not in f"{logs}{error!r}{error.sentence}"
    assert len(server.requests) == 1


@pytest.mark.faults("13 status 404, unknown customer")
async def test_unknown_customer_has_nothing_yet(server: FaultServer, payment_ms: PaymentMS) -> None:
    server.behave(reply({"error": {"code": "CUSTOMER_NOT_FOUND"}}, 404))

    with capture_logs() as logs, pytest.raises(CustomerUnknown) as caught:
        await payment_ms.create_portal_session("user_1", "http://x/account")

    assert (caught.value.status, caught.value.code) == (404, "no_billing_account")
    assert await status(payment_ms) == SubscriptionRecord(False, "prod_1")
    assert {entry["log_level"] for entry in logs} == {"info"}


@pytest.mark.faults("13b status 404, wrong address")
@pytest.mark.parametrize("answer", [reply("<html>", 404, content_type="text/html"), reply({"detail": "no"}, 404)])
async def test_wrong_address_is_not_read_as_none(server: FaultServer, payment_ms: PaymentMS, answer: Behaviour) -> None:
    server.behave(answer)

    with capture_logs() as logs:
        await failure(status(payment_ms), UpstreamContractError)

    assert "error" in {entry["log_level"] for entry in logs}


BROKEN_JSON = [
    b"",
    b'{"exists": tr',
    b'{"exists": NaN}',
    b'\xef\xbb\xbf{"exists": false}',
    b'{"exists": false, "x": "\xff"}',
    b"[" * 50_000,
]


@pytest.mark.faults("14 malformed JSON")
@pytest.mark.parametrize("body", BROKEN_JSON)
async def test_read_of_broken_json_is_repeated_and_a_checkout_is_not(
    server: FaultServer, payment_ms: PaymentMS, body: bytes
) -> None:
    server.behave(reply(body), reply({"exists": False}), reply(body))

    assert not (await status(payment_ms)).exists
    with capture_logs() as logs:
        error = await failure(checkout(payment_ms), UpstreamContractError)

    assert len(server.requests) == 3
    assert error.reason == "bad_json"
    assert f"{len(body)} bytes, sha256" in logs[0]["detail"]
    assert logs[0]["log_level"] == "error"


@pytest.mark.faults("15 truncated answer")
async def test_truncated_answer_is_a_failure(server: FaultServer, payment_ms: PaymentMS) -> None:
    server.behave(limit_data({"exists": False}, 7), reply({"exists": False}), limit_data({"exists": False}, 7))

    assert not (await status(payment_ms)).exists
    error = await failure(checkout(payment_ms), UpstreamFailed)

    assert error.reason == "truncated"
    assert len(server.requests) == 3


@pytest.mark.faults("16 wrong content type")
@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/octet-stream", None])
async def test_json_under_another_name_is_not_taken(
    server: FaultServer, payment_ms: PaymentMS, kind: str | None
) -> None:
    server.behave(reply({"exists": False}, content_type=kind))

    assert (await failure(status(payment_ms), UpstreamContractError)).reason == "content_type"
    assert len(server.requests) == 1


@pytest.mark.faults("17 huge body")
@pytest.mark.parametrize("declared", [True, False])
async def test_huge_body_is_not_read_to_its_end(server: FaultServer, payment_ms: PaymentMS, declared: bool) -> None:
    server.behave(flood(100 * MIB, declared=declared))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    error = await failure(status(payment_ms), UpstreamContractError)

    assert error.reason == "too_large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30 * 1024
    assert len(server.requests) == 1


@pytest.mark.faults("17 huge body")
async def test_body_of_the_largest_size_is_taken(server: FaultServer, payment_ms: PaymentMS) -> None:
    body = b'{"exists": false}'
    server.behave(reply(body + b" " * (MIB - len(body))), reply(body + b" " * (MIB - len(body) + 1)))

    assert not (await status(payment_ms)).exists
    assert (await failure(status(payment_ms), UpstreamContractError)).reason == "too_large"


@pytest.mark.faults("17 gzip bomb")
async def test_compressed_answer_is_never_unpacked(server: FaultServer, payment_ms: PaymentMS) -> None:
    bomb = gzip.compress(b'{"exists": false}' + b" " * 50 * MIB)
    server.behave(reply(bomb, headers={"Content-Encoding": "gzip"}))

    assert (await failure(status(payment_ms), UpstreamContractError)).reason == "content_encoding"
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.faults("18 redirect")
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirect_is_not_followed_and_the_key_goes_nowhere(
    server: FaultServer, payment_ms: PaymentMS, code: int
) -> None:
    async with FaultServer() as other:
        server.behave(redirect(f"{other.url}/docs?token=secret", code))
        with capture_logs() as logs:
            error = await failure(status(payment_ms), UpstreamContractError)

        assert other.connections == 0
    assert error.reason == "redirect"
    assert "127.0.0.1" in logs[0]["detail"]
    assert "secret" not in f"{logs}{error!r}"


@pytest.mark.faults("19 missing, null or wrong field")
@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"exists": None}, "exists"),
        ({"exists": True, "period_end": "2026-03-31T23:30:00Z"}, "subscription_id"),
        ({"exists": True, "stripe_subscription_id": "sub_1"}, "current_period_end"),
        (RUNNING | {"customer_id": 5}, "customer_id"),
    ],
)
async def test_wrong_field_is_named_and_never_read_as_none(
    server: FaultServer, payment_ms: PaymentMS, content: dict[str, object], field: str
) -> None:
    server.behave(reply(content))

    with capture_logs() as logs:
        error = await failure(status(payment_ms), UpstreamContractError)

    assert field in error.fields
    assert [entry["fields"] for entry in logs if entry["event"] == "upstream_schema"] == [list(error.fields)]
    assert error.request_id
    assert error.request_id in str(logs)


@pytest.mark.faults("20, 21 checkout_url to another place")
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/c/pay/cs_1",
        "http://checkout.stripe.com/c/pay/cs_1",
        "javascript:alert(1)",
        "//checkout.stripe.com/x",
        "https://checkout.stripe.com@evil.example/",
        "https://checkout.stripe.com\\.evil.example/",
        "https://checkout.stripe.com:8443/x",
        "https://сheckout.stripe.com/x",
        "https://checkout.stripe.com/\r\nSet-Cookie: a=b",
    ],
)
async def test_checkout_elsewhere_is_never_opened(server: FaultServer, payment_ms: PaymentMS, url: str) -> None:
    server.behave(reply({"checkout_session_id": "cs_test_1", "checkout_url": url}))
    session = await checkout(payment_ms)

    with capture_logs() as logs, pytest.raises(UnsafeRedirect) as caught:
        safe_redirect(session.url, ("checkout.stripe.com",))

    assert caught.value.code == "unsafe_redirect"
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("unsafe_redirect", "error")]


@pytest.mark.faults("22 extra fields, new status word")
async def test_new_field_and_new_word_break_nothing(server: FaultServer, payment_ms: PaymentMS) -> None:
    server.behave(reply(RUNNING | {"status": "hibernating", "plan": {"nested": [1, None]}}))

    record = await status(payment_ms)

    assert (record.exists, record.status) == (True, "hibernating")


@pytest.mark.faults("23 clock skew, time zones")
@pytest.mark.parametrize("skew", [-86400, 86400])
async def test_skewed_clock_changes_neither_dates_nor_deadlines(
    server: FaultServer, payment_ms: PaymentMS, skew: int
) -> None:
    server.behave(reply(RUNNING))

    with time_machine.travel(datetime.now(UTC).timestamp() + skew, tick=True):
        record = await status(payment_ms)

    assert record.period_end == datetime(2026, 3, 31, 23, 30, tzinfo=UTC)


@pytest.mark.faults("23 clock skew, time zones")
@pytest.mark.parametrize("zone", ["Z", "+00:00", "-10:00", "+13:45"])
async def test_zone_of_the_answer_does_not_shift_the_moment(
    server: FaultServer, payment_ms: PaymentMS, zone: str
) -> None:
    local = datetime.fromisoformat(f"2026-03-29T02:30:00{zone.replace('Z', '+00:00')}")
    server.behave(reply(json.dumps(RUNNING | {"period_end": f"2026-03-29T02:30:00{zone}"})))

    record = await status(payment_ms)

    assert record.period_end == local
    assert record.period_end is not None
    assert record.period_end.tzinfo is UTC
