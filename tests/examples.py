"""How many inputs Hypothesis makes for a property: a fifth of them in `make test`, all of them in `make test-long`."""

import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

import pytest
from hypothesis import settings

Property = TypeVar("Property", bound=Callable[..., None])

ALL: Final = bool(os.environ.get("ALL_EXAMPLES"))
FEWEST: Final = 10


def examples(number: int, **more: Any) -> Callable[[Property], Property]:
    """Try a property on so many inputs, in `make test` on some of them; each may take as long as it does."""

    def try_on(test: Property) -> Property:
        tried: Property = pytest.mark.examples(settings(max_examples=some_of(number), deadline=None, **more)(test))
        return tried

    return try_on


def some_of(number: int) -> int:
    """Return how many of so many inputs are made in this run."""
    return number if ALL else max(number // 5, min(number, FEWEST))
