"""Killed at any step, nothing that happened stays untold, and nothing is told that did not happen.

A life is a purchase, an order and an end, over a store that stops taking anything at one step: what a killed process
leaves. The next process goes on from there, and so do the people. EVENTS_LIVES=10000 plays as many.
"""

import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from services.errors import FrontendError
from services.sessions.service import Session
from tests.replica import Outside
from tests.unit.services.webhooks.receivers import HookReceiver, Telling

pytestmark = pytest.mark.slow

LIVES = int(os.environ.get("EVENTS_LIVES", "60"))


class Life:
    """Ada's, over processes that are killed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.outside = Outside()
        self.receiver = HookReceiver()
        self.telling = Telling(self.outside, self.receiver)
        self.ada: Session | None = None

    async def live(self) -> None:
        """Live all of it, and be told of all of it."""
        await self.telling.deliverer.begin()
        for step in (self.come, self.buy, self.order, self.look, self.end, self.look):
            self.outside.store.break_after = self.chance.randrange(200) if self.chance.random() < 0.7 else None
            self.receiver.statuses = [500] * self.chance.choice([0, 0, 1, 2])
            for _try in range(3):
                if await self._done(step):
                    break
                await self._restart()
            self.outside.clock.move(self.chance.choice([2.0, 40.0]))
        await self._restart()
        await self.look()
        for _later in range(6):
            self.outside.clock.move(3600)
            await self.telling.deliverer.run_once()

    async def _done(self, step: Callable[[], Awaitable[None]]) -> bool:
        with suppress(FrontendError):
            await step()
            await self.telling.deliverer.run_once()
        return not self.outside.store.broken

    async def _restart(self) -> None:
        await self.telling.replica.checkout.finish()
        self.outside.store.broken, self.outside.store.break_after = False, None
        self.telling = Telling(self.outside, self.receiver)
        await self.telling.deliverer.begin()

    async def come(self) -> None:
        self.ada = await self.telling.replica.sign_in()
        await self.telling.replica.ask(self.ada)

    async def buy(self) -> None:
        if self.ada is None or self.outside.world.subscriptions:
            return
        checkout = await self.telling.replica.click(self.ada)
        self.outside.world.pay(checkout.session_id)
        self.outside.world.deliver_all()
        await self.telling.replica.come_back(self.ada, checkout)
        await self.look()

    async def order(self) -> None:
        assert self.ada is not None
        checkout = await self.telling.replica.click(self.ada, "price_mug")
        await self.telling.replica.come_back(self.ada, checkout)

    async def end(self) -> None:
        for subscription in self.outside.world.subscriptions.values():
            self.outside.world.set_status(subscription, "canceled")
        self.outside.world.deliver_all()

    async def look(self) -> None:
        if self.ada is None:
            await self.come()
        assert self.ada is not None
        self.outside.clock.move(2)
        await self.telling.replica.ask(self.ada)


@pytest.mark.parametrize("seed", range(LIVES))
async def test_whatever_is_killed_each_thing_is_told_once(seed: int) -> None:
    life = Life(seed)
    await life.live()

    events, now = life.receiver.events, life.outside.clock()
    told = [(event["type"], event["data"].get("checkout_id")) for event in events]
    record = await life.telling.replica.checkouts.of("ada")
    happened = [("checkout.opened", one.id) for one in record]
    happened += [("checkout.confirmed", one.id) for one in record if one.confirmed]
    happened += [("order.returned", one.id) for one in record if one.ordered(now)]
    spans = [kind for kind, _ in told if kind.startswith("subscription.")]
    assert Counter(one for one in told if one[1] is not None) == Counter(happened)
    assert spans == ["subscription.started", "subscription.ended"]
    assert [one["data"]["access"] for one in events if one["type"] == "entitlements.changed"] == [True, False]
    assert len({str(event) for event in life.receiver.got}) == len(events)  # what was told twice was the same
    await life.telling.replica.checkout.finish()
