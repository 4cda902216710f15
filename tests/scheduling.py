"""In which order the processes of `make test` take the files, and which files one process takes together.

Some files mostly wait: for a browser, for processes, for deadlines. The others keep a processor busy. Those that wait
come between the others all along, so that there is always something to compute, and never too much at once.
"""

from collections.abc import Sequence
from typing import Final

import pytest
from xdist.scheduler import LoadFileScheduling

WAITING: Final = (
    "tests/scale/",
    "tests/ui/page/test_in_chromium.py",
    "tests/browser/",
    "tests/faults/",
    "tests/security/",
    "tests/clients/test_samples.py",
    "tests/cli/",
    "tests/payment_service/",
    "tests/sandbox/test_process.py",
    "tests/sandbox/test_pages_in_a_browser.py",
)
"""Files that mostly wait, or what their names begin with: those that take longest first."""

WAITED: Final = 0.85
"""Behind which part of the others the last one comes that waits: what ends the run is short."""

ON_ONE_CLUSTER: Final = frozenset(
    f"tests/scale/test_{name}.py" for name in ("across_replicas", "crowd", "redis_lost", "replica_lost")
)
"""Files that share a Redis, an HAProxy and three replicas, which take longer to start than most of their tests run."""


class Scheduling(LoadFileScheduling):
    """A file is run by one process, and so are the files on one cluster."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return min(ON_ONE_CLUSTER) if file in ON_ONE_CLUSTER else file


def mix(items: list[pytest.Item]) -> None:
    """Put the tests of the files that wait evenly between those of the others; each kind stays in its order."""
    places = places_of(list(dict.fromkeys(_file_of(item) for item in items)))
    items.sort(key=lambda item: places[_file_of(item)])


def places_of(files: Sequence[str]) -> dict[str, float]:
    """Return where each file is in the run: 0 is its begin, 1 its end."""
    waiting = sorted((file for file in files if _rank(file) < len(WAITING)), key=_rank)
    others = [file for file in files if _rank(file) == len(WAITING)]
    return {file: WAITED * number / len(waiting) for number, file in enumerate(waiting)} | {
        file: number / len(others) for number, file in enumerate(others)
    }


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _rank(file: str) -> int:
    return next((rank for rank, name in enumerate(WAITING) if file.startswith(name)), len(WAITING))
