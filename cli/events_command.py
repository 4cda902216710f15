"""``python app.py events``: what other services were told, what they did not take, and telling it again."""

import argparse
import asyncio
import base64
import secrets
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from catalog import load_catalog
from cli.quiet import quiet_logs
from cli.stored import with_store
from services.storage.port import Store
from services.webhooks.endpoints import Endpoint
from services.webhooks.model import EventKind, OutboxRow, WebhookDelivery, WebhookEvent
from services.webhooks.outbox import Outbox
from services.webhooks.sender import WebhookSender
from settings import load_settings
from wiring.systems import endpoints

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_events(commands: "Commands") -> None:
    """Add the command to the parser of all commands."""
    parser = commands.add_parser("events", help="what other services are told: list, replay, test")
    kinds = parser.add_subparsers(required=True, metavar="WHAT")
    listed = kinds.add_parser("list", help="what is kept: on its way, taken, and dead")
    listed.add_argument("--dead", action="store_true", help="only what no endpoint took in a day")
    listed.set_defaults(run=_list)
    replay = kinds.add_parser("replay", help="tell an event again, under its id")
    replay.add_argument("id", help="the event's id, as list shows it")
    replay.set_defaults(run=_replay)
    test = kinds.add_parser("test", help="send a test event now, and say what came of it")
    test.add_argument("endpoint", nargs="?", help="the endpoint's name; without one all of them")
    test.set_defaults(run=_test)
    secret = kinds.add_parser("secret", help="a new secret for an endpoint")
    secret.set_defaults(run=_secret)


def _secret(_options: argparse.Namespace) -> int:
    print("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
    return 0


def _list(options: argparse.Namespace) -> int:
    async def work(outbox: Outbox) -> int:
        for customer in await outbox.customers():
            row = await outbox.row(customer)
            for line in _lines(row, dead_only=options.dead) if row is not None else ():
                print(line)
        return 0

    return _with_outbox(work, reads=True)


def _lines(row: OutboxRow, *, dead_only: bool) -> Iterator[str]:
    for one in row.dead:
        yield f"dead    {_told(one.event)} {one.endpoint} after {one.attempts} tries: {one.last}"
    if dead_only:
        return
    for one in row.queue:
        yield f"queued  {_told(one.event)} {one.endpoint} {_tries(one)}"
    for event in row.sent:
        yield f"taken   {_told(event)}"


def _told(event: WebhookEvent) -> str:
    return f"{event.id} {event.at:%Y-%m-%dT%H:%M:%SZ} {event.kind} {event.data.get('user_id', '')}"


def _tries(one: WebhookDelivery) -> str:
    return (
        f"after {one.attempts} tries: {one.last}; next {one.next_at:%Y-%m-%dT%H:%M:%SZ}" if one.attempts else "at once"
    )


def _replay(options: argparse.Namespace) -> int:
    async def work(outbox: Outbox) -> int:
        for customer in await outbox.customers():
            row = await outbox.row(customer)
            if row is not None and await _replayed(outbox, customer, row, options.id):
                print(f"{options.id} is told again, under the same id.")
                return 0
        print(f"{options.id} is not kept: neither taken lately nor dead.", file=sys.stderr)
        return 1

    return _with_outbox(work)


async def _replayed(outbox: Outbox, customer: str, row: OutboxRow, event_id: str) -> bool:
    dead = [one for one in row.dead if one.event.id == event_id]
    events = {event.id: event for event in (*row.sent, *(one.event for one in dead))}
    if event_id not in events:
        return False
    names = {one.endpoint for one in dead}
    again = [one for one in outbox.addressed([events[event_id]]) if not names or one.endpoint in names]

    def changed(kept: OutboxRow | None) -> OutboxRow | None:
        left = tuple(one for one in kept.dead if one.event.id != event_id) if kept is not None else ()
        return kept and kept.model_copy(update={"queue": (*kept.queue, *again), "dead": left})

    await outbox.change(customer, changed)
    for name in names:
        await outbox.unbury(event_id, name)
    return True


def _test(options: argparse.Namespace) -> int:
    settings = load_settings()
    wanted = [one for one in endpoints(settings) if options.endpoint in (None, one.name)]
    if not wanted:
        print("There is no such endpoint in WEBHOOKS_PATH.", file=sys.stderr)
        return 1
    with quiet_logs():
        return 0 if all(asyncio.run(_tested(wanted))) else 1


async def _tested(wanted: list[Endpoint]) -> list[bool]:
    now, taken = datetime.now(UTC), []
    for endpoint in wanted:
        sender = WebhookSender(endpoint)
        event = WebhookEvent(
            id=f"evt_{uuid.uuid4().hex}", kind=EventKind.TEST, at=now, data={"endpoint": endpoint.name}
        )
        sent = await sender.send(event, now)
        await sender.aclose()
        taken.append(sent.taken)
        print(f"{'ok   ' if sent.taken else 'ERROR'} {endpoint.name}: {sent.why}")
    return taken


def _with_outbox(work: Callable[[Outbox], Awaitable[int]], *, reads: bool = False) -> int:
    """Do something with what is kept; what not only `reads`, where no running app has it to itself."""
    settings = load_settings()
    catalog = load_catalog(settings.catalog_path)

    async def with_outbox(store: Store) -> int:
        return await work(Outbox(store, endpoints(settings), catalog=lambda: catalog))

    return with_store(settings, with_outbox, "stop it to replay, or use Redis.", reads=reads)
