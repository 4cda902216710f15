"""`reconcile` looks at everybody one at a time, lists what does not fit, and goes on after a kill."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.commands import main
from cli.reconcile_journal import LookedAt, ReconcileJournal
from services.auth_ms import PlanGrant
from services.live_status.memory import snapshot_key
from services.people.reconciled import LastReconcile, ReconcileFigures
from services.people.reconciliation import FindingKind
from services.storage.sqlite_store import SqliteStore
from services.subscription.snapshot import UpstreamSnapshot
from tests.cli.installation import Installation
from tests.contract.mock_payment_ms import MockPaymentMS

NOW = datetime.now(UTC)


@pytest.fixture
def everybody(installation: Installation) -> Installation:
    """An installation that knows ada, who has a plan at the Auth MS, and bob, who has nothing; billing has nobody."""
    installation.set(storage_path="store.sqlite3")
    nothing = UpstreamSnapshot(looked_at=NOW).with_account(None, NOW)
    granted = nothing.with_account(PlanGrant("active", "premium", None), NOW)

    async def keep() -> None:
        store = SqliteStore(Path(installation.folder) / "store.sqlite3")
        for customer, snapshot in (("ada", granted), ("bob", nothing)):
            await store.put(snapshot_key(customer), snapshot.model_dump_json(), None)
        await store.close()

    asyncio.run(keep())
    return installation


def asked(payment_ms: MockPaymentMS) -> list[str]:
    paths = [one.path for one in payment_ms.asked if "/subscriptions/" in one.path]
    return list(dict.fromkeys(path.split("/subscriptions/")[1].split("/")[0] for path in paths))


def reconcile(installation: Installation, *options: str) -> tuple[int, dict[str, Any], list[dict[str, object]]]:
    code = main(["reconcile", "--json", "--pause", "0", *options])
    written = installation.capsys.readouterr()
    events = [json.loads(line) for line in written.err.splitlines() if line.startswith("{")]
    return code, json.loads(written.out), events


async def figures_in(installation: Installation) -> ReconcileFigures | None:
    """Return what `/metrics` shows from the store."""
    store = SqliteStore(Path(installation.folder) / "store.sqlite3")
    last = LastReconcile(store)
    await last.look()
    await store.close()
    return last.figures


def test_everybody_is_looked_at_and_what_does_not_fit_is_listed(
    everybody: Installation, payment_ms: MockPaymentMS
) -> None:
    code, told, events = reconcile(everybody, "--metrics", "reconcile.prom")

    assert code == 1
    assert asked(payment_ms) == ["ada", "bob"]
    assert [(one["kind"], one["user_id"]) for one in told["findings"]] == [("access_without_record", "ada")]
    assert [event["event"] for event in events] == ["reconcile_found"]
    assert "ada" not in str(events[0])
    figures = (everybody.folder / "reconcile.prom").read_text(encoding="utf-8")
    assert 'billing_reconcile_findings{kind="access_without_record"} 1' in figures
    assert "billing_reconcile_customers 2" in figures
    assert not (everybody.folder / ".data" / "reconcile.jsonl").exists()
    kept = asyncio.run(figures_in(everybody))
    assert kept is not None
    assert (kept.customers, sum(kept.findings.values())) == (2, 1)
    assert kept.findings[FindingKind.NO_RECORD] == 1


def test_a_killed_run_goes_on_where_it_was(everybody: Installation, payment_ms: MockPaymentMS) -> None:
    journal = everybody.folder / "journal.jsonl"
    ReconcileJournal(journal).add(LookedAt(customer="ada"))
    with journal.open("ab") as file:
        file.write(b'{"customer": "bo')  # what a kill leaves of a line

    code, told, _events = reconcile(everybody, "--state", str(journal))

    assert (code, told["customers"]) == (0, 2)
    assert asked(payment_ms) == ["bob"]
    assert not journal.exists()


def test_a_running_app_has_its_store_to_itself(everybody: Installation) -> None:
    async def meanwhile() -> int:
        running = SqliteStore(everybody.folder / "store.sqlite3")
        try:
            return await asyncio.to_thread(main, ["reconcile"])
        finally:
            await running.close()

    assert asyncio.run(meanwhile()) == 1
    assert "The app is running" in everybody.capsys.readouterr().err
