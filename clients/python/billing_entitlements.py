"""What a user may do, for Python services beside the billing front end. One file: copy it, or its folder on the path.

Needs `joserfc` and `httpx`; `standardwebhooks` for events; FastAPI or Flask where their guards are used. A token is
verified offline against the published keys, which are kept; by a user's id the billing front end is asked once a minute
and user. While it is gone the last answer counts until it ends, and `fail_open_for` seconds longer: by default not at
all.
"""

import functools
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import httpx
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS: Final = ["ES256"]
KEYS_KEPT_FOR: Final = 300.0
KEYS_ASKED_EVERY: Final = 10.0
"""Seconds for which keys are kept, and at least between two questions: an unknown key is asked for at once."""

RESTS_FOR: Final = 2.0
"""Seconds for which nobody is asked after a failure: a front end that hangs is not waited for by every request."""

LEEWAY: Final = 10
"""Seconds that clocks may be apart."""

MOST_KEPT: Final = 10_000
NOT_SIGNED: Final = "Not signed by billing."


class Refused(Exception):
    """The token or the event is not one to believe: forged, over, for somebody else, or of an unknown key."""


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
    """The billing front end, which is asked at `url`.

    `issuer` is its PUBLIC_URL, where that is another address; `audience` is what its ENTITLEMENTS_AUDIENCE names, by
    default the issuer.
    """

    def __init__(
        self,
        url: str,
        *,
        issuer: str | None = None,
        audience: str | None = None,
        service_token: str | None = None,
        fail_open_for: float = 0.0,
        timeout: float = 6.0,
        http: httpx.Client | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url = url.rstrip("/")
        self._issuer = issuer or self._url
        self._audience = audience or self._issuer
        self._token = service_token
        self._fail_open_for = fail_open_for
        self._http = http or httpx.Client(timeout=timeout)
        self._now = now
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._keys_at = float("-inf")
        self._asking_for_keys = threading.Lock()
        self._rests_until = float("-inf")
        self._known: dict[str, Rights] = {}
        self._forgotten = 0

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
        forgotten = self._forgotten
        try:
            rights = self._ask(user_id)
        except Unavailable:
            if known is not None and self._now() < known.expires_at + self._fail_open_for:
                return known
            raise
        with self._lock:
            if forgotten == self._forgotten:  # else this answer may be older than the change that an event told
                self._known.pop(user_id, None)
                if len(self._known) >= MOST_KEPT:
                    self._known.pop(next(iter(self._known)))
                self._known[user_id] = rights
        return rights

    def forget(self, user_id: str) -> None:
        """Ask anew at the next question: an event said that something changed."""
        with self._lock:
            self._forgotten += 1
            self._known.pop(user_id, None)

    def require(self, user_id: str, feature: str) -> Rights:
        """Return what a user may do if they have a feature; nobody (an empty id) has none. Raises NotEntitled, and what
        `of` raises."""
        rights = self.of(user_id) if user_id else None
        if rights is None or not rights.has(feature):
            raise NotEntitled(feature)
        return rights

    def requires(self, feature: str, user_id: Callable[..., Any]) -> Callable[..., Any]:
        """Return a FastAPI dependency: 403 without the feature, 503 where nobody can say. `user_id` says who asks."""
        from fastapi import Depends, HTTPException

        def required(who: Any = Depends(user_id)) -> Rights:
            try:
                return self.require(str(who or ""), feature)
            except (NotEntitled, Unavailable, Refused) as error:
                raise HTTPException(*_refusal(error)) from None

        return required

    def events(self, secret: str) -> Callable[..., Any]:
        """Return a FastAPI dependency for the route of billing's events: the verified event, or 401."""
        from fastapi import HTTPException, Request
        from standardwebhooks import Webhook

        Webhook(secret)  # a secret that is none stops the start

        async def verified(request: Request) -> dict[str, Any]:
            try:
                return self.event(secret, await request.body(), request.headers)
            except Refused:
                raise HTTPException(401, NOT_SIGNED) from None

        return verified

    def flask_requires(self, feature: str, user_id: Callable[[], str | None]) -> Callable[..., Any]:
        """Return a decorator of a Flask view: 403 without the feature, 503 where nobody can say. `user_id` says who
        asks; what they may do is `flask.g.rights` in the view."""
        from flask import g, jsonify

        def guarded(view: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(view)
            def guard(*arguments: Any, **named: Any) -> Any:
                try:
                    g.rights = self.require(user_id() or "", feature)
                except (NotEntitled, Unavailable, Refused) as error:
                    status, detail = _refusal(error)
                    return jsonify(detail=detail), status
                return view(*arguments, **named)

            return guard

        return guarded

    def flask_events(self, secret: str) -> Callable[[], Any]:
        """Return a Flask view for billing's events: 204, or 401 for what billing did not sign."""
        from flask import jsonify, request
        from standardwebhooks import Webhook

        Webhook(secret)  # a secret that is none stops the start

        def told() -> Any:
            try:
                self.event(secret, request.get_data(), dict(request.headers))
            except Refused:
                return jsonify(detail=NOT_SIGNED), 401
            return "", 204

        return told

    def event(self, secret: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """Return a verified event; what was known of its user is forgotten. Raises Refused."""
        from standardwebhooks import Webhook, WebhookVerificationError

        webhook = Webhook(secret)
        try:
            found: dict[str, Any] = webhook.verify(body, dict(headers))
        except (WebhookVerificationError, ValueError) as error:
            raise Refused(type(error).__name__) from None
        self.forget(str(found.get("data", {}).get("user_id", "")))
        return found

    def _ask(self, user_id: str) -> Rights:
        if self._now() < self._rests_until:
            raise Unavailable("asked a moment ago")
        answer = self._get(f"/api/entitlements/{quote(user_id, safe='')}", {"Authorization": f"Bearer {self._token}"})
        rights = self.verify(answer.get("token", ""))
        if rights.user_id != user_id:
            raise Refused("of another user")
        return rights

    def _get(self, path: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the answer as an object. Raises Unavailable."""
        try:
            answer = self._http.get(f"{self._url}{path}", headers=headers)
            answer.raise_for_status()
            found = answer.json()
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            if status >= 500:
                self._rests_until = self._now() + RESTS_FOR
            raise Unavailable(f"answered {status}") from None
        except (httpx.HTTPError, ValueError) as error:
            self._rests_until = self._now() + RESTS_FOR
            raise Unavailable(type(error).__name__) from None
        return found if isinstance(found, dict) else {}

    def _registry(self) -> jwt.JWTClaimsRegistry:
        essential: dict[str, Any] = {name: {"essential": True} for name in ("sub", "exp", "iat")}
        return jwt.JWTClaimsRegistry(
            now=int(self._now()), leeway=LEEWAY, iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience}, **essential,
        )  # fmt: skip

    def _keys_for(self, token: str) -> KeySet:
        """Return the keys, asked for anew where they are old or lack the token's; old ones that have it are not waited
        for by more than whoever asks."""
        kid = _kid(token)
        known = self._has(kid)
        if self._keys_are_old(known) and self._asking_for_keys.acquire(blocking=not known):
            try:
                known = self._has(kid)
                if self._keys_are_old(known):  # else somebody else has asked meanwhile
                    self._ask_for_keys()
            finally:
                self._asking_for_keys.release()
        if self._keys is None:
            raise Unavailable("no keys")
        return self._keys

    def _has(self, kid: str) -> bool:
        keys = self._keys
        return keys is not None and any(key.kid == kid for key in keys.keys)

    def _keys_are_old(self, known: bool) -> bool:
        return self._now() - self._keys_at > (KEYS_KEPT_FOR if known else KEYS_ASKED_EVERY)

    def _ask_for_keys(self) -> None:
        with suppress(Unavailable, JoseError, ValueError, KeyError):  # the old keys count on
            self._keys = KeySet.import_key_set(self._get("/.well-known/jwks.json"))  # type: ignore[arg-type]
        self._keys_at = self._now()


def _kid(token: str) -> str:
    try:
        kid = jws.extract_compact(token.encode()).headers().get("kid")
    except (JoseError, ValueError, TypeError) as error:
        raise Refused(type(error).__name__) from None
    if not isinstance(kid, str):
        raise Refused("no key named")
    return kid


def _refusal(error: Exception) -> tuple[int, str]:
    """Return the status and the sentence for a request that can't go on."""
    if isinstance(error, NotEntitled):
        return 403, f"This needs {error}."
    return 503, "What you may do can't be checked right now."
