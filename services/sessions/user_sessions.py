"""Which sessions are a user's: they are kept under hashes of their own ids, and whoever is forgotten has all of them.

Sessions of releases before this index are put into it when their rows are written anew, within a minute of use.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from services.storage.port import Store
from services.storage.rows import RowKind, StoredMoment, read_row

_read_moment: Final = TypeAdapter[datetime](StoredMoment).validate_python


class UserSessions:
    """An index in the store: under the hash of a user's id, each session's key with its latest end.

    Every method raises StoreUnavailable when the store does.
    """

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def note(self, user_id: str, session_key: str, ends: datetime) -> None:
        """Note a session that ends then at the latest; those that are over go."""
        now = self._now()
        for one, end in (await self._ends(user_id)).items():
            if end is None or end <= now:
                await self._store.delete_field(user_sessions_key(user_id), one)
        life = max((ends - now).total_seconds(), 1.0)
        await self._store.put_field(user_sessions_key(user_id), session_key, ends.isoformat(), life)

    async def of(self, user_id: str) -> tuple[str, ...]:
        """Return the keys of this user's sessions; some may have ended before their time."""
        now = self._now()
        return tuple(one for one, end in (await self._ends(user_id)).items() if end is not None and end > now)

    async def forget(self, user_id: str) -> None:
        """Drop what is known of a user's sessions, not the sessions."""
        await self._store.delete(user_sessions_key(user_id))

    async def _ends(self, user_id: str) -> dict[str, datetime | None]:
        fields = await self._store.fields(user_sessions_key(user_id))
        return {one: read_row(RowKind.USER_SESSION, text, _read_moment) for one, text in fields.items()}


def user_sessions_key(user_id: str) -> str:
    """Return what the index of a user's sessions is kept under."""
    return f"sessions-of:{hashlib.sha256(user_id.encode()).hexdigest()}"
