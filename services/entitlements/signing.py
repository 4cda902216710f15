"""The keys of entitlements: the one that signs, and those that sibling services may still meet or will meet next.

Tokens are signed by ES256 alone: every library that reads JWTs knows it, which can't be said of Ed25519.
`docs/operations.md` tells how a key is replaced without a moment in which a token can't be verified.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from services.errors import KeyUnusable

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

ALGORITHM: Final = "ES256"
_CURVE: Final = "P-256"

CURE: Final = "make one with: python app.py keys new."

Jwk = dict[str, str | list[str]]
"""A public key as services get it (RFC 7517)."""


class SigningKey:
    """The private key that signs entitlements; without a PEM a new one for this process.

    That one is made at its first use, and only then is what signs imported: few installations have siblings that ask.
    `others` are published beside it: the previous and the next key, of which the public half is enough.
    """

    def __init__(self, pem: SecretStr | None = None, others: Iterable[tuple[str, SecretStr]] = ()) -> None:
        """Each of the others is its setting's name and its PEM. Raises KeyUnusable for a PEM that holds no such key."""
        self.ephemeral = pem is None
        self._given = None if pem is None else _read("ENTITLEMENTS_KEY", pem, private=True)
        self._others = [_read(name, other, private=False) for name, other in others]

    @cached_property
    def _key(self) -> "ECKey":
        from joserfc.jwk import ECKey

        return self._given or ECKey.generate_key(_CURVE)

    @cached_property
    def key_id(self) -> str:
        """The key's thumbprint (RFC 7638)."""
        return self._key.thumbprint()

    def sign(self, claims: dict[str, object]) -> str:
        """Return the claims as a signed JWT."""
        from joserfc import jwt

        header = {"alg": ALGORITHM, "kid": self.key_id, "typ": "JWT"}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])

    @cached_property
    def published(self) -> tuple[Jwk, ...]:
        """The public keys as JWKs, the one that signs first, each once."""
        found = {key.thumbprint(): key for key in (self._key, *self._others)}
        return tuple(
            {**key.as_dict(private=False), "kid": key_id, "alg": ALGORITHM, "use": "sig"}
            for key_id, key in found.items()
        )


def new_key_pem() -> str:
    """Return a new private key, PKCS #8 in PEM form."""
    from joserfc.jwk import ECKey

    return ECKey.generate_key(_CURVE).as_pem(private=True).decode("ascii")


def _read(name: str, pem: SecretStr, *, private: bool) -> "ECKey":
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OKPKey

    text = pem.get_secret_value().replace("\\n", "\n")
    kind = "private key" if private else "key"
    try:
        key = ECKey.import_key(text)
    except (ValueError, TypeError, JoseError):
        try:
            found = OKPKey.import_key(text).curve_name
        except (ValueError, TypeError, JoseError):
            raise KeyUnusable(f"{name} is no P-256 {kind} in PEM form; {CURE}") from None
        raise KeyUnusable(
            f"{name} is an {found} key, which many libraries can't read, so tokens are signed by P-256; {CURE}"
        ) from None
    if key.curve_name != _CURVE:
        raise KeyUnusable(f"{name} is a key on the curve {key.curve_name}, not P-256; {CURE}")
    if private and not key.is_private:
        raise KeyUnusable(f"{name} is a public key, and tokens are signed with the private one; {CURE}")
    return key
