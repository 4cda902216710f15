"""Who the user is: sign-in, the session's validity, sign-out. Not what the user has: that is `services/status.py`.

A browser holds one cookie with a random id, signed so that made-up ids cost nothing. Before sign-in the id stands for a
visitor (their cart); sign-in and sign-out replace it (OWASP ASVS 7.2.4). What the id means is in the store only, and
so is the Auth MS session id, which never reaches a browser.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, SecretStr, field_serializer

from services.announcements import Announcements, Topic
from services.auth_ms import AuthMS, AuthSession, PlanGrant, User
from services.errors import NotSignedIn, SignInFailed, SignInUnavailable
from services.store import Store

SIGN_IN_LIFE: Final = timedelta(minutes=10)
"""How long a started sign-in may take; a callback after that, or in another browser, is refused."""

BELIEVED_FOR: Final = timedelta(minutes=10)
"""How long a session is believed while the Auth MS can't be asked about it."""

VALIDATED_EVERY: Final = timedelta(minutes=1)
"""How old a validation may be before the next page view asks again."""


class Session(BaseModel):
    """One signed-in browser. `id` is the key in the store; `auth_session_id` is the Auth MS's, and secret."""

    model_config = ConfigDict(frozen=True)

    id: str
    user: User
    auth_session_id: SecretStr
    created_at: datetime
    validated_at: datetime

    @field_serializer("auth_session_id", when_used="json")
    def _reveal_for_the_store(self, value: SecretStr) -> str:
        return value.get_secret_value()

    @property
    def visitor_id(self) -> str:
        """What stands for this browser where the secret id must not."""
        return session_key(self.id)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser in which nobody is signed in. `id` is its cookie's secret id."""

    id: str
    user: None = None

    @property
    def visitor_id(self) -> str:
        """What stands for this browser where the secret id must not."""
        return session_key(self.id)


class SignInStart(BaseModel):
    """Where to send the browser to sign in, and the one-time token its login cookie must hold when it comes back."""

    model_config = ConfigDict(frozen=True)

    url: str
    token: str


class SignedIn(BaseModel):
    """A completed sign-in: the new session, the plan the Auth MS named, and where the user wanted to go."""

    model_config = ConfigDict(frozen=True)

    session: Session
    grant: PlanGrant | None
    next_path: str


class Sessions:
    """Sign-in state, kept in the store under the cookie's id. Raises StoreUnavailable when the store does."""

    def __init__(
        self,
        store: Store,
        auth_ms: AuthMS,
        announcements: Announcements,
        *,
        secret: SecretStr,
        public_url: str,
        max_age: timedelta,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store
        self._auth_ms = auth_ms
        self._announcements = announcements
        self._key = hashlib.sha256(b"session cookie\0" + secret.get_secret_value().encode()).digest()
        self._public_url = public_url
        self._max_age = max_age
        self._now = now or (lambda: datetime.now(UTC))
        secure = public_url.startswith("https://")
        self.secure = secure
        self.cookie_name = "__Host-session" if secure else "session"
        self.login_cookie_name = "__Host-login" if secure else "login"

    @property
    def max_age_seconds(self) -> int:
        """How long the session cookie lives, in seconds."""
        return int(self._max_age.total_seconds())

    def new_cookie(self) -> str:
        """Return a cookie value with a new random id."""
        return self.cookie_for(secrets.token_urlsafe(32))

    def cookie_for(self, session_id: str) -> str:
        """Return the cookie value that carries this id."""
        return f"{session_id}.{self._signature(session_id)}"

    def id_of(self, cookie: str | None) -> str | None:
        """Return the id in a cookie that this app signed, or None."""
        session_id, _, signature = (cookie or "").rpartition(".")
        if not session_id or not hmac.compare_digest(signature.encode(), self._signature(session_id).encode()):
            return None
        return session_id

    @property
    def cookie_attributes(self) -> Mapping[str, Any]:
        """The attributes of the session cookie, as Starlette's `set_cookie` names them."""
        return {
            "max_age": self.max_age_seconds,
            "path": "/",
            "secure": self.secure,
            "httponly": True,
            "samesite": "lax",
        }

    async def find(self, cookie: str) -> Session | Visitor | None:
        """Return who the cookie's holder is: somebody signed in, or a visitor; None for a cookie that is not ours.

        Asks the Auth MS when its last word is more than a minute old. Raises StoreUnavailable, and SignInUnavailable
        when the Auth MS has been away for so long that the sign-in is not believed any more.
        """
        session_id = self.id_of(cookie)
        if session_id is None:
            return None
        session = await self.by_id(session_id)
        if session is None:
            return Visitor(session_id)
        try:
            return await self.validate(session)
        except NotSignedIn:
            return Visitor(session_id)

    async def by_id(self, session_id: str) -> Session | None:
        """Return the signed-in session with that id, or None; it may have to be validated before use."""
        text = await self._store.get(_key(session_id))
        return None if text is None else Session.model_validate({**json.loads(text), "id": session_id})

    async def validate(self, session: Session, *, older_than: timedelta = VALIDATED_EVERY) -> Session:
        """Return the session, asking the Auth MS when the last answer is too old.

        While the Auth MS can't be asked, the session is believed for `BELIEVED_FOR` since the last answer; after that
        this raises SignInUnavailable. Raises NotSignedIn, and forgets the session, when the Auth MS has ended it.
        """
        age = self._now() - session.validated_at
        if age < older_than:
            return session
        try:
            answer = await self.refresh(session)
        except SignInUnavailable:
            if age < BELIEVED_FOR:
                return session
            raise
        return session.model_copy(update={"user": answer.user, "validated_at": self._now()})

    async def refresh(self, session: Session) -> AuthSession:
        """Ask the Auth MS about the session and keep what it says of the user.

        Raises SignInUnavailable when it can't be asked, and NotSignedIn when it has ended the session.
        """
        try:
            answer = await self._auth_ms.refresh(session.auth_session_id)
        except NotSignedIn:
            await self.end(session.id)
            raise
        if answer.user.user_id != session.user.user_id:
            await self.end(session.id)
            raise NotSignedIn("the Auth MS answered a session refresh with another user")
        fresh = session.model_copy(
            update={"user": answer.user, "auth_session_id": answer.session_id, "validated_at": self._now()}
        )
        old = await self._store.get(_key(session.id))
        if old is not None:
            left = self._max_age - (self._now() - session.created_at)
            await self._store.replace(_key(session.id), old, _written(fresh), max(left.total_seconds(), 1.0))
        return answer

    async def begin_sign_in(self, provider: str, next_path: str) -> SignInStart:
        """Start a sign-in at a provider. Raises ValueError for a provider that is not offered."""
        token = secrets.token_urlsafe(32)
        state = self._state(token)
        redirect_uri = f"{self._public_url}/auth/callback?{urlencode({'state': state})}"
        url = self._auth_ms.sign_in_url(provider, redirect_uri)
        await self._store.put(f"login:{state}", safe_next(next_path), SIGN_IN_LIFE.total_seconds())
        return SignInStart(url=url, token=token)

    async def complete_sign_in(
        self, *, token: str | None, state: str | None, auth_code: str | None, old_session_id: str | None
    ) -> SignedIn:
        """Trade the code for a session with a new id, and end the browser's old one.

        `token` is the login cookie's value. The state may be missing, as the Auth MS is not known to return it: then
        the cookie alone ties the callback to this browser. Raises SignInFailed for a callback that this browser did not
        start within ten minutes or a refused code, SignInUnavailable when the Auth MS can't be asked.
        """
        if not token or not auth_code:
            raise SignInFailed("callback without a started sign-in" if not token else "callback without a code")
        expected = self._state(token)
        if state is not None and not hmac.compare_digest(state.encode(), expected.encode()):
            raise SignInFailed("the callback's state belongs to another browser")
        next_path = await self._store.get(f"login:{expected}")
        if next_path is None or not await self._store.delete_if(f"login:{expected}", next_path):
            raise SignInFailed("the sign-in was started too long ago, or finished already")
        answer = await self._auth_ms.create(auth_code)
        now = self._now()
        session = Session(
            id=secrets.token_urlsafe(32),
            user=answer.user,
            auth_session_id=answer.session_id,
            created_at=now,
            validated_at=now,
        )
        await self._store.put(_key(session.id), _written(session), self._max_age.total_seconds())
        if old_session_id is not None:
            await self.end(old_session_id)
        return SignedIn(session=session, grant=answer.grant, next_path=next_path)

    async def end(self, session_id: str) -> None:
        """Forget the session and tell its open tabs. The Auth MS knows no sign-out call."""
        await self._store.delete(_key(session_id))
        await self._announcements.announce(Topic.SESSION_ENDED, session_key(session_id))

    def _signature(self, session_id: str) -> str:
        return hmac.new(self._key, session_id.encode(), hashlib.sha256).hexdigest()[:32]

    def _state(self, token: str) -> str:
        return hmac.new(self._key, b"login\0" + token.encode(), hashlib.sha256).hexdigest()


def safe_next(path: str | None) -> str:
    """Return the path if it stays on this site, else `/`. A backslash counts as a slash, as it does in browsers."""
    if not path or len(path) > 2000 or path[0] != "/" or path[1:2] in ("/", "\\"):
        return "/"
    if any(ord(character) < 0x21 or ord(character) == 0x7F for character in path):
        return "/"
    return path


def sign_in_path(next_path: str) -> str:
    """Return the address of the sign-in page that leads back to `next_path`."""
    return f"/login?next={quote(safe_next(next_path), safe='/')}"


def session_key(session_id: str) -> str:
    """Return what stands for a session id where the id itself must not: its hash. A leaked store signs nobody in."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def _key(session_id: str) -> str:
    return f"session:{session_key(session_id)}"


def _written(session: Session) -> str:
    return session.model_dump_json(exclude={"id"})
