"""Traces for OpenTelemetry, when OTEL_EXPORTER_URL is set and the extra `otel` is installed; otherwise nothing.

A span for each request and each attempt at an upstream call, and `traceparent` (W3C Trace Context) on every call, so
that the other services' spans join. Spans hold names, outcomes and times: no user, no query, no key.
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.errors import TracingNotInstalled
from services.web.nameless_paths import without_names
from services.web.quiet_paths import QUIET_PATHS

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SERVICE: Final = "billing-front-end"
FLUSH_WITHIN: Final = 2_000
"""Milliseconds that spans get to leave at shutdown."""


class Tracing(Protocol):
    """What the rest of the app knows of traces."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers that tie an upstream call to the request at hand."""

    def note_call(self, service: str, operation: str, outcome: str, seconds: float) -> None:
        """Note an attempt at an upstream call that has just ended."""

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return the app with a span around each request."""

    def close(self) -> None:
        """Send what is left."""


class NoTracing:
    """Costs nothing."""

    def headers(self) -> Mapping[str, str]:
        """See `Tracing`."""
        return {}

    def note_call(self, service: str, operation: str, outcome: str, seconds: float) -> None:
        """See `Tracing`."""

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """See `Tracing`."""
        return app

    def close(self) -> None:
        """See `Tracing`."""


class OtlpTracing:
    """Sends spans in batches, from a thread of its own, to a collector that takes OTLP over HTTP."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer(SERVICE)
        self._propagator = TraceContextTextMapPropagator()

    def headers(self) -> Mapping[str, str]:
        """See `Tracing`."""
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier

    def note_call(self, service: str, operation: str, outcome: str, seconds: float) -> None:
        """See `Tracing`."""
        from opentelemetry.trace import SpanKind, StatusCode

        now = time.time_ns()
        span = self._tracer.start_span(
            f"{service} {operation}",
            kind=SpanKind.CLIENT,
            start_time=now - round(seconds * 1e9),
            attributes={"peer.service": service, "outcome": outcome},
        )
        if outcome not in ("ok", "rejected"):
            span.set_status(StatusCode.ERROR, outcome)
        span.end(now)

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """See `Tracing`."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"].startswith(QUIET_PATHS):
                await app(scope, receive, send)
                return
            await self._serve(app, scope, receive, send)

        return traced

    async def _serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        from opentelemetry.trace import SpanKind, StatusCode

        sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        context = self._propagator.extract({"traceparent": sent.get("traceparent", "")})
        name = f"{scope['method']} {without_names(scope['path'])}"
        with self._tracer.start_as_current_span(name, context, kind=SpanKind.SERVER) as span:

            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            await app(scope, receive, answer)

    def close(self) -> None:
        """See `Tracing`."""
        self._provider.force_flush(FLUSH_WITHIN)
        self._provider.shutdown()


def open_tracing(exporter_url: str) -> Tracing:
    """Return what sends traces to the collector at that address, or nowhere for an empty one.

    Raises TracingNotInstalled when the packages for it are missing.
    """
    if not exporter_url:
        return NoTracing()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise TracingNotInstalled(
            "OTEL_EXPORTER_URL is set but OpenTelemetry is not installed; install requirements/otel.txt, or remove it."
        ) from None
    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{exporter_url.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1_000))
    return OtlpTracing(provider)


Observer = Callable[[str, str, str, float], None]


def both(first: Observer, second: Observer) -> Observer:
    """Return an observer of upstream calls that tells two."""

    def tell(service: str, operation: str, outcome: str, seconds: float) -> None:
        first(service, operation, outcome, seconds)
        second(service, operation, outcome, seconds)

    return tell
