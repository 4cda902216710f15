"""Requests in flight to one upstream: each a task of its own, each holding a slot until it has truly ended.

Whoever waits for an exchange may stop waiting (cancelled, or out of time); the exchange goes on, for twice
its deadline at most. The running Payment MS breaks for good when a client disconnects in the middle of a
status call, so the caller's deadline and the request's end are two different things.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog
from pydantic import SecretStr

from services.concurrency.limit import ConcurrencyLimit, Priority
from services.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from services.upstream.outcomes import CallOutcome
from services.upstream.responses import Call, UpstreamResponse
from services.upstream.retry import Retry

LONGEST_DRAIN = 30.0
"""A request that outlived its caller is cut off after twice its deadline, or this many seconds if less."""

T = TypeVar("T")
Perform = Callable[[], Awaitable[UpstreamResponse]]
_log = structlog.get_logger("upstream")


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """One call as it is to be sent; ``deadline`` in seconds, over all attempts."""

    call: Call
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None
    key: SecretStr | None
    deadline: float
    retry: Retry
    priority: Priority


class RequestsInFlight:
    """Starts requests, holds their slots, and knows how many there are."""

    def __init__(self, slots: ConcurrencyLimit) -> None:
        self.in_flight = 0
        self.waiting = 0
        self._slots = slots
        self._tasks: set[asyncio.Task[object]] = set()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Return whether no more requests are taken."""
        return self._closed

    def spawn(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        """Run ``work`` as a task that lives until it is done, whoever stops waiting for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_mark_retrieved)
        return task

    async def start(
        self, request: UpstreamRequest, max_wait: float, perform: Perform
    ) -> "asyncio.Task[UpstreamResponse]":
        """Return the exchange as soon as it has a slot, with ``perform`` running in it.

        What ``perform`` learns, it learns before the next in line gets the slot. Raises
        ``UpstreamUnavailable`` when no slot came free within ``max_wait`` seconds, and what the slots raise.
        """
        if self._closed:
            raise _unavailable(request, CallOutcome.CLOSED, "shutting down")
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        exchange = self.spawn(self._run(request, max_wait, perform, admitted))
        either: tuple[asyncio.Future[UpstreamResponse] | asyncio.Future[None], ...] = (exchange, admitted)
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not admitted.done():
            await exchange
        return exchange

    async def answer(
        self, request: UpstreamRequest, exchange: "asyncio.Task[UpstreamResponse]", time_left: float
    ) -> UpstreamResponse:
        """Return the exchange's answer; raise ``UpstreamTimeout`` after ``time_left`` seconds and let it go on."""
        done, _ = await asyncio.wait({exchange}, timeout=max(0.0, time_left))
        if done:
            return exchange.result()
        exchange.add_done_callback(lambda task: _log_late_end(request.call, task))
        raise _timeout(request, f"no complete answer within {request.deadline:g} s")

    async def aclose(self, grace: float) -> None:
        """Take no more requests, give those in flight ``grace`` seconds to end, then cut them off."""
        self._closed = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=grace)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _run(
        self, request: UpstreamRequest, max_wait: float, perform: Perform, admitted: "asyncio.Future[None]"
    ) -> UpstreamResponse:
        self.waiting += 1
        queued = True
        try:
            async with self._slots.slot(max_wait, request.priority):
                self.waiting -= 1
                queued = False
                admitted.set_result(None)
                return await self._perform(request, perform)
        except TimeoutError:
            if queued:
                raise _unavailable(request, CallOutcome.QUEUE_FULL, f"no free slot within {max_wait:.1f} s") from None
            raise _timeout(request, "cut off, long after its deadline") from None
        finally:
            if queued:
                self.waiting -= 1

    async def _perform(self, request: UpstreamRequest, perform: Perform) -> UpstreamResponse:
        self.in_flight += 1
        try:
            async with asyncio.timeout(max(request.deadline, min(2 * request.deadline, LONGEST_DRAIN))):
                return await perform()
        finally:
            self.in_flight -= 1


def _unavailable(request: UpstreamRequest, outcome: CallOutcome, detail: str) -> UpstreamUnavailable:
    call = request.call
    return UpstreamUnavailable(call.service, call.operation, detail, reason=outcome, request_id=call.request_id)


def _timeout(request: UpstreamRequest, detail: str) -> UpstreamTimeout:
    call = request.call
    return UpstreamTimeout(
        call.service, call.operation, detail, reason=CallOutcome.DEADLINE, request_id=call.request_id
    )


def _mark_retrieved(task: "asyncio.Task[T]") -> None:
    """Its callers may be gone; the failure has been logged where it was seen."""
    if not task.cancelled():
        task.exception()


def _log_late_end(call: Call, task: "asyncio.Task[UpstreamResponse]") -> None:
    if task.cancelled():
        ending = "cancelled"
    else:
        error = task.exception()
        ending = error.reason if isinstance(error, UpstreamError) else "failed" if error else "answered"
    _log.warning("upstream_late", service=call.service, op=call.operation, outcome=ending, request_id=call.request_id)
