"""Traces: spans reach a collector over HTTP, calls carry `traceparent`, and without the setting nothing happens."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.types import Message, Receive, Scope, Send

from services.errors import TracingNotInstalled
from services.observability.tracing import NoTracing, OtlpTracing, both, open_tracing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector(BaseHTTPRequestHandler):
    received: ClassVar[list[ExportTraceServiceRequest]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            raise AssertionError("the collector takes plain bodies")
        self.received.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[str]:
    Collector.received.clear()
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def request(tracing: OtlpTracing | NoTracing, path: str, status: int = 200) -> list[dict[str, str]]:
    """Send one request through an app that makes an upstream call; return the call's headers."""
    sent: list[dict[str, str]] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        sent.append(dict(tracing.headers()))
        tracing.note_call("payment_ms", "subscription", "ok" if status < 500 else "read_timeout", 0.25)
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def nothing() -> Message:
        return {"type": "http.request"}

    async def ignore(_message: Message) -> None:
        return

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"auth_code=s3cret", "headers": []}
    await tracing.wrap(app)({**scope, "headers": [(b"traceparent", PARENT.encode())]}, nothing, ignore)
    return sent


async def test_a_request_and_its_upstream_call_are_one_trace_that_the_caller_began(collector: str) -> None:
    tracing = open_tracing(collector)
    assert isinstance(tracing, OtlpTracing)
    headers = await request(tracing, "/payment")
    await request(tracing, "/account", 503)
    tracing.close()

    spans = [
        s for got in Collector.received for r in got.resource_spans for scoped in r.scope_spans for s in scoped.spans
    ]
    names = [span.name for span in spans]
    assert names == ["payment_ms subscription", "GET /payment", "payment_ms subscription", "GET /account"]
    call, page, failed_call, failed_page = spans
    assert call.trace_id.hex() == page.trace_id.hex() == PARENT.split("-")[1]
    assert call.parent_span_id == page.span_id
    assert 0.24 < (call.end_time_unix_nano - call.start_time_unix_nano) / 1e9 < 0.26
    assert headers[0]["traceparent"].split("-")[1:3] == [page.trace_id.hex(), page.span_id.hex()]
    assert [s.status.code for s in (call, page, failed_call, failed_page)] == [0, 0, 2, 2]
    assert "s3cret" not in str(Collector.received)


async def test_what_browsers_ask_for_all_the_time_is_not_traced(collector: str) -> None:
    tracing = open_tracing(collector)
    assert isinstance(tracing, OtlpTracing)
    headers = await request(tracing, "/_nicegui/static/nicegui.js")
    tracing.close()

    assert headers == [{}]
    spans = [
        s for got in Collector.received for r in got.resource_spans for scoped in r.scope_spans for s in scoped.spans
    ]
    assert [span.name for span in spans] == ["payment_ms subscription"]


async def test_without_the_setting_nothing_is_added() -> None:
    tracing = open_tracing("")

    assert isinstance(tracing, NoTracing)
    assert await request(tracing, "/payment") == [{}]


def test_missing_packages_are_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with pytest.raises(TracingNotInstalled, match="OTEL_EXPORTER_URL is set but OpenTelemetry is not installed"):
        open_tracing("http://127.0.0.1:4318")


def test_an_observer_for_two() -> None:
    told: list[tuple[str, object]] = []
    observe = both(lambda *call: told.append(("a", call)), lambda *call: told.append(("b", call)))

    observe("auth_ms", "refresh", "ok", 0.1)

    assert told == [("a", ("auth_ms", "refresh", "ok", 0.1)), ("b", ("auth_ms", "refresh", "ok", 0.1))]
