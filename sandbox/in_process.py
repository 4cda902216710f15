"""The sandbox without sockets and without a running clock: three ASGI apps, and a time that moves only when it is told.

For tests that play thousands of stories. Nothing sleeps: `settled` and `advance` move the time instead of waiting.
"""

from datetime import UTC, datetime
from typing import Any, Final

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.apps import SandboxApps, build_apps
from sandbox.scheduler import Scheduler
from sandbox.settings import SandboxSettings
from sandbox.state import Addresses, SandboxState
from sandbox.stripe.posting import EndpointPoster

START: Final = datetime(2026, 1, 15, 12, tzinfo=UTC)
ADDRESSES: Final = Addresses("http://payment.sandbox", "http://auth.sandbox", "http://stripe.sandbox")


class ManualTime:
    """Real time as the sandbox sees it: it stands still until `sleep`."""

    def __init__(self, start: datetime = START) -> None:
        self.seconds = start.timestamp()

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class InProcessSandbox:
    """Everything of a sandbox in memory. `payment`, `auth` and `stripe` are ASGI apps; give them to a client or server.

    Before each request what is due by the clock happens, so an event without delay has arrived when anybody looks.
    """

    def __init__(
        self,
        settings: SandboxSettings | None = None,
        addresses: Addresses = ADDRESSES,
        time: ManualTime | None = None,
        endpoints: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`endpoints` takes Stripe's posts to webhook endpoints, in place of the network."""
        self.time = time or ManualTime()
        self.state = SandboxState(settings or settings_in_memory(), addresses, self.time)
        self.scheduler = Scheduler(self.state, manual=True)
        self.poster = EndpointPoster(self.state, endpoints)
        apps: SandboxApps = build_apps(self.state, self.scheduler)
        self.payment, self.auth, self.stripe = (self._caught_up(app) for app in apps)

    def close(self) -> None:
        self.state.database.close()

    def _caught_up(self, app: ASGIApp) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            self.scheduler.catch_up()
            await app(scope, receive, send)

        return serve


def settings_in_memory(**values: Any) -> SandboxSettings:
    """Settings of a sandbox that remembers nothing and reads no `.env`; webhooks arrive at once by default."""
    return SandboxSettings(_env_file=None, **{"database": ":memory:", "webhook_delay": 0, **values})
