"""Writes `vectors.json`: what every client must take or refuse, with the published keys and the time.

Run it again when there is a further case; the keys in it are made anew and good for nothing else. Webhooks are in it
too, in the form of Standard Webhooks: the same secret for all of them.

python -m clients.make_vectors
"""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import ECKey

ISSUER: Final = "https://billing.example.com"
NOW: Final = 1_796_000_000
WEBHOOK_SECRET: Final = f"whsec_{base64.b64encode(b'good for nothing but vectors').decode()}"
ANOTHER_SECRET: Final = f"whsec_{base64.b64encode(b'good for nothing, and not used').decode()}"
FEATURES: Final = {"exports": True, "audit_log": False, "projects": "unlimited", "members": 10, "support": None}


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a good token, with changes."""
    good = {
        "iss": ISSUER, "aud": ISSUER, "sub": "usr_1", "iat": NOW - 5, "exp": NOW + 55, "jti": "a", "plan": "premium",
        "state": "active", "features": FEATURES, "as_of": "2026-11-30T04:00:00Z", "source": "both", "reason": "agreed",
        "stale": False,
    }  # fmt: skip
    return {**good, **changes}


def signed(key: ECKey, content: dict[str, Any], **header: Any) -> str:
    """Return a token that this key signed."""
    named = {"alg": "ES256", "kid": key.thumbprint(), "typ": "JWT", **header}
    return jwt.encode({name: value for name, value in named.items() if value is not None}, content, key, ["ES256"])


def handmade(header: dict[str, Any], content: dict[str, Any], secret: bytes | None) -> str:
    """Return a token of a kind that no library should make: without a signature, or by HS256 with a public key."""
    head, body = (_part(json.dumps(part).encode()) for part in (header, content))
    mac = hmac.new(secret, f"{head}.{body}".encode(), hashlib.sha256).digest() if secret is not None else b""
    return f"{head}.{body}.{_part(mac)}"


def vectors() -> dict[str, Any]:
    """Return the file's content."""
    present, previous, next_key, stranger = (ECKey.generate_key("P-256") for _ in range(4))
    public = [
        {**key.as_dict(private=False), "kid": key.thumbprint(), "alg": "ES256", "use": "sig"}
        for key in (present, previous, next_key)
    ]
    kid = present.thumbprint()
    good = signed(present, claims())
    cases = {
        "good": (good, True),
        "previous key": (signed(previous, claims()), True),
        "next key": (signed(next_key, claims()), True),
        "several audiences": (signed(present, claims(aud=["https://other.example", ISSUER])), True),
        "clock ahead by 8 s": (signed(present, claims(iat=NOW + 8, exp=NOW + 68)), True),
        "over for 8 s": (signed(present, claims(exp=NOW - 8)), True),
        "over for a minute": (signed(present, claims(exp=NOW - 60)), False),
        "clock ahead by a minute": (signed(present, claims(iat=NOW + 60, exp=NOW + 120)), False),
        "wrong audience": (signed(present, claims(aud="https://other.example")), False),
        "no audience": (signed(present, {k: v for k, v in claims().items() if k != "aud"}), False),
        "wrong issuer": (signed(present, claims(iss="https://evil.example")), False),
        "no expiry": (signed(present, {k: v for k, v in claims().items() if k != "exp"}), False),
        "wrong key under a known kid": (signed(stranger, claims(), kid=kid), False),
        "unknown kid": (signed(stranger, claims()), False),
        "no kid": (signed(present, claims(), kid=None), False),
        "alg none without a kid": (handmade({"alg": "none"}, claims(), None), False),
        "alg none": (handmade({"alg": "none", "kid": kid}, claims(), None), False),
        "HS256 with the public key": (
            handmade({"alg": "HS256", "kid": kid}, claims(), present.as_pem(private=False)), False,
        ),
        "changed content": (".".join((good.split(".")[0], _part(json.dumps(claims(plan="enterprise")).encode()),
                                      good.split(".")[2])), False),
        "no features": (signed(present, {k: v for k, v in claims().items() if k != "features"}), False),
        "no token": ("", False),
        "half a token": (good[: len(good) // 2], False),
    }  # fmt: skip
    return {
        "issuer": ISSUER,
        "audience": ISSUER,
        "now": NOW,
        "leeway": 10,
        "keys": {"keys": public},
        "tokens": [{"name": name, "token": token, "good": ok} for name, (token, ok) in cases.items()],
        "features": {
            "has": {
                "exports": True,
                "audit_log": False,
                "projects": True,
                "members": True,
                "support": False,
                "no": False,
            },
            "limit": {"projects": None, "members": 10, "exports": 1, "audit_log": 0, "no": 0},
        },
        "webhooks": {"secret": WEBHOOK_SECRET, "posts": webhooks()},
    }


def webhooks() -> list[dict[str, Any]]:
    """Return posts to a receiver, signed by hand as the specification says, and whether they are to be believed."""
    body = json.dumps(
        {"type": "entitlements.changed", "timestamp": "2026-11-30T04:12:09Z", "data": {"user_id": "usr_1"}}
    )
    own, other = (f"v1,{mac(secret, NOW, body)}" for secret in (WEBHOOK_SECRET, ANOTHER_SECRET))
    then, soon = NOW - 360, NOW + 360
    cases: dict[str, tuple[int | str, str, str, bool]] = {
        "good": (NOW, own, body, True),
        "two secrets": (NOW, f"{other} {own}", body, True),
        "a signature of a kind to come": (NOW, f"v1a,AAAA {own}", body, True),
        "changed body": (NOW, own, body.replace("usr_1", "usr_2"), False),
        "wrong secret": (NOW, other, body, False),
        "another moment": (NOW - 1, own, body, False),
        "six minutes old": (then, f"v1,{mac(WEBHOOK_SECRET, then, body)}", body, False),
        "six minutes ahead": (soon, f"v1,{mac(WEBHOOK_SECRET, soon, body)}", body, False),
        "no moment": ("soon", own, body, False),
        "no signature": (NOW, "", body, False),
        "half a signature": (NOW, own[:-8], body, False),
    }
    return [
        {
            "name": name,
            "headers": {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": signature},
            "body": text,
            "good": good,
        }
        for name, (at, signature, text, good) in cases.items()
    ]


def mac(secret: str, at: int, body: str) -> str:
    """Return the signature of a webhook."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return base64.b64encode(hmac.new(key, f"msg_1.{at}.{body}".encode(), hashlib.sha256).digest()).decode()


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


if __name__ == "__main__":
    path = Path(__file__).parent / "vectors.json"
    path.write_text(json.dumps(vectors(), indent=1) + "\n", encoding="utf-8")
