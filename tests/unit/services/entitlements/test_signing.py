"""The keys of entitlements: which can sign, which are published, and how one replaces another."""

from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwt
from joserfc.jwk import KeySet, import_key
from pydantic import SecretStr

from services.entitlements.signing import SigningKey, new_key_pem
from services.errors import KeyUnusable

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PREVIOUS, NEXT = "ENTITLEMENTS_KEY_PREVIOUS", "ENTITLEMENTS_KEY_NEXT"


def pem(key: PrivateKey) -> SecretStr:
    return SecretStr(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def public_pem(key: ec.EllipticCurvePrivateKey) -> SecretStr:
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return SecretStr(public.decode())


def made() -> SecretStr:
    return SecretStr(new_key_pem())


def verified(token: str, key: SigningKey) -> dict[str, object]:
    """The claims of a token, verified with what a key publishes."""
    return jwt.decode(token, KeySet([import_key(jwk) for jwk in key.published]), algorithms=["ES256"]).claims


def test_a_key_of_ones_own_is_the_same_after_a_restart() -> None:
    own = made()

    one, other = SigningKey(own), SigningKey(SecretStr(own.get_secret_value().replace("\n", "\\n")))

    assert one.key_id == other.key_id
    assert verified(one.sign({"a": 1}), other) == {"a": 1}


@pytest.mark.parametrize(
    ("unusable", "words"),
    [
        (SecretStr("-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----"), "no P-256 private key"),
        (SecretStr("no key"), "no P-256 private key"),
        (pem(rsa.generate_private_key(65537, 2048)), "no P-256 private key"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "on the curve P-384"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "an Ed25519 key, which many libraries can't read"),
        (public_pem(ec.generate_private_key(ec.SECP256R1())), "a public key"),
    ],
    ids=["broken", "no key", "rsa", "another curve", "ed25519", "public"],
)
def test_a_key_that_can_not_sign_is_refused_in_a_sentence(unusable: SecretStr, words: str) -> None:
    with pytest.raises(KeyUnusable) as refused:
        SigningKey(unusable)

    assert str(refused.value).startswith("ENTITLEMENTS_KEY is ")
    assert words in str(refused.value)
    assert str(refused.value).endswith("python app.py keys new.")


def test_a_key_beside_it_that_is_none_is_named_by_its_setting() -> None:
    with pytest.raises(KeyUnusable, match=r"^ENTITLEMENTS_KEY_NEXT is no P-256 key"):
        SigningKey(made(), [(PREVIOUS, made()), (NEXT, SecretStr("no key"))])


def test_no_token_is_unknown_while_one_key_replaces_another() -> None:
    old, new = made(), made()
    steps = [
        SigningKey(old),
        SigningKey(old, [(NEXT, new)]),
        SigningKey(new, [(PREVIOUS, old)]),
        SigningKey(new),
    ]

    for earlier, later in pairwise(steps):  # replicas restart one by one: both answer for a while
        for signer, publisher in ((earlier, later), (later, earlier)):
            assert verified(signer.sign({"a": 1}), publisher) == {"a": 1}


def test_the_key_that_signs_is_published_first_and_each_once() -> None:
    present = made()
    other = ec.generate_private_key(ec.SECP256R1())

    key = SigningKey(present, [(PREVIOUS, public_pem(other)), (NEXT, present)])

    assert [jwk["kid"] for jwk in key.published] == [key.key_id, SigningKey(pem(other)).key_id]
    assert all(jwk.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"} for jwk in key.published)
