"""``python app.py person``: what somebody's pages say, and why, on one screen. Reads what is kept; asks nobody.

Every look is an event on standard error, by the user's hash, as one at `/ops/people` is in the log.
"""

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from catalog import Catalog, load_catalog
from cli.person_data import forget, note_look, print_export
from cli.stored import with_store
from services.people.record import CustomerOf, FoundPerson, PeopleRepository
from services.sessions.service import first_email
from services.storage.port import Store
from services.subscription.grant_rules import GrantRules
from settings import Settings, load_settings

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

INSTEAD: Final = "users do that themselves on /account. Stop it to do it from here, or use Redis."


def add_person(commands: "Commands") -> None:
    """Add the command to the parser of all commands."""
    parser = commands.add_parser("person", help="what somebody's pages say, and why")
    parser.add_argument("who", metavar="USER_ID_OR_REFERENCE", help="a user's id, or what customers quote")
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    parser.add_argument("--export", action="store_true", help="print all that is kept of them, as JSON")
    parser.add_argument("--forget", action="store_true", help="forget what may be, and say what stays and why")
    parser.add_argument("--yes", action="store_true", help="with --forget: ask nothing")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    settings = load_settings()

    async def work(store: Store) -> int:
        people = people_in(store, settings)
        found = await people.find(options.who)
        if len(found) != 1:
            note_look(settings, found)
            _say_whom(options.who, found)
            return 1
        if options.export:
            await print_export(store, found[0], settings)
        elif options.forget:
            catalog = catalog_now(settings, datetime.now(UTC))
            return await forget(store, people, found[0], settings, catalog, yes=options.yes)
        else:
            note_look(settings, found)
            await _print(people, found[0], settings, as_json=options.json)
        return 0

    return with_store(settings, work, INSTEAD, reads=not options.forget)


def people_in(store: Store, settings: Settings) -> PeopleRepository:
    """Return what finds people in a store, by the ids that these settings use."""
    return PeopleRepository(store, _customer_of(store, settings))


def _customer_of(store: Store, settings: Settings) -> CustomerOf:
    async def by_user_id(user_id: str) -> str | None:
        return user_id if settings.customer_id == "user_id" else await first_email(store, user_id)

    return by_user_id


def _say_whom(who: str, found: tuple[FoundPerson, ...]) -> None:
    if not found:
        print(f"Nothing is kept of {who}: no user's id, checkout, subscription or reference.", file=sys.stderr)
        return
    print(f"{who} is on record for {len(found)} people; ask for one of them:", file=sys.stderr)
    for person in found:
        print(f"  {person.user_id or person.customer} (found by {person.by})", file=sys.stderr)


async def _print(people: PeopleRepository, person: FoundPerson, settings: Settings, *, as_json: bool) -> None:
    from ui.people.explanation import explain  # only now: the words of pages come with NiceGUI
    from ui.people.lines import as_lines

    now = datetime.now(UTC)
    grants = GrantRules.of(settings.gift_words, by_record=settings.grant_by_record)
    explanation = explain(await people.read(person), catalog_now(settings, now), now, grants=grants)
    print(explanation.model_dump_json(indent=2) if as_json else "\n".join(as_lines(explanation)))


def catalog_now(settings: Settings, now: datetime) -> Catalog:
    """Return the catalog as the app sells it at a moment."""
    catalog = load_catalog(settings.catalog_path)
    return catalog.in_force(now, trials=bool(settings.payment_ms_gives_trials), shop=settings.shop)
