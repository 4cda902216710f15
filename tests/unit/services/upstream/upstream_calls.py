"""The calls that the tests of the upstream make, and a way to make upstreams that are closed again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pydantic import SecretStr

from services.upstream.client import Upstream
from services.upstream.responses import UpstreamResponse
from services.upstream.retry import Backoff, Retry
from tests.faults.fault_server import FaultServer

KEY = SecretStr("proj_secret")
Make = Callable[..., Upstream]


@asynccontextmanager
async def upstreams_to(server: FaultServer) -> AsyncIterator[Make]:
    """Yield a maker of upstreams to ``server`` that never pause before a retry."""
    made: list[Upstream] = []

    def make(**settings: object) -> Upstream:
        made.append(Upstream("payment_ms", server.url, backoff=Backoff(0.0, 0.0), **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for upstream in made:
        await upstream.aclose(grace=0.0)


async def get(upstream: Upstream, *, deadline: float = 5.0, retry: Retry = Retry.NEVER) -> UpstreamResponse:
    """Make a read."""
    return await upstream.call("status", "GET", "/status", key=KEY, deadline=deadline, retry=retry)


async def post(upstream: Upstream, *, retry: Retry = Retry.UNSENT) -> UpstreamResponse:
    """Make a write."""
    return await upstream.call("checkout", "POST", "/checkout", json={"a": 1}, key=KEY, deadline=5.0, retry=retry)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds, for five seconds at most."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - counters have no event to wait for
            await asyncio.sleep(0.001)
