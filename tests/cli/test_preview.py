"""`preview` says what a draft changes, by the records of the store, and makes pictures where there is a browser."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from cli import preview_pictures
from cli.commands import main
from harness.app_process import free_port
from services.live_status.memory import snapshot_key
from services.payment_ms import SubscriptionRecord
from services.storage.sqlite_store import SqliteStore
from services.subscription.snapshot import UpstreamSnapshot
from tests.cli.installation import ROOT, SECRET
from tools.chromium import EXECUTABLE

PRODUCT = "prod_sandbox_premium"


@pytest.fixture
def draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A draft in which Premium is retired, at an installation where two people have it."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "STORAGE_PATH": str(tmp_path / "store.sqlite3"), "STORAGE_SECRET": SECRET,
        "CATALOG_PATH": str(ROOT / "products.json"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    written = json.loads((ROOT / "products.json").read_text(encoding="utf-8"))
    next(plan for plan in written["plans"] if plan["id"] == "premium")["retired"] = True
    (tmp_path / "draft.json").write_text(json.dumps(written), encoding="utf-8")
    now = datetime.now(UTC)
    snapshot = UpstreamSnapshot().with_record(PRODUCT, SubscriptionRecord(exists=True, product_id=PRODUCT), now)

    async def keep() -> None:
        store = SqliteStore(tmp_path / "store.sqlite3")
        for customer in ("ada", "bob"):
            await store.put(snapshot_key(customer), snapshot.model_dump_json(), None)
        await store.close()

    asyncio.run(keep())
    return tmp_path / "draft.json"


def test_it_says_what_changes_for_whom(draft: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", str(draft), "--changes"]) == 0

    said = capsys.readouterr().out
    assert "new customers: Premium is sold no more." in said
    assert "who has it (2 now)" in said


def test_a_draft_that_cannot_be_used_says_why(draft: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draft.write_text('{"plans": [}', encoding="utf-8")

    assert main(["preview", str(draft)]) == 1
    assert "line 1, column" in capsys.readouterr().err


def test_without_a_browser_pictures_are_refused_with_the_cure(
    draft: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHROMIUM", "no-such-browser")

    assert preview_pictures.find_browser() is None
    assert main(["preview", str(draft), "--pictures", "pictures"]) == 1
    assert "apt-get install chromium" in capsys.readouterr().err


def preview_in_a_process(draft: Path, *options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run it in a process of its own, as it serves the page that is pictured; in one language: each costs a browser."""
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py"), "preview", str(draft), "--port", str(free_port()), *options],
        env={**os.environ, "LANGUAGES": "de", **environment}, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip


def test_pictures_that_can_not_be_saved_end_it_with_the_reason(draft: Path) -> None:
    (draft.parent / "taken").write_text("a file, where a folder is wanted", encoding="utf-8")

    done = preview_in_a_process(draft, "--pictures", "taken", CHROMIUM=sys.executable)

    assert done.returncode == 1
    assert "No pictures were made: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_picture_that_is_missing_is_a_failure(draft: Path) -> None:
    browser = draft.parent / "browser"
    browser.write_text('#!/bin/sh\nfor each; do case $each in --screenshot=*-390.png) : > "${each#*=}";; esac; done\n')
    browser.chmod(0o755)

    done = preview_in_a_process(draft, "--pictures", "pictures", CHROMIUM=str(browser))

    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "1 of 2 pictures in pictures")


@pytest.mark.long
def test_pictures_show_the_draft_beside_today_at_both_widths(draft: Path) -> None:
    done = preview_in_a_process(draft, "--pictures", "pictures", CHROMIUM=EXECUTABLE)

    assert done.returncode == 0, done.stderr
    pictures = {path.name: Image.open(path).convert("RGB") for path in (draft.parent / "pictures").iterdir()}
    assert {name: picture.size for name, picture in pictures.items()} == {
        f"preview-de-{width}.png": (width, height) for width, height in preview_pictures.SIZES
    }
    for name, picture in pictures.items():
        assert len(picture.getcolors(picture.width * picture.height) or ()) > 100, name  # cards, and no blank page


def test_beside_a_running_app_its_people_are_counted_too(draft: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def meanwhile() -> int:
        running = SqliteStore(draft.parent / "store.sqlite3")
        try:
            return await asyncio.to_thread(main, ["preview", str(draft), "--changes"])
        finally:
            await running.close()

    assert asyncio.run(meanwhile()) == 0
    assert "who has it (2 now)" in capsys.readouterr().out
