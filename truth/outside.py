"""The other systems of one story: the sandbox in this process, on the story's clock, without a socket."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from starlette.types import ASGIApp

from sandbox.auth.service import auth_app
from sandbox.faults.middleware import FaultMiddleware
from sandbox.payment.service import payment_app
from sandbox.scheduler import Scheduler
from sandbox.settings import PaymentMs, SandboxSettings
from sandbox.state import Addresses, SandboxState
from services.upstream.transport import Transport
from truth.addresses import AUTH, PAYMENT, STRIPE

if TYPE_CHECKING:
    from truth.own_service import OwnPaymentService


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
    """Stripe, the Payment MS and the Auth MS. `runtime` are the sandbox's settings at the start of the story.

    `own` makes the payment service where that is to be the Payment MS, else the sandbox's own is.
    """

    def __init__(
        self,
        catalog_path: Path,
        runtime: dict[str, object],
        own: "Callable[[SandboxState, Skew], OwnPaymentService] | None" = None,
    ) -> None:
        self.skew = Skew()
        outside = {"payment_ms": PaymentMs.NONE, "stripe_webhook_url": f"{PAYMENT}/webhooks/stripe", "contract": 2}
        settings = SandboxSettings(
            _env_file=None,
            database=Path(":memory:"),
            catalog_path=catalog_path,
            **{**runtime, **(outside if own else {})},  # type: ignore[arg-type]  # each checked by the settings
        )
        self.state = SandboxState(settings, Addresses(PAYMENT, AUTH, STRIPE), self.skew.services_time)
        self.scheduler = Scheduler(self.state)
        self.own = own(self.state, self.skew) if own else None
        recorded = FaultMiddleware(payment_app(self.state), "payment", self.state)
        self._services: dict[str, ASGIApp] = {
            PAYMENT: self.own.serve if self.own else recorded,
            AUTH: FaultMiddleware(auth_app(self.state), "auth", self.state),
        }

    async def begin(self, way_to_app: httpx.AsyncBaseTransport) -> None:
        """Start what has to be started; `way_to_app` is how the payment service reaches the app."""
        if self.own is not None:
            self.own.way_to_app, self.own.way_to_auth = way_to_app, httpx.ASGITransport(self._services[AUTH])
            await self.own.begin()

    def transport(self, base_url: str) -> Transport:
        """Return a way to one of the services for one process of the app."""
        return InProcessTransport(base_url, self._services[base_url])

    def next_due(self) -> float | None:
        """Return when the outside does something by itself next, in POSIX seconds of the app's clock."""
        parts = (self.state.checkout, self.state.renewals, self.state.webhooks)
        dues = [due for due in (part.next_due() for part in parts) if due is not None]
        return min(dues) - self.state.clock.offset.total_seconds() - self.skew.seconds if dues else None

    async def catch_up(self) -> None:
        """Let everything happen whose time has come."""
        self.scheduler.catch_up()
        if self.own is not None:
            await self.own.catch_up()

    def on_recorded(self, tell: Callable[[str], None]) -> None:
        """Call `tell` with the user of each event that the sandbox's Payment MS has recorded, as its webhook would."""
        self.state.webhooks.on_recorded.append(lambda event: tell(event.user_id))

    async def close(self) -> None:
        """Forget everything."""
        if self.own is not None:
            await self.own.end()
        self.state.database.close()
