"""Can what must be kept be kept: Redis, or the embedded store's file and the folder around it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cli.findings import Finding, error, ok, skipped
from cli.store_schema import require_readable
from services.errors import StoreInUse, StoreTooNew, StoreUnavailable
from services.storage.marks import Mark, Marks
from services.storage.port import Store
from services.storage.redis_store import RedisStore
from services.storage.sqlite_store import SqliteStore
from services.stripe_mode import StripeMode, StripeModeService
from settings import Settings


@dataclass(frozen=True, slots=True)
class Storage:
    """What is known of the storage. ``redis`` is open, and shared with the replicas; close it.

    ``app_runs`` is known for the embedded store only: another process holds its file. ``marks`` is what this
    installation has seen, None where that can't be read.
    """

    finding: Finding
    mode: StripeMode = StripeMode.UNKNOWN
    redis: RedisStore | None = None
    app_runs: bool = False
    marks: frozenset[Mark] | None = None


async def look_at_storage(settings: Settings) -> Storage:
    """Return whether the storage these settings ask for can be written. Leaves no file behind that was not there."""
    if settings.redis_url is not None:
        return await _redis(settings, settings.redis_url.get_secret_value())
    path = Path(settings.storage_path)
    try:
        if _traces(path):
            await SqliteStore(path).close()  # raises StoreInUse; a running app need not have written the file yet
        return await (_file(settings, path) if _exists(path) else _folder(settings, path))
    except StoreInUse:
        return Storage(ok("storage", f"{path} is in use by a running app, so it was not written to."), app_runs=True)
    except OSError as problem:
        return Storage(_unwritable(path, problem.strerror or type(problem).__name__))


async def _redis(settings: Settings, url: str) -> Storage:
    where = urlsplit(url).netloc.rpartition("@")[2] or "its socket"
    cure = "Start Redis, or correct REDIS_URL."
    try:
        store = RedisStore(url)
    except ValueError:
        return Storage(error("redis", "REDIS_URL can't be read.", "Write it as redis://:password@host:6379/0."))
    try:
        await store.ping()
        await require_readable(store)
        mode, marks = await _mode(settings, store), await _marks(store)
    except StoreTooNew as problem:
        await store.close()
        return Storage(_too_new("redis", problem))
    except StoreUnavailable as problem:
        await store.close()
        return Storage(error("redis", f"Redis at {where} can't be used ({_reason(problem)}).", cure))
    return Storage(ok("redis", f"Redis at {where} answers and can be written."), mode, store, marks=marks)


async def _file(settings: Settings, path: Path) -> Storage:
    store = SqliteStore(path)
    try:
        await store.ping()
        await require_readable(store)
        mode, marks = await _mode(settings, store), await _marks(store)
    except StoreTooNew as problem:
        return Storage(_too_new("storage", problem))
    except StoreUnavailable as problem:
        return Storage(_unwritable(path, _reason(problem)))
    finally:
        await store.close()
    return Storage(ok("storage", f"{path} can be written."), mode, marks=marks)


async def _folder(settings: Settings, path: Path) -> Storage:
    """Prove with a store of another name that the file could be made; the first folder that exists decides."""
    folder = next(parent for parent in path.parents if _exists(parent))
    with tempfile.TemporaryDirectory(prefix=".check-", dir=folder) as trial:
        proven = await _file(settings, Path(trial) / "store.sqlite3")
    if proven.finding.detail.endswith("can be written."):
        return Storage(ok("storage", f"{path} does not exist yet, and can be made."), marks=frozenset())
    return Storage(_unwritable(path, "nothing can be written beside it"))


def _exists(path: Path) -> bool:
    return path.exists()


def _traces(path: Path) -> bool:
    """Return whether a store has been here: its file, or what it keeps beside it."""
    return path.parent.is_dir() and any(entry.name.startswith(path.name) for entry in path.parent.iterdir())


async def _mode(settings: Settings, store: Store) -> StripeMode:
    seen = StripeModeService(store, public_url=settings.public_url, sandbox=settings.sandbox_enabled)
    return await seen.mode()


async def _marks(store: Store) -> frozenset[Mark]:
    marks = Marks(store)
    return frozenset([mark for mark in Mark if await marks.holds(mark)])


def _too_new(check: str, problem: StoreTooNew) -> Finding:
    what, _, cure = problem.detail.partition(". ")
    return error(check, f"{what}.", cure)


def _unwritable(path: Path, reason: str) -> Finding:
    return error(
        "storage", f"{path} can't be written ({reason}).", "Make it writable for this user, or set STORAGE_PATH."
    )


def _reason(problem: StoreUnavailable) -> str:
    """Return what stopped the store, in the system's words where it gave some."""
    cause = problem.__cause__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause) if type(cause).__module__ == "sqlite3" else type(cause or problem).__name__


def without_harm(settings: Settings, storage: Storage, *, while_running: bool) -> Finding | None:
    """Return why the Payment MS had better not be asked with the key now, or None.

    Today's version breaks for good under two requests at once, and a running app may be asking at this moment. Replicas
    with Redis share one bound with us; an app on the embedded store can't.
    """
    if settings.sandbox_enabled or settings.payment_ms_max_in_flight > 1 or while_running:
        return None
    if settings.redis_url is not None and storage.redis is None:
        return skipped("payment_ms_key", "Not asked: without Redis it can't be kept apart from the app's own requests.")
    if storage.app_runs:
        cure = "Look at /readyz, stop the app first, or add --while-running if the Payment MS takes two at once."
        return skipped("payment_ms_key", "Not asked: the app is running, and two requests at once can break it.", cure)
    return None
