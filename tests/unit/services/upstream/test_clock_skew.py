"""A clock that is wrong is noticed by the services' own, and corrected where they agree."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from structlog.testing import capture_logs

from services.upstream.clock_skew import ClockSkew

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def heard(**ahead: float) -> ClockSkew:
    """Return what is made of services whose clocks are so many seconds ahead of ours."""
    skew = ClockSkew(lambda: NOW)
    for service, seconds in ahead.items():
        skew.note(service, format_datetime(NOW + timedelta(seconds=seconds), usegmt=True), 0.0)
    return skew


def test_a_clock_that_a_service_agrees_with_is_right() -> None:
    for skew in (heard(), heard(payment_ms=0), heard(payment_ms=9), heard(payment_ms=600, auth_ms=-3)):
        assert skew.offset == timedelta()
        assert skew.now() == NOW
        assert skew.problem == ""


@pytest.mark.parametrize("seconds", [600, -600])
def test_a_clock_that_differs_from_all_services_is_corrected_by_theirs(seconds: float) -> None:
    skew = heard(payment_ms=seconds, auth_ms=seconds + 2)

    now = skew.now()
    assert now is not None
    assert abs(now - (NOW + timedelta(seconds=seconds))) < timedelta(seconds=3)
    assert skew.is_off
    assert ("behind" in skew.problem) is (seconds > 0)


def test_services_that_contradict_each_other_leave_no_time_at_all() -> None:
    skew = heard(payment_ms=600, auth_ms=-600)

    assert skew.now() is None
    assert "No tokens are issued" in skew.problem


def test_one_odd_answer_among_many_changes_nothing() -> None:
    skew = heard(payment_ms=0)
    for seconds in (1, 600, 0):
        skew.note("payment_ms", format_datetime(NOW + timedelta(seconds=seconds), usegmt=True), 0.1)

    assert not skew.is_off


@pytest.mark.parametrize(
    "header", [None, "", "soon", "Sun, 29 Nov 2026", "29.11.2026", "Sun, 99 Nov 2026 12:00:00 GMT"]
)
def test_a_header_that_is_no_date_says_nothing(header: str | None) -> None:
    skew = ClockSkew(lambda: NOW)
    skew.note("payment_ms", header, 0.0)

    assert not skew.is_off


def test_the_operator_is_told_once_and_again_when_it_is_right() -> None:
    with capture_logs() as logs:
        skew = heard(payment_ms=600, auth_ms=600)
        for _time in range(6):
            skew.note("auth_ms", format_datetime(NOW + timedelta(seconds=600), usegmt=True), 0.0)
        for _time in range(6):
            skew.note("auth_ms", format_datetime(NOW, usegmt=True), 0.0)

    assert [entry["event"] for entry in logs] == ["clock_off", "clock_right_again"]
