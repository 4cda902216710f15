"""What a user may do, for Python services beside the billing front end. One file: copy it, or its folder on the path.

Needs `joserfc` and `httpx`; `standardwebhooks` for events. A token is verified offline against the published keys,
which are kept; by a user's id the billing front end is asked once a minute and user. While it is gone the last answer
counts until it ends, and `fail_open_for` seconds longer: by default not at all.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS: Final = ["ES256"]
KEYS_KEPT_FOR: Final = 300.0
KEYS_ASKED_EVERY: Final = 10.0
"""Seconds for which keys are kept, and at least between two questions: an unknown key is asked for at once."""

LEEWAY: Final = 10
"""Seconds that clocks may be apart."""

MOST_KEPT: Final = 10_000


class Refused(Exception):
    """The token is not one to believe: forged, over, for somebody else, or of an unknown key."""


class Unavailable(Exception):
    """The billing front end can't be asked, and nothing that is known still counts."""


class NotEntitled(Exception):
    """The user lacks a feature."""


@dataclass(frozen=True)
class Rights:
    """What one user may do. `stale`: the billing front end could not ask its services, so this is memory of `as_of`."""

    user_id: str
    features: Mapping[str, bool | int | str | None]
    expires_at: float
    plan: str | None = None
    state: str = ""
    as_of: str = ""
    stale: bool = False
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def has(self, feature: str) -> bool:
        """Whether the user has a feature; one that billing does not know nobody has."""
        return bool(self.features.get(feature))

    def limit(self, feature: str) -> int | None:
        """Return how much of a feature the user may have, None without a limit, 0 for what billing does not know."""
        value = self.features.get(feature)
        if value == "unlimited":
            return None
        return int(value) if isinstance(value, int) else 0


class Billing:
    """The billing front end at `url`. `audience` is what its ENTITLEMENTS_AUDIENCE names, else its address."""

    def __init__(
        self,
        url: str,
        *,
        audience: str | None = None,
        service_token: str | None = None,
        fail_open_for: float = 0.0,
        timeout: float = 6.0,
        http: httpx.Client | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url = url.rstrip("/")
        self._audience = audience or self._url
        self._token = service_token
        self._fail_open_for = fail_open_for
        self._http = http or httpx.Client(timeout=timeout)
        self._now = now
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._keys_at = float("-inf")
        self._known: dict[str, Rights] = {}

    def verify(self, token: str) -> Rights:
        """Return what a token says. Raises Refused, and Unavailable while there are no keys to verify it with."""
        try:
            found = jwt.decode(token, self._keys_for(token), algorithms=ALGORITHMS)
            self._registry().validate(found.claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Refused(type(error).__name__) from None
        claims = found.claims
        features = claims.get("features")
        if not isinstance(features, dict):
            raise Refused("no features")
        return Rights(
            user_id=claims["sub"],
            features=features,
            expires_at=float(claims["exp"]),
            plan=claims.get("plan"),
            state=claims.get("state", ""),
            as_of=claims.get("as_of", ""),
            stale=bool(claims.get("stale")),
            claims=claims,
        )

    def of(self, user_id: str) -> Rights:
        """Return what a user may do, asked by id with the service token. Raises Unavailable, and Refused."""
        known = self._known.get(user_id)
        if known is not None and self._now() < known.expires_at:
            return known
        try:
            answer = self._http.get(
                f"{self._url}/api/entitlements/{httpx.URL(path=user_id).raw_path.decode().lstrip('/')}",
                headers={"Authorization": f"Bearer {self._token}"},
            )
            answer.raise_for_status()
            rights = self.verify(answer.json()["token"])
            if rights.user_id != user_id:
                raise Refused("of another user")
        except (httpx.HTTPError, Unavailable) as error:
            if known is not None and self._now() < known.expires_at + self._fail_open_for:
                return known
            raise Unavailable(type(error).__name__) from None
        with self._lock:
            if len(self._known) >= MOST_KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[user_id] = rights
        return rights

    def forget(self, user_id: str) -> None:
        """Ask anew at the next question: an event said that something changed."""
        with self._lock:
            self._known.pop(user_id, None)

    def require(self, user_id: str, feature: str) -> Rights:
        """Return what a user may do if they have a feature. Raises NotEntitled, and what `of` raises."""
        rights = self.of(user_id)
        if not rights.has(feature):
            raise NotEntitled(feature)
        return rights

    def requires(self, feature: str, user_id: Callable[..., Any]) -> Callable[..., Any]:
        """Return a FastAPI dependency: 403 without the feature, 503 where nobody can say. `user_id` says who asks."""
        from fastapi import Depends, HTTPException

        def required(who: Any = Depends(user_id)) -> Rights:
            try:
                return self.require(str(who), feature)
            except NotEntitled:
                raise HTTPException(403, f"This needs {feature}.") from None
            except (Unavailable, Refused):
                raise HTTPException(503, "What you may do can't be checked right now.") from None

        return required

    def event(self, secret: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """Return a verified event, and forget what was known of its user. Raises Refused."""
        from standardwebhooks import Webhook, WebhookVerificationError

        try:
            found: dict[str, Any] = Webhook(secret).verify(body, dict(headers))
        except (WebhookVerificationError, ValueError) as error:
            raise Refused(type(error).__name__) from None
        self.forget(str(found.get("data", {}).get("user_id", "")))
        return found

    def _registry(self) -> jwt.JWTClaimsRegistry:
        essential: dict[str, Any] = {name: {"essential": True} for name in ("sub", "exp", "iat")}
        return jwt.JWTClaimsRegistry(
            now=int(self._now()), leeway=LEEWAY, iss={"essential": True, "value": self._url},
            aud={"essential": True, "value": self._audience}, **essential,
        )  # fmt: skip

    def _keys_for(self, token: str) -> KeySet:
        """Return the keys, asked for anew where they are old or lack the token's."""
        header = _header(token)
        with self._lock:
            known = self._keys is not None and any(key.kid == header.get("kid") for key in self._keys.keys)
            age = self._now() - self._keys_at
            if (not known and age > KEYS_ASKED_EVERY) or age > KEYS_KEPT_FOR:
                self._ask_for_keys()
            if self._keys is None:
                raise Unavailable("no keys")
            return self._keys

    def _ask_for_keys(self) -> None:
        try:
            answer = self._http.get(f"{self._url}/.well-known/jwks.json")
            answer.raise_for_status()
            self._keys = KeySet.import_key_set(answer.json())
        except (httpx.HTTPError, JoseError, ValueError):
            pass  # the old keys count on
        self._keys_at = self._now()


def _header(token: str) -> dict[str, Any]:
    from joserfc import jws

    try:
        return dict(jws.extract_compact(token.encode()).headers())
    except (JoseError, ValueError, TypeError) as error:
        raise Refused(type(error).__name__) from None
