"""``python app.py reconcile``: looks at everybody in the store, and lists whose subscriptions and access do not fit.

Billing is asked afresh, at the pace that the Payment MS stands; the account can't be asked without its user, so its
last word counts, with its age. A run that was killed goes on where it was.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from cli.check_command import INTERRUPTED
from cli.quiet import event_lines
from cli.reconcile_journal import LookedAt, ReconcileJournal
from cli.stored import with_store
from services.container import Container
from services.observability.logs import UserHashes
from services.people.reconciled import LastReconcile, ReconcileFigures
from services.people.reconciliation import FindingKind, ReconcileFinding, findings_of
from services.storage.port import Store
from settings import Settings, load_settings

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

INSTEAD: Final = "stop it to look from here, or use Redis, with which both share the bound on the Payment MS."
STATE: Final = ".data/reconcile.jsonl"
PAUSE: Final = 0.1
"""Seconds between two customers: what the app and Stripe's webhooks need of the Payment MS comes in between."""
GIVES_UP_AFTER: Final = 5
"""How many customers in a row billing may not answer for."""

_log = structlog.get_logger(__name__)


def add_reconcile(commands: "Commands") -> None:
    """Add the command to the parser of all commands."""
    parser = commands.add_parser(
        "reconcile", help="look at everybody, and list whose subscriptions and access don't fit"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--pause", type=float, default=PAUSE, metavar="SECONDS", help="rest between two customers")
    parser.add_argument("--state", default=STATE, metavar="FILE", help="where a run that is killed goes on from")
    parser.add_argument("--metrics", metavar="FILE", help="also write the figures for Prometheus' textfile collector")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    settings = load_settings()
    journal = ReconcileJournal(Path(options.state))
    if journal.entries:
        print(f"Going on after {len(journal.entries)} customers ({journal.path}).", file=sys.stderr)
    complete = False

    async def work(store: Store) -> int:
        nonlocal complete
        complete = await look_at_everybody(settings, store, journal, options.pause)
        if complete:
            await LastReconcile(store).keep(figures_of(journal))
        return 0

    try:
        code = with_store(settings, work, INSTEAD)
    except KeyboardInterrupt:
        print(f"Interrupted after {len(journal.entries)} customers; run it again to go on.", file=sys.stderr)
        return INTERRUPTED
    if code:
        return code
    if not complete:
        print("Billing does not answer; python app.py check says why. Run it again to go on.", file=sys.stderr)
        return 1
    entries = tuple(journal.entries.values())
    found = [finding for entry in entries for finding in entry.findings]
    print(as_json(entries, found) if options.json else as_table(len(entries), found))
    if options.metrics:
        Path(options.metrics).write_text(as_metrics(figures_of(journal)), encoding="utf-8")
    _log_each(settings, found)
    journal.finish()
    return 1 if found else 0


async def look_at_everybody(settings: Settings, store: Store, journal: ReconcileJournal, pause: float) -> bool:
    """Look at who is not in the journal yet, one after the other; return whether everybody was looked at."""
    from wiring.build import build  # only now: what pages are made of comes with it

    running = build(settings, store=store)
    container, silent = running.container, 0
    try:
        for customer in await container.people.customers():
            if customer in journal.entries:
                continue
            entry = await look_at(container, customer)
            unasked = any(finding.kind is FindingKind.NOT_ASKED for finding in entry.findings)
            silent = silent + 1 if unasked else 0
            if silent >= GIVES_UP_AFTER:
                return False
            journal.add(entry)
            await asyncio.sleep(pause)
    finally:
        await asyncio.gather(container.payment_upstream.aclose(30.0), container.auth_upstream.aclose())
        await container.limits.close()
    return True


async def look_at(container: Container, customer: str) -> LookedAt:
    """Ask billing about a customer, and return what does not fit. Whoever is told of changes is told of these too."""
    user_id = await container.people.user_of(customer)
    await container.refresher.ask_billing(customer, unless_younger_than=timedelta())
    word = await container.refresher.last_word(customer)
    if word.status is not None and user_id and container.outbox.on:
        await container.outbox.note_absent(customer, user_id, word, await container.checkouts.of(customer))
    return LookedAt(customer=customer, findings=findings_of(customer, user_id, word))


def as_table(customers: int, found: Sequence[ReconcileFinding]) -> str:
    """Return a line for each finding, by kind, and one that counts."""
    counts = Counter(finding.kind for finding in found)
    lines = []
    for kind in FindingKind:
        lines += [
            f"{kind:<22} {one.user_id or one.customer:<28} {one.detail}; heard {one.heard:%Y-%m-%d %H:%M} UTC"
            for one in found
            if one.kind is kind
        ]
    summary = ", ".join(f"{counts[kind]} {kind}" for kind in FindingKind if counts[kind]) or "everything fits"
    lines.append(f"{customers} customers: {summary}.")
    return "\n".join(lines)


def as_json(entries: Sequence[LookedAt], found: Sequence[ReconcileFinding]) -> str:
    """Return `{"customers", "counts", "findings": [{"kind", "customer", "user_id", "detail", "heard"}]}`."""
    counts = Counter(finding.kind for finding in found)
    told = {
        "customers": len(entries),
        "counts": {kind.value: counts[kind] for kind in FindingKind},
        "findings": [finding.model_dump(mode="json") for finding in found],
    }
    return json.dumps(told, indent=2)


def figures_of(journal: ReconcileJournal) -> ReconcileFigures:
    """Return the figures of a run that ends now."""
    entries = journal.entries.values()
    found = (finding for entry in entries for finding in entry.findings)
    return ReconcileFigures.of(datetime.now(UTC), len(entries), found)


def as_metrics(figures: ReconcileFigures) -> str:
    """Return the figures in Prometheus' text form, a series for each kind, also where there is none."""
    ended = figures.ended_at.timestamp()
    lines = ["# TYPE billing_reconcile_findings gauge"]
    lines += [f'billing_reconcile_findings{{kind="{kind}"}} {count}' for kind, count in figures.findings.items()]
    lines += ["# TYPE billing_reconcile_customers gauge", f"billing_reconcile_customers {figures.customers}"]
    lines += ["# TYPE billing_reconcile_finished_timestamp_seconds gauge"]
    return "\n".join([*lines, f"billing_reconcile_finished_timestamp_seconds {ended:.0f}"]) + "\n"


def _log_each(settings: Settings, found: Sequence[ReconcileFinding]) -> None:
    """Write an event for each finding to standard error, as the app writes its log: by the user's hash."""
    if settings.storage_secret is None:
        return
    users = UserHashes(settings.storage_secret, settings.earlier_storage_secrets)
    with event_lines(sys.stderr):
        for finding in found:
            _log.warning(
                "reconcile_found", kind=finding.kind.value, **users.fields(finding.user_id or finding.customer)
            )
