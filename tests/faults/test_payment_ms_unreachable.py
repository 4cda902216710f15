"""Rows 1 to 6: the Payment MS can't be reached, stalls, or breaks off."""

import time
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from services.errors import UpstreamError, UpstreamFailed, UpstreamTimeout, UpstreamUnavailable
from services.payment_ms import PaymentMS
from tests.faults.calls import ABSENT, DEADLINE, SESSION, SLACK, UNAVAILABLE, Connect, checkout, failure, status
from tests.faults.fault_server import (
    Behaviour,
    FaultServer,
    ServedConnection,
    full_backlog,
    hang_up,
    reset_peer,
    slicer,
    timeout,
)
from tests.faults.tls import self_signed


@pytest.mark.faults("1 connection refused")
async def test_refused_connection_is_retried_and_then_told(server: FaultServer, payment_ms: PaymentMS) -> None:
    await server.stop()

    with capture_logs() as logs:
        error = await failure(status(payment_ms), UpstreamUnavailable)

    assert (error.reason, error.sentence) == ("refused", UNAVAILABLE)
    assert [entry["attempt"] for entry in logs] == [1, 2, 3]
    assert {entry["log_level"] for entry in logs} == {"warning"}


@pytest.mark.faults("1 connection refused")
async def test_refused_checkout_is_tried_once_more_since_nothing_was_sent(
    server: FaultServer, payment_ms: PaymentMS
) -> None:
    await server.stop()

    with capture_logs() as logs:
        await failure(checkout(payment_ms), UpstreamUnavailable)

    assert [entry["attempt"] for entry in logs] == [1, 2]


@pytest.mark.faults("1 connection refused")
async def test_service_that_comes_back_is_used_again(server: FaultServer, payment_ms: PaymentMS) -> None:
    await server.stop()
    await failure(checkout(payment_ms), UpstreamUnavailable)
    server.behave(SESSION)
    await server.start()

    assert await checkout(payment_ms)


@pytest.mark.faults("2 DNS failure")
async def test_unknown_host_is_told_apart_in_the_log(connect: Connect) -> None:
    with capture_logs() as logs:
        error = await failure(checkout(connect("http://payment-ms.invalid", deadline=20.0)), UpstreamError)

    assert error.sentence == UNAVAILABLE
    assert error.reason == "dns"
    assert logs[0]["log_level"] == "error"


@pytest.mark.faults("2 TLS failure")
async def test_certificate_nobody_vouches_for_is_refused_before_the_key_is_sent(connect: Connect) -> None:
    async with FaultServer(tls=self_signed()) as server:
        with capture_logs() as logs:
            error = await failure(status(connect(server.url)), UpstreamUnavailable)

    assert (error.reason, error.sentence) == ("tls", UNAVAILABLE)
    assert server.requests == []
    assert [entry["log_level"] for entry in logs] == ["error"]


@pytest.mark.faults("3 connect timeout")
async def test_port_with_a_full_queue_is_given_up_in_time(connect: Connect) -> None:
    async with full_backlog() as url:
        started = time.monotonic()
        error = await failure(status(connect(url)), UpstreamError)

    assert error.sentence == UNAVAILABLE
    assert time.monotonic() - started < DEADLINE + SLACK


@pytest.mark.faults("4 slow headers")
@pytest.mark.parametrize("ask", [status, checkout])
async def test_silence_ends_at_the_deadline(
    server: FaultServer, payment_ms: PaymentMS, ask: Callable[[PaymentMS], Awaitable[object]]
) -> None:
    server.behave(timeout())
    started = time.monotonic()

    error = await failure(ask(payment_ms), UpstreamTimeout)

    assert DEADLINE <= time.monotonic() - started < DEADLINE + SLACK
    assert error.status == 504
    assert len(server.requests) == 1


@pytest.mark.faults("5 slow body drip")
async def test_dripping_body_ends_at_the_deadline(server: FaultServer, payment_ms: PaymentMS) -> None:
    server.behave(slicer(b'{"exists": false}' + b" " * 1000))
    started = time.monotonic()

    await failure(status(payment_ms), UpstreamTimeout)

    assert DEADLINE <= time.monotonic() - started < DEADLINE + SLACK


@pytest.mark.faults("6 stale keep-alive, reset")
@pytest.mark.parametrize("break_off", [hang_up(), reset_peer()])
async def test_read_on_a_dying_connection_is_repeated_unseen(
    server: FaultServer, payment_ms: PaymentMS, break_off: Behaviour
) -> None:
    server.behave(ABSENT, break_off, ABSENT)
    await status(payment_ms)

    assert await status(payment_ms)

    assert [request.connection for request in server.requests] == [1, 1, 2]


@pytest.mark.faults("6 stale keep-alive, reset")
@pytest.mark.parametrize("break_off", [hang_up(), reset_peer()])
async def test_checkout_on_a_dying_connection_is_not_repeated(
    server: FaultServer, payment_ms: PaymentMS, break_off: Behaviour
) -> None:
    server.behave(ABSENT, break_off)
    await status(payment_ms)

    error = await failure(checkout(payment_ms), UpstreamFailed)

    assert error.reason == "reset"
    assert len(server.requests) == 2


@pytest.mark.faults("6 stale keep-alive, reset")
async def test_connection_closed_while_idle_is_not_used(server: FaultServer, payment_ms: PaymentMS) -> None:
    async def answer_and_close(wire: ServedConnection) -> None:
        await ABSENT(wire)
        await hang_up()(wire)

    server.behave(answer_and_close, SESSION)
    await status(payment_ms)

    assert await checkout(payment_ms)


@pytest.mark.faults("1-11 circuit breaker")
async def test_circuit_opens_after_five_failures_and_spares_the_service(
    server: FaultServer, payment_ms: PaymentMS
) -> None:
    server.behave(reset_peer())

    with capture_logs() as logs:
        for _ in range(5):
            await failure(checkout(payment_ms), UpstreamFailed)
        error = await failure(checkout(payment_ms), UpstreamUnavailable)

    assert error.reason == "circuit_open"
    assert error.retry_after is not None
    assert len(server.requests) == 5
    assert [entry["log_level"] for entry in logs if entry["event"] == "circuit_opened"] == ["error"]
