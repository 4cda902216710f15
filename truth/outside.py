"""The other systems of one story: the sandbox in this process, on the story's clock, without a socket."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from starlette.types import ASGIApp

from sandbox.auth.service import auth_app
from sandbox.faults.middleware import FaultMiddleware
from sandbox.payment.service import payment_app
from sandbox.scheduler import Scheduler
from sandbox.settings import SandboxSettings
from sandbox.state import Addresses, SandboxState
from services.upstream.transport import Transport

PAYMENT: Final = "http://127.0.0.1:9000"
AUTH: Final = "http://127.0.0.1:8080"
STRIPE: Final = "http://localhost:4242"


class InProcessTransport(Transport):
    """The app's own transport, with the wire to a service replaced by a call of it."""

    def __init__(self, base_url: str, service: ASGIApp) -> None:
        super().__init__(base_url, connect_timeout=1.0, max_connections=1)
        self._http = httpx.ASGITransport(service, raise_app_exceptions=True)  # type: ignore[assignment]


@dataclass
class Skew:
    """By how many seconds the services' clocks are ahead of the app's."""

    seconds: float = 0.0

    def services_time(self) -> float:
        """Return the services' time, POSIX seconds."""
        return time.time() + self.seconds


class OtherSystems:
    """Stripe, the Payment MS and the Auth MS. `runtime` are the sandbox's settings at the start of the story."""

    def __init__(self, catalog_path: Path, runtime: dict[str, object]) -> None:
        self.skew = Skew()
        settings = SandboxSettings(
            _env_file=None,
            database=Path(":memory:"),
            catalog_path=catalog_path,
            **runtime,  # type: ignore[arg-type]  # each checked by the settings
        )
        self.state = SandboxState(settings, Addresses(PAYMENT, AUTH, STRIPE), self.skew.services_time)
        self.scheduler = Scheduler(self.state)
        self._services: dict[str, ASGIApp] = {
            PAYMENT: FaultMiddleware(payment_app(self.state), "payment", self.state),
            AUTH: FaultMiddleware(auth_app(self.state), "auth", self.state),
        }

    def transport(self, base_url: str) -> Transport:
        """Return a way to one of the services for one process of the app."""
        return InProcessTransport(base_url, self._services[base_url])

    def next_due(self) -> float | None:
        """Return when the outside does something by itself next, in POSIX seconds of the app's clock."""
        parts = (self.state.checkout, self.state.renewals, self.state.webhooks)
        dues = [due for due in (part.next_due() for part in parts) if due is not None]
        return min(dues) - self.state.clock.offset.total_seconds() - self.skew.seconds if dues else None

    def catch_up(self) -> None:
        """Let everything happen whose time has come."""
        self.scheduler.catch_up()

    def close(self) -> None:
        """Forget everything."""
        self.state.database.close()


def on_recorded(outside: OtherSystems, tell: Callable[[str], None]) -> None:
    """Call `tell` with the user of each event that the Payment MS has recorded, as its project webhook would."""
    outside.state.webhooks.on_recorded.append(lambda event: tell(event.user_id))
