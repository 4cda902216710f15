"""What every call gets, whoever makes it: its headers, its turn, its deadline, and that it is not cut off."""

import asyncio
import re
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr
from structlog.testing import capture_logs

from services.errors import KeyRejected, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from services.upstream.circuit import CircuitState
from services.upstream.client import Upstream, request_id
from tests.faults.fault_server import FaultServer, hold, reply, timeout
from tests.unit.services.upstream.upstream_calls import Make, get, post, until, upstreams_to


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as server:
        yield server


@pytest_asyncio.fixture
async def make(server: FaultServer) -> AsyncIterator[Make]:
    async with upstreams_to(server) as make:
        yield make


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


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines", "two\r\nX-Other: lines"])
async def test_key_that_no_header_can_carry_is_a_wrong_setting(server: FaultServer, make: Make, key: str) -> None:
    with capture_logs() as logs, pytest.raises(KeyRejected) as caught:
        await make().call("status", "GET", "/status", key=SecretStr(key), deadline=5.0)

    assert caught.value.sentence == "Payments aren't set up yet."
    assert key.split("\n")[0] not in f"{logs}{caught.value!r}{caught.value}"
    assert server.requests == []


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
    second = asyncio.create_task(get(upstream, deadline=1.0))
    await until(lambda: upstream.waiting == 1)
    asyncio.get_running_loop().call_later(1.2, released.set)

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
            await get(upstream, deadline=1.0)
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
        await get(upstream, deadline=1.0)
    given_up = time.monotonic() - started
    await until(lambda: upstream.in_flight == 0)

    assert 1.0 <= given_up < 1.95
    assert 1.99 <= time.monotonic() - started < 4.0


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
