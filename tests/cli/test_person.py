"""`person` says on one screen what somebody's pages say and why, and finds people by what they quote."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import gettempdir

import pytest
from pydantic import SecretStr

from cli.commands import main
from cli.stored import COPY
from services.auth_ms import PlanGrant
from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind, CheckoutRepository
from services.live_status.memory import snapshot_key
from services.observability.logs import UserHashes
from services.payment_ms import SubscriptionRecord
from services.purchase import PurchaseLine
from services.storage.sqlite_store import SqliteStore
from services.subscription.snapshot import UpstreamSnapshot
from tests.cli.installation import ROOT, SECRET

NOW = datetime.now(UTC)
SESSION = "cs_test_a1b2c3"


def checkout() -> Checkout:
    line = PurchaseLine(
        price_id="price_sandbox_premium_month",
        product_id="prod_sandbox_premium",
        name="Premium",
        amount=2900,
        currency="usd",
    )
    return Checkout(
        id="0123456789abcdef", customer="ada", kind=CheckoutKind.SUBSCRIPTION, session_id=SESSION, url="https://x.example",
        lines=(line,), currency="usd", started_at=NOW - timedelta(hours=1), plan_id="premium", group="main",
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of an installation whose store keeps something of ada and of bob."""
    path = tmp_path / "store.sqlite3"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORAGE_PATH", str(path))
    monkeypatch.setenv("STORAGE_SECRET", SECRET)
    monkeypatch.setenv("CATALOG_PATH", str(ROOT / "products.json"))
    record = SubscriptionRecord(exists=False, product_id="prod_sandbox_premium")
    ada = UpstreamSnapshot(looked_at=NOW).with_record("prod_sandbox_premium", record, NOW).with_account(None, NOW)
    bob = ada.with_account(PlanGrant("active", "premium", None), NOW)

    async def keep() -> None:
        kept = SqliteStore(path)
        for name, snapshot in (("ada", ada), ("bob", bob)):
            await kept.put(snapshot_key(name), snapshot.model_dump_json(), None)
        checkouts = CheckoutRepository(kept)
        await checkouts.add(checkout())
        await checkouts.mark(checkout(), CheckoutEvent.RETURNED)
        await kept.close()

    asyncio.run(keep())
    return path


@pytest.mark.usefixtures("store")
def test_the_screen_says_what_the_page_says_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["person", SESSION]) == 0

    screen = capsys.readouterr().out
    assert "[Confirming] Setting up Premium." in screen
    assert "confirming by the rule awaiting_confirmation" in screen
    assert f"Back from checkout {SESSION} (Premium)" in screen
    assert len(screen.splitlines()) < 40


@pytest.mark.usefixtures("store")
def test_json_has_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["person", "ada", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["says"][0]["rule"] == "awaiting_confirmation"
    assert told["says"][0]["claims"][0]["says"] == "confirming"
    assert [one["kind"] for one in told["causes"]] == ["not_confirmed", "list_price_only"]
    assert [event["event"] for event in told["checkouts"][0]["events"]] == ["returned"]


@pytest.mark.usefixtures("store")
def test_nobody_and_several(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["person", "carol"]) == 1
    assert "Nothing is kept of carol" in capsys.readouterr().err

    assert main(["person", "prod_sandbox_premium"]) == 1
    said = capsys.readouterr().err
    assert "on record for 2 people" in said
    assert "ada" in said
    assert "bob" in said


def while_the_app_runs(store: Path, *arguments: str) -> int:
    """Run the command beside a process that has the store to itself, and has just written something to it."""

    async def meanwhile() -> int:
        running = SqliteStore(store)
        nothing = UpstreamSnapshot(looked_at=NOW).with_account(PlanGrant("none", "", None), NOW)
        await running.put(snapshot_key("dora"), nothing.model_dump_json(), None)
        try:
            return await asyncio.to_thread(main, ["person", *arguments])
        finally:
            await running.close()

    return asyncio.run(meanwhile())


def test_beside_a_running_app_it_reads_a_copy_of_the_moment(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert while_the_app_runs(store, SESSION) == 0
    assert "[Confirming] Setting up Premium." in capsys.readouterr().out
    assert while_the_app_runs(store, "dora") == 0
    assert while_the_app_runs(store, "ada", "--export") == 0

    assert not [entry.name for entry in Path(gettempdir()).iterdir() if entry.name.startswith(COPY)]


def test_a_running_app_forgets_nobody_behind_its_back(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert while_the_app_runs(store, "dora", "--forget", "--yes") == 1
    assert "Stop it to do it from here" in capsys.readouterr().err
    assert main(["person", "dora"]) == 0


def test_each_look_export_and_forgetting_is_a_line_that_names_nobody(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def events(*arguments: str) -> list[dict[str, object]]:
        main(["person", *arguments])
        written = capsys.readouterr().err
        assert "ada" not in written
        return [json.loads(line) for line in written.splitlines() if line.startswith("{")]

    looked, exported, forgotten = events(SESSION), events(SESSION, "--export"), events(SESSION, "--forget", "--yes")

    ours = UserHashes(SecretStr(SECRET)).of("ada")
    assert [(line["event"], line["found"], line["user_hashes"]) for line in looked] == [("person_looked_at", 1, [ours])]
    assert [(line["event"], line["user_hash"]) for line in exported] == [("data_exported", ours)]
    assert [(line["event"], line["stays"]) for line in forgotten] == [("person_forgotten", ["may_be_paid", "running"])]
    assert {line["asked_by"] for line in (*looked, *exported, *forgotten)} == {"operator"}


def test_all_that_is_kept_is_printed_as_json(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["person", SESSION, "--export"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["user_id"] == "ada"
    assert {*found["kept"]} == {"evidence", "checkouts"}


def test_what_may_be_is_forgotten_and_what_stays_is_said(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["person", "ada", "--forget"]) == 1
    assert "Nothing was forgotten" in capsys.readouterr().err

    assert main(["person", "ada", "--forget", "--yes"]) == 0

    said = capsys.readouterr().out
    assert "Stays: a checkout may have been paid" in said
    assert "Forgotten, but for what stays." in said
    assert main(["person", SESSION]) == 0  # the checkout that nobody has confirmed


def test_of_somebody_without_a_purchase_nothing_is_left(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def keep() -> None:
        kept = SqliteStore(store)
        nothing = UpstreamSnapshot(looked_at=NOW).with_account(PlanGrant("none", "", None), NOW)
        await kept.put(snapshot_key("cleo"), nothing.model_dump_json(), None)
        await kept.close()

    asyncio.run(keep())

    assert main(["person", "cleo", "--forget", "--yes"]) == 0

    assert "Forgotten.\n" in capsys.readouterr().out
    assert main(["person", "cleo"]) == 1
