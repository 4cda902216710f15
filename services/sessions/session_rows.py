"""A session as it stands in the store: with the Auth MS's session id encrypted, since it signs a user in elsewhere too.

What encrypts is derived from `STORAGE_SECRET`, which the store does not hold: a copy of the store opens no session here
(its keys are hashes) and none at the Auth MS. What an earlier secret has encrypted is read, and rows of releases that
encrypted nothing; both are written anew when the Auth MS is asked next, within a minute of use.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr
from pydantic_core import from_json, to_json

from services.sessions.model import Session

SEALED: Final = "auth_session_sealed"
_PLAIN: Final = "auth_session_id"
SECRET_FIELDS: Final = frozenset({SEALED, _PLAIN})
"""What stands in a row, of this release or of one before, and is for nobody to read."""


class SessionRows:
    """Writes sessions by the newest secret, and reads what any of them has written."""

    def __init__(self, secret: SecretStr, earlier_secrets: Sequence[SecretStr] = ()) -> None:
        """`earlier_secrets` only decrypt."""
        self._keys = MultiFernet([Fernet(_key_of(one)) for one in (secret, *reversed(earlier_secrets))])

    def written(self, session: Session) -> str:
        """Return the row, without the id under which it is kept."""
        row = session.model_dump(mode="json", exclude={"id", _PLAIN})
        sealed = self._keys.encrypt(session.auth_session_id.get_secret_value().encode())
        return to_json({**row, SEALED: sealed.decode()}).decode()

    def read(self, session_id: str, text: str) -> Session:
        """Return the session of a row. Raises ValueError for one that this release, or these secrets, can't read."""
        row = from_json(text)
        sealed = row.pop(SEALED, None)
        if sealed is not None:
            row[_PLAIN] = self._opened(sealed)
        return Session.model_validate({**row, "id": session_id})

    @staticmethod
    def is_sealed(text: str) -> bool:
        """Whether a row is of a release that encrypts."""
        return f'"{SEALED}":' in text

    def _opened(self, sealed: str) -> str:
        try:
            return self._keys.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise ValueError("encrypted by another secret") from None


def _key_of(secret: SecretStr) -> bytes:
    return urlsafe_b64encode(hashlib.sha256(b"auth session\0" + secret.get_secret_value().encode()).digest())
