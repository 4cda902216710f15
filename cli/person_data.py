"""What `python app.py person` does with what is kept of somebody: prints it as JSON, or forgets what may be.

Each is an event on standard error, as in the app's log: by the user's hash.
"""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from catalog import Catalog
from cli.console import Console
from cli.quiet import event_lines
from services.observability.logs import UserHashes
from services.people.personal_data import Forgetting, PersonalData, Stays, forgettable
from services.people.record import FoundPerson, PeopleRepository, sessions_of
from services.storage.port import Store
from services.storage.pubsub import PubSub
from services.subscription.grant_rules import GrantRules
from services.subscription.reconcile import reconcile
from settings import Settings

WHY = {
    Stays.MAY_BE_PAID: "a checkout may have been paid, or still can be: once that is known, forget again",
    Stays.RUNNING: "a subscription runs, or nobody can say that none does: end it, let them look once, forget again",
    Stays.UNTOLD: "other services have not taken what is new of them (python app.py events list)",
}


OPERATOR: Final = "operator"
"""Who asked, in the log."""

_log = structlog.get_logger(__name__)


def note_look(settings: Settings, found: Sequence[FoundPerson]) -> None:
    """Write down that somebody at this machine looked at these people."""
    if (users := _hashes(settings)) is None:
        return
    with event_lines(sys.stderr):
        hashes = [users.of(person.user_id or person.customer) for person in found]
        _log.info("person_looked_at", user_hashes=hashes, found=len(found), asked_by=OPERATOR)


async def print_export(store: Store, person: FoundPerson, settings: Settings) -> None:
    """Print all that is kept of a person as JSON."""
    if (users := _hashes(settings)) is not None:
        with event_lines(sys.stderr):
            _log.info("data_exported", asked_by=OPERATOR, **users.fields(person.user_id or person.customer))
    sessions = await sessions_of(store, person.user_id)
    found = await PersonalData(store, PubSub(store)).export(person, sessions)
    print(json.dumps(found, indent=2, ensure_ascii=False))


async def forget(
    store: Store, people: PeopleRepository, person: FoundPerson, settings: Settings, catalog: Catalog, *, yes: bool
) -> int:
    """Say what goes and what stays, ask, and forget what may be; return the exit code: 1 where nothing was done.

    What runs is judged by what both services said last. Raises StoreUnavailable.
    """
    record, now = await people.read(person), datetime.now(UTC)
    grants = GrantRules.of(settings.gift_words, by_record=settings.grant_by_record)
    status = None
    if record.snapshot is not None:
        status = reconcile(
            person.customer, record.snapshot, record.history.checkouts, catalog, now, grants=grants,
            portal=record.history.portal,
        )  # fmt: skip
    found = forgettable(record, status, now, by_email=settings.customer_id == "email")
    sessions = await sessions_of(store, person.user_id)
    _say(person, found, len(sessions))
    console = Console.of_this_process(yes=yes)
    if not (console.yes or (console.asks and console.confirm("Forget it?"))):
        print("Nothing was forgotten; --yes asks nothing.", file=sys.stderr)
        return 1
    data = PersonalData(store, PubSub(store))
    await data.end_sessions(person, sessions)
    await data.forget(person, found)
    if (users := _hashes(settings)) is not None:
        fields = users.fields(person.user_id or person.customer)
        with event_lines(sys.stderr):
            _log.info("person_forgotten", stays=[why.value for why in found.stays], asked_by=OPERATOR, **fields)
    print("Forgotten." if not found.stays else "Forgotten, but for what stays.")
    return 0


def _hashes(settings: Settings) -> UserHashes | None:
    """Return what stands for users in the log; nothing where a sandbox has not been started yet."""
    secret = settings.storage_secret
    return UserHashes(secret, settings.earlier_storage_secrets) if secret is not None else None


def _say(person: FoundPerson, found: Forgetting, sessions: int) -> None:
    print(f"Of {person.user_id or person.customer} go: {sessions} sign-ins, {len(found.checkouts)} checkouts,")
    print("the cart, what was shown to them, and what both services said unless it stays.")
    for why in found.stays:
        print(f"Stays: {WHY[why]}.")
    print("Stripe, the Payment MS, the Auth MS and your logs keep what they have; this ends no subscription.")
