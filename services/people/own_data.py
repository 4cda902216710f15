"""What users do with what is kept of them, by themselves: have it as JSON, and have forgotten what may be."""

from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from pydantic import JsonValue

from services.checkout.service import customer_lock
from services.live_status.refresher import StatusRefresher
from services.people.personal_data import Forgetting, PersonalData, forgettable
from services.people.record import FoundPerson, PeopleRepository
from services.sessions.service import Session, Sessions
from services.storage.port import Store

_log = structlog.get_logger(__name__)


class OwnData:
    """The data of whoever is signed in. Every method raises StoreUnavailable when the store does."""

    def __init__(
        self,
        store: Store,
        people: PeopleRepository,
        data: PersonalData,
        refresher: StatusRefresher,
        sessions: Sessions,
        *,
        by_email: bool = False,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """`by_email` says that billing knows customers by their first address."""
        self._store = store
        self._people = people
        self._data = data
        self._refresher = refresher
        self._sessions = sessions
        self._by_email = by_email
        self._now = now or (lambda: datetime.now(UTC))

    async def export(self, session: Session) -> dict[str, JsonValue]:
        """Return all that is kept of the user, as JSON."""
        _log.info("data_exported")
        return await self._data.export(self._person(session), await self._sign_ins(session))

    async def preview(self, session: Session) -> Forgetting:
        """Return what would be forgotten now, and why something would stay. Raises NotSignedIn."""
        return await self._plan(session, fresh=False)

    async def forget(self, session: Session) -> Forgetting:
        """Sign the user out everywhere and forget what may be; both services are asked first what runs.

        No checkout of theirs is opened meanwhile. Raises NotSignedIn, and LockTimeout.
        """
        person = self._person(session)
        async with customer_lock(self._store, person.customer):
            forgetting = await self._plan(session, fresh=True)
            await self._data.end_sessions(person, await self._sign_ins(session))
            await self._refresher.forget(person.customer)
            await self._data.forget(person, forgetting)
        _log.info("person_forgotten", stays=[why.value for why in forgetting.stays], asked_by="user")
        return forgetting

    async def _plan(self, session: Session, *, fresh: bool) -> Forgetting:
        status = await self._refresher.ask(session, "all" if fresh else "relevant", fresh=fresh)
        record = await self._people.read(self._person(session))
        return forgettable(record, status, self._now(), by_email=self._by_email)

    def _person(self, session: Session) -> FoundPerson:
        return FoundPerson(self._refresher.customer_of(session), session.user.user_id, "session")

    async def _sign_ins(self, session: Session) -> tuple[str, ...]:
        known = await self._sessions.by_user.of(session.user.user_id)
        return tuple(dict.fromkeys((session.visitor_id, *known)))
