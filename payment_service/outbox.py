"""What the app and the Auth MS are told: written in the same transaction as the news, sent until it is taken.

At least once, for three days with growing pauses. Each target is sent to by itself, so that one which hangs keeps the
other from nothing; an Auth MS that answers is told first, since the app asks it when it is told. Rows are leased before
they are sent, so that of two instances one sends them; where a sender dies in the middle, the other sends them again.
What came of a round is written at once: a transaction for each row would have webhooks wait for their turn to write
where many people buy together.
"""

import hashlib
import hmac
import json
import pkgutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import quote

import httpx
import structlog
from pydantic import JsonValue
from sqlalchemy import exists, func, literal, or_, select, update
from sqlalchemy.orm import Session, aliased

from payment_service.database import ServiceDatabase, ToldRow, insert
from payment_service.documents import now_seconds
from payment_service.metrics import ServiceMetrics
from payment_service.settings import ServiceSettings

APP, AUTH = "app", "auth"
WAITING, TAKEN, DEAD = "waiting", "taken", "dead"

Plugin = Callable[[str, Mapping[str, JsonValue]], None]
"""Tells an Auth MS what a user has (the user's id, `Subscriptions.account`); raises where that failed."""

_PAUSES: Final = (5, 30, 120, 600, 1800, 3600, 7200, 14400)
_GIVE_UP: Final = 3 * 86400
_LEASE: Final = 60
_AT_ONCE: Final = 16
_BATCH: Final = 96
_TIMEOUT: Final = 10.0
_NO_NEWS_WAITS: Final = 5
"""Seconds: a purchase has four events or more, and the first that came told all there is to tell."""
_HEAD_START: Final = 1
"""Whole seconds after which the app is told although an Auth MS that used to answer was not told the same yet."""

_UNREAD: Final = {"synchronize_session": False}
"""Rows that were read are not looked at again after they were changed in the database."""

_log = structlog.get_logger(__name__)


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return the `X-Signature` of an event: HMAC-SHA256 over `{timestamp}.{body}`."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class EventOutbox:
    """Events on their way. `told_of` returns what a user has, for the Auth MS."""

    def __init__(
        self,
        database: ServiceDatabase,
        settings: ServiceSettings,
        metrics: ServiceMetrics,
        told_of: Callable[[str], Mapping[str, JsonValue]],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._database, self._settings, self._metrics, self._told_of = database, settings, metrics, told_of
        self._client = httpx.Client(timeout=_TIMEOUT, trust_env=False, transport=transport)
        plugin = settings.auth_events_plugin
        self._plugin: Plugin | None = pkgutil.resolve_name(plugin) if plugin else None
        self._auth_answers = True
        told = {AUTH: settings.auth_events_url or plugin, APP: settings.app_events_url}
        self.targets = tuple(target for target, wanted in told.items() if wanted)

    def add(
        self, session: Session, event_id: str, kind: str, user_id: str, product_id: str,
        created: int | None = None, *, news: bool = True,
    ) -> None:  # fmt: skip
        """Note an event for whoever is to be told, in the transaction of its cause; a second time changes nothing.

        One that is no `news` of what its user has lets those pass that are: it is due a little later.
        """
        now = now_seconds()
        due = now if news else now + _NO_NEWS_WAITS
        body = {"id": event_id, "type": kind, "created": created or now, "user_id": user_id, "product_id": product_id}
        for target in self.targets:
            row = {"id": f"{target}:{event_id}", "target": target, "user_id": user_id, "body": body, "created": now}
            insert(session, ToldRow, {**row, "attempts": 0, "due": due, "state": WAITING})

    def send_due(self, target: str, at_once: int = _AT_ONCE) -> int:
        """Send what is due to a target, so many at once (a single one in this thread); return how many were tried."""
        rows = self.lease(target)
        if not rows:
            return 0
        # The Auth MS hears what a user has now, so that one message tells all that is due about a user.
        messages: dict[str, list[ToldRow]] = {}
        for row in rows:
            messages.setdefault(row.user_id if target == AUTH else row.id, []).append(row)
        newest = [message[-1] for message in messages.values()]
        if min(at_once, len(newest)) == 1:
            problems = [self._problem_of(row) for row in newest]
        else:
            with ThreadPoolExecutor(min(at_once, len(newest)), "outbox") as senders:
                problems = list(senders.map(self._problem_of, newest))
        if target == AUTH:
            self._auth_answers = not any(problems)
        with self._database.writing() as session:
            taken: list[str] = []
            for message, problem in zip(messages.values(), problems, strict=True):
                self._metrics.told.labels(target, "failed" if problem else "taken").inc(len(message))
                if not problem:
                    taken += (row.id for row in message)
                for row in message if problem else ():
                    self._note_failure(session, row, problem)
            done = update(ToldRow).where(ToldRow.id.in_(taken)).values(state=TAKEN, attempts=ToldRow.attempts + 1)
            session.execute(done, execution_options=_UNREAD)
            waiting = select(func.count()).where(ToldRow.target == target, ToldRow.state == WAITING)
            self._metrics.untold.labels(target).set(session.scalar(waiting) or 0)
        return len(rows)

    def lease(self, target: str) -> list[ToldRow]:
        """Return what is due to a target, and keep other senders from it for a minute."""
        now = now_seconds()
        due = select(ToldRow).where(ToldRow.target == target, ToldRow.state == WAITING, ToldRow.due <= now)
        if target == APP and AUTH in self.targets and self._auth_answers:
            account = aliased(ToldRow)
            same = literal(f"{AUTH}:") + func.substr(ToldRow.id, len(f"{APP}:") + 1)
            untried = exists().where(account.id == same, account.attempts == 0)
            due = due.where(or_(ToldRow.created < now - _HEAD_START, ~untried))
        with self._database.writing() as session:
            rows = list(session.scalars(due.order_by(ToldRow.due).limit(_BATCH).with_for_update(skip_locked=True)))
            leased = update(ToldRow).where(ToldRow.id.in_([row.id for row in rows])).values(due=now + _LEASE)
            session.execute(leased, execution_options=_UNREAD)
        return rows

    def close(self) -> None:
        """Close what is connected."""
        self._client.close()

    def _problem_of(self, row: ToldRow) -> str:
        """Send one message; return what went wrong, or nothing."""
        try:
            answer = self._tell_app(row) if row.target == APP else self._tell_auth(row)
        except Exception as error:  # also whatever a plug-in raises: the next attempt may succeed
            return type(error).__name__
        return "" if answer is None or answer.is_success else f"HTTP {answer.status_code}"

    def _tell_app(self, row: ToldRow) -> httpx.Response:
        body = json.dumps(row.body, separators=(",", ":")).encode()
        secret = self._settings.payment_ms_webhook_secret
        signed = signature(secret.get_secret_value() if secret else "", now_seconds(), body)
        headers = {"Content-Type": "application/json", "X-Signature": signed}
        return self._client.post(self._settings.app_events_url, content=body, headers=headers)

    def _tell_auth(self, row: ToldRow) -> httpx.Response | None:
        told = self._told_of(row.user_id)
        if self._plugin is not None:
            self._plugin(row.user_id, told)
            return None
        token = self._settings.auth_events_token
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        address = self._settings.auth_events_url.replace("{user_id}", quote(row.user_id, safe=""))
        return self._client.post(address, json={**told, "event": row.body["type"]}, headers=headers)

    def _note_failure(self, session: Session, row: ToldRow, problem: str) -> None:
        due = now_seconds() + _PAUSES[min(row.attempts, len(_PAUSES) - 1)]
        dead = due > row.created + _GIVE_UP
        (_log.error if dead else _log.warning)("event_not_taken", target=row.target, id=row.id, reason=problem,
                                               attempt=row.attempts + 1, given_up=dead)  # fmt: skip
        values = {"state": DEAD if dead else WAITING, "due": due, "attempts": row.attempts + 1}
        session.execute(update(ToldRow).where(ToldRow.id == row.id).values(values), execution_options=_UNREAD)
