"""One way to another service, for all its clients.

What every call gets here: a bound on requests in flight, a deadline for the whole answer, a cap on its
size, retries that are safe, a circuit breaker for each operation, one log line an attempt, and an error of
``services.errors`` for whatever goes wrong. Redirects are never followed (the key would go with them) and
no proxy is taken from the environment.

A call is a task of its own: a caller that is cancelled (a browser went away) does not cut the request off,
and one whose deadline passed gets ``UpstreamTimeout`` while the request may still end (see ``requests_in_flight``).
"""

import asyncio
import json as jsonlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pydantic import SecretStr

from services.concurrency.limit import ConcurrencyLimit, LocalConcurrencyLimit, Priority
from services.errors import (
    FrontendError,
    KeyRejected,
    UpstreamError,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from services.upstream.api_keys import REFUSED, ApiKeys, PreviousKey
from services.upstream.call_log import log_answer, log_failure, log_opened_circuit
from services.upstream.circuit import Circuit, CircuitPolicy, CircuitState
from services.upstream.clock_skew import ClockSkew
from services.upstream.key_standing import KeyProof, KeyStanding, KeyWatch
from services.upstream.outcomes import CallOutcome
from services.upstream.requests import RequestsInFlight, UpstreamRequest
from services.upstream.responses import Call, RawResponse, UpstreamResponse, read_response
from services.upstream.retry import Backoff, Retry, RetryBudget
from services.upstream.transport import Transport
from services.web.request_id import current_request_id, request_id

__all__ = [
    "CallOutcome",
    "Circuit",
    "CircuitState",
    "ConcurrencyLimit",
    "KeyProof",
    "Observer",
    "Retry",
    "Upstream",
    "UpstreamResponse",
    "request_id",
]

Observer = Callable[[str, str, str, float], None]
"""Called after each attempt with service, operation, outcome and seconds."""


@dataclass(slots=True)
class _TimeLeft:
    """What is left of a call's deadline and of its time in the queue, over all its attempts (seconds)."""

    working: float
    waiting: float


class _Verdict:
    """What one attempt tells its circuit: once, by its deadline or by its end, whichever comes first."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.open = False

    def give(self, verdict: Callable[[], bool | None]) -> bool:
        """Tell the circuit, unless it was told; return whether that opened it."""
        if not self.open:
            return False
        self.open = False
        return bool(verdict())


class Upstream:
    """Calls to one service at ``base_url``. Times in seconds.

    ``max_in_flight`` bounds the requests of this process unless ``slots`` (a bound shared by replicas) is
    given; ``max_wait`` bounds a call's time in that queue, which does not count towards its deadline.
    ``key_setting`` is the setting to name in the log when the service rejects our key; ``key_proof`` remembers beyond
    this process that it took it, ``key_watch`` is told when that changes. ``previous_key`` is tried where ours is
    refused. ``clock_skew`` is what all services' clocks say of ours.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        max_in_flight: int = 1,
        max_wait: float = 5.0,
        slots: ConcurrencyLimit | None = None,
        transport: Transport | None = None,
        connect_timeout: float = 1.0,
        key_setting: str = "the API key",
        key_proof: KeyProof | None = None,
        key_watch: KeyWatch | None = None,
        previous_key: PreviousKey | None = None,
        observer: Observer | None = None,
        trace_headers: Callable[[], Mapping[str, str]] = dict,
        backoff: Backoff | None = None,
        circuit_policy: CircuitPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
        clock_skew: ClockSkew | None = None,
    ) -> None:
        self.name = name
        self.base_url = base_url.rstrip("/")
        self.circuits: dict[str, Circuit] = {}
        self._requests = RequestsInFlight(slots or LocalConcurrencyLimit(max_in_flight))
        self._transport = transport or Transport(
            base_url, connect_timeout=connect_timeout, max_connections=max_in_flight
        )
        self._max_wait = max_wait
        self._key = KeyStanding(key_setting, key_proof, key_watch)
        self._keys = ApiKeys(name, key_setting, previous_key)
        self._keyed_operations: set[str] = set()
        self._observer = observer
        self._trace_headers = trace_headers
        self._backoff = backoff or Backoff()
        self._budget = RetryBudget()
        self._circuit_policy = circuit_policy
        self._clock = clock
        self.clock_skew = clock_skew or ClockSkew()

    @property
    def in_flight(self) -> int:
        """Return how many requests of this process the service is working on."""
        return self._requests.in_flight

    @property
    def waiting(self) -> int:
        """Return how many calls of this process wait for a slot."""
        return self._requests.waiting

    @property
    def degraded(self) -> bool:
        """Return whether any operation's circuit is not closed."""
        return any(circuit.state is not CircuitState.CLOSED for circuit in self.circuits.values())

    @property
    def key_problem(self) -> tuple[str, str] | None:
        """Return why the service refuses our key, and the cure; None while it does not."""
        return self._key.problem

    @property
    def key_in_use(self) -> str:
        """Return the setting of the key that the service took last."""
        return self._keys.in_use

    async def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        json: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        key: SecretStr | None = None,
        deadline: float,
        retry: Retry = Retry.NEVER,
        private: tuple[str, ...] = (),
        priority: Priority = Priority.LOOK,
    ) -> UpstreamResponse:
        """Return the service's 2xx or 4xx answer, within ``deadline`` of work, all retries included.

        ``path`` is absolute and already encoded. ``key`` is sent as ``X-API-Key``; with it, 401 and 403
        raise ``KeyRejected``. Raises the other classes of ``UpstreamError`` but ``RequestRefused`` and
        ``CustomerUnknown``, which only the client can tell; ``InvalidIdentifier`` for a path that would
        become another one; and what the slots raise. ``private`` is what the call sends that names a person,
        ``priority`` its place in the queue.
        """
        call = Call(self.name, operation, current_request_id(), private)
        sent = {**self._trace_headers(), **(headers or {}), "X-Request-Id": call.request_id}
        body = None
        if json is not None:
            body = jsonlib.dumps(json, allow_nan=False).encode()
            sent["Content-Type"] = "application/json"
        if key is not None:
            self._keyed_operations.add(operation)
        request = UpstreamRequest(call, method, path, sent, body, key, deadline, retry, priority)
        return await asyncio.shield(self._requests.spawn(self._call(request)))

    async def aclose(self, grace: float = 10.0) -> None:
        """Take no more calls, give those in flight ``grace`` seconds to end, then close every connection."""
        await self._requests.aclose(grace)
        await self._transport.aclose()

    async def _call(self, request: UpstreamRequest) -> UpstreamResponse:
        circuit = self._circuit(request.call.operation)
        left = _TimeLeft(working=request.deadline, waiting=self._max_wait)
        self._budget.earn()
        attempt = 1
        while True:
            try:
                return await self._attempt(request, circuit, left, attempt)
            except UpstreamError as error:
                pause = self._pause_before_retry(request, circuit, left, attempt, error)
                if pause is None:
                    raise
            await asyncio.sleep(pause)
            left.working -= pause
            attempt += 1

    def _pause_before_retry(
        self, request: UpstreamRequest, circuit: Circuit, left: _TimeLeft, attempt: int, error: UpstreamError
    ) -> float | None:
        if attempt >= request.retry.attempts or not request.retry.allows(error.reason) or circuit.refuses():
            return None
        pause = self._backoff.delay(attempt, error.reason, error.retry_after)
        if pause is None or pause >= left.working or self._requests.closed or not self._budget.spend():
            return None
        return pause

    async def _attempt(
        self, request: UpstreamRequest, circuit: Circuit, left: _TimeLeft, attempt: int
    ) -> UpstreamResponse:
        verdict = _Verdict(circuit)
        since = time.monotonic()
        try:
            if circuit.refuses():
                raise self._circuit_open(request, circuit)
            exchange = await self._requests.start(request, left.waiting, lambda: self._perform(request, verdict))
            queued_for, since = time.monotonic() - since, time.monotonic()
            left.waiting = max(0.0, left.waiting - queued_for)
            answer = await self._requests.answer(request, exchange, left.working)
        except FrontendError as error:
            elapsed = time.monotonic() - since
            self._observe(request.call, log_failure(request.call, error, attempt, elapsed), elapsed)
            if isinstance(error, UpstreamTimeout):
                self._learn(verdict, request, error)
            raise
        finally:
            left.working -= time.monotonic() - since
        self._observe(request.call, log_answer(request.call, answer, attempt), answer.elapsed)
        return answer

    async def _perform(self, request: UpstreamRequest, verdict: _Verdict) -> UpstreamResponse:
        """Send the request and read the answer, while holding a slot; the circuit has the last word and learns."""
        if not verdict.circuit.admit():
            raise self._circuit_open(request, verdict.circuit)
        verdict.open = True
        started = time.monotonic()
        try:
            reply = await self._exchange(request)
            elapsed = time.monotonic() - started
            self.clock_skew.note(self.name, reply.headers.get("date"), elapsed)
            answer = await self._read(replace(reply, elapsed=elapsed), request)
        except FrontendError as error:
            self._learn(verdict, request, error)
            raise
        except asyncio.CancelledError:
            verdict.give(verdict.circuit.forget)
            raise
        verdict.give(verdict.circuit.succeed)
        return answer

    async def _exchange(self, request: UpstreamRequest) -> RawResponse:
        """Send the request; with a key that is refused, once more with the other one, in the same slot."""
        if request.key is None:
            return await self._send(request)
        for key, previous in self._keys.candidates(request.key):
            reply = await self._send(request, key)
            if reply.status not in REFUSED:
                self._keys.note_taken(previous=previous)
                break
        return reply

    async def _send(self, request: UpstreamRequest, key: SecretStr | None = None) -> RawResponse:
        headers = request.headers if key is None else {**request.headers, "X-API-Key": key.get_secret_value()}
        return await self._transport.send(request.call, request.method, request.path, headers, request.body)

    def _circuit(self, operation: str) -> Circuit:
        if operation not in self.circuits:
            self.circuits[operation] = Circuit(self._circuit_policy, clock=self._clock)
        return self.circuits[operation]

    def _circuit_open(self, request: UpstreamRequest, circuit: Circuit) -> UpstreamUnavailable | KeyRejected:
        call = request.call
        if request.key is not None and self._key.refused and not self._key.worked:
            return self._key.unasked(call)  # the words stay those of the refusal: not set up
        return UpstreamUnavailable(
            call.service,
            call.operation,
            "not asked: its last calls failed",
            reason=CallOutcome.CIRCUIT_OPEN,
            request_id=call.request_id,
            retry_after=max(1.0, circuit.retry_after),
        )

    async def _read(self, reply: RawResponse, request: UpstreamRequest) -> UpstreamResponse:
        if request.key is not None and reply.status in REFUSED:
            raise await self._key.refusal(request.call, reply.status)
        answer = read_response(reply, request.call)
        if request.key is not None and answer.ok:
            self._trust_key()
        return answer

    def _trust_key(self) -> None:
        """Remember that the key works; after a time in which it did not, that was why circuits were open."""
        if self._key.take(ours=not self._keys.on_previous):
            for operation in self._keyed_operations:
                self._circuit(operation).reset()
        if self._key.wants_keeping:
            _ = self._requests.spawn(self._key.keep())

    def _learn(self, verdict: _Verdict, request: UpstreamRequest, error: FrontendError) -> None:
        """Tell the circuit what a failed attempt says about the service's health."""
        circuit = verdict.circuit
        if isinstance(error, KeyRejected):
            for operation in self._keyed_operations - {request.call.operation}:
                self._circuit(operation).trip()
            opened = verdict.give(circuit.trip)
        elif isinstance(error, UpstreamFailed) and error.reason == CallOutcome.REQUEST_FAILED:
            opened = verdict.give(circuit.succeed)  # it works: that one request is what it could not do
        elif isinstance(error, UpstreamTimeout | UpstreamFailed | UpstreamUnavailable):
            opened = verdict.give(circuit.fail)
        else:
            opened = verdict.give(circuit.forget)
        if opened:
            log_opened_circuit(request.call, circuit.retry_after)

    def _observe(self, call: Call, outcome: str, elapsed: float) -> None:
        if self._observer is not None:
            self._observer(call.service, call.operation, outcome, elapsed)
