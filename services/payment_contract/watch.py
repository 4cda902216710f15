"""Asks the Payment MS which version of the contract it keeps: at the start, now and then, and soon after a failure.

A service of the first version is asked nothing but `/health`, which it knows. Until one has answered, and while one is
away, what was known last holds: at first, the first version.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from services.concurrency.tasks import end
from services.errors import FrontendError
from services.payment_contract.features import PaymentContract

ASK_EVERY: Final = 300.0
"""Seconds between two questions."""

ASK_AGAIN_AFTER: Final = 15.0
"""Seconds to the next question after one that failed: a service that comes back may be another version."""

_log = structlog.get_logger(__name__)


class KeepsContract(Protocol):
    """The client of the Payment MS, which keeps what its service has told."""

    contract: PaymentContract

    async def ask_contract(self) -> PaymentContract:
        """Ask, keep the answer and return it. Raises the UpstreamErrors."""
        ...


class ContractWatch:
    """Keeps a client's contract up to date. `told` is told the first answer, and any that is another than before."""

    def __init__(
        self,
        client: KeepsContract,
        told: Callable[[PaymentContract], Awaitable[None]],
        *,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._told = told
        self._wait = wait
        self._known: PaymentContract | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Ask from now on, in the running event loop."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch(), name="payment contract")

    async def stop(self) -> None:
        """Ask no more."""
        task, self._task = self._task, None
        await end(task)

    async def look(self) -> bool:
        """Ask once; return whether the service answered. A failure is logged by the client, and changes nothing."""
        try:
            found = await self._client.ask_contract()
        except FrontendError:
            return False
        if found != self._known:
            _log.info("payment_contract", version=found.version, features=sorted(map(str, found.features)))
            await self._told(found)
            self._known = found
        return True

    async def _watch(self) -> None:
        while True:
            try:
                answered = await self.look()
            except Exception:
                answered = False
                _log.exception("payment_contract_failed")
            await self._wait(ASK_EVERY if answered else ASK_AGAIN_AFTER)
