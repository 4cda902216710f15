"""`events` shows what other services were told, tells it again, and tries an endpoint."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from cli.commands import main
from services.storage.sqlite_store import SqliteStore
from services.webhooks.endpoints import read_endpoints
from services.webhooks.model import EventKind, OutboxRow, Told, WebhookDelivery, WebhookEvent
from services.webhooks.outbox import Outbox
from tests.cli.installation import Installation
from tests.hooks import SECRET, hook_server

AT = datetime(2026, 11, 30, 4, 0, tzinfo=UTC)


def event(number: int) -> WebhookEvent:
    return WebhookEvent(id=f"evt_{number}", kind=EventKind.ORDER_RETURNED, at=AT, data={"user_id": "ada"})


@pytest.fixture
def endpoint(installation: Installation) -> Installation:
    """An installation with an endpoint at which nobody listens, and three events: taken, queued, dead."""
    folder = Path(installation.folder)
    document = {"endpoints": [{"name": "reports", "url": "http://127.0.0.1:9/hooks", "secrets": [SECRET]}]}
    (folder / "webhooks.json").write_text(json.dumps(document), encoding="utf-8")
    installation.set(webhooks_path="webhooks.json", storage_path="store.sqlite3")
    queued, dead = (
        WebhookDelivery(event=event(number), endpoint="reports", attempts=number, next_at=AT, last="500")
        for number in (2, 3)
    )
    row = OutboxRow(user_id="ada", told=Told(), queue=(queued,), sent=(event(1),), dead=(dead,))

    async def keep() -> None:
        store = SqliteStore(folder / "store.sqlite3")
        await store.put("outbox:ada", row.model_dump_json(), None)
        await store.close()

    asyncio.run(keep())
    return installation


def kept(installation: Installation) -> OutboxRow:
    async def read() -> OutboxRow | None:
        store = SqliteStore(Path(installation.folder) / "store.sqlite3")
        try:
            return await Outbox(store, read_endpoints("webhooks.json"), catalog=lambda: None).row("ada")  # type: ignore[arg-type, return-value]
        finally:
            await store.close()

    row = asyncio.run(read())
    assert row is not None
    return row


def test_list_shows_what_is_taken_queued_and_dead(endpoint: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert main(["events", "list", "--dead"]) == 0
    dead = capsys.readouterr().out.splitlines()

    assert [line.split()[:2] for line in lines] == [["dead", "evt_3"], ["queued", "evt_2"], ["taken", "evt_1"]]
    assert [line.split()[1] for line in dead] == ["evt_3"]
    assert "order.returned ada" in lines[0]


def test_beside_a_running_app_it_lists_and_replays_nothing(
    endpoint: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    async def meanwhile(*arguments: str) -> int:
        running = SqliteStore(Path(endpoint.folder) / "store.sqlite3")
        try:
            return await asyncio.to_thread(main, ["events", *arguments])
        finally:
            await running.close()

    assert asyncio.run(meanwhile("list")) == 0
    assert "evt_3" in capsys.readouterr().out
    assert asyncio.run(meanwhile("replay", "evt_3")) == 1
    assert "stop it to replay" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["evt_1", "evt_3"])
def test_replay_tells_one_again_under_its_id(endpoint: Installation, name: str) -> None:
    assert main(["events", "replay", name]) == 0

    row = kept(endpoint)
    assert [one.event.id for one in row.queue] == ["evt_2", name]
    assert row.queue[1].attempts == 0
    assert [one.event.id for one in row.dead] == ([] if name == "evt_3" else ["evt_3"])


def test_what_is_not_kept_can_not_be_told_again(endpoint: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", "replay", "evt_9"]) == 1
    assert "evt_9 is not kept" in capsys.readouterr().err


def test_a_test_event_says_what_came_of_it(endpoint: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    refused = main(["events", "test"])
    with hook_server() as hook:
        document = {"endpoints": [{"name": "reports", "url": hook.url, "secrets": [SECRET]}]}
        (Path(endpoint.folder) / "webhooks.json").write_text(json.dumps(document), encoding="utf-8")
        taken = main(["events", "test", "reports"])
    unknown = main(["events", "test", "nobody"])

    headers, body = hook.posts.get_nowait()
    assert (refused, taken, unknown) == (1, 0, 1)
    assert Webhook(SECRET).verify(body, headers)["type"] == "test"
    assert "ERROR reports" in capsys.readouterr().out


def test_a_secret_is_one_that_endpoints_take(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", "secret"]) == 0

    assert Webhook(capsys.readouterr().out.strip())
