"""The plots of the operator's page: a scale of round numbers, a time axis, gaps where nothing was measured."""

from datetime import UTC, datetime, timedelta

import pytest

from ui.components.plot import HEIGHT, WIDTH, TimeAxis, scale_end, segments, time_axis

START = datetime(2026, 11, 30, 8, 0, 2, tzinfo=UTC)


def axis(count: int, every: float = 5) -> TimeAxis:
    return time_axis([START + timedelta(seconds=every * each) for each in range(count)])


def points(drawn: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (point.split(",") for point in drawn.split())]


@pytest.mark.parametrize(
    ("peak", "end"),
    [(0, 1), (0.03, 0.04), (0.2, 0.2), (0.3, 0.4), (1, 1), (1.5, 2), (3, 4), (5, 10), (48.2, 100), (250, 400)],
)
def test_scale_ends_at_a_round_number_that_holds_the_peak(peak: float, end: float) -> None:
    assert scale_end(peak) == pytest.approx(end)


def test_axis_is_as_short_as_holds_its_readings_and_is_marked_at_round_times() -> None:
    assert [words for _place, words in axis(12).marks] == ["08:00:15", "08:00:30", "08:00:45"]
    assert [place for place, _words in axis(12).marks] == pytest.approx([18 / 60, 33 / 60, 48 / 60])
    assert [words for _place, words in axis(40).marks] == ["07:59", "08:00", "08:01", "08:02"]
    assert [words for _place, words in axis(240).marks] == ["08:05", "08:10", "08:15"]
    assert axis(240).end - axis(240).start == timedelta(minutes=20)


def test_line_ends_now_and_stays_inside_with_its_peak_at_the_top() -> None:
    ((drawn, alone),) = segments([0, 5, 10], axis(3, every=30), 10)

    assert not alone
    assert points(drawn) == [(0, HEIGHT - 1), (WIDTH / 2, HEIGHT / 2), (WIDTH, 1)]


def test_nothing_measured_is_a_gap_and_a_lone_value_a_dot() -> None:
    (dot, alone), (line, of_two) = segments([None, 4, None, 2, 2], axis(5), 4)

    assert (alone, of_two) == (True, False)
    (left, top), (right, _top) = points(dot)
    assert right - left == pytest.approx(1)
    assert top == 1
    assert len(points(line)) == 2
    assert list(segments([4], axis(1), 4)) == []
