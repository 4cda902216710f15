"""Which store these settings ask for: the embedded one, or the one that replicas share."""

from services.storage.port import Store, StoreSettings
from services.storage.sqlite_store import SqliteStore


def open_store(settings: StoreSettings) -> Store:
    """Return the store these settings ask for.

    A Redis that is down, or a directory that cannot be written, raises at the first use and heals by itself. Raises
    `StoreInUse` at once when another process holds the SQLite file.
    """
    if settings.redis_url is not None:
        from services.storage.redis_store import RedisStore  # only now: replicas need it, a laptop does not

        return RedisStore(settings.redis_url.get_secret_value())
    return SqliteStore(settings.storage_path)
