"""`make mutants`: whether the tests notice when a rule is changed. Mutants are made with cosmic-ray.

    python -m tools.mutants [--list] [--write] [MODULE …]

Each mutant of the sample (`tools/mutant_sample.py`) is written into a copy of the working tree, and the test files that
guard its module run until one test fails. `--write` puts the figures into `docs/mutants.md`; modules, or the beginnings
of their paths, run a part. Ends with 1 when too few are noticed, or one that is called equivalent is.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from tools.mutant_sample import ROOT, Configuration, Mutant, configuration, sample

PAGE: Final = ROOT / "docs" / "mutants.md"
TABLE_BEGINS: Final = "<!-- figures: made by `make mutants` -->\n"
TABLE_ENDS: Final = "<!-- end of figures -->"

PYTEST: Final = (
    *("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=1", "--no-header"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
LOADED_ONCE: Final = (
    *("hypothesis", "pytest_asyncio.plugin", "pytest_httpx", "time_machine", "fastapi", "nicegui", "pydantic_settings"),
    *("structlog", "redis.asyncio", "joserfc.jwt", "babel", "jinja2", "limits", "httpx"),
)
FAILED_ITSELF: Final = 70
LEAST_SECONDS: Final = 60.0
"""A mutant may take as long, or five times what the unchanged code took, before it counts as one that never ends."""


class Outcome(StrEnum):
    """What the tests made of a mutant."""

    KILLED = "killed"
    ENDLESS = "killed, by the time limit"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"
    NOT_EQUIVALENT = "called equivalent, but killed"


@dataclass(frozen=True, slots=True)
class Ran:
    """A mutant and what became of it."""

    mutant: Mutant
    outcome: Outcome
    seconds: float


class Tests:
    """Runs test files in forks of one process that has loaded the libraries, over a copy of the working tree."""

    def __init__(self, tree: Path, environment: dict[str, str]) -> None:
        os.environ.update(environment)
        os.chdir(tree)
        sys.path.insert(0, str(tree))
        self._tree = tree
        for name in LOADED_ONCE:
            import_module(name)

    def pass_(self, files: Sequence[str], *, limit: float, bytecode: bool = False) -> bool | None:
        """Whether all tests pass; None if they took longer than `limit` seconds."""
        sys.stdout.flush()
        child = os.fork()
        if not child:
            code = FAILED_ITSELF
            try:
                code = self._run(files, bytecode=bytecode)
            finally:
                os._exit(code)
        ends = time.monotonic() + limit
        while (status := os.waitpid(child, os.WNOHANG))[0] == 0:
            if time.monotonic() > ends:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return None
            time.sleep(0.02)
        code = os.waitstatus_to_exitcode(status[1])
        if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED, FAILED_ITSELF):
            raise SystemExit(f"pytest ran nothing of {', '.join(files)}:\n{self.output()[-2000:]}")
        return code == 0

    def output(self) -> str:
        """What pytest said last."""
        return (self._tree / "pytest.txt").read_text(encoding="utf-8", errors="replace")

    @contextmanager
    def changed(self, mutant: Mutant) -> Iterator[None]:
        """Have the mutant in the tree, for a while."""
        path = self._tree / mutant.module
        original = path.read_text(encoding="utf-8")
        path.write_text(mutant.code, encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(original, encoding="utf-8")

    def forget_compiled(self, modules: Sequence[str]) -> None:
        """Let Python read these modules anew each time: two versions may have the same size and second."""
        for module in modules:
            path = self._tree / module
            for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
                compiled.unlink()

    def _run(self, files: Sequence[str], *, bytecode: bool) -> int:
        os.setpgid(0, 0)
        sys.dont_write_bytecode = not bytecode
        with (self._tree / "pytest.txt").open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        try:
            return int(pytest.main([*PYTEST, *files]))
        except BaseException:
            traceback.print_exc()
            raise


def main(arguments: Sequence[str]) -> int:
    """Run the sample or a part of it and say what survived; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants")
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--list", action="store_true", help="list the sample and run nothing")
    parser.add_argument("--write", action="store_true", help="write docs/mutants.md")
    options = parser.parse_args(arguments)
    wanted = configuration()
    mutants, pool = sample(wanted)
    chosen = [m for m in mutants if not options.modules or m.module.startswith(tuple(options.modules))]
    if options.list:
        for mutant in chosen:
            print(f"{mutant.module}:{mutant.line} {mutant.operator}\n    - {mutant.was}\n    + {mutant.becomes}")
        return 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        ran = list(_run(chosen, wanted, _copied_tree(Path(folder))))
    if options.write and len(ran) == len(mutants):
        PAGE.write_text(page(ran, wanted, pool), encoding="utf-8")
    print(f"{summary(ran)} of {pool} that could be made.")
    bad = any(one.outcome is Outcome.NOT_EQUIVALENT for one in ran)
    return int(bad or share(ran) < wanted.wanted)


def share(ran: Sequence[Ran]) -> float:
    """Return which part of those that are not equivalent was killed."""
    counted = [one for one in ran if one.outcome is not Outcome.EQUIVALENT]
    return sum(one.outcome is not Outcome.SURVIVED for one in counted) / len(counted) if counted else 1.0


def summary(ran: Sequence[Ran]) -> str:
    """Return the figures in a sentence's beginning."""
    killed = sum(one.outcome not in (Outcome.SURVIVED, Outcome.EQUIVALENT) for one in ran)
    equivalent = sum(one.outcome is Outcome.EQUIVALENT for one in ran)
    return (
        f"{killed} of {len(ran) - equivalent} mutants killed ({share(ran):.1%}), {equivalent} more are equivalent; "
        f"{len(ran)} run"
    )


def page(ran: Sequence[Ran], wanted: Configuration, pool: int) -> str:
    """Return `docs/mutants.md` with its figures made anew; the text around them stays as it is."""
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(TABLE_BEGINS)
    _old, end, after = rest.partition(TABLE_ENDS)
    rows = [f"{date.today():%Y-%m-%d}: {summary(ran)} of {pool} that could be made.", ""]
    rows += ["| module | run | killed | equivalent | survived |", "|---|---|---|---|---|"]
    for module in wanted.modules:
        mine = [one.outcome for one in ran if one.mutant.module == module]
        alive, same = mine.count(Outcome.SURVIVED), mine.count(Outcome.EQUIVALENT)
        rows.append(f"| `{module}` | {len(mine)} | {len(mine) - alive - same} | {same} | {alive} |")
    rows += ["", "Survived:" if any(one.outcome is Outcome.SURVIVED for one in ran) else "None survived.", ""]
    rows += [f"- {_told(one.mutant)}" for one in ran if one.outcome is Outcome.SURVIVED]
    rows += ["", "Equivalent:", ""]
    because = {(one.module, one.within, one.was, one.becomes): one.because for one in wanted.equivalent}
    rows += [
        f"- {_told(one.mutant)}: {because[one.mutant.identity]}" for one in ran if one.outcome is Outcome.EQUIVALENT
    ]
    return before + begin + "\n".join([*rows, ""]) + end + after


def _run(mutants: Sequence[Mutant], wanted: Configuration, tree: Path) -> Iterator[Ran]:
    tests = Tests(tree, dict(wanted.environment))
    limits = {files: _unchanged(tests, files) for files in dict.fromkeys(wanted.modules[m.module] for m in mutants)}
    tests.forget_compiled(list(wanted.modules))
    same = {(one.module, one.within, one.was, one.becomes) for one in wanted.equivalent}
    for number, mutant in enumerate(mutants, 1):
        started = time.monotonic()
        files = wanted.modules[mutant.module]
        with tests.changed(mutant):
            passed = tests.pass_(files, limit=limits[files])
        outcome = _outcome(passed, called_equivalent=mutant.identity in same)
        ran = Ran(mutant, outcome, time.monotonic() - started)
        by = next((line for line in tests.output().splitlines() if line.startswith(("FAILED", "ERROR"))), "")[:110]
        print(f"{number:3} {outcome} {ran.seconds:.1f} s {_told(mutant)} {by}", flush=True)
        yield ran


def _unchanged(tests: Tests, files: Sequence[str]) -> float:
    """Return the seconds that a mutant may take, by those that the unchanged code takes."""
    started = time.monotonic()
    if not tests.pass_(files, limit=1800, bytecode=True):
        raise SystemExit(f"The tests fail without a mutant:\n{tests.output()[-3000:]}")
    return max(LEAST_SECONDS, 5 * (time.monotonic() - started))


def _outcome(passed: bool | None, *, called_equivalent: bool) -> Outcome:
    if called_equivalent:
        return Outcome.EQUIVALENT if passed else Outcome.NOT_EQUIVALENT
    if passed is None:
        return Outcome.ENDLESS
    return Outcome.SURVIVED if passed else Outcome.KILLED


def _told(mutant: Mutant) -> str:
    return f"`{mutant.module}` {mutant.line} `{mutant.within}`: `{mutant.was}` → `{mutant.becomes}`"


def _copied_tree(folder: Path) -> Path:
    """Copy what git knows of or would take, as it is now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    tree = folder / ROOT.name
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tree / name)
    return tree


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
