"""Who runs the app: whoever shows OPS_TOKEN. The one rule of `/ops` and `/metrics`."""

import base64
import binascii
import hmac

from pydantic import SecretStr


def shows_token(authorization: str, token: SecretStr) -> bool:
    """Whether an `Authorization` header shows the token: as `Bearer`, or as the password of `Basic` (RFC 7617)."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.encode(), token.get_secret_value().encode())
