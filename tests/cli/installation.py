"""A sound installation, for tests that break one thing in it: services on free ports, settings, a catalog."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import pytest

from cli.commands import main
from tests.contract.mock_payment_ms import KEY, MockPaymentMS

ROOT = Path(__file__).resolve().parents[2]
PRICE = "price_1basic_month"
SECRET = "Zq8vR2mK5tX1wB9nL4pD7sF3hJ6gC0yA"


class Output(Protocol):
    """pytest's `capsys`, as far as it is used here."""

    def readouterr(self) -> Any: ...


@dataclass
class Installation:
    """A folder with a catalog, and the settings in the environment."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: Output

    @property
    def catalog(self) -> Path:
        """The catalog's file."""
        return self.folder / "products.json"

    def set(self, **settings: str) -> None:
        """Change settings; an empty one counts as not set."""
        for name, value in settings.items():
            self.monkeypatch.setenv(name.upper(), value)

    def change_plan(self, plan_id: str, **fields: object) -> None:
        """Give a plan of the catalog other fields."""
        content = json.loads(self.catalog.read_text(encoding="utf-8"))
        next(plan for plan in content["plans"] if plan["id"] == plan_id).update(fields)
        self.catalog.write_text(json.dumps(content), encoding="utf-8")

    def change_price(self, plan_id: str, interval: str, **fields: object) -> None:
        """Give a price of a plan other fields."""
        content = json.loads(self.catalog.read_text(encoding="utf-8"))
        next(plan for plan in content["plans"] if plan["id"] == plan_id)["prices"][interval].update(fields)
        self.catalog.write_text(json.dumps(content), encoding="utf-8")

    def check(self, *options: str) -> tuple[int, dict[str, tuple[str, str]]]:
        """Run the check; return its exit code and each check's worst level with all that was said."""
        code = main(["check", "--json", *options])
        report = json.loads(self.capsys.readouterr().out)
        assert report["ok"] is (code == 0)
        levels = ["ok", "skipped", "warning", "error"]
        found: dict[str, tuple[str, str]] = {}
        for finding in report["findings"]:
            level, words = found.get(finding["check"], ("ok", ""))
            worst = max(level, finding["level"], key=levels.index)
            found[finding["check"]] = (worst, f"{words} {finding['detail']} {finding['cure']}".strip())
        return code, found

    def errors(self, *options: str) -> dict[str, str]:
        """Run the check; return what each failed check said. The exit code must fit."""
        code, found = self.check(*options)
        failed = {name: words for name, (level, words) in found.items() if level == "error"}
        assert code == (1 if failed else 0)
        return failed


def sound_installation(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output, payment_ms: MockPaymentMS, auth_ms_url: str, app: str
) -> Installation:
    """Return an installation in which nothing is wrong."""
    text = (ROOT / "products.json").read_text(encoding="utf-8")
    (folder / "products.json").write_text(text.replace("_sandbox_", "_1"), encoding="utf-8")
    monkeypatch.chdir(folder)
    installation = Installation(folder, monkeypatch, capsys)
    installation.set(
        payment_ms_url=payment_ms.url,
        payment_ms_api_key=KEY,
        auth_ms_url=auth_ms_url,
        storage_secret=SECRET,
        public_url=app,
    )
    return installation


@dataclass
class Site:
    """A web server at PUBLIC_URL: what it answers to each path, and the cookies it sets."""

    url: str = ""
    health: int = 200
    cookies: list[str] = field(default_factory=lambda: ["session=a.b; HttpOnly; SameSite=lax; Path=/; Max-Age=60"])


@contextmanager
def site_at_public_url(tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Serve inside the block, over TLS with a context of the test's own."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(site.health if self.path == "/healthz" else 200)
            for cookie in site.cookies:
                self.send_header("Set-Cookie", cookie)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.send_response(404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that does not trust us hangs up; that is what the test is about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        scheme = "http"
        if tls is not None:
            server.socket, scheme = tls.wrap_socket(server.socket, server_side=True), "https"
        site.url = f"{scheme}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def closed_port() -> Iterator[int]:
    """A port that refuses every connection, and that nobody else can take."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
