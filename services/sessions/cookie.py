"""The one cookie that stands for a browser: a random id with a signature, so that made-up ids cost nothing.

`itsdangerous` signs with the newest secret and accepts what an earlier one has signed, so that a secret can be replaced
while users stay signed in. Cookies of releases before it, with 32 hex digits of the same HMAC, are accepted as well.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final, Literal, TypedDict

from itsdangerous import BadSignature, Signer
from pydantic import SecretStr

SIGNED_IN = "~"
"""What the ids of sign-ins begin with, and no visitor's does."""

STATE_LETTERS: Final = 64
"""How long the state of a sign-in is: an HMAC-SHA-256 in hex."""

_EARLIER_DIGITS: Final = 32
"""How much of the HMAC, in hex, the cookies of earlier releases carry."""


class CookieAttributes(TypedDict):
    """The attributes of a cookie, as Starlette's `set_cookie` names them."""

    max_age: int
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax"]


class SessionCookie:
    """Makes and reads the cookie. Under https its name carries the `__Host-` prefix (RFC 6265bis), or `__Secure-` where
    the site has only a part of its host.

    `secret` signs; what one of `earlier_secrets` has signed is accepted as well.
    """

    def __init__(
        self,
        secret: SecretStr,
        *,
        secure: bool,
        max_age: timedelta,
        earlier_secrets: Sequence[SecretStr] = (),
        whole_host: bool = True,
    ) -> None:
        self._signer = Signer(
            [one.get_secret_value() for one in (*earlier_secrets, secret)],
            salt=b"session cookie\0",
            key_derivation="concat",
            digest_method=hashlib.sha256,
        )
        self.secure = secure
        self.max_age_seconds = int(max_age.total_seconds())
        prefix = ("__Host-" if whole_host else "__Secure-") if secure else ""
        self.name, self.login_name = f"{prefix}session", f"{prefix}login"

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
        return self._signer.sign(session_id).decode()

    def id_in(self, value: str | None) -> str | None:
        """Return the id in a cookie that this app signed, or None."""
        session_id, _, signature = (value or "").rpartition(".")
        if not session_id:
            return None
        try:
            return self._signer.unsign(value or "").decode()
        except BadSignature:
            earlier = (digits[:_EARLIER_DIGITS] for digits in self._hex_digests(session_id.encode()))
            return session_id if is_one_of(signature, earlier) else None

    def login_states(self, token: str) -> tuple[str, ...]:
        """Return what stands for a login cookie's token where the token itself must not: by each secret, newest first.

        A sign-in is started with the first; the others are of sign-ins that were started before the secret changed.
        """
        return tuple(self._hex_digests(b"login\0" + token.encode()))

    def _hex_digests(self, text: bytes) -> Iterator[str]:
        for secret in reversed(self._signer.secret_keys):
            yield self._signer.algorithm.get_signature(self._signer.derive_key(secret), text).hex()


def is_one_of(value: str, expected: Iterable[str]) -> bool:
    """Whether a value that came from outside is one of these, in a time that does not tell how much of it fits."""
    return any(hmac.compare_digest(value.encode(), one.encode()) for one in expected)
