"""Ids of users, products and prices as the Payment MS can take them: one path segment, never another path.

The service splits its path at ``/``, even an encoded one, and HTTP libraries resolve ``.`` and ``..``.
So ids are checked against a list of allowed characters first, then encoded.
"""

from urllib.parse import quote

from services.errors import InvalidIdentifier

LONGEST = 200
"""Stripe takes no longer one, and whoever checked out with one would never be found again."""

_PUNCTUATION = frozenset("._@+-:|~=!$&'*,^`{}")
"""What e-mail addresses (RFC 5321) and sign-in providers (``auth0|123``) use, without ``/ \\ ? # % ;``."""


def check_identifier(kind: str, value: str) -> str:
    """Return ``value`` unchanged; raise ``InvalidIdentifier`` if it can't be one path segment.

    ``kind`` names it in the operator's message; the value itself stays out of it (it may be an address).
    """
    if not value:
        raise InvalidIdentifier(f"{kind} is empty")
    if len(value) > LONGEST:
        raise InvalidIdentifier(f"{kind} is longer than {LONGEST} characters")
    if not all(character.isalnum() or character in _PUNCTUATION for character in value):
        raise InvalidIdentifier(f"{kind} holds a character that the payment service can't take in its address")
    if not value.strip("."):
        raise InvalidIdentifier(f"{kind} is made of dots")
    return value


def path_with(prefix: str, **identifiers: str) -> str:
    """Return ``prefix`` with each id as one more encoded segment; raise ``InvalidIdentifier`` as above."""
    segments = (quote(check_identifier(kind, value), safe="") for kind, value in identifiers.items())
    return "/".join((prefix, *segments))
