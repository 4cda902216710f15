"""Whether a service says that a subscription goes on, ends, or nothing of either."""

import pytest

from services.lifecycle import TELLING, UNTOLD, read_lifecycle

GOES_ON: dict[str, object] = {
    "cancel_at_period_end": False, "cancel_at": None, "canceled_at": None, "ended_at": None, "pause_collection": None
}  # fmt: skip


def test_all_fields_empty_is_the_one_way_to_say_that_it_goes_on() -> None:
    assert read_lifecycle(GOES_ON).goes_on


@pytest.mark.parametrize("name", TELLING)
def test_one_field_missing_proves_nothing(name: str) -> None:
    found = read_lifecycle({key: value for key, value in GOES_ON.items() if key != name})

    assert not found.goes_on
    assert not found.ending


@pytest.mark.parametrize(
    "change",
    [
        {"cancel_at_period_end": True},
        {"cancel_at": 1798675200},
        {"canceled_at": "2026-12-01T00:00:00Z"},
        {"ended_at": "2026-12-01T00:00:00Z"},
        {"pause_collection": {"behavior": "void"}},
        {"cancel_at_period_end": "no"},
        {"cancel_at_period_end": None},
        {"cancel_at": "soon"},
        {"canceled_at": [1]},
        {"ended_at": "9999-12-31T23:59:59Z"},
        {"pause_collection": "keep_as_draft"},
    ],
)
def test_one_field_that_says_otherwise_or_nothing_readable_is_enough(change: dict[str, object]) -> None:
    assert not read_lifecycle(GOES_ON | change).goes_on


def test_it_ends_by_the_flag_or_by_a_date_alone() -> None:
    assert read_lifecycle({"cancel_at_period_end": True}).ending
    assert read_lifecycle({"cancel_at": "2026-12-31T00:00:00Z"}).ending
    assert not read_lifecycle({"canceled_at": "2026-12-31T00:00:00Z"}).ending


@pytest.mark.parametrize("content", [{}, None, [], "active", {"status": "active"}])
def test_silence_is_no_word(content: object) -> None:
    assert read_lifecycle(content) == UNTOLD
    assert read_lifecycle(content).silent
