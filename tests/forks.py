"""Processes of the app, forked from one that has imported it: real ones, in a tenth of the time of a start.

`python -m tests.forks` is the process that forks; `Forks` is a test's side of it. A forked process does what
`python app.py` does, with the environment it was given.
"""

import importlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine

ROOT = Path(__file__).resolve().parents[1]


class Forks:
    """Forks processes of the app and says how they ended."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forks"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._answer()

    def start(
        self,
        environment: dict[str, str],
        output: Path,
        *,
        errors: Path | None = None,
        alone: bool = False,
        largest_file: int | None = None,
        ahead: float = 0.0,
        command: Sequence[str] = (),
    ) -> int:
        """Return the id of a new process that writes to `output` and runs a command, or serves.

        Its `errors` go elsewhere, if so given; `alone` it knows nothing but the `environment`. It can't write files
        beyond `largest_file` bytes, and its clock is `ahead` by so many seconds.
        """
        given = {"largest_file": largest_file, "ahead": ahead, "command": list(command), "alone": alone}
        return int(
            self._ask({"environment": environment, "output": str(output), "errors": str(errors or output), **given})
        )

    def ended(self, pid: int, seconds: float = 0.0) -> int | None:
        """Return the exit code once the process has ended within so many seconds, else None."""
        code = self._ask({"wait": pid, "seconds": seconds})
        return None if code is None else int(code)

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)

    def _ask(self, question: dict[str, object]) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the forking process has ended"
        return json.loads(line)


@contextmanager
def forks() -> Iterator[Forks]:
    """Give a `Forks` and end it."""
    made = Forks()
    try:
        yield made
    finally:
        made.stop()


def _serve() -> None:
    """Import all that a start imports, then fork at each question."""
    app = importlib.import_module("app")
    importlib.import_module("cli.serve")
    for name in importlib.import_module("wiring.web").PAGES:
        importlib.import_module(f"ui.pages.{name}")
    _say("ready")
    ended: dict[int, int] = {}
    for line in sys.stdin:
        question = json.loads(line)
        if "wait" in question:
            _say(_wait(question["wait"], question["seconds"], ended))
        elif (pid := os.fork()) == 0:
            _become(question)
            code = 70
            try:
                code = app.main(question["command"])
            except SystemExit as error:
                code = error.code if isinstance(error.code, int) else 1
            finally:
                for stream in (sys.stdout, sys.stderr):
                    stream.flush()
                os._exit(code)
        else:
            _say(pid)


def _become(question: dict[str, Any]) -> None:
    for number, name in ((1, "output"), (2, "errors")):
        os.dup2(os.open(question[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if question["alone"]:
        os.environ.clear()
    os.environ.update(question["environment"])
    random.seed()
    if question["ahead"]:
        then = datetime.now(UTC) + timedelta(seconds=question["ahead"])
        time_machine.travel(then, tick=True).start()
    if question["largest_file"] is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (question["largest_file"],) * 2)


def _wait(pid: int, seconds: float, ended: dict[int, int]) -> int | None:
    end = time.monotonic() + seconds
    while pid not in ended:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            ended[pid] = os.waitstatus_to_exitcode(status)
        elif time.monotonic() >= end:
            return None
        else:
            time.sleep(0.02)
    return ended[pid]


def _say(answer: object) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve()
