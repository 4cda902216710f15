"""Paths as logs and traces may hold them: without the ids of users that other services ask about."""

from typing import Final

NAMED_BEFORE: Final = "/api/entitlements/"
"""What follows is a user's id, unless it is one of ours."""

OURS: Final = frozenset({"query"})


def without_names(path: str) -> str:
    """Return the path with `{user_id}` where it names a user."""
    if path.startswith(NAMED_BEFORE) and path.removeprefix(NAMED_BEFORE) not in OURS:
        return f"{NAMED_BEFORE}{{user_id}}"
    return path
