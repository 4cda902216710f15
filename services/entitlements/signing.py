"""The key that signs entitlements for sibling services, and its public half as they get it."""

from functools import cached_property
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from services.errors import KeyUnusable

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OKPKey

_ALGORITHMS: Final = {"P-256": "ES256", "Ed25519": "Ed25519"}
"""By curve, in the names of RFC 7518 and RFC 9864 (which retires "EdDSA")."""


class SigningKey:
    """The private key that signs entitlements, P-256 or Ed25519; without a PEM a new one for this process.

    That one is made at its first use, and only then is what signs imported: few installations have siblings that ask.
    """

    def __init__(self, pem: SecretStr | None = None) -> None:
        """Raises KeyUnusable for a PEM that holds neither."""
        self.ephemeral = pem is None
        self._given = None if pem is None else _read(pem)

    @cached_property
    def _key(self) -> "OKPKey | ECKey":
        from joserfc.jwk import ECKey

        return self._given or ECKey.generate_key("P-256")

    @property
    def algorithm(self) -> str:
        """The name of the algorithm it signs with."""
        return _ALGORITHMS[self._key.curve_name]

    @cached_property
    def key_id(self) -> str:
        """The key's thumbprint (RFC 7638)."""
        return self._key.thumbprint()

    def sign(self, claims: dict[str, object]) -> str:
        """Return the claims as a signed JWT."""
        from joserfc import jwt

        header = {"alg": self.algorithm, "kid": self.key_id, "typ": "JWT"}
        return jwt.encode(header, claims, self._key, algorithms=[self.algorithm])

    def public(self) -> dict[str, str | list[str]]:
        """Return the public key as a JWK."""
        return {**self._key.as_dict(private=False), "kid": self.key_id, "alg": self.algorithm, "use": "sig"}


def _read(pem: SecretStr) -> "OKPKey | ECKey":
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OKPKey

    text = pem.get_secret_value().replace("\\n", "\n")
    kinds: tuple[type[OKPKey] | type[ECKey], ...] = (ECKey, OKPKey)
    for kind in kinds:
        try:
            key = kind.import_key(text)
        except (ValueError, TypeError, JoseError):
            continue
        if key.is_private and key.curve_name in _ALGORITHMS:
            return key
    raise KeyUnusable(
        "ENTITLEMENTS_KEY is no P-256 or Ed25519 private key in PEM form; make one with: "
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
    )
