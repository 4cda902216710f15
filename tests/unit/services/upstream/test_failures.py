"""What is tried again, when a circuit opens, and what is told of each attempt."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from services.errors import KeyRejected, UpstreamFailed, UpstreamTimeout, UpstreamUnavailable
from services.upstream.circuit import CircuitPolicy
from services.upstream.client import Retry
from tests.faults.fault_server import FaultServer, reply, timeout
from tests.unit.services.upstream.upstream_calls import Make, get, post, upstreams_to


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as server:
        yield server


@pytest_asyncio.fixture
async def make(server: FaultServer) -> AsyncIterator[Make]:
    async with upstreams_to(server) as make:
        yield make


async def test_deadline_spans_all_attempts(server: FaultServer, make: Make) -> None:
    server.behave(reply({}, 500), timeout())
    started = time.monotonic()

    with pytest.raises(UpstreamTimeout):
        await get(make(), deadline=1.5, retry=Retry.READS)

    assert time.monotonic() - started < 4
    assert len(server.requests) == 2


async def test_read_is_tried_three_times(server: FaultServer, make: Make) -> None:
    server.behave(reply({}, 500), reply({}, 503), reply({"fine": True}))

    assert (await get(make(), retry=Retry.READS)).json == {"fine": True}
    assert len({request.headers["x-request-id"] for request in server.requests}) == 1


async def test_checkout_that_may_have_arrived_is_not_sent_again(server: FaultServer, make: Make) -> None:
    server.behave(reply({}, 500))

    with pytest.raises(UpstreamFailed):
        await post(make())

    assert len(server.requests) == 1


async def test_idempotent_checkout_is_sent_once_more(server: FaultServer, make: Make) -> None:
    server.behave(reply({}, 500))

    with pytest.raises(UpstreamFailed):
        await post(make(), retry=Retry.IDEMPOTENT)

    assert len(server.requests) == 2


async def test_outage_is_not_multiplied_by_retries(server: FaultServer, make: Make) -> None:
    server.behave(reply({}, 500))
    upstream = make(circuit_policy=CircuitPolicy(failures_in_a_row=10_000, window_calls=10_000))

    results = await asyncio.gather(*(get(upstream, retry=Retry.READS) for _ in range(100)), return_exceptions=True)

    assert all(isinstance(result, UpstreamFailed) for result in results)
    assert len(server.requests) <= 100 + 10 + 10


async def test_fifth_failure_opens_the_circuit_of_that_operation_only(server: FaultServer, make: Make) -> None:
    server.behave(reply({}, 500))
    upstream = make()
    for _ in range(5):
        with pytest.raises(UpstreamFailed):
            await get(upstream)

    with pytest.raises(UpstreamUnavailable) as caught:
        await get(upstream)
    with pytest.raises(UpstreamFailed):
        await post(upstream)

    assert caught.value.reason == "circuit_open"
    assert caught.value.retry_after is not None
    assert 1.0 <= caught.value.retry_after <= 5.0
    assert len(server.requests) == 6
    assert upstream.degraded


async def test_circuit_that_opens_while_calls_wait_spares_the_service(server: FaultServer, make: Make) -> None:
    server.behave(reply({}, 500))
    upstream = make()

    results = await asyncio.gather(*(get(upstream) for _ in range(50)), return_exceptions=True)

    assert len(server.requests) == 5
    assert sum(isinstance(result, UpstreamUnavailable) for result in results) == 45


async def test_half_open_circuit_closes_on_a_good_probe(server: FaultServer, make: Make) -> None:
    now = [0.0]
    server.behave(*[reply({}, 500)] * 5, reply({}))
    upstream = make(clock=lambda: now[0])
    for _ in range(5):
        with pytest.raises(UpstreamFailed):
            await get(upstream)
    now[0] = 5.0

    assert (await get(upstream)).ok
    assert not upstream.degraded


async def test_refusals_never_open_the_circuit(server: FaultServer, make: Make) -> None:
    server.behave(reply({"error": {"code": "VALIDATION_FAILED"}}, 400))
    upstream = make()

    for _ in range(20):
        assert not (await get(upstream)).ok

    assert not upstream.degraded


async def test_key_that_never_worked_is_a_wrong_setting(server: FaultServer, make: Make) -> None:
    server.behave(reply('{"error":"Invalid API key"}', 401, content_type="text/plain"))
    upstream = make(key_setting="PAYMENT_MS_API_KEY")

    with capture_logs() as logs, pytest.raises(KeyRejected) as caught:
        await get(upstream, retry=Retry.READS)

    assert not caught.value.worked_before
    assert not upstream.degraded
    assert len(server.requests) == 1
    assert "it is set in PAYMENT_MS_API_KEY" in logs[0]["detail"]
    assert logs[0]["log_level"] == "error"


async def test_key_that_stops_working_means_a_broken_service_and_opens_every_circuit(
    server: FaultServer, make: Make
) -> None:
    refusal = reply('{"error":"Invalid API key"}', 401, content_type="text/plain")
    server.behave(reply({}), reply({}), refusal)
    upstream = make()
    await get(upstream)
    await post(upstream)

    with capture_logs() as logs, pytest.raises(KeyRejected) as caught:
        await get(upstream)
    with pytest.raises(UpstreamUnavailable):
        await post(upstream)

    assert caught.value.worked_before
    assert "has lost its database connection; restart it" in str(logs)
    assert len(server.requests) == 3


async def test_key_that_works_again_closes_every_circuit_it_had_opened(server: FaultServer, make: Make) -> None:
    now = [0.0]
    server.behave(reply({}), reply({}), reply("no", 401, content_type="text/plain"), reply({}))
    upstream = make(clock=lambda: now[0])
    await get(upstream)
    await post(upstream)
    with pytest.raises(KeyRejected):
        await get(upstream)
    assert upstream.degraded
    now[0] = 5.0

    await get(upstream)

    assert not upstream.degraded


async def test_answer_without_a_key_proves_nothing_about_the_key(server: FaultServer, make: Make) -> None:
    server.behave(reply({}), reply({}, 401))
    upstream = make()
    await upstream.call("health", "GET", "/health", deadline=5.0)

    with pytest.raises(KeyRejected) as caught:
        await get(upstream)

    assert not caught.value.worked_before


async def test_each_attempt_is_one_log_line_and_one_observation(server: FaultServer, make: Make) -> None:
    server.behave(reply({"meta": {"request_id": "up-1"}, "error": {"code": "DATABASE_ERROR"}}, 500), reply({}))
    seen: list[tuple[str, str, str]] = []
    upstream = make(observer=lambda service, op, outcome, seconds: seen.append((service, op, outcome)))

    with capture_logs() as logs:
        await get(upstream, retry=Retry.READS)

    assert [(entry["event"], entry["outcome"], entry["attempt"]) for entry in logs] == [
        ("upstream_call", "server_error", 1),
        ("upstream_call", "ok", 2),
    ]
    assert logs[0]["upstream_request_id"] == "up-1"
    assert logs[0]["upstream_code"] == "DATABASE_ERROR"
    assert logs[0]["status"] == 500
    assert logs[0]["request_id"] == logs[1]["request_id"]
    assert seen == [("payment_ms", "status", "server_error"), ("payment_ms", "status", "ok")]
