"""How `make test` shares the files out among its processes."""

import re
from itertools import pairwise
from pathlib import Path

from tests.scheduling import ON_ONE_CLUSTER, WAITED, WAITING, places_of

ROOT = Path(__file__).resolve().parents[3]


def test_files_that_wait_come_between_the_others_and_end_before_them() -> None:
    waiting, others = [f"tests/browser/test_{n}.py" for n in range(10)], [f"tests/unit/test_{n}.py" for n in range(30)]

    places = places_of([*waiting, *others])
    order = sorted(places, key=places.__getitem__)

    assert [file for file in order if file in waiting] == waiting
    assert [file for file in order if file in others] == others
    between = [len([other for other in others if places[a] <= places[other] < places[b]])
               for a, b in pairwise(waiting)]  # fmt: skip
    assert set(between) <= {2, 3}
    assert places[waiting[-1]] < WAITED < places[others[-1]] < 1


def test_every_name_of_what_waits_is_that_of_a_file_or_folder() -> None:
    assert [name for name in WAITING if not (ROOT / name).exists()] == []


def test_whoever_wants_the_cluster_shares_it() -> None:
    wanting = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "tests").rglob("test_*.py")
        if re.search(r"^(async )?def \w+\([^)]*\b(shared_)?cluster\b", file.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert wanting == ON_ONE_CLUSTER
