"""Dates and spans as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from ui.text.formats import clock_time, exact, full_date, relative, short_date, span

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATE = datetime(2026, 12, 21, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en", "December 21, 2026"),
        ("en-GB", "21 December 2026"),
        ("de", "21. Dezember 2026"),
        ("es", "21 de diciembre de 2026"),
        ("ja", "2026年12月21日"),
        ("ar", "21 ديسمبر 2026"),
    ],
)
def test_a_day_is_written_in_full(locale: str, expected: str) -> None:
    assert full_date(LATE, locale, "UTC") == expected


def test_a_day_is_the_readers_day() -> None:
    assert full_date(LATE, "en", "Europe/Berlin") == "December 22, 2026"


def test_this_years_days_need_no_year() -> None:
    assert short_date(LATE, "en", "UTC", now=NOW) == "December 21"
    assert short_date(LATE, "de", "UTC", now=NOW) == "21. Dezember"
    assert short_date(LATE + timedelta(days=30), "en", "UTC", now=NOW) == "January 20, 2027"


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        (timedelta(days=3), "in 3 days"),
        (timedelta(days=27), "in 27 days"),
        (timedelta(minutes=-2), "2 minutes ago"),
        (timedelta(seconds=-20), "20 seconds ago"),
        (timedelta(hours=5), "in 5 hours"),
        (timedelta(days=90), "in 3 months"),
        (timedelta(days=800), "in 2 years"),
    ],
)
def test_distances_use_the_unit_people_count_in(distance: timedelta, expected: str) -> None:
    assert relative(NOW + distance, "en", now=NOW) == expected


def test_distances_follow_the_language() -> None:
    assert relative(NOW + timedelta(days=3), "de", now=NOW) == "in 3 Tagen"
    assert span(timedelta(minutes=3), "es") == "3 minutos"


def test_the_tooltip_names_the_instant_and_its_zone() -> None:
    text = exact(LATE, "en", "Europe/Berlin")

    assert "December 22, 2026" in text
    assert "12:30:00" in text
    assert "00:30:00" in exact(LATE, "en-GB", "Europe/Berlin")
    assert "Central European" in text


def test_the_time_of_day_is_the_readers() -> None:
    assert clock_time(LATE, "en", "Europe/Berlin") == "12:30\u202fAM"
    assert clock_time(LATE, "en-GB", "Europe/Berlin") == "00:30"
