"""docs/operations.md and docs/operator-commands.md, followed from a fresh clone: every command, as it stands there.

One start of the app is shared by all blocks. Commands of `app.py` run in this process, since a dozen starts of Python
would take longer than what they do; all else runs in a shell.
"""

import contextlib
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

import app
from harness.app_process import free_port
from settings import Settings

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = ("docs/operations.md", "docs/operator-commands.md")
NOT_RUN: Final[Mapping[str, str]] = {
    "python3 -m venv": "the tests run in the environment that this makes",
    ". .venv/bin/activate": "as above",
    "pip install": "asks a package registry; the locks are held by tests/unit/project/",
    "python deploy/rolling_restart.py": "needs a container engine; tests/scale/test_crowd.py restarts replicas by it",
    "python app.py person": "needs somebody of whom something is kept: tests/cli/test_person.py",
    "python app.py register": "creates products at a Payment MS: tests/cli/test_register.py",
    "python app.py events test": "needs an endpoint: tests/cli/test_events.py",
    "python app.py events replay": "needs an event that was told: tests/cli/test_events.py",
}
"""What is not run here, by how it begins, and why."""


def commands() -> list[str]:
    """Return the command lines of all blocks, in their order."""
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
            found += [line.strip() for line in block.splitlines() if line.strip()]
    return found


def reason_not_to_run(command: str) -> str | None:
    return next((why for begins, why in NOT_RUN.items() if command.startswith(begins)), None)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with what is checked in and nothing else, and the addresses of the pages moved to free ports."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for top in sorted({name.split("/")[0] for name in listed.splitlines()} - {".data", ".venv", ".env"}):
        (tmp_path / top).symlink_to(ROOT / top)
    ports = ("PORT", "SANDBOX_PAYMENT_PORT", "SANDBOX_AUTH_PORT", "SANDBOX_STRIPE_PORT")
    for name in ports:
        monkeypatch.setenv(name, str(free_port()))
    for name in {field.upper() for field in Settings.model_fields} - {*ports}:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    with contextlib.suppress(OSError, ValueError):
        os.kill(int((tmp_path / "app.pid").read_text()), signal.SIGKILL)


def follow(command: str) -> str:
    """Run one line and return what it printed; fails unless it exits with 0."""
    command = command.replace("localhost:8081", f"localhost:{os.environ['PORT']}")
    words = shlex.split(command)
    if words[:2] == ["python", "app.py"] and "&" not in words:
        return _in_process(words[2:])
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def _in_process(words: list[str]) -> str:
    """Run a command of `app.py`, perhaps into a file."""
    target = next((word for word in (">", ">>") if word in words), None)
    arguments, into = (words[: words.index(target)], Path(words[-1])) if target else (words, None)
    printed, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complained):
        try:
            code = app.main(arguments)
        except SystemExit as ended:  # how argparse ends --version
            code = int(ended.code or 0)
    assert code == 0, f"{words}: {printed.getvalue()}{complained.getvalue()}"
    if into is not None:
        with into.open("a" if target == ">>" else "w", encoding="utf-8") as file:
            file.write(printed.getvalue())
    return printed.getvalue()


@pytest.mark.skipif(not shutil.which("curl"), reason="the pages ask with curl")
def test_the_pages_are_followed_command_by_command(clone: Path) -> None:
    printed = {command: follow(command) for command in commands() if reason_not_to_run(command) is None}

    said = "\n".join(printed.values())
    assert len(printed) >= 20
    assert '"status":"ready"' in said.replace(" ", "")
    assert "billing_build_info" in said
    assert "before.sqlite3 is a checked copy of" in said
    assert ".data/store.sqlite3 is now what before.sqlite3 was." in said
    assert (clone / ".env").read_text().startswith("ENTITLEMENTS_KEY=")
    assert "BEGIN PRIVATE KEY" in (clone / "entitlements.pem").read_text()


def test_what_is_not_run_stands_on_a_page_and_has_a_reason() -> None:
    left_out = [command for command in commands() if reason_not_to_run(command) is not None]

    assert {begins for begins in NOT_RUN if not any(command.startswith(begins) for command in left_out)} == set()
    assert len(left_out) < len(commands()) / 2
