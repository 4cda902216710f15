"""The seeded mutants: what each rule of evidence would let be said if it were missing."""

from typing import Final

from truth.mutation import Mutant

MUTANTS: Final[tuple[Mutant, ...]] = ()
