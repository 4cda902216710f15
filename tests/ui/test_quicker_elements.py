"""The quicker answer is NiceGUI's own answer."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
from nicegui import helpers

from ui import quicker_elements


class Thing:
    def plain(self) -> None: ...

    def wants(self, event: object) -> None: ...

    def may_want(self, event: object = None) -> None: ...

    def takes_any(self, *args: object, **kwargs: object) -> None: ...

    @classmethod
    def of_class(cls, event: object) -> None: ...

    @staticmethod
    def loose(event: object) -> None: ...


CALLABLES: dict[str, Callable[..., Any]] = {
    **{name: getattr(Thing(), name) for name in ("plain", "wants", "may_want", "takes_any", "of_class", "loose")},
    "function": Thing.wants,
    "lambda": lambda event: None,
    "partial": functools.partial(Thing.wants, Thing()),
    "built-in": [].append,
}


@pytest.mark.parametrize("name", CALLABLES)
def test_it_answers_as_nicegui_does_the_first_time_and_later(name: str) -> None:
    expected = quicker_elements._inspect(CALLABLES[name])

    assert [quicker_elements.expects_arguments(CALLABLES[name]) for _ in range(2)] == [expected, expected]


def test_it_is_in_use_and_stays_so_when_installed_again() -> None:
    quicker_elements.install()

    assert helpers.expects_arguments is quicker_elements.expects_arguments
    assert quicker_elements._inspect is not quicker_elements.expects_arguments
