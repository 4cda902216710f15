"""A press with the embedded store: how often it goes to the disk, and what a kill between any two steps leaves."""

import asyncio
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from services.errors import CheckoutInProgress
from services.sessions.service import Session
from services.storage.sqlite.sqlite_file import SqliteFile, Work
from services.storage.sqlite_store import SqliteStore
from tests.fakes import settle
from tests.replica import BOB, Outside, Replica

STEPS: Final = 6
"""More than a press goes to the store."""


@dataclass
class StoreVisits:
    """What goes to the store's thread together, and the visit after which the process stands still."""

    writes: list[int] = field(default_factory=list)
    last: int | None = None
    stopped: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def begin(self, last: int | None = None) -> None:
        self.writes.clear()
        self.last = last

    def note(self, works: Sequence[Work]) -> None:
        self.writes.append(sum(work.writes for work in works))
        if self.last is not None and len(self.writes) >= self.last:
            self.stopped.set()
            self.over.wait(30)


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> StoreVisits:
    found, run = StoreVisits(), SqliteFile.run

    def noted(file: SqliteFile, works: Sequence[Work]) -> None:
        run(file, works)
        found.note(works)

    monkeypatch.setattr(SqliteFile, "run", noted)
    return found


async def test_a_press_waits_for_two_commits_and_three_readings(visits: StoreVisits, tmp_path: Path) -> None:
    outside, store = Outside(), SqliteStore(tmp_path / "store.sqlite3")
    replica = Replica(outside, store=store)
    await replica.ask(await replica.sign_in(BOB))  # what an installation writes once is written
    ada = await replica.sign_in()
    visits.begin()

    opened = await replica.click(ada)

    # What is on record, the sign-in beside the questions, what is on record by now; then the answers with the key to
    # ask under, and the checkout in place of the key.
    assert visits.writes == [0, 0, 0, 2, 1]
    assert (await replica.checkouts.by_id("ada", opened.id)) == opened
    await store.close()


@pytest.mark.parametrize("honours_keys", [True, False], ids=["keys", "no-keys"])
@pytest.mark.parametrize("last", range(1, STEPS))
async def test_a_kill_after_any_step_of_a_press_leads_to_no_second_session_in_hand(
    visits: StoreVisits, tmp_path: Path, last: int, honours_keys: bool
) -> None:
    outside, store = Outside(), SqliteStore(tmp_path / "store.sqlite3")
    outside.payment_ms.honours_keys = honours_keys
    replica = Replica(outside, store=store)
    ada = await replica.sign_in()
    visits.begin(last)
    press = asyncio.create_task(replica.click(ada))
    stopped = asyncio.create_task(asyncio.to_thread(visits.stopped.wait, 5))
    await asyncio.wait({stopped, press}, return_when=asyncio.FIRST_COMPLETED)
    await settle()
    for name in ("store.sqlite3", "store.sqlite3-wal"):
        shutil.copy(tmp_path / name, tmp_path / f"after-{name}")
    handed_out = {press.result().session_id} if press.done() else set()
    before, visits.last = set(outside.world.sessions), None

    after = SqliteStore(tmp_path / "after-store.sqlite3")
    handed_out |= await pressed_again(Replica(outside, store=after), ada)

    assert len(handed_out) == 1
    assert len(outside.world.sessions) == 1 or not (honours_keys or before & handed_out)
    await after.close()
    visits.over.set()
    await asyncio.wait({press})
    await store.close()


async def pressed_again(replica: Replica, session: Session) -> set[str]:
    """Press once more, go on with what one is asked about, and return the session that leads to Stripe."""
    try:
        return {(await replica.click(session)).session_id}
    except CheckoutInProgress as question:
        asked = question.checkout
    return {(await replica.click(session, resume=asked.id if asked is not None else None)).session_id}
