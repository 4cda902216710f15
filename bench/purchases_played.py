"""For how many purchases the running Payment MS lives: the app's own services against the sandbox, in one process.

The sandbox plays its one database connection, which calls and webhooks share and which two of them at once break for
good. Time is virtual, so that an hour of purchases takes seconds, and everything else is what runs in production: the
press with its looks, the pollers, the bound on requests, HTTP to the sandbox's apps. Only pages are not drawn.
"""

import asyncio
import logging
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from unittest.mock import patch

import structlog
from pydantic import SecretStr

from sandbox.auth.accounts import person
from services.errors import FrontendError
from services.live_status.schedule import PollSchedule, Scope
from services.purchase import Purchase, offer_of
from services.sessions.service import Session
from services.subscription.customer_status import CustomerStatus
from settings import load_settings
from truth.addresses import AUTH, PAYMENT
from truth.memory_store import MemoryStore
from truth.outside import OtherSystems
from truth.virtual_time import VirtualLoop, VirtualTime
from wiring.build import build

START: Final = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
PRICE: Final = "price_sandbox_premium_month"
CATALOG: Final = Path(__file__).resolve().parents[1] / "products.json"

CALLS: Final = ("subscription_status", "checkout_subscription")
"""What a purchase asks of the Payment MS."""

EVERY: Final = 2.0
"""Seconds between two purchases, on average."""

WATCHED: Final = 30.0
"""Seconds for which the success page stays open."""

MOST: Final = 400
"""Purchases after which a run ends, with the service alive."""


class FormerSchedule(PollSchedule):
    """The former pace: both services each second for half a minute, whatever has come; all products each five."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._began = self._polled_fast_at
        self._all_at = self._polled_fast_at

    def scope(self, now: datetime) -> Scope:
        """Whom the next question is for."""
        if self._began is None or now - self._began >= timedelta(seconds=WATCHED):
            return super().scope(now)
        if self._all_at is None or now - self._all_at >= timedelta(seconds=4.5):
            self._all_at = now
            return "all"
        return "relevant"

    def interval(self, customer_status: CustomerStatus, now: datetime) -> float:
        """Seconds until the next question."""
        watched = self._began is not None and now - self._began < timedelta(seconds=WATCHED)
        return 1.0 if watched else super().interval(customer_status, now)


def purchases_survived(pace: type[PollSchedule], seed: int, most: int = MOST) -> tuple[int, int]:
    """Play purchases until a webhook has met a call; return how many there were, and the calls to the Payment MS."""
    logs = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with VirtualTime(START) as time, patch("services.live_status.poller.PollSchedule", pace):
        loop = VirtualLoop(time)
        asyncio.set_event_loop(loop)
        try:
            return loop.run_until_complete(PlayedShop(time, seed).run(most))
        finally:
            for task in (pending := asyncio.all_tasks(loop)):
                task.cancel()
            loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
            loop.close()
            asyncio.set_event_loop(None)
            structlog.configure(**logs)


class PlayedShop:
    """One life of the Payment MS. `seed` decides when people press, pay and come back, and when webhooks arrive."""

    def __init__(self, time: VirtualTime, seed: int) -> None:
        self.outside = OtherSystems(CATALOG, {"one_connection": True, "webhooks_share_connection": True})
        settings = load_settings(
            _env_file=None, catalog_path=str(CATALOG), limit_checkouts="100000/minute", limit_sign_ins="100000/minute",
            storage_secret=SecretStr("Zk3v9Qm1Xw7Lr5Tn8Bc2Hd6Jf4Gs0Py1"), sandbox_payment_port=9000,
            sandbox_auth_port=8080, sandbox_stripe_port=4242,
        )  # fmt: skip
        self.container = build(
            settings, store=MemoryStore(time.now), payment_transport=self.outside.transport(PAYMENT),
            auth_transport=self.outside.transport(AUTH),
        ).container  # fmt: skip
        self.chance = random.Random(seed)  # noqa: S311 - nothing to guard
        self.bought = 0

    @property
    def lost(self) -> bool:
        """Whether the service has lost its connection."""
        return self.outside.state.connection.lost

    async def run(self, most: int) -> tuple[int, int]:
        """Let one person after another buy; return how many could before it was over, and the calls there were."""
        clockwork = asyncio.create_task(self.outside.scheduler.run())
        people: set[asyncio.Task[None]] = set()
        number = 0
        while not self.lost and number < most:
            number += 1
            people.add(asyncio.create_task(self._buy(number)))
            await asyncio.sleep(self.chance.uniform(0.0, 2 * EVERY))
        clockwork.cancel()
        made = self.outside.state.traffic.report(limit=0)["by_operation"]
        calls = sum(made.get(name, 0) for name in CALLS) if isinstance(made, dict) else 0
        for task in people:
            task.cancel()
        await asyncio.gather(*people, return_exceptions=True)
        return self.bought, calls

    async def _buy(self, number: int) -> None:
        """Sign in, press, pay, come back, and watch the success page."""
        with suppress(FrontendError):  # the service is lost: nobody can buy any more
            container, state = self.container, self.outside.state
            session = await self._sign_in(number)
            checkout = await container.checkout.start(session, self._press())
            await self._pause(1.0)
            state.runtime_settings.change({"webhook_delay": self.chance.uniform(1.5, 2.5)})
            opened = state.checkout.get(checkout.session_id)
            if opened is None or self.lost:
                return
            state.checkout.pay(opened, "4242424242424242")
            self.bought += 1
            await self._pause(0.5)
            await container.checkout.record_return(session, checkout.session_id, checkout.return_key)
            await container.status.refresher.ask(session, fresh=True)
            await self._pause(0.5)
            watch = container.status.watch(session, lambda status: None, lambda: None)
            await asyncio.sleep(WATCHED)
            watch.close()

    async def _sign_in(self, number: int) -> Session:
        sessions = self.container.sessions
        code = self.outside.state.accounts.issue_code(person(f"person-{number}@example.com"))
        start = await sessions.begin_sign_in("google", "/payment")
        done = await sessions.complete_sign_in(token=start.token, state=None, auth_code=code, old_session_id=None)
        return done.session

    def _press(self) -> Purchase:
        return Purchase.of(offer_of(self.container.catalog, PRICE))

    async def _pause(self, mean: float) -> None:
        await asyncio.sleep(self.chance.uniform(0.2, 1.8) * mean)
