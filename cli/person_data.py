"""What `python app.py person` does with what is kept of somebody: prints it as JSON, or forgets what may be."""

import json
import sys
from datetime import UTC, datetime

from catalog import Catalog
from cli.console import Console
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


async def print_export(store: Store, person: FoundPerson) -> None:
    """Print all that is kept of a person as JSON."""
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
    print("Forgotten." if not found.stays else "Forgotten, but for what stays.")
    return 0


def _say(person: FoundPerson, found: Forgetting, sessions: int) -> None:
    print(f"Of {person.user_id or person.customer} go: {sessions} sign-ins, {len(found.checkouts)} checkouts,")
    print("the cart, what was shown to them, and what both services said unless it stays.")
    for why in found.stays:
        print(f"Stays: {WHY[why]}.")
    print("Stripe, the Payment MS, the Auth MS and your logs keep what they have; this ends no subscription.")
