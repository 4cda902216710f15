"""Who the user is: sign-in, the session's validity, sign-out. What the user has is in `services/live_status/`.

A browser holds one cookie with a random id, signed so that made-up ids cost nothing. Before sign-in the id stands for a
visitor (their cart); sign-in and sign-out replace it (OWASP ASVS 7.2.4). What the id means is in the store only, and
so is the Auth MS session id, which never reaches a browser, and is encrypted there.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr
from starlette.requests import cookie_parser

from services.auth_ms import AuthMS, AuthSession, User
from services.errors import NotSignedIn, SignInFailed, SignInUnavailable
from services.sessions.cookie import SIGNED_IN, STATE_LETTERS, CookieAttributes, SessionCookie, is_one_of
from services.sessions.model import Session, SignedIn, SignInStart, Visitor, account_mark, customer_by, session_key
from services.sessions.pending import cookie_of, cookie_value, new_token
from services.sessions.session_rows import SessionRows
from services.sessions.user_sessions import UserSessions
from services.storage.port import Store
from services.storage.pubsub import PubSub, Topic
from services.storage.rows import RowKind, read_row
from services.web.safe_paths import safe_next, sign_in_path

__all__ = [
    "BELIEVED_FOR", "SIGN_IN_LIFE", "VALIDATED_EVERY", "Session", "Sessions", "SignInStart", "SignedIn", "Visitor",
    "account_mark", "customer_by", "safe_next", "session_key", "sign_in_path",
]  # fmt: skip

SIGN_IN_LIFE: Final = timedelta(minutes=10)
"""How long a started sign-in may take; a callback after that, or in another browser, is refused."""

BELIEVED_FOR: Final = timedelta(minutes=10)
"""How long a session is believed while the Auth MS can't be asked about it."""

VALIDATED_EVERY: Final = timedelta(minutes=1)
"""How old a validation may be before the next page view asks again."""

WRITTEN_EVERY: Final = timedelta(seconds=15)
"""How old the stored time of the last validation may be, where nothing else is new."""

PATIENCE: Final = 1.5
"""How many seconds a page waits for the Auth MS about a session that is still believed."""

_FIRST_EMAIL_KEPT_FOR: Final = timedelta(days=400)
_REFRESH_LOCK: Final = (20.0, 10.0)


class Sessions:
    """Sign-in state, kept in the store under the cookie's id. Raises StoreUnavailable when the store does.

    A sign-in lives for `max_age`, and without use for `idle` (None: as long).
    """

    def __init__(
        self,
        store: Store,
        auth_ms: AuthMS,
        pubsub: PubSub,
        *,
        secret: SecretStr,
        earlier_secrets: Sequence[SecretStr] = (),
        public_url: str,
        max_age: timedelta,
        idle: timedelta | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store
        self._auth_ms = auth_ms
        self._pubsub = pubsub
        self._cookie = SessionCookie(
            secret, secure=public_url.startswith("https://"), max_age=max_age, earlier_secrets=earlier_secrets,
            whole_host=not urlsplit(public_url).path,
        )  # fmt: skip
        self._rows = SessionRows(secret, earlier_secrets)
        self._public_url = public_url
        self._max_age = max_age
        self._idle = idle or max_age
        self._now = now or (lambda: datetime.now(UTC))
        self.by_user = UserSessions(store, self._now)
        self._refreshing: dict[str, asyncio.Task[AuthSession]] = {}

    @property
    def secure(self) -> bool:
        """Whether cookies are sent over https only."""
        return self._cookie.secure

    @property
    def cookie_name(self) -> str:
        """The session cookie's name."""
        return self._cookie.name

    @property
    def login_cookie_name(self) -> str:
        """What the names of the cookies begin with that tie sign-ins to the browser that started them."""
        return self._cookie.login_name

    @property
    def max_age_seconds(self) -> int:
        """How long the session cookie lives, in seconds."""
        return self._cookie.max_age_seconds

    @property
    def cookie_attributes(self) -> CookieAttributes:
        """The attributes of the session cookie, as Starlette's `set_cookie` names them."""
        return self._cookie.attributes

    def new_cookie(self) -> str:
        """Return a cookie value with a new random id."""
        return self._cookie.new()

    def cookie_for(self, session_id: str) -> str:
        """Return the cookie value that carries this id."""
        return self._cookie.holding(session_id)

    def id_of(self, cookie: str | None) -> str | None:
        """Return the id in a cookie that this app signed, or None."""
        return self._cookie.id_in(cookie)

    def id_in_header(self, header: str) -> str | None:
        """Return the id in a browser's `Cookie` header, None without one that this app signed."""
        return self.id_of(cookie_parser(header).get(self.cookie_name))

    @staticmethod
    def is_of_sign_in(session_id: str) -> bool:
        """Whether an id was given at a sign-in, which may have ended since; neither store nor Auth MS is asked."""
        return session_id.startswith(SIGNED_IN)

    async def find(self, cookie: str) -> Session | Visitor | None:
        """Return who the cookie's holder is: a signed-in user, or a visitor; None where the browser needs a new cookie.

        That is for a cookie that is not ours, and for a session that this release can't read: another release may read
        it still, and a browser must not be signed in on one replica and signed out on the next.

        Asks the Auth MS when its last word is more than a minute old. Raises StoreUnavailable, and SignInUnavailable
        when the Auth MS has been away for so long that the sign-in is not believed any more.
        """
        session_id = self.id_of(cookie)
        if session_id is None:
            return None
        text, session = await self._row(session_id)
        if text is not None and session is None:
            return None
        if session is None or self._left(session) <= timedelta():
            return Visitor(session_id)
        try:
            return await self.validate(session)
        except NotSignedIn:
            return Visitor(session_id)

    async def by_id(self, session_id: str) -> Session | None:
        """Return the signed-in session with that id, or None; it may have to be validated before use."""
        _text, session = await self._row(session_id)
        return None if session is None or self._left(session) <= timedelta() else session

    async def _row(self, session_id: str) -> tuple[str | None, Session | None]:
        """Return the session's text in the store and what it says; either may be None."""
        text = await self._store.get(_key(session_id))
        return text, read_row(RowKind.SESSION, text, partial(self._rows.read, session_id))

    async def validate(self, session: Session, *, older_than: timedelta = VALIDATED_EVERY) -> Session:
        """Return the session, asking the Auth MS when the last answer is too old.

        While the Auth MS can't be asked, or takes longer than a page should wait, the session is believed for
        `BELIEVED_FOR` since the last answer; after that this raises SignInUnavailable. Raises NotSignedIn, and forgets
        the session, when the Auth MS has ended it.
        """
        age = self._now() - session.validated_at
        if age < older_than:
            return session
        believed = age < BELIEVED_FOR
        try:
            async with asyncio.timeout(PATIENCE if believed else None):
                answer = await self.refresh(session)
        except (SignInUnavailable, TimeoutError):
            if believed:
                return session
            raise
        return session.model_copy(update={"user": answer.user, "validated_at": self._now()})

    async def refresh(self, session: Session) -> AuthSession:
        """Ask the Auth MS about the session and keep what it says of the user. One question at a time for a session.

        A question that was begun comes to its end when its caller is cancelled: an Auth MS that gives sessions new ids
        has forgotten the old one by then. Raises SignInUnavailable when it can't be asked, and NotSignedIn when it has
        ended the session or the user has signed out.
        """
        key = session_key(session.id)
        task = self._refreshing.get(key)
        if task is None:
            task = asyncio.create_task(self._refresh(session.id), name="session refresh")
            self._refreshing[key] = task
            task.add_done_callback(partial(self._refreshed, key))
        return await asyncio.shield(task)

    def _refreshed(self, key: str, task: "asyncio.Task[AuthSession]") -> None:
        del self._refreshing[key]
        if not task.cancelled():
            task.exception()  # its callers may be gone

    async def _refresh(self, session_id: str) -> AuthSession:
        life, wait = _REFRESH_LOCK
        async with self._store.lock(f"refresh:{session_key(session_id)}", life, wait):
            text, session = await self._row(session_id)
            if text is None or session is None or self._left(session) <= timedelta():
                raise NotSignedIn("the session has ended")
            try:
                answer = await self._auth_ms.refresh(session.auth_session_id)
            except NotSignedIn:
                await self.end(session_id)
                raise
            if answer.user.user_id != session.user.user_id:
                await self.end(session_id)
                raise NotSignedIn("the Auth MS answered a session refresh with another user")
            await self._keep(session, text, answer)
            return answer

    async def _keep(self, session: Session, text: str, answer: AuthSession) -> None:
        """Write what is new, unless the user has signed out meanwhile."""
        now = self._now()
        same = answer.user == session.user and answer.session_id == session.auth_session_id
        if same and now - session.validated_at < WRITTEN_EVERY:
            return
        fresh = session.model_copy(
            update={"user": answer.user, "auth_session_id": answer.session_id, "validated_at": now}
        )
        left = max(self._left(fresh).total_seconds(), 1.0)
        if not self._rows.is_sealed(text):  # of a release before, which had no index either
            await self._index(fresh)
        await self._store.replace(_key(session.id), text, self._rows.written(fresh), left)

    async def _index(self, session: Session) -> None:
        await self.by_user.note(session.user.user_id, session_key(session.id), session.created_at + self._max_age)

    def _left(self, session: Session) -> timedelta:
        """Return how long the session lives on without use: use is whatever makes us ask the Auth MS about it."""
        ends = min(session.created_at + self._max_age, session.validated_at + self._idle)
        return ends - self._now()

    async def begin_sign_in(self, provider: str, next_path: str) -> SignInStart:
        """Start a sign-in at a provider. Raises SignInFailed for a provider that is not offered."""
        token, next_path = new_token(self._now()), safe_next(next_path)
        state = self._cookie.login_states(token)[0]
        redirect_uri = f"{self._public_url}/auth/callback?{urlencode({'state': state})}"
        url = self._auth_ms.sign_in_url(provider, redirect_uri)
        await self._store.put(f"login:{state}", next_path, SIGN_IN_LIFE.total_seconds())
        name = cookie_of(self.login_cookie_name, state)
        return SignInStart(url=url, token=token, cookie_name=name, cookie_value=cookie_value(token, next_path))

    async def next_of(self, state: str) -> str:
        """Return where a sign-in was to lead that is under way and whose cookie did not come back, else nothing.

        Only who began it and the Auth MS know its state.
        """
        if len(state) != STATE_LETTERS:
            return ""
        return read_row(RowKind.SIGN_IN, await self._store.get(f"login:{state}"), _path_on_this_site) or ""

    async def complete_sign_in(
        self, *, token: str | None, state: str | None, auth_code: str | None, old_session_id: str | None
    ) -> SignedIn:
        """Trade the code for a session with a new id, and end the browser's old one.

        `token` is the secret in the login cookie. The state may be missing, as the Auth MS is not known to return it:
        then the cookie alone ties the callback to this browser. Raises SignInFailed for a callback that this browser
        did not start within ten minutes or a refused code, SignInUnavailable when the Auth MS can't be asked.
        """
        if not token or not auth_code:
            raise SignInFailed("callback without a started sign-in" if not token else "callback without a code")
        states = self._cookie.login_states(token)
        if state is not None and not is_one_of(state, states):
            raise SignInFailed("the callback's state belongs to another browser")
        next_path = await self._take_started(states)
        if next_path is None:
            raise SignInFailed("the sign-in was started too long ago, or finished already")
        answer = await self._auth_ms.create(auth_code)
        now = self._now()
        session = Session(
            id=self._cookie.new_sign_in(),
            user=answer.user,
            auth_session_id=answer.session_id,
            created_at=now,
            validated_at=now,
            first_email=await self._first_email(answer.user),
        )
        await self._store.put(_key(session.id), self._rows.written(session), self._left(session).total_seconds())
        await self._index(session)
        if old_session_id is not None:
            await self.end(old_session_id)
        return SignedIn(session=session, grant=answer.grant, next_path=next_path)

    async def _take_started(self, states: tuple[str, ...]) -> str | None:
        """Return where a started sign-in leads, once: whoever asks second gets None."""
        for state in states:
            next_path = read_row(RowKind.SIGN_IN, await self._store.get(f"login:{state}"), _path_on_this_site)
            if next_path is not None:
                return next_path if await self._store.delete_if(f"login:{state}", next_path) else None
        return None

    async def end(self, session_id: str) -> None:
        """Forget the session and tell its open tabs. The Auth MS knows no sign-out call."""
        await self._store.delete(_key(session_id))
        await self._pubsub.announce(Topic.SESSION_ENDED, session_key(session_id))

    async def first_email_of(self, user_id: str) -> str | None:
        """Return the address under which this user first came, None for somebody who never came or had none.

        Raises StoreUnavailable.
        """
        return await first_email(self._store, user_id)

    async def _first_email(self, user: User) -> str:
        """Return the address under which this user first came: what a Payment MS that goes by addresses knows."""
        key = first_email_key(user.user_id)
        life = _FIRST_EMAIL_KEPT_FOR.total_seconds()
        if user.email and await self._store.add(key, user.email, life):
            return user.email
        first = read_row(RowKind.FIRST_EMAIL, await self._store.get(key), _address)
        if first is None:
            if user.email:
                await self._store.put(key, user.email, life)
            return user.email
        await self._store.replace(key, first, first, life)
        return first


async def first_email(store: Store, user_id: str) -> str | None:
    """Return the address under which a user first came, as a store keeps it. Raises StoreUnavailable."""
    return read_row(RowKind.FIRST_EMAIL, await store.get(first_email_key(user_id)), _address)


def first_email_key(user_id: str) -> str:
    """Return what the address is kept under, by which a user first came."""
    return f"first_email:{hashlib.sha256(user_id.encode()).hexdigest()}"


def _key(session_id: str) -> str:
    return f"session:{session_key(session_id)}"


def _path_on_this_site(text: str) -> str:
    if safe_next(text) != text:
        raise ValueError("no path on this site")
    return text


def _address(text: str) -> str:
    """Return an address as the Auth MS gave it. What might be one is kept: another id could subscribe a second time."""
    if not text.isprintable() or text.startswith(("{", "[")):
        raise ValueError("no e-mail address")
    return text
