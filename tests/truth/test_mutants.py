"""The seeded mutants: each still fits the code, and one that is installed is what gets imported."""

import subprocess
import sys

import pytest

from truth.mutants import MUTANTS
from truth.mutation import ROOT, Mutant
from truth.mutation_run import find

SEEDS = 40
"""Stories that are played after the kept ones: no mutant needs more."""

TRY = """
import sys
from truth.mutants import MUTANTS
from truth.mutation import install
install(next(mutant for mutant in MUTANTS if mutant.name == sys.argv[1]))
from services.subscription.normalize import status_word
print(status_word("past_due")[0])
"""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_one_place_of_the_code_as_it_is(mutant: Mutant) -> None:
    compile(mutant.source(), str(mutant.path), "exec")


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_oracle_finds_a_mutant(mutant: Mutant) -> None:
    """By a kept story, or by one of the first seeds that is not false without it."""
    outcome = find(mutant, SEEDS)

    assert outcome.stories is not None, f"nothing false in the kept stories and those of {SEEDS} seeds"


def test_there_are_thirty_with_a_name_of_their_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 30


def test_an_installed_mutant_is_imported_in_place_of_the_module() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRY, "past due is active"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "active"
