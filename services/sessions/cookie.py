"""The one cookie that stands for a browser: a random id with a signature, so that made-up ids cost nothing."""

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Literal, TypedDict

from pydantic import SecretStr

SIGNED_IN = "~"
"""What the ids of sign-ins begin with, and no visitor's does."""


class CookieAttributes(TypedDict):
    """The attributes of a cookie, as Starlette's `set_cookie` names them."""

    max_age: int
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax"]


class SessionCookie:
    """Makes and reads the cookie. Under https its name carries the `__Host-` prefix (RFC 6265bis)."""

    def __init__(self, secret: SecretStr, *, secure: bool, max_age: timedelta) -> None:
        self._key = hashlib.sha256(b"session cookie\0" + secret.get_secret_value().encode()).digest()
        self.secure = secure
        self.max_age_seconds = int(max_age.total_seconds())
        self.name = "__Host-session" if secure else "session"
        self.login_name = "__Host-login" if secure else "login"

    @property
    def attributes(self) -> CookieAttributes:
        """The attributes of the session cookie, as Starlette's `set_cookie` names them."""
        return {
            "max_age": self.max_age_seconds,
            "path": "/",
            "secure": self.secure,
            "httponly": True,
            "samesite": "lax",
        }

    def new(self) -> str:
        """Return a cookie value with a new random id."""
        return self.holding(secrets.token_urlsafe(32))

    def new_sign_in(self) -> str:
        """Return a new random id for a user who signs in."""
        return SIGNED_IN + secrets.token_urlsafe(32)

    def holding(self, session_id: str) -> str:
        """Return the cookie value that carries this id."""
        return f"{session_id}.{self._signature(session_id)}"

    def id_in(self, value: str | None) -> str | None:
        """Return the id in a cookie that this app signed, or None."""
        session_id, _, signature = (value or "").rpartition(".")
        if not session_id or not hmac.compare_digest(signature.encode(), self._signature(session_id).encode()):
            return None
        return session_id

    def login_state(self, token: str) -> str:
        """Return what stands for a login cookie's token where the token itself must not."""
        return hmac.new(self._key, b"login\0" + token.encode(), hashlib.sha256).hexdigest()

    def _signature(self, session_id: str) -> str:
        return hmac.new(self._key, session_id.encode(), hashlib.sha256).hexdigest()[:32]
