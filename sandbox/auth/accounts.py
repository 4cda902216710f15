"""What the Auth MS knows: people, their one-time codes and sessions, and the plan it was told about."""

import hashlib
import secrets
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from sandbox.clock import SandboxClock, rfc3339
from sandbox.database import Database, DocumentStore
from sandbox.runtime_settings import RuntimeSettingsStore
from sandbox.stripe.objects import StripeEvent, StripeSubscription

CODE_SECONDS: Final = 300
SESSION_SECONDS: Final = 30 * 86_400


class AuthUser(BaseModel):
    user_id: str
    name: str
    email: str


class AccountPlan(BaseModel):
    """A user's plan at the Auth MS; `silent` makes it leave the plan out of its answers about this user."""

    model_config = ConfigDict(extra="forbid")

    status: str = "none"
    plan: str = "free"
    expires_at: str | None = None
    silent: bool = False


class _KnownSubscriptions(BaseModel):
    subscriptions: dict[str, StripeSubscription] = {}


class _Ticket(BaseModel):
    user_id: str
    until: float


def person(email: str, name: str = "") -> AuthUser:
    """The same address is always the same user."""
    address = email.strip().lower()
    digest = hashlib.sha256(address.encode()).hexdigest()[:16]
    return AuthUser(
        user_id=f"usr_{digest}", name=name or address.split("@")[0].replace(".", " ").title(), email=address
    )


SAMPLE_PEOPLE: Final = {
    "ada": person("ada@example.com", "Ada Lovelace"),
    "grace": person("grace@example.com", "Grace Hopper"),
    "linus": person("linus@example.com", "Linus Pauling"),
    "mary": person("mary@example.com", "Mary Somerville"),
}


class AuthAccounts:
    def __init__(self, database: Database, clock: SandboxClock, runtime: RuntimeSettingsStore) -> None:
        self._database, self._clock, self._runtime = database, clock, runtime
        self._people = DocumentStore(database, "auth_person", AuthUser)
        self._codes = DocumentStore(database, "auth_code", _Ticket)
        self._sessions = DocumentStore(database, "auth_session", _Ticket)
        self._grants = DocumentStore(database, "auth_grant", AccountPlan)
        self._known = DocumentStore(database, "auth_known", _KnownSubscriptions)

    def issue_code(self, user: AuthUser) -> str:
        """A code for `redeem`, good once and for five minutes."""
        self._keep(user)
        code = "ac_" + secrets.token_urlsafe(24)
        self._codes.put(code, _Ticket(user_id=user.user_id, until=self._clock.real() + CODE_SECONDS))
        return code

    def redeem(self, code: str) -> tuple[str, AuthUser] | None:
        """A new session for a code; None when it is unknown, used or too old."""
        with self._database.transaction():
            ticket = self._codes.get(code)
            self._codes.drop(code)
            user = self._people.get(ticket.user_id) if ticket and ticket.until > self._clock.real() else None
            if user is None:
                return None
            session = "ses_" + secrets.token_urlsafe(32)
            self._sessions.put(session, _Ticket(user_id=user.user_id, until=self._clock.real() + SESSION_SECONDS))
            return session, user

    def look_up(self, session_id: str) -> AuthUser | None:
        """Whose session this is; each look makes it last another 30 days."""
        ticket = self._sessions.get(session_id)
        if ticket is None or ticket.until <= self._clock.real():
            return None
        self._sessions.put(session_id, ticket.model_copy(update={"until": self._clock.real() + SESSION_SECONDS}))
        return self._people.get(ticket.user_id)

    def user_of(self, email: str) -> AuthUser | None:
        """Who has this address now, if they have signed in before."""
        found = self._people.of(email.strip().lower())
        return found[-1] if found else None

    def user(self, user_id: str) -> AuthUser | None:
        return self._people.get(user_id)

    def change_user(self, user_id: str, values: dict[str, str]) -> AuthUser | None:
        """Another address or name for a user who has signed in before; None for another."""
        user = self._people.get(user_id)
        return self._keep(user.model_copy(update=values)) if user else None

    def _keep(self, user: AuthUser) -> AuthUser:
        return self._people.put(user.user_id, user, owner=user.email.lower())

    def people(self) -> list[AuthUser]:
        return self._people.newest(200)

    def end_sessions(self, user_id: str) -> None:
        """Forget every session of a user (the control panel's "sign out everywhere")."""
        self._database.connection.execute(
            "DELETE FROM documents WHERE kind = 'auth_session' AND json_extract(body, '$.user_id') = ?", (user_id,)
        )

    def grant_of(self, user: AuthUser) -> AccountPlan:
        """The plan, looked up by user id and then by e-mail: installations differ in what a customer's id is."""
        return self._grants.get(user.user_id) or self._grants.get(user.email) or AccountPlan()

    def grant(self, user_key: str) -> AccountPlan:
        return self._grants.get(user_key) or AccountPlan()

    def set_grant(self, user_key: str, grant: AccountPlan) -> AccountPlan:
        return self._grants.put(user_key, grant)

    def clear_grant(self, user_key: str) -> bool:
        self._known.drop(user_key)
        return self._grants.drop(user_key)

    def receive(self, event: StripeEvent) -> str:
        """Told of a change: keep the plan of the best subscription known (a live one, then the newest)."""
        if event.subscription is None:
            return "noted"
        user_id = event.subscription.metadata_user_id
        if not user_id:
            return "unattributed"
        known = (self._known.get(user_id) or _KnownSubscriptions()).subscriptions
        known[event.subscription.id] = event.subscription
        self._known.put(user_id, _KnownSubscriptions(subscriptions=known))
        best = max(known.values(), key=lambda subscription: (subscription.live, subscription.created))
        end: datetime = best.ended_at or best.ends_at or best.period_end
        status = self._runtime.current.cancellation_word if best.will_end else best.status
        self.set_grant(user_id, AccountPlan(status=status, plan=best.plan or "", expires_at=rfc3339(end)))
        return "recorded"
