"""``python app.py backup`` and ``restore``: a copy of the embedded store, and putting one back."""

import argparse
import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cli.quiet import quiet_logs
from cli.sqlite_backup import NoBackup, back_up, restore
from cli.store_schema import require_readable
from services.errors import StoreInUse, StoreTooNew
from services.storage.sqlite_store import SqliteStore
from settings import Settings, load_settings

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

REDIS = "The store is Redis (REDIS_URL), which has backups of its own: docs/operations.md, Backup."


def add_backup(commands: "Commands") -> None:
    """Add both commands to the parser of all commands."""
    backup = commands.add_parser("backup", help="copy the store to a file; the app may run")
    backup.add_argument("file", metavar="FILE", type=Path, help="a file that does not exist yet")
    backup.set_defaults(run=lambda options: _say_trouble(_back_up, options.file))
    back = commands.add_parser("restore", help="put a backup in the store's place; the app must not run")
    back.add_argument("file", metavar="FILE", type=Path, help="a file that backup made")
    back.set_defaults(run=lambda options: _say_trouble(_restore, options.file))


def _back_up(settings: Settings, file: Path) -> None:
    rows = back_up(Path(settings.storage_path), file)
    print(f"{file} is a checked copy of {settings.storage_path}: {rows} rows.")
    print("It names people; keep it as private as the store. STORAGE_SECRET is not in it, and needed to use it.")


def _restore(settings: Settings, file: Path) -> None:
    asyncio.run(_require_readable(file))
    before = restore(file, Path(settings.storage_path))
    print(f"{settings.storage_path} is now what {file} was.")
    if before is not None:
        print(f"What was there is kept as {before}; remove it when it is not needed any more.")
    print("Checkouts that were opened since that backup are not on record any more: whoever is in the middle of one")
    print("can start another. What was bought is read from both services.")


async def _require_readable(file: Path) -> None:
    """Raise StoreTooNew for a backup of a newer release. It is looked at in a copy, so that it stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "store.sqlite3"
        back_up(file, trial)
        store = SqliteStore(trial)
        try:
            await require_readable(store)
        finally:
            await store.close()


def _say_trouble(work: Callable[[Settings, Path], None], file: Path) -> int:
    settings = load_settings()
    if settings.redis_url is not None:
        print(REDIS, file=sys.stderr)
        return 1
    try:
        with quiet_logs():
            work(settings, file)
    except StoreInUse:
        print("The app is running and has the store to itself; stop it first. Nothing was changed.", file=sys.stderr)
    except StoreTooNew as problem:
        print(problem.detail, file=sys.stderr)
    except NoBackup as problem:
        print(problem, file=sys.stderr)
    except (OSError, sqlite3.Error) as problem:
        reason = getattr(problem, "strerror", None) or problem
        print(f"It could not be done ({reason}); nothing was changed.", file=sys.stderr)
    else:
        return 0
    return 1
