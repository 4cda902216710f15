"""Reading what an installation keeps, where no running app has it to itself."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from cli.quiet import quiet_logs
from cli.store_schema import require_readable
from services.errors import StoreInUse, StoreTooNew, StoreUnavailable
from services.storage.factory import open_store
from services.storage.port import Store
from settings import Settings


def with_store(settings: Settings, work: Callable[[Store], Awaitable[int]], instead: str) -> int:
    """Do something with the store and return its exit code; `instead` says what to do while the app has the store."""

    async def run() -> int:
        store = open_store(settings)
        try:
            await require_readable(store)
            return await work(store)
        finally:
            await store.close()

    try:
        with quiet_logs():
            return asyncio.run(run())
    except StoreInUse:
        print(f"The app is running and has the store to itself; {instead}", file=sys.stderr)
    except StoreTooNew as problem:
        print(problem.detail, file=sys.stderr)
    except StoreUnavailable:
        print("The store can't be read; python app.py check says why.", file=sys.stderr)
    return 1
