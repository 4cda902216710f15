"""Client of the Auth MS: the address to sign in at, and the two calls that say who a user is.

Its code could not be seen, so both known forms of its answers are read, and the plan in both known places.
Fields may be missing. The words of a plan must have the right type, for this service decides who has access; what only
says who a user is (a name, a picture, an id that is a number, dates in other forms) is read or unknown, and logged.
Sign-in codes and session ids travel in bodies only, and are in no error and no log line.
"""

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import quote, urlsplit

import structlog
from pydantic import AwareDatetime, BeforeValidator, Field, JsonValue, SecretStr

from services.errors import NotSignedIn, SignInFailed, SignInUnavailable, UpstreamError
from services.lifecycle import UNTOLD, Lifecycle, read_lifecycle
from services.upstream.client import Retry, Upstream
from services.upstream.responses import Moment, ResponseModel, UpstreamResponse, read_as, schema_error

__all__ = ["AuthMS", "AuthSession", "PlanGrant", "User"]

PROVIDERS = ("google", "github", "discord", "microsoft")
OPERATIONS = ("create", "refresh")
"""What the app asks while it serves, as logs and metrics name it."""

_LONGEST_ID = 2048
"""Far more than the Payment MS takes: who can't buy can still sign in, and is told why."""

_REFUSALS = frozenset({400, 401, 403, 404, 409, 410, 422})
"""Statuses by which it says no to a code or a session; anything else says nothing about either."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class User:
    """Who is signed in. Texts are the service's, to be shown as text; ``picture`` is an https address or empty."""

    user_id: str
    name: str = ""
    email: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class PlanGrant:
    """What the service grants: its raw words (empty where it says none) and when that ends, as aware UTC.

    ``lifecycle`` is what it says of the subscription's end, where it passes that on.
    """

    status: str
    plan: str
    expires_at: AwareDatetime | None
    lifecycle: Lifecycle = UNTOLD


@dataclass(frozen=True, slots=True)
class AuthSession:
    """A session. ``grant`` is None when the service says nothing about a plan."""

    session_id: SecretStr
    user: User
    grant: PlanGrant | None


class AuthMS:
    """The Auth MS. ``project`` names this site's entry under ``projects``; empty: take the only one there is."""

    def __init__(
        self,
        upstream: Upstream,
        project: str = "",
        *,
        providers: Collection[str] = PROVIDERS,
        deadline: float = 5.0,
        public_url: str = "",
    ) -> None:
        """`public_url` is where browsers find it, when that is another address than ours."""
        self.upstream = upstream
        self._public_url = public_url or upstream.base_url
        self._project = project
        self._providers = frozenset(providers)
        self._deadline = deadline

    def sign_in_url(self, provider: str, redirect_uri: str) -> str:
        """Return the address that starts a sign-in; raise ``SignInFailed`` for a provider that is not offered."""
        if provider not in self._providers:
            raise SignInFailed("a sign-in provider that is not offered")
        return f"{self._public_url}/auth/{quote(provider, safe='')}?redirect_uri={quote(redirect_uri, safe='')}"

    async def create(self, auth_code: str) -> AuthSession:
        """Exchange the one-time code for a session.

        Raises ``SignInFailed`` when the service refuses the code, ``SignInUnavailable`` when it can't be asked
        or its answer can't be used. The code works once, so the call is repeated only if nothing was sent.
        """
        answer = await self._ask("create", {"auth_code": auth_code})
        if _refused(answer):
            raise SignInFailed(f"the code was refused with {answer.status}", request_id=answer.call.request_id)
        return self._read(answer, given=None)

    async def refresh(self, session_id: SecretStr) -> AuthSession:
        """Return the session as the service sees it now; its id may be a new one.

        Raises ``NotSignedIn`` when the service no longer knows it, ``SignInUnavailable`` as above.
        """
        answer = await self._ask("refresh", {"session_id": session_id.get_secret_value()})
        if _refused(answer):
            raise NotSignedIn(f"the session was refused with {answer.status}", request_id=answer.call.request_id)
        return self._read(answer, given=session_id)

    async def _ask(self, step: str, body: Mapping[str, str]) -> UpstreamResponse:
        try:
            answer = await self.upstream.call(
                step,
                "POST",
                f"/auth/session/{step}",
                json=body,
                deadline=self._deadline,
                retry=Retry.UNSENT,
                private=tuple(body.values()),
            )
        except UpstreamError as error:
            raise _unavailable(error) from error
        if not answer.ok and (answer.status not in _REFUSALS or _is_page(answer)):
            raise SignInUnavailable(f"{step}: answered {answer.status}", request_id=answer.call.request_id)
        return answer

    def _read(self, answer: UpstreamResponse, *, given: SecretStr | None) -> AuthSession:
        try:
            return read_session(answer, self._project, given)
        except UpstreamError as error:
            raise _unavailable(error) from error


def _empty_for_null(value: object) -> object:
    return "" if value is None else value


def _text_or_empty(value: object) -> str:
    """Return what is only shown as text; a value of another kind is none, and keeps no user out."""
    if isinstance(value, str):
        return value
    if value is not None:
        note_odd_field("text")
    return ""


def _id_as_text(value: object) -> object:
    """Return an id, also one that is a number, as text: the same number is the same user."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _secure_or_empty(value: object) -> str:
    """Return a picture's https address, also out of an object that holds it; empty for anything else."""
    if isinstance(value, Mapping):
        note_odd_field("picture")
        held = value.get("data")
        fields = held if isinstance(held, Mapping) else value
        value = next((fields[name] for name in ("url", "href", "src") if isinstance(fields.get(name), str)), "")
    if not isinstance(value, str):
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    return value if parts.scheme == "https" and parts.hostname and len(value) <= 2048 else ""


@functools.cache
def note_odd_field(kind: str) -> None:
    """Tell the operator once that the service says who a user is in another form than text."""
    _log.warning("account_field_form", field=kind)


_Optional = Annotated[str, BeforeValidator(_empty_for_null)]
_Shown = Annotated[str, BeforeValidator(_text_or_empty)]


class _Grant(ResponseModel):
    subscription_status: _Optional = ""
    subscription_plan: _Optional = ""
    expires_at: Moment = None

    def as_grant(self, content: object) -> PlanGrant | None:
        if not (self.subscription_status or self.subscription_plan):
            return None
        return PlanGrant(self.subscription_status, self.subscription_plan, self.expires_at, read_lifecycle(content))


class _Context(_Grant):
    user_id: Annotated[str, Field(min_length=1, max_length=_LONGEST_ID), BeforeValidator(_id_as_text)]
    name: _Shown = ""
    email: _Shown = ""
    picture: Annotated[str, BeforeValidator(_secure_or_empty)] = ""
    projects: dict[str, JsonValue] | None = None


class _Nested(ResponseModel):
    session_id: _Optional = ""
    user_context: _Context


class _Flat(_Context):
    session_id: _Optional = ""
    success: bool = True


def read_session(answer: UpstreamResponse, project: str, given: SecretStr | None) -> AuthSession:
    """Return the session in either form of answer; ``given`` is the id to keep where the answer names none.

    Raises ``UpstreamContractError``.
    """
    nested = isinstance(answer.json, dict) and "user_context" in answer.json
    if nested:
        found = read_as(_Nested, answer)
        context, named = found.user_context, found.session_id
    else:
        flat = read_as(_Flat, answer)
        context, named = flat, flat.session_id
    session_id = SecretStr(named) if named else given
    if session_id is None:
        raise schema_error(answer, "session_id")
    user = User(context.user_id, context.name, context.email, context.picture)
    return AuthSession(session_id, user, _grant_in(answer, context, project))


def _grant_in(answer: UpstreamResponse, context: _Context, project: str) -> PlanGrant | None:
    """Return the plan under ``projects``, if this site's entry is there, or else the one beside the name.

    Entries of other projects are not ours to judge, so they are not read.
    """
    projects = context.projects or {}
    name = project or (next(iter(projects)) if len(projects) == 1 else "")
    entry = projects.get(name)
    granted = None if entry is None else read_as(_Grant, replace(answer, json=entry)).as_grant(entry)
    return granted or context.as_grant(_context_in(answer))


def _context_in(answer: UpstreamResponse) -> object:
    content = answer.json
    return content.get("user_context", content) if isinstance(content, dict) else content


def _refused(answer: UpstreamResponse) -> bool:
    said_no = isinstance(answer.json, dict) and answer.json.get("success") is False
    return not answer.ok or said_no


def _is_page(answer: UpstreamResponse) -> bool:
    """Return whether a refusal is an HTML page: then something else than the Auth MS answered."""
    return answer.headers.get("content-type", "").lower().startswith("text/html")


def _unavailable(error: UpstreamError) -> SignInUnavailable:
    return SignInUnavailable(str(error), request_id=error.request_id, retry_after=error.retry_after)
