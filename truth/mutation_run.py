"""Lets the oracle find every seeded mutant: by a story that failed before, or by one that does not fail without it."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from truth.mutants import MUTANTS
from truth.mutation import ROOT, VARIABLE, Mutant

MOST: Final = 600
"""Stories after which a mutant counts as not found."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one mutant: after how many stories it was found (0: by one of the examples), and by what."""

    mutant: Mutant
    stories: int | None
    text: str


def find_all(most: int, processes: int) -> int:
    """Run every mutant in a process of its own; print a line for each. Return 0 where all were found."""
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(processes) as pool:
        for outcome in pool.map(lambda mutant: find(mutant, min(most, MOST)), MUTANTS):
            found = f"found after {outcome.stories} stories" if outcome.stories else "found by an example"
            found = found if outcome.stories is not None else "NOT FOUND"
            line = outcome.text.splitlines()[0] if outcome.text else ""
            print(f"{outcome.mutant.name:45} {found:25} {line}", flush=True)
            outcomes.append(outcome)
    missed = [outcome for outcome in outcomes if outcome.stories is None]
    print(f"{len(outcomes) - len(missed)} of {len(outcomes)} mutants found")
    return 1 if missed else 0


def find(mutant: Mutant, most: int = MOST) -> Outcome:
    """Play the examples as the mutant, then stories until one fails that does not without it."""
    by_example = _process(mutant.name, "examples")
    if by_example:
        example, _sort, text = by_example[0]
        return Outcome(mutant, 0, f"{example}: {text}")
    first = 0
    while first < most:
        failed = _play(mutant.name, first, most)
        if failed is None:
            return Outcome(mutant, None, "")
        seed, sort, text = failed
        if not any(found[1] == sort for found in _seed("", seed)):
            return Outcome(mutant, seed + 1, text)
        first = seed + 1
    return Outcome(mutant, None, "")


def _play(name: str, first: int, most: int) -> tuple[int, str, str] | None:
    """Return seed, sort and text of the first failure from this seed on."""
    answer = _process(name, "until", str(first), str(most))
    if not answer:
        return None
    seed, sort, text = answer[0]
    return int(seed), sort, text


def _seed(name: str, seed: int) -> list[list[str]]:
    return _process(name, "seed", str(seed))


def _process(name: str, *arguments: str) -> list[list[str]]:
    environment = {**os.environ, VARIABLE: name, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "truth.mutation_process", *arguments],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{name or 'no mutant'}: {done.stderr[-2000:]}")
    found: list[list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found
