"""Who asks by a service token: named, several of a name while one replaces another, and kept as hashes only.

A token is 256 random bits, so that its plain SHA-256 can be guessed no better than the token itself.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "bst_"
"""What tokens begin with, so that a leaked one is recognised."""

FORM: Final = re.compile(r"(?P<name>[a-z][a-z0-9-]{0,39})=(?P<digest>[0-9a-f]{64})", re.ASCII)
"""How the setting writes one: its service's name, and its hash."""


@dataclass(frozen=True, slots=True)
class ServiceTokens:
    """The tokens that are taken, as `SERVICE_TOKENS` names them."""

    digests: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, entries: Sequence[str]) -> "ServiceTokens":
        """Return the tokens of a setting whose entries have the right form."""
        found = (FORM.fullmatch(entry) for entry in entries)
        return cls(tuple((entry["name"], entry["digest"]) for entry in found if entry is not None))

    def __bool__(self) -> bool:
        """Whether any service may ask."""
        return bool(self.digests)

    def service(self, token: str) -> str | None:
        """Return the name of the service that shows this token; None for a token of nobody."""
        shown = digest_of(token)
        names = [name for name, digest in self.digests if hmac.compare_digest(digest, shown)]
        return names[0] if names else None


def new_token() -> str:
    """Return a new token."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
