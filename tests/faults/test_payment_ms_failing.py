"""Rows 7 to 11: the Payment MS fails, is busy, or rejects our key."""

import pytest
from structlog.testing import capture_logs

from services.errors import KeyRejected, UpstreamFailed, UpstreamUnavailable
from services.payment_ms import PaymentMS
from tests.faults.calls import ABSENT, KEY, KEY_SETTING, SESSION, UNAVAILABLE, checkout, failure, status
from tests.faults.fault_server import FaultServer, reply


@pytest.mark.faults("7 status 500")
async def test_failed_read_is_tried_three_times(server: FaultServer, payment_ms: PaymentMS) -> None:
    server.behave(reply({"error": {"code": "DATABASE_ERROR"}}, 500))

    with capture_logs() as logs:
        error = await failure(status(payment_ms), UpstreamFailed)

    assert error.sentence == UNAVAILABLE
    assert error.upstream_code == "DATABASE_ERROR"
    assert len(server.requests) == len(logs) == 3


@pytest.mark.faults("7 status 500")
async def test_failed_checkout_is_not_tried_again(server: FaultServer, payment_ms: PaymentMS) -> None:
    server.behave(reply({"error": {"code": "STRIPE_ERROR"}}, 500), SESSION)

    await failure(checkout(payment_ms), UpstreamFailed)

    assert len(server.requests) == 1


@pytest.mark.faults("8 status 502 with an HTML page")
async def test_page_of_a_gateway_is_shown_to_nobody(server: FaultServer, payment_ms: PaymentMS) -> None:
    server.behave(reply("<html><body>nginx secret</body></html>", 502, content_type="text/html"))

    with capture_logs() as logs:
        error = await failure(checkout(payment_ms), UpstreamFailed)

    told = f"{error!r}{error}{error.sentence}{logs}"
    assert "<html" not in told
    assert "nginx" not in told


@pytest.mark.faults("9 status 503 with Retry-After")
async def test_short_advice_is_followed(server: FaultServer, payment_ms: PaymentMS) -> None:
    server.behave(reply({}, 503, headers={"Retry-After": "0"}), ABSENT)

    assert await status(payment_ms)


@pytest.mark.faults("9 status 503 with Retry-After")
@pytest.mark.parametrize(
    ("advice", "told"), [("1", 1.0), ("30", 30.0), ("3600", 60.0), ("Fri, 01 Jan 2100 00:00:00 GMT", 60.0)]
)
async def test_advice_beyond_the_deadline_is_passed_on(
    server: FaultServer, payment_ms: PaymentMS, advice: str, told: float
) -> None:
    server.behave(reply({}, 503, headers={"Retry-After": advice}))

    error = await failure(status(payment_ms), UpstreamFailed)

    assert error.retry_after == told
    assert len(server.requests) == 1


@pytest.mark.faults("9 status 503 with Retry-After")
@pytest.mark.parametrize("advice", ["soon", "-1", "1e9", ""])
async def test_junk_advice_is_ignored(server: FaultServer, payment_ms: PaymentMS, advice: str) -> None:
    server.behave(reply({}, 503, headers={"Retry-After": advice}))

    assert (await failure(checkout(payment_ms), UpstreamFailed)).retry_after is None


@pytest.mark.faults("10 status 429")
async def test_limit_on_our_key_counts_as_an_outage(server: FaultServer, payment_ms: PaymentMS) -> None:
    server.behave(reply({}, 429, headers={"Retry-After": "9"}))

    error = await failure(checkout(payment_ms), UpstreamFailed)

    assert (error.reason, error.retry_after, error.retryable) == ("rate_limited", 9.0, True)
    assert len(server.requests) == 1


@pytest.mark.faults("11 status 401, first ever")
@pytest.mark.parametrize("code", [401, 403])
async def test_key_that_never_worked_names_the_setting_and_not_the_key(
    server: FaultServer, payment_ms: PaymentMS, code: int
) -> None:
    server.behave(reply('{"error":"Invalid API key"}', code, content_type="text/plain; charset=utf-8"))

    with capture_logs() as logs:
        error = await failure(checkout(payment_ms), KeyRejected)

    assert error.sentence == "Payments aren't set up yet."
    assert logs[0]["log_level"] == "error"
    assert KEY_SETTING in str(logs)
    assert KEY.get_secret_value() not in f"{logs}{error!r}{error}"


@pytest.mark.faults("11 status 401 after success")
async def test_key_that_stops_working_spares_the_broken_service(server: FaultServer, payment_ms: PaymentMS) -> None:
    server.behave(ABSENT, reply('{"error":"Invalid API key"}', 401, content_type="text/plain; charset=utf-8"))
    await status(payment_ms)

    with capture_logs() as logs:
        error = await failure(status(payment_ms), KeyRejected)
        refused = await failure(status(payment_ms), UpstreamUnavailable)

    assert error.sentence == "Payments are unavailable right now."
    assert refused.reason == "circuit_open"
    assert "the service has lost its database connection; restart it" in str(logs)
    assert len(server.requests) == 2
