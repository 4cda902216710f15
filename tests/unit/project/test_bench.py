"""The benches' arithmetic, and that the model of growth agrees with what was measured last."""

import json
import re
from dataclasses import asdict, replace

import pytest

from bench.__main__ import BENCHES
from bench.model import Behaviour, Constants, both_tables, deviations, needs
from bench.results import GROWTH, PAGE, RESULTS, Figure, against, at_least, at_most, parts, percentile, table
from bench.simulation import MAX_WAIT, simulate
from bench.simulation import table as queue

FIGURE = Figure(1, "a figure", 3.0, "ms", 2.0, 1.5)


def last() -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def test_a_target_is_met_or_missed() -> None:
    assert (at_most(FIGURE, 3).met, at_most(FIGURE, 2.9).met) == (True, False)
    assert (at_least(FIGURE, 1.5, of="ratio").met, at_least(FIGURE, 1.6, of="ratio").met) == (True, False)
    assert at_most(at_most(FIGURE, 2), 1.5, of="ratio").met is False
    assert at_most(at_most(FIGURE, 3), 1.5, of="ratio").target == "≤ 3 ms, ≤ 1.5 ×"


def test_the_ratio_is_the_median_of_the_pairs_ratios() -> None:
    figure = against(1, "x", [10, 40, 30], [10, 20, 10], "ms")

    assert (figure.value, figure.reference, figure.ratio) == (30, 10, 2)


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(number) for number in range(1, 101)]

    assert (percentile(values, 50), percentile(values, 99), percentile([4.0], 99)) == (50, 99, 4)


def test_a_missed_target_is_shown_as_missed() -> None:
    lines = table([at_most(FIGURE, 2)]).splitlines()

    assert lines[2] == "| 1 | a figure | 3 ms | 2 ms | 1.5 × | ≤ 2 ms | **missed** | 0.0 |"


def test_the_table_in_the_documents_is_that_of_the_last_results() -> None:
    figures = [Figure(**figure) for figure in last()]  # type: ignore[arg-type]

    assert parts(PAGE, "bench")[1] == table(figures), "run: make bench"
    unmeasured = re.search(r"^Not measured yet on a quiet machine: ([\d, ]+)\.$", PAGE.read_text(), re.MULTILINE)
    named = {int(number) for number in unmeasured[1].split(",")} if unmeasured else set()
    assert {figure.bench for figure in figures} == set(range(1, len(BENCHES) + 1)) - named
    assert set(asdict(figures[0])) >= {"name", "value", "unit", "reference", "ratio", "target", "met"}


def test_the_models_constants_are_what_was_measured() -> None:
    assert deviations(last()) == {}


def test_the_tables_of_growth_are_up_to_date() -> None:
    assert parts(GROWTH, "model")[1] == both_tables(), "run: make bench"
    assert parts(GROWTH, "simulation")[1] == queue(), "run: make bench"


def test_a_constant_that_is_off_is_found() -> None:
    measured = [{"name": "memory of a connected tab on /payment", "value": 200.0}]

    assert deviations(measured, replace(Constants(), tab_kb=90)) == {"tab_kb": (90, 200.0)}
    assert deviations(measured, replace(Constants(), tab_kb=210)) == {}


def test_ten_times_the_users_need_about_ten_times_as_much() -> None:
    small, large = needs(100_000), needs(1_000_000)

    assert large.payment_calls_a_second == pytest.approx(10 * small.payment_calls_a_second)
    assert large.cores == pytest.approx(10 * small.cores)
    assert small.replicas == 2
    assert needs(1_000_000, Behaviour(pushed=True)).payment_ms_busy < large.payment_ms_busy / 3


def test_the_queue_before_the_payment_ms_breaks_where_the_model_says() -> None:
    fits, overrun = simulate(1_000), simulate(4_000)

    assert fits.refused == 0
    assert fits.p99_wait < 2
    assert overrun.refused > 0.1
    assert overrun.p99_wait <= MAX_WAIT
