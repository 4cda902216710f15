"""Time: one task that wakes for the next webhook or billing date, and the jump forward of the control panel."""

import asyncio
from datetime import timedelta

from sandbox.state import SandboxState


class Scheduler:
    """Runs beside the listeners. Everything it does is due by the sandbox clock.

    A `manual` one does not run: time moves by `advance` only, and to wait is to move it.
    """

    def __init__(self, state: SandboxState, *, manual: bool = False) -> None:
        self._state, self._manual = state, manual
        self._settled = asyncio.Condition()

    async def run(self) -> None:
        """Until cancelled. Wakes by a due time or by `webhooks.changed`, never by polling."""
        changed = self._state.webhooks.changed
        while True:
            changed.clear()
            self.catch_up()
            async with self._settled:
                self._settled.notify_all()
            due = self._next_due()
            wait = None if due is None else max(0.0, min(due - self._state.clock.timestamp(), 3600.0))
            try:
                async with asyncio.timeout(wait):
                    await changed.wait()
            except TimeoutError:
                continue

    def advance(self, step: timedelta) -> None:
        """Move the clock forward, stopping at every renewal, retry, expiry and webhook on the way."""
        clock = self._state.clock
        target = clock.timestamp() + step.total_seconds()
        with self._state.database.transaction():
            while (due := self._next_due()) is not None and due <= target:
                clock.move_to(due)
                self.catch_up()
            clock.move_to(target)
        self._state.webhooks.changed.set()

    async def settled(self, seconds: float) -> bool:
        """Whether no webhook is waiting or being written any more, within this many seconds."""
        if self._manual:
            return await self._deliver_within(seconds)
        try:
            async with asyncio.timeout(seconds), self._settled:
                await self._settled.wait_for(lambda: self._state.webhooks.waiting() == 0)
                await self._state.connection.all_written()
        except TimeoutError:
            return False
        return True

    def catch_up(self) -> None:
        """Let everything happen whose time has come."""
        self._state.checkout.run_due()
        self._state.renewals.run_due()
        self._state.webhooks.deliver_due()

    async def _deliver_within(self, seconds: float) -> bool:
        webhooks, clock = self._state.webhooks, self._state.clock
        until = clock.timestamp() + seconds
        await asyncio.gather(*webhooks.posts)
        while (due := webhooks.next_due()) is not None and due <= until:
            self.advance(timedelta(seconds=max(0.0, due - clock.timestamp())))
            await asyncio.gather(*webhooks.posts)
        return webhooks.waiting() == 0

    def _next_due(self) -> float | None:
        parts = (self._state.checkout, self._state.renewals, self._state.webhooks)
        dues = [part.next_due() for part in parts]
        return min((due for due in dues if due is not None), default=None)
