"""The running service's one database connection: any overlap, or any client that leaves early, breaks it for good."""

import asyncio
import random

import pytest
from pydantic import SecretStr

from services.errors import UpstreamTimeout
from services.payment_ms import PaymentMS
from services.upstream.client import Upstream
from tests.faults.calls import ABSENT, KEY, status
from tests.faults.fault_server import Behaviour, FaultServer, ServedConnection, reply


class OneConnection:
    """Answers status calls like the running service: fine one at a time, with 401 for ever after two at once."""

    def __init__(self, seconds: float) -> None:
        self.poisoned = False
        self._seconds = seconds
        self._busy = False

    async def __call__(self, wire: ServedConnection) -> None:
        self.poisoned = self.poisoned or self._busy
        self._busy = True
        left = asyncio.create_task(wire.reader.read(1))
        gone, _ = await asyncio.wait({left}, timeout=self._seconds)
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
        self.poisoned = self.poisoned or bool(gone)
        self._busy = False
        answer: Behaviour = ABSENT
        if self.poisoned:
            answer = reply('{"error":"Invalid API key"}', 401, content_type="text/plain")
        await answer(wire)


@pytest.mark.faults("group 13 one-connection fault of the running service")
async def test_service_without_a_bound_on_our_side_would_break(server: FaultServer) -> None:
    fragile = OneConnection(0.02)
    server.behave(fragile)
    upstream = Upstream("payment_ms", server.url, max_in_flight=2)
    payment_ms = PaymentMS(upstream, KEY)

    await asyncio.gather(status(payment_ms), status(payment_ms), return_exceptions=True)

    await upstream.aclose()
    assert fragile.poisoned


@pytest.mark.faults("group 13 one-connection fault of the running service")
async def test_hundred_impatient_users_never_break_it(server: FaultServer) -> None:
    fragile = OneConnection(0.005)
    server.behave(fragile)
    upstream = Upstream("payment_ms", server.url, max_wait=30.0)
    payment_ms = PaymentMS(upstream, SecretStr("proj_secret"))
    loop, chance = asyncio.get_running_loop(), random.Random(1)
    callers = [asyncio.create_task(status(payment_ms)) for _ in range(100)]
    for caller in callers[::3]:
        loop.call_later(chance.uniform(0.0, 0.5), caller.cancel)

    results = await asyncio.gather(*callers, return_exceptions=True)

    left = [result for result in results if isinstance(result, asyncio.CancelledError)]
    assert left
    assert not [result for result in results if isinstance(result, Exception)]
    await upstream.aclose()
    assert not fragile.poisoned
    assert (len(server.requests), server.most_open) == (100, 1)


@pytest.mark.faults("group 13 one-connection fault of the running service")
async def test_deadline_of_a_slow_status_does_not_break_it(server: FaultServer) -> None:
    fragile = OneConnection(0.3)
    server.behave(fragile)
    upstream = Upstream("payment_ms", server.url)
    hasty = PaymentMS(upstream, KEY, status_deadline=0.2)

    with pytest.raises(UpstreamTimeout):
        await status(hasty)
    await upstream.aclose()

    assert not fragile.poisoned
