"""`make mutants`: whether the tests notice when a rule is changed. Mutants are made with cosmic-ray.

    python -m tools.mutants [--list] [--write] [MODULE …]

Each mutant of the sample (`tools/mutant_sample.py`) is written into a copy of the working tree, and the test files that
guard its module run until one test fails. `--write` puts the figures into `docs/mutants.md`; modules, or the beginnings
of their paths, run a part. Ends with 1 when too few are noticed, or one that is called equivalent is.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final

from tools.mutant_sample import ROOT, Configuration, RuleMutant, configuration, sample
from tools.mutant_tests import answers, prepare

PAGE: Final = ROOT / "docs" / "mutants.md"
TABLE_BEGINS: Final = "<!-- figures: made by `make mutants` -->\n"
TABLE_ENDS: Final = "<!-- end of figures -->"


class MutantOutcome(StrEnum):
    """What the tests made of a mutant."""

    KILLED = "killed"
    ENDLESS = "killed, by the time limit"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"
    NOT_EQUIVALENT = "called equivalent, but killed"


@dataclass(frozen=True, slots=True)
class Ran:
    """A mutant and what became of it."""

    mutant: RuleMutant
    outcome: MutantOutcome
    seconds: float


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
    bad = any(one.outcome is MutantOutcome.NOT_EQUIVALENT for one in ran)
    return int(bad or share(ran) < wanted.wanted)


def share(ran: Sequence[Ran]) -> float:
    """Return which part of those that are not equivalent was killed."""
    counted = [one for one in ran if one.outcome is not MutantOutcome.EQUIVALENT]
    return sum(one.outcome is not MutantOutcome.SURVIVED for one in counted) / len(counted) if counted else 1.0


def summary(ran: Sequence[Ran]) -> str:
    """Return the figures in a sentence's beginning."""
    killed = sum(one.outcome not in (MutantOutcome.SURVIVED, MutantOutcome.EQUIVALENT) for one in ran)
    equivalent = sum(one.outcome is MutantOutcome.EQUIVALENT for one in ran)
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
        alive, same = mine.count(MutantOutcome.SURVIVED), mine.count(MutantOutcome.EQUIVALENT)
        rows.append(f"| `{module}` | {len(mine)} | {len(mine) - alive - same} | {same} | {alive} |")
    rows += ["", "Survived:" if any(one.outcome is MutantOutcome.SURVIVED for one in ran) else "None survived.", ""]
    rows += [f"- {_told(one.mutant)}" for one in ran if one.outcome is MutantOutcome.SURVIVED]
    rows += ["", "Equivalent:", ""]
    because = {(one.module, one.within, one.was, one.becomes): one.because for one in wanted.equivalent}
    rows += [
        f"- {_told(one.mutant)}: {because[one.mutant.identity]}"
        for one in ran
        if one.outcome is MutantOutcome.EQUIVALENT
    ]
    return before + begin + "\n".join([*rows, ""]) + end + after


def _run(mutants: Sequence[RuleMutant], wanted: Configuration, tree: Path) -> Iterator[Ran]:
    prepare(tree, wanted.environment)
    same = {(one.module, one.within, one.was, one.becomes) for one in wanted.equivalent}
    numbered, done = dict(enumerate(mutants, 1)), 0
    for files in dict.fromkeys(wanted.modules[mutant.module] for mutant in mutants):
        guarded = {number: one for number, one in numbered.items() if wanted.modules[one.module] == files}
        for answer in answers(tree, files, guarded):
            mutant, done = numbered[answer.number], done + 1
            outcome = _outcome(answer.passed, called_equivalent=mutant.identity in same)
            print(f"{done:3} {outcome} {answer.seconds:.1f} s {_told(mutant)} {answer.failed[:110]}", flush=True)
            yield Ran(mutant, outcome, answer.seconds)


def _outcome(passed: bool | None, *, called_equivalent: bool) -> MutantOutcome:
    if called_equivalent:
        return MutantOutcome.EQUIVALENT if passed else MutantOutcome.NOT_EQUIVALENT
    if passed is None:
        return MutantOutcome.ENDLESS
    return MutantOutcome.SURVIVED if passed else MutantOutcome.KILLED


def _told(mutant: RuleMutant) -> str:
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
