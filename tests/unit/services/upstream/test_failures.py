"""What is tried again, when a circuit opens, and what is told of each attempt."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from services.errors import (
    KeyLost,
    KeyRejected,
    StoreUnavailable,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from services.upstream.circuit import CircuitPolicy
from services.upstream.client import Retry
from tests.faults.fault_server import FaultServer, reply, timeout
from tests.unit.services.upstream.upstream_calls import Make, get, post, until, upstreams_to


class RememberedProof:
    """What a store remembers of the key; `away` while it can't be reached."""

    def __init__(self, *, away: bool = False) -> None:
        self.held = False
        self.away = away
        self.tries = 0

    async def holds(self) -> bool:
        if self.away:
            raise StoreUnavailable("away")
        return self.held

    async def keep(self) -> None:
        self.tries += 1
        if self.away:
            raise StoreUnavailable("away")
        self.held = True


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


@pytest.mark.parametrize("code", ["STRIPE_ERROR", "CUSTOMER_ERROR", "VALIDATION_FAILED"])
async def test_failures_of_one_request_never_open_the_circuit(server: FaultServer, make: Make, code: str) -> None:
    server.behave(reply({"error": {"code": code}}, 500))
    upstream = make()

    for _ in range(20):
        with pytest.raises(UpstreamFailed) as caught:
            await get(upstream, retry=Retry.READS)
        assert caught.value.reason == "request_failed"

    assert not upstream.degraded
    assert len(server.requests) == 20


async def test_failure_of_one_request_proves_that_the_service_is_back(server: FaultServer, make: Make) -> None:
    now = [0.0]
    server.behave(*[reply({}, 500)] * 5, reply({"error": {"code": "STRIPE_ERROR"}}, 500))
    upstream = make(clock=lambda: now[0])
    for _ in range(5):
        with pytest.raises(UpstreamFailed):
            await get(upstream)
    now[0] = 5.0

    with pytest.raises(UpstreamFailed):
        await get(upstream)

    assert not upstream.degraded


async def test_description_of_a_failure_is_logged_without_the_person(server: FaultServer, make: Make) -> None:
    said = "No such customer: 'u-77' (ada@example.com), see https://dashboard/cus_NffrFeUfNV2Hib " + "x" * 400
    answer = {"error": {"code": "STRIPE_ERROR", "description": said}, "meta": {"request_id": "up-9"}}
    server.behave(reply(answer, 500))

    with capture_logs() as logs, pytest.raises(UpstreamFailed):
        await make().call("status", "GET", "/status", deadline=5.0, private=("u-77", "ada@example.com"))

    line = next(entry for entry in logs if entry["event"] == "upstream_description")
    assert line["log_level"] == "error"
    assert line["description"].startswith("No such customer: '[…]' ([…]), see")
    assert len(line["description"]) == 300
    assert (line["upstream_request_id"], bool(line["request_id"])) == ("up-9", True)
    assert not [personal for personal in ("u-77", "ada@", "cus_") if personal in str(logs)]


async def test_key_that_never_worked_may_be_wrong_or_the_service_lost(server: FaultServer, make: Make) -> None:
    server.behave(reply('{"error":"Invalid API key"}', 401, content_type="text/plain"))
    upstream = make(key_setting="PAYMENT_MS_API_KEY")

    with capture_logs() as logs, pytest.raises(KeyRejected) as caught:
        await get(upstream, retry=Retry.READS)

    assert not caught.value.worked_before
    assert upstream.degraded
    assert len(server.requests) == 1
    line = next(entry for entry in logs if entry["event"] == "upstream_call")
    assert "it is wrong (PAYMENT_MS_API_KEY), or the service has lost its database connection" in line["detail"]
    assert line["log_level"] == "error"
    assert upstream.key_problem is not None
    assert "either the key is wrong, or it has lost its database connection" in upstream.key_problem[0]


async def test_calls_not_made_for_an_unproven_key_say_the_same(server: FaultServer, make: Make) -> None:
    server.behave(reply("no", 401, content_type="text/plain"))
    upstream = make()
    with pytest.raises(KeyRejected):
        await get(upstream)

    with pytest.raises(KeyRejected) as caught:
        await get(upstream)

    assert (caught.value.code, caught.value.reason) == ("upstream_key_rejected", "circuit_open")
    assert len(server.requests) == 1


async def test_key_that_worked_in_an_earlier_process_means_a_broken_service(server: FaultServer, make: Make) -> None:
    proof = RememberedProof()
    server.behave(reply({}), reply("no", 401, content_type="text/plain"))
    await get(make(key_proof=proof))
    await until(lambda: proof.held)

    with capture_logs() as logs, pytest.raises(KeyLost):
        await get(make(key_proof=proof))

    assert "to a key that worked: the service has lost its database connection" in str(logs)


class Watch:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def lost(self) -> None:
        self.told.append("lost")

    async def works(self) -> None:
        self.told.append("works")


async def test_watch_is_told_once_that_the_service_is_lost_and_once_that_it_is_back(
    server: FaultServer, make: Make
) -> None:
    watch, refusal = Watch(), reply("no", 401, content_type="text/plain")
    server.behave(reply({}), reply({}), refusal, refusal, reply({}), reply({}))
    now = [0.0]
    upstream = make(key_watch=watch, clock=lambda: now[0])
    for _call in range(2):
        await get(upstream)
    for _call in range(2):
        now[0] += 3600
        with pytest.raises(KeyLost):
            await get(upstream)
    for _call in range(2):
        now[0] += 3600
        await get(upstream)

    await until(lambda: len(watch.told) >= 3)
    assert watch.told == ["works", "lost", "works"]


async def test_watch_hears_nothing_of_a_key_that_never_worked(server: FaultServer, make: Make) -> None:
    watch = Watch()
    server.behave(reply("no", 401, content_type="text/plain"))
    with pytest.raises(KeyRejected):
        await get(make(key_watch=watch))

    assert watch.told == []


async def test_store_that_is_away_leaves_both_causes_open_and_keeps_the_proof_later(
    server: FaultServer, make: Make
) -> None:
    proof = RememberedProof(away=True)
    server.behave(reply("no", 401, content_type="text/plain"), reply({}), reply({}))
    with pytest.raises(KeyRejected) as caught:
        await get(make(key_proof=proof))
    upstream = make(key_proof=proof)
    await get(upstream)
    await until(lambda: proof.tries == 1)
    proof.away = False

    await get(upstream)

    await until(lambda: proof.held)
    assert not caught.value.worked_before


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
