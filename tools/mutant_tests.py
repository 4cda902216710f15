"""Runs test files over mutants: collected once for each set of files, and a fork of that process for each mutant.

Everything happens in a copy of the working tree. A mutant of the inside of a function is put into the loaded module
(`tools/mutant_code.py`); any other is written into the copy, and the files are collected anew.
"""

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import CodeType
from typing import Final, NamedTuple, NoReturn

import pytest

from tools.mutant_code import changed_functions, exchange
from tools.mutant_sample import RuleMutant

PYTEST: Final = (
    *("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=1", "--no-header"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
LOADED_ONCE: Final = (
    *("hypothesis", "pytest_asyncio.plugin", "pytest_httpx", "time_machine", "fastapi", "nicegui", "pydantic_settings"),
    *("structlog", "redis.asyncio", "joserfc.jwt", "babel", "jinja2", "limits", "httpx"),
)
LEAST_SECONDS: Final = 90.0
"""A mutant may take as long, or ten times what the unchanged code took, before it counts as one that never ends."""

BROKEN: Final = 70
"""The exit code of a fork that did not come to run tests, or whose mutant can't be put into a loaded module."""


class Answer(NamedTuple):
    """What the tests made of one mutant: whether they passed (None: they did not end), and the first that failed."""

    number: int
    passed: bool | None
    failed: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Inside:
    """A mutant that changes only functions."""

    number: int
    module: str
    functions: Mapping[str, CodeType]


def prepare(tree: Path, environment: Mapping[str, str]) -> None:
    """Load the libraries, and have the tree as the project from now on. For once in a process."""
    os.environ.update(environment)
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    for name in LOADED_ONCE:
        import_module(name)


def answers(tree: Path, files: Sequence[str], mutants: Mapping[int, RuleMutant]) -> Iterator[Answer]:
    """Yield an answer for each mutant; raises SystemExit when the tests fail without one."""
    log, inside = tree / "pytest.txt", []
    for number, mutant in mutants.items():
        changed = changed_functions((tree / mutant.module).read_text(encoding="utf-8"), mutant.code)
        if changed is not None:
            inside.append(Inside(number, mutant.module.removesuffix(".py").replace("/", "."), changed))
    limit, left = LEAST_SECONDS, set(mutants)
    for answer in _collected(files, inside, log):
        if answer.number not in mutants:
            if not answer.passed:
                raise SystemExit(f"The tests fail without a mutant: {answer.failed}\n{_read(log)[-3000:]}")
            limit = max(LEAST_SECONDS, 10 * answer.seconds)
            continue
        left.discard(answer.number)
        yield answer
    for number in sorted(left):
        with _written(tree, mutants[number]):
            yield _anew(number, files, limit, log)


class _Forks:
    """A pytest plugin that runs the collected tests in a fork for each mutant, and before that without one."""

    def __init__(self, inside: Sequence[Inside], pipe: int) -> None:
        self._inside = inside
        self._pipe = pipe
        self._failed = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run them all, and say so in the pipe."""
        if session.testsfailed:
            raise session.Interrupted("the tests can't be collected")
        started = time.monotonic()
        if self._tell(-1, _ended(lambda: self._run(session), 1800), started):
            limit = max(LEAST_SECONDS, 10 * (time.monotonic() - started))
            for one in self._inside:
                started = time.monotonic()
                self._tell(one.number, _ended(partial(self._changed, one, session), limit), started)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember the first failure."""
        if report.failed and not self._failed:
            self._failed = report.nodeid
            os.write(self._pipe, f"F{report.nodeid}\n".encode())

    def _changed(self, one: Inside, session: pytest.Session) -> int:
        return self._run(session) if exchange(one.module, one.functions) else BROKEN

    def _run(self, session: pytest.Session) -> int:
        for item, following in zip(session.items, [*session.items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return 1
        return 0

    def _tell(self, number: int, code: int | None, started: float) -> bool:
        line = json.dumps([number, code, time.monotonic() - started])
        os.write(self._pipe, f"A{line}\n".encode())
        return code == 0


def _collected(files: Sequence[str], inside: Sequence[Inside], log: Path) -> Iterator[Answer]:
    """Yield an answer without a mutant (number -1), then one for each that could be put into the loaded modules."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _leave(lambda: _pytest(files, log, bytecode=True, plugin=_Forks(inside, writing)))
    os.close(writing)
    failed, told = "", False
    with os.fdopen(reading, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("F"):
                failed = line[1:].strip()
                continue
            number, code, seconds = json.loads(line[1:])
            told = True
            if code != BROKEN or number < 0:
                yield Answer(number, None if code is None else code == 0, failed, seconds)
            failed = ""
    os.waitpid(child, 0)
    if not told:
        raise SystemExit(f"pytest ran nothing of {', '.join(files)}:\n{_read(log)[-3000:]}")


def _anew(number: int, files: Sequence[str], limit: float, log: Path) -> Answer:
    started = time.monotonic()
    code = _ended(lambda: _pytest(files, log, bytecode=False), limit)
    if code in (BROKEN, pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise SystemExit(f"pytest ran nothing of {', '.join(files)}:\n{_read(log)[-3000:]}")
    said = next((line for line in _read(log).splitlines() if line.startswith(("FAILED ", "ERROR "))), "")
    return Answer(number, None if code is None else code == 0, said.partition(" ")[2], time.monotonic() - started)


def _pytest(files: Sequence[str], log: Path, *, bytecode: bool, plugin: object = None) -> int:
    sys.dont_write_bytecode = not bytecode
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    return int(pytest.main([*PYTEST, *files], plugins=[plugin] if plugin is not None else []))


def _ended(work: Callable[[], int], limit: float) -> int | None:
    """Do it in a fork and return its exit code, None if it took longer; what it started ends with it."""
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        _leave(work)
    ends = time.monotonic() + limit
    while (status := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < ends:
        time.sleep(0.01)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if status[0] == 0:
        os.waitpid(child, 0)
        return None
    return os.waitstatus_to_exitcode(status[1])


def _leave(work: Callable[[], int]) -> NoReturn:
    code = BROKEN
    try:
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


@contextmanager
def _written(tree: Path, mutant: RuleMutant) -> Iterator[None]:
    """Have the mutant in the tree for a while, and nothing compiled of it: versions may share size and second."""
    path = tree / mutant.module
    original = path.read_text(encoding="utf-8")
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        compiled.unlink()
    path.write_text(mutant.code, encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(original, encoding="utf-8")


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")
