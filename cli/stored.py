"""Reading what an installation keeps, and changing it where no running app has it to itself."""

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from cli.quiet import quiet_logs
from cli.sqlite_backup import NoBackup, back_up
from cli.store_schema import require_readable
from services.errors import StoreInUse, StoreTooNew, StoreUnavailable
from services.storage.factory import open_store
from services.storage.port import Store
from services.storage.sqlite_store import SqliteStore
from settings import Settings

COPY: Final = "billing-store-"
"""How the folder of a copy begins, among the system's temporary ones."""


def with_store(
    settings: Settings, work: Callable[[Store], Awaitable[int]], instead: str, *, reads: bool = False
) -> int:
    """Do something with the store and return its exit code; `instead` says what to do while the app has the store.

    What only `reads` is done beside a running app as well.
    """

    async def run(held: ExitStack) -> int:
        store = open_to_read(settings, held) if reads else open_store(settings)
        try:
            await require_readable(store)
            return await work(store)
        finally:
            await store.close()

    try:
        with quiet_logs(), ExitStack() as held:
            return asyncio.run(run(held))
    except StoreInUse:
        print(f"The app is running and has the store to itself; {instead}", file=sys.stderr)
    except StoreTooNew as problem:
        print(problem.detail, file=sys.stderr)
    except StoreUnavailable:
        print("The store can't be read; python app.py check says why.", file=sys.stderr)
    return 1


def open_to_read(settings: Settings, held: ExitStack) -> Store:
    """Open the store, or a copy of this moment where a running app has it to itself: gone when `held` is closed.

    Raises StoreUnavailable where it can't be copied.
    """
    try:
        return open_store(settings)
    except StoreInUse:
        copy = Path(held.enter_context(tempfile.TemporaryDirectory(prefix=COPY))) / "store.sqlite3"
    try:
        back_up(Path(settings.storage_path), copy)
    except (NoBackup, OSError, sqlite3.Error) as error:
        raise StoreUnavailable(str(error)) from error
    return SqliteStore(copy)
