"""What makes pages fast, each of it dispensable: without any of them every page works, only slower.

The settings of these names say what is wanted, `self_test.py` leaves off what does not fit the installed NiceGUI, and
what is left is in force for the whole process: pages of one process are all made in the same way.

Written against NiceGUI 3.18, as are the modules that these switch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial

from services.observability.metrics import GaugeReading
from settings import Settings


@dataclass(frozen=True, slots=True)
class Optimizations:
    """The settings' descriptions say what each one does."""

    packed_elements: bool = True
    own_document: bool = True
    html_first: bool = True
    late_scripts: bool = True
    paced_collector: bool = True
    shared_documents: bool = True

    @classmethod
    def wanted(cls, settings: Settings) -> "Optimizations":
        """Return what the settings ask for."""
        return cls(**{name: bool(getattr(settings, name)) for name in NAMES})

    @property
    def shares_documents(self) -> bool:
        """Whether pages for strangers are finished documents: those are our own, and readable before any script."""
        return self.shared_documents and self.own_document and self.html_first

    def on(self) -> tuple[str, ...]:
        """Return the names of those that are on, in the order in which they are tried."""
        return tuple(name for name in NAMES if getattr(self, name))

    def without(self, name: str) -> "Optimizations":
        """Return the same with one of them off."""
        return replace(self, **{name: False})


NAMES = tuple(field.name for field in fields(Optimizations))
NONE = Optimizations(**dict.fromkeys(NAMES, False))

_in_force = Optimizations()


def in_force() -> Optimizations:
    """Return what pages of this process are made with."""
    return _in_force


def put_in_force(chosen: Optimizations) -> None:
    """Make all pages from now on with these."""
    global _in_force
    _in_force = chosen


def _is_off(name: str) -> float:
    return 0.0 if getattr(_in_force, name) else 1.0


OPTIMIZATION_GAUGES = tuple(
    GaugeReading(
        "billing_optimization_off",
        "1 while pages are made without this: a setting says so, or it does not fit the installed NiceGUI.",
        partial(_is_off, name),
        {"optimization": name},
    )
    for name in NAMES
)


@contextmanager
def tried(optimizations: Optimizations) -> Iterator[None]:
    """Make pages with these inside the block only."""
    before = in_force()
    put_in_force(optimizations)
    try:
        yield
    finally:
        put_in_force(before)
