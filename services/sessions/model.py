"""Who is behind a browser: a signed-in user, or a visitor. Their secret ids are in no repr and no log."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from services.auth_ms import PlanGrant, User
from services.storage.rows import StoredMoment


class Session(BaseModel):
    """One signed-in browser. `id` is the key in the store; `auth_session_id` is the Auth MS's, and secret.

    `first_email` is the address this user had when they first signed in here (empty: not known).
    """

    model_config = ConfigDict(frozen=True)

    id: str = Field(repr=False)
    user: User
    auth_session_id: SecretStr
    created_at: StoredMoment
    validated_at: StoredMoment
    first_email: str = ""

    @property
    def visitor_id(self) -> str:
        """What stands for this browser where the secret id must not."""
        return session_key(self.id)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser without a signed-in user. `id` is its cookie's secret id."""

    id: str = field(repr=False)
    user: None = None

    @property
    def visitor_id(self) -> str:
        """What stands for this browser where the secret id must not."""
        return session_key(self.id)


class SignInStart(BaseModel):
    """Where to send the browser to sign in, and the one-time token its login cookie must hold when it comes back.

    `cookie_name` and `cookie_value` are that cookie's.
    """

    model_config = ConfigDict(frozen=True)

    url: str = Field(repr=False)
    token: str = Field(repr=False)
    cookie_name: str = Field(repr=False)
    cookie_value: str = Field(repr=False)


class SignedIn(BaseModel):
    """A completed sign-in: the new session, the plan the Auth MS named, and where the user wanted to go."""

    model_config = ConfigDict(frozen=True)

    session: Session
    grant: PlanGrant | None
    next_path: str


def customer_by(kind: Literal["user_id", "email"]) -> Callable[[Session], str]:
    """Return what tells the id by which the Payment MS knows a user: always the same one, as it must be.

    Going by addresses, that is the first address: a changed one would be a stranger to the Payment MS, who could
    subscribe a second time. A user without any gets an id that no service takes, and so shares nothing with others.
    """
    if kind == "user_id":
        return lambda session: session.user.user_id
    return lambda session: session.first_email or session.user.email or f"/no-email/{session.user.user_id}"


def account_mark(user_id: str) -> str:
    """Return what stands in a page for whom it was drawn, for its forms to take along: 16 hex digits."""
    return hashlib.sha256(f"account\0{user_id}".encode()).hexdigest()[:16]


def session_key(session_id: str) -> str:
    """Return what stands for a session id where the id itself must not: its hash. A leaked store opens no session."""
    return hashlib.sha256(session_id.encode()).hexdigest()
