"""Starts what runs beside the requests, and ends everything in order."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final

import structlog

from services.catalog_file import CatalogFile
from services.container import Container
from services.errors import StoreUnavailable
from services.live_status.confirmations import ConfirmationWatch
from services.observability.loop_lag import LoopLag
from services.observability.tracing import Tracing
from services.payment_contract.watch import ContractWatch
from services.storage.redis_concurrency import RedisConcurrencyLimit

SHUTDOWN_WAIT: Final = 6.0
"""Seconds that checkouts under way get at shutdown, besides what the server gave the requests."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningApp:
    """What has to be started with the server and stopped after it. `shared_limit` is None in a process alone."""

    container: Container
    catalog_file: CatalogFile
    contract_watch: ContractWatch
    shared_limit: RedisConcurrencyLimit | None
    tracing: Tracing
    confirmations: ConfirmationWatch
    loop_lag: LoopLag

    async def start(self) -> None:
        """Start what runs beside the requests, in the running event loop."""
        self.catalog_file.start()
        self.container.notice.start()
        self.contract_watch.start()
        self.container.status.start()
        self.container.alarms.start()
        self.container.webhooks.start()
        self.confirmations.start()
        self.loop_lag.start()
        if self.shared_limit is not None:
            with contextlib.suppress(StoreUnavailable):  # logged by the store; pages open without Redis, and it heals
                await self.shared_limit.prepare()

    async def stop(self) -> None:
        """Let checkouts under way come to their end, then close everything."""
        container = self.container
        try:
            async with asyncio.timeout(SHUTDOWN_WAIT):
                await container.checkout.finish()
        except TimeoutError:
            _log.error("checkouts_cut_off", seconds=SHUTDOWN_WAIT)
        await self.contract_watch.stop()
        container.status.stop()
        await self.catalog_file.stop()
        await container.notice.stop()
        await container.alarms.stop()
        await container.webhooks.stop()
        await self.confirmations.stop()
        await self.loop_lag.stop()
        await asyncio.gather(container.payment_upstream.aclose(2.0), container.auth_upstream.aclose(2.0))
        await container.shown.written()
        await container.limits.close()
        await container.store.close()
        await asyncio.to_thread(self.tracing.close)
