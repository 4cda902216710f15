"""What every call gets, whoever makes it: over real sockets, against a server that does as it is told."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from pydantic import SecretStr
from structlog.testing import capture_logs

from services.circuit import CircuitPolicy, CircuitState
from services.errors import (
    KeyRejected,
    UpstreamError,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from services.retry import Backoff
from services.upstream import Answer, Retry, Upstream, request_id
from tests.faults.fault_server import FaultServer, hold, reply, timeout

KEY = SecretStr("proj_secret")
Make = Callable[..., Upstream]


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as server:
        yield server


@pytest_asyncio.fixture
async def make(server: FaultServer) -> AsyncIterator[Make]:
    made: list[Upstream] = []

    def make(**settings: object) -> Upstream:
        made.append(Upstream("payment_ms", server.url, backoff=Backoff(0.0, 0.0), **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for upstream in made:
        await upstream.aclose(grace=0.0)


async def get(upstream: Upstream, *, deadline: float = 5.0, retry: Retry = Retry.NEVER) -> Answer:
    return await upstream.call("status", "GET", "/status", key=KEY, deadline=deadline, retry=retry)


async def post(upstream: Upstream, *, retry: Retry = Retry.UNSENT) -> Answer:
    return await upstream.call("checkout", "POST", "/checkout", json={"a": 1}, key=KEY, deadline=5.0, retry=retry)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds; the test's timeout bounds it."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - counters have no event to wait for
            await asyncio.sleep(0.001)


async def test_request_carries_its_id_the_key_and_no_wish_for_compression(server: FaultServer, make: Make) -> None:
    token = request_id.set("req-1")

    await post(make())

    request_id.reset(token)
    headers = server.requests[0].headers
    assert headers["x-request-id"] == "req-1"
    assert headers["x-api-key"] == "proj_secret"
    assert headers["accept-encoding"] == "identity"
    assert headers["content-type"] == "application/json"
    assert server.requests[0].json == {"a": 1}


async def test_id_that_no_header_can_carry_is_replaced(server: FaultServer, make: Make) -> None:
    token = request_id.set("évil\r\nX: y")

    await get(make())

    request_id.reset(token)
    assert re.fullmatch(r"[0-9a-f]{32}", server.requests[0].headers["x-request-id"])


async def test_trace_headers_are_passed_on(server: FaultServer, make: Make) -> None:
    await get(make(trace_headers=lambda: {"traceparent": "00-1-2-01"}))

    assert server.requests[0].headers["traceparent"] == "00-1-2-01"


async def test_proxy_of_the_environment_is_not_used(
    server: FaultServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    assert (await get(make())).ok


async def test_connection_is_reused(server: FaultServer, make: Make) -> None:
    upstream = make()

    for _ in range(5):
        await get(upstream)

    assert server.connections == 1


async def test_default_bound_lets_no_two_requests_overlap(server: FaultServer, make: Make) -> None:
    upstream = make()

    await asyncio.gather(*(get(upstream) for _ in range(40)), *(post(upstream) for _ in range(40)))

    assert len(server.requests) == 80
    assert server.most_open == 1


async def test_bound_is_used_to_the_full(server: FaultServer, make: Make) -> None:
    released = asyncio.Event()
    server.behave(hold(released, reply({})))
    upstream = make(max_in_flight=3)
    calls = [asyncio.create_task(get(upstream)) for _ in range(5)]
    await server.received(3)
    await until(lambda: upstream.waiting == 2)

    assert upstream.in_flight == 3

    released.set()
    await asyncio.gather(*calls)
    assert server.most_open == 3
    assert (upstream.in_flight, upstream.waiting) == (0, 0)


async def test_calls_are_served_in_the_order_they_came(server: FaultServer, make: Make) -> None:
    upstream = make()

    await asyncio.gather(*(upstream.call("status", "GET", f"/{number}", deadline=5.0) for number in range(20)))

    assert [request.target for request in server.requests] == [f"/{number}" for number in range(20)]


async def test_wait_for_a_slot_is_bounded(server: FaultServer, make: Make) -> None:
    released = asyncio.Event()
    server.behave(hold(released, reply({})))
    upstream = make(max_wait=0.05)
    first = asyncio.create_task(get(upstream))
    await server.received(1)

    with pytest.raises(UpstreamUnavailable) as caught:
        await get(upstream)

    assert caught.value.reason == "queue_full"
    assert upstream.waiting == 0
    released.set()
    assert (await first).ok
    assert upstream.circuits["status"].state is CircuitState.CLOSED


async def test_wait_for_a_slot_does_not_use_up_the_deadline(server: FaultServer, make: Make) -> None:
    released = asyncio.Event()
    server.behave(hold(released, reply({})), reply({}))
    upstream = make()
    first = asyncio.create_task(get(upstream))
    await server.received(1)
    second = asyncio.create_task(get(upstream, deadline=0.2))
    await until(lambda: upstream.waiting == 1)
    asyncio.get_running_loop().call_later(0.3, released.set)

    assert (await second).ok
    assert (await first).ok


async def test_cancelled_caller_does_not_cut_the_request_off(server: FaultServer, make: Make) -> None:
    released = asyncio.Event()
    server.behave(hold(released, reply({})))
    upstream = make()
    caller = asyncio.create_task(get(upstream))
    await server.received(1)

    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert upstream.in_flight == 1
    released.set()
    await until(lambda: upstream.in_flight == 0)

    await get(upstream)
    assert server.connections == 1


async def test_caller_cancelled_while_queued_still_has_its_call_made(server: FaultServer, make: Make) -> None:
    released = asyncio.Event()
    server.behave(hold(released, reply({})))
    upstream = make()
    first = asyncio.create_task(get(upstream))
    await server.received(1)
    queued = asyncio.create_task(post(upstream))
    await until(lambda: upstream.waiting == 1)

    queued.cancel()
    released.set()
    await first
    await server.received(2)

    assert server.requests[1].method == "POST"


async def test_request_outlives_a_deadline_and_keeps_its_slot(server: FaultServer, make: Make) -> None:
    released = asyncio.Event()
    server.behave(hold(released, reply({})), reply({}))
    upstream = make()

    with capture_logs() as logs:
        with pytest.raises(UpstreamTimeout):
            await get(upstream, deadline=0.2)
        assert upstream.in_flight == 1
        second = asyncio.create_task(get(upstream))
        await until(lambda: upstream.waiting == 1)
        released.set()
        await second

    assert server.most_open == 1
    assert server.connections == 1
    assert [entry["outcome"] for entry in logs if entry["event"] == "upstream_late"] == ["answered"]


async def test_request_that_never_ends_is_cut_off_after_twice_its_deadline(server: FaultServer, make: Make) -> None:
    server.behave(timeout())
    upstream = make()
    started = time.monotonic()

    with pytest.raises(UpstreamTimeout):
        await get(upstream, deadline=0.2)
    given_up = time.monotonic() - started
    await until(lambda: upstream.in_flight == 0)

    assert 0.2 <= given_up < 0.35
    assert 0.39 <= time.monotonic() - started < 0.8


async def test_deadline_spans_all_attempts(server: FaultServer, make: Make) -> None:
    server.behave(reply({}, 500), timeout())
    started = time.monotonic()

    with pytest.raises(UpstreamTimeout):
        await get(make(), deadline=0.3, retry=Retry.READS)

    assert time.monotonic() - started < 0.45
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


async def test_closing_waits_for_requests_and_takes_no_more(server: FaultServer, make: Make) -> None:
    released = asyncio.Event()
    server.behave(hold(released, reply({})))
    upstream = make()
    call = asyncio.create_task(get(upstream))
    await server.received(1)
    closing = asyncio.create_task(upstream.aclose())
    await asyncio.sleep(0)

    with pytest.raises(UpstreamError) as caught:
        await get(upstream)
    released.set()
    await closing

    assert caught.value.reason == "closed"
    assert (await call).ok


@pytest.mark.parametrize("base_url", ["ftp://x", "localhost:9000", "", "http://"])
def test_base_address_must_be_http(base_url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        Upstream("payment_ms", base_url)
