"""The sign-ins that a browser has begun and not ended: a cookie each, so that two tabs don't take each other's.

A cookie's name ends in the beginning of the sign-in's state, by which the way back from the provider finds it. Its
value is the secret that ties the sign-in to this browser, and where the user was going: that is remembered for longer
than the sign-in itself may take, so that a user who comes too late need not look for the page again.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from services.web.safe_paths import safe_next

MOST_PENDING: Final = 5
"""How many a browser holds; the oldest make way."""

KEPT_FOR: Final = timedelta(days=1)
"""How long a browser remembers where a sign-in was to lead."""

LONGEST_KEPT: Final = 300
"""A longer path is not kept in the cookie: all cookies together have to fit into a proxy's limit for headers."""

_STATE_LETTERS: Final = 12
_MILLISECOND_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """One of them. `next_path` is empty where the browser does not know it."""

    cookie_name: str
    token: str = field(repr=False)
    next_path: str = ""


def new_token(now: datetime) -> str:
    """Return a random token that begins with the time, so that of several the newest is known."""
    return f"{int(now.timestamp() * 1000):0{_MILLISECOND_DIGITS}x}{secrets.token_urlsafe(32)}"


def cookie_of(login_name: str, state: str) -> str:
    """Return the name of the cookie of a sign-in."""
    return f"{login_name}-{state[:_STATE_LETTERS]}"


def cookie_value(token: str, next_path: str) -> str:
    """Return what the cookie holds."""
    kept = next_path if len(next_path) <= LONGEST_KEPT else ""
    return f"{token}.{urlsafe_b64encode(kept.encode()).decode().rstrip('=')}"


def pending_in(cookies: Mapping[str, str], login_name: str) -> tuple[PendingSignIn, ...]:
    """Return the sign-ins that a browser's cookies hold, the newest first.

    A release before this one had a cookie of one name for all, which held the token alone.
    """
    found = [
        _read(name, value) for name, value in cookies.items() if name == login_name or name.startswith(f"{login_name}-")
    ]
    return tuple(sorted(found, key=lambda one: one.token[:_MILLISECOND_DIGITS], reverse=True))


def pending_of(cookies: Mapping[str, str], login_name: str, state: str | None) -> PendingSignIn | None:
    """Return the sign-in that a way back belongs to: the one of its state, without a state the newest."""
    found = pending_in(cookies, login_name)
    if state is None:
        return next(iter(found), None)
    named = {one.cookie_name: one for one in found}
    return named.get(cookie_of(login_name, state)) or named.get(login_name)


def _read(name: str, value: str) -> PendingSignIn:
    token, _, encoded = value.partition(".")
    try:
        next_path = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:
        next_path = ""
    return PendingSignIn(name, token, next_path if safe_next(next_path) == next_path else "")
