"""A key is changed while the app runs: whichever of two the service knows at a moment, no call is lost."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr
from structlog.testing import capture_logs

from services.errors import KeyLost, KeyRejected
from services.upstream.api_keys import PreviousKey
from services.upstream.client import Upstream
from tests.faults.fault_server import Behaviour, FaultServer, ServedConnection, reply
from tests.unit.services.upstream.upstream_calls import KEY, Make, get, post, upstreams_to

OLD = PreviousKey(SecretStr("proj_before"), "PAYMENT_MS_API_KEY_PREVIOUS")
NEW = KEY.get_secret_value()


class NotedWatch:
    """Notes what the watch is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def lost(self) -> None:
        self.heard.append("lost")

    async def works(self) -> None:
        self.heard.append("works")


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as server:
        yield server


@pytest_asyncio.fixture
async def make(server: FaultServer) -> AsyncIterator[Make]:
    async with upstreams_to(server) as make:
        yield make


def taking(*keys: str) -> Behaviour:
    """A service that knows these keys."""

    async def answer(connection: ServedConnection) -> None:
        assert connection.request is not None
        known = connection.request.headers["x-api-key"] in keys
        refusal = reply('{"error":"Invalid API key"}', 401, content_type="text/plain")
        await (reply({}) if known else refusal)(connection)

    return answer


def sent(server: FaultServer) -> list[str]:
    return [request.headers["x-api-key"] for request in server.requests]


def changing(make: Make, **settings: object) -> Upstream:
    return make(key_setting="PAYMENT_MS_API_KEY", previous_key=OLD, **settings)


async def test_no_call_is_lost_whichever_key_the_service_knows(server: FaultServer, make: Make) -> None:
    upstream = changing(make)
    answers = []
    with capture_logs() as lines:
        for known in [("proj_before",), ("proj_before", NEW), (NEW,)]:
            server.behave(taking(*known))
            answers += [await get(upstream), await post(upstream)]

    assert all(answer.ok for answer in answers)
    said = [line["setting"] for line in lines if line["event"] == "api_key_in_use"]
    assert said == ["PAYMENT_MS_API_KEY_PREVIOUS", "PAYMENT_MS_API_KEY"]
    assert upstream.key_in_use == "PAYMENT_MS_API_KEY"
    assert not upstream.degraded


async def test_the_key_that_was_taken_last_is_sent_first(server: FaultServer, make: Make) -> None:
    upstream = changing(make)
    server.behave(taking("proj_before"))
    await get(upstream)
    await get(upstream)

    assert sent(server) == [NEW, "proj_before", "proj_before"]


async def test_the_previous_key_proves_nothing_of_ours(server: FaultServer, make: Make) -> None:
    watch = NotedWatch()
    upstream = changing(make, key_watch=watch)
    server.behave(taking("proj_before"))
    await get(upstream)
    server.behave(taking())

    with pytest.raises(KeyRejected) as refused:
        await get(upstream)

    assert not isinstance(refused.value, KeyLost)
    assert "never took before" in (upstream.key_problem or ("", ""))[0]
    assert watch.heard == ["works"]


async def test_a_key_of_ours_that_worked_is_lost_when_both_are_refused(server: FaultServer, make: Make) -> None:
    watch = NotedWatch()
    upstream = changing(make, key_watch=watch)
    server.behave(taking(NEW))
    await get(upstream)
    server.behave(taking())

    with pytest.raises(KeyLost):
        await get(upstream)

    assert watch.heard == ["works", "lost"]


async def test_without_a_previous_key_nothing_is_sent_twice(server: FaultServer, make: Make) -> None:
    server.behave(taking())

    with pytest.raises(KeyRejected):
        await post(make())

    assert sent(server) == [NEW]
