"""Runs the app on a socket: binds first, starts the sandbox if there is one, serves, and stops in order within 20 s."""

import contextlib
import logging
import platform
import signal
import socket
import sys
from pathlib import Path
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI
from nicegui.version import __version__ as NICEGUI_VERSION

from cli.check_catalog import sandbox_ids_refused
from cli.check_offline import doubts
from cli.connections import OnceAMinute, QuietSocket, TimedConnection
from cli.findings import Level
from cli.listen import BACKLOG, PortUnusable, listen, look_at_sandbox_ports
from cli.store_gate import StoreGate
from sandbox.launch import RunningSandbox, SandboxNotStarted, start_sandbox
from services.container import Container
from services.errors import StoreUnavailable
from services.observability.logs import LineWriter, configure_logs
from services.storage.port import Store
from settings import Settings
from settings_rules import host_and_port
from ui.nicegui_ext.collector import PacedCollector
from ui.serving.self_test import prepare_pages
from version import VERSION
from wiring.build import build
from wiring.web import application

REQUESTS_MAY_TAKE: Final = 8
"""Seconds that requests under way get at shutdown; after them the parts stop (`api/lifespan.py`)."""

LARGEST_MESSAGE: Final = 1024 * 1024

_log = structlog.get_logger(__name__)


class NotStarted(Exception):
    """The app can't start; its text is one sentence for the operator."""


def run(settings: Settings) -> None:
    """Serve until a signal comes. Raises NotStarted, SettingsError and CatalogError before anything is served."""
    writer = configure_logs(
        settings.log_level,
        settings.log_format,
        secrets=settings.secrets,
    )
    try:
        if settings.sandbox_enabled and settings.sandbox_start:
            look_at_sandbox_ports(settings)
        listener = listen(settings)
    except PortUnusable as error:
        raise NotStarted(str(error)) from None
    collector = PacedCollector()
    sandbox: RunningSandbox | None = None
    try:
        running = build(settings)
        if refusal := sandbox_ids_refused(settings, running.container.catalog):
            raise NotStarted(refusal)
        if settings.sandbox_enabled and settings.sandbox_start:
            sandbox = _start_sandbox(settings)

        async def prepare(app: FastAPI) -> None:
            _log.info("starting", version=VERSION, python=platform.python_version(), nicegui=NICEGUI_VERSION)
            tell_doubts(settings)
            if (await prepare_pages(app, running.container)).paced_collector:
                collector.start()

        app = application(running, prepare)
        _serve(app, settings, listener, writer, running.container)
    except (StoreUnavailable, SandboxNotStarted) as error:
        raise NotStarted(_sentence(error, settings)) from None
    finally:
        listener.close()
        if sandbox is not None:
            sandbox.stop()


def tell_doubts(settings: Settings) -> None:
    """Log what `check` knows without asking anybody."""
    for doubt in doubts(settings):
        facts = {"check": doubt.check, "problem": doubt.detail, **({"cure": doubt.cure} if doubt.cure else {})}
        if doubt.level is Level.ERROR:
            _log.error("installation_doubtful", **facts)
        else:
            _log.warning("installation_doubtful", **facts)


class _Server(uvicorn.Server):
    """Says where the app is once it answers, after what the log has said by then."""

    def __init__(self, config: uvicorn.Config, settings: Settings, writer: LineWriter, store: Store) -> None:
        super().__init__(config)
        self._settings = settings
        self._writer = writer
        self._store = store
        self.store_gate = StoreGate(store, self._stop)

    def _stop(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, unless the store is a newer release's: nothing reads it before that is known."""
        if not await self.store_gate.passes():
            self._stop()
            await self._store.close()
            return
        await super().startup(sockets)
        if self.started:
            _log.info("listening", url=self._settings.public_url, sandbox=self._settings.sandbox_enabled)
            self._writer.flush()
            for line in _addresses(self._settings):
                print(line, flush=True)


def _addresses(settings: Settings) -> tuple[str, ...]:
    """Return where to go: the app, and the sandbox's control panel."""
    if not settings.sandbox_enabled:
        return (f"Open {settings.public_url}",)
    panel = f"http://localhost:{settings.sandbox_stripe_port}"
    return (f"Open {settings.public_url} (sandbox: no money moves)", f"The sandbox's control panel: {panel}")


def _serve(app: object, settings: Settings, listener: socket.socket, writer: LineWriter, container: Container) -> None:
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=TimedConnection,
        ws=QuietSocket,
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=65,
        timeout_graceful_shutdown=REQUESTS_MAY_TAKE,
        backlog=BACKLOG,
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,  # what a browser is sent is small, and each tab's compressor keeps 290 kB
    )
    logging.getLogger("uvicorn.error").addFilter(OnceAMinute())
    server = _Server(config, settings, writer, container.store)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)  # uvicorn raises what it caught again when it has stopped
    with contextlib.suppress(SystemExit):  # by which uvicorn says that it did not start
        server.run([listener])
    if server.store_gate.problem:
        raise NotStarted(server.store_gate.problem)
    if not server.started and container.page_health.problem:
        raise NotStarted(f"No page can be drawn with NiceGUI {NICEGUI_VERSION}: {container.page_health.problem}")
    if not server.started:
        raise NotStarted("The app did not start; the log above says why.")


def _start_sandbox(settings: Settings) -> RunningSandbox:
    """Start the sandbox beside our store, on the ports that the settings name."""
    environment = {
        "SANDBOX_DATABASE": str(Path(settings.storage_path).parent.resolve() / "sandbox.sqlite3"),
        "SANDBOX_CATALOG_PATH": str(Path(settings.catalog_path).resolve()),
        "SANDBOX_BRAND_NAME": settings.brand_name,
        "SANDBOX_APP_URL": settings.public_url,
    }
    if settings.auth_ms_project:
        environment["SANDBOX_AUTH_PROJECT"] = settings.auth_ms_project
    if settings.payment_ms_webhook_secret is not None:
        environment["SANDBOX_EVENTS_URL"] = f"http://{host_and_port(settings.host, settings.port)}/api/payment/events"
        environment["SANDBOX_EVENTS_SECRET"] = settings.payment_ms_webhook_secret.get_secret_value()
    ports = {
        "--payment-port": settings.sandbox_payment_port,
        "--auth-port": settings.sandbox_auth_port,
        "--stripe-port": settings.sandbox_stripe_port,
    }
    print("Starting the sandbox …", file=sys.stderr, flush=True)
    return start_sandbox([part for name, port in ports.items() for part in (name, str(port))], environment)


def _sentence(error: Exception, settings: Settings) -> str:
    if isinstance(error, StoreUnavailable):
        return error.detail or f"{settings.storage_path} can't be used; set STORAGE_PATH."
    return f"The sandbox did not start ({error}); see the line above, or set SANDBOX_PAYMENT_PORT and its siblings."
