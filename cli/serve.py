"""Runs the app on a socket: binds first, starts the sandbox if there is one, serves, and stops in order within 20 s."""

import signal
import socket
import sys
from pathlib import Path
from typing import Final

import structlog
import uvicorn

from sandbox.launch import RunningSandbox, SandboxNotStarted, start_sandbox
from services.errors import StoreUnavailable
from services.observability.logs import configure_logs
from settings import Settings
from ui.nicegui_ext.collector import PacedCollector
from wiring.build import build
from wiring.web import application

REQUESTS_MAY_TAKE: Final = 8
"""Seconds that requests under way get at shutdown; after them the parts stop (`services/running_app.py`)."""

BACKLOG: Final = 2048
LARGEST_MESSAGE: Final = 1024 * 1024

_log = structlog.get_logger(__name__)


class NotStarted(Exception):
    """The app can't start; its text is one sentence for the operator."""


def run(settings: Settings) -> None:
    """Serve until a signal comes. Raises NotStarted, SettingsError and CatalogError before anything is served."""
    configure_logs(
        settings.log_level,
        settings.log_format,
        secrets=(
            settings.payment_ms_api_key,
            settings.payment_ms_webhook_secret,
            settings.storage_secret,
            *settings.storage_secret_fallbacks,
            settings.redis_url,
            settings.ops_token,
            settings.entitlements_key,
        ),
    )
    listener = _bind(settings)
    collector = PacedCollector()
    sandbox: RunningSandbox | None = None
    try:
        running = build(settings)
        if settings.sandbox_enabled and settings.sandbox_start:
            sandbox = _start_sandbox(settings)
        app = application(running)
        collector.start()
        _serve(app, settings, listener)
    except (StoreUnavailable, SandboxNotStarted) as error:
        raise NotStarted(_sentence(error, settings)) from None
    finally:
        listener.close()
        if sandbox is not None:
            sandbox.stop()


class _Server(uvicorn.Server):
    """Says where the app is once it answers."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            mode = " (sandbox: no money moves)" if self._settings.sandbox_enabled else ""
            print(f"Open {self._settings.public_url}{mode}", flush=True)
            _log.info("listening", url=self._settings.public_url, sandbox=self._settings.sandbox_enabled)


def _serve(app: object, settings: Settings, listener: socket.socket) -> None:
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        ws="wsproto",
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
    server = _Server(config, settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)  # uvicorn raises what it caught again when it has stopped
    server.run([listener])
    if not server.started:
        raise NotStarted("The app did not start; the log above says why.")


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, so that asyncio turns Nagle off
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise NotStarted(
            f"Can't listen on {settings.host}:{settings.port} ({error.strerror}); set PORT to a free port, or "
            "HOST to an address of this machine."
        ) from None
    return listener


def _start_sandbox(settings: Settings) -> RunningSandbox:
    """Start the sandbox beside our store, on the ports that the settings name."""
    environment = {
        "SANDBOX_DATABASE": str(Path(settings.storage_path).parent.resolve() / "sandbox.sqlite3"),
        "SANDBOX_CATALOG_PATH": str(Path(settings.catalog_path).resolve()),
        "SANDBOX_BRAND_NAME": settings.brand_name,
    }
    if settings.auth_ms_project:
        environment["SANDBOX_AUTH_PROJECT"] = settings.auth_ms_project
    if settings.payment_ms_webhook_secret is not None:
        environment["SANDBOX_EVENTS_URL"] = f"http://{settings.host}:{settings.port}/api/payment/events"
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
