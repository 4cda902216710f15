"""What may be repeated, after how long, and how a service's advice on that is read."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.upstream.outcomes import CallOutcome
from services.upstream.retry import Backoff, Retry, RetryBudget, read_retry_after

NOW = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)
SENT = [
    CallOutcome.RESET,
    CallOutcome.TRUNCATED,
    CallOutcome.DEADLINE,
    CallOutcome.SERVER_ERROR,
    CallOutcome.RATE_LIMITED,
]


@pytest.mark.parametrize("outcome", SENT)
def test_call_that_may_have_arrived_is_not_repeated(outcome: CallOutcome) -> None:
    assert not Retry.UNSENT.allows(outcome)


@pytest.mark.parametrize("outcome", [CallOutcome.REFUSED, CallOutcome.DNS, CallOutcome.CONNECT_TIMEOUT])
def test_call_that_was_never_sent_is_repeated_once(outcome: CallOutcome) -> None:
    assert Retry.UNSENT.allows(outcome)
    assert Retry.UNSENT.attempts == 2


@pytest.mark.parametrize(
    "outcome", [CallOutcome.SERVER_ERROR, CallOutcome.RATE_LIMITED, CallOutcome.RESET, CallOutcome.BAD_JSON]
)
def test_read_is_repeated_twice(outcome: CallOutcome) -> None:
    assert Retry.READS.allows(outcome)
    assert Retry.READS.attempts == 3


@pytest.mark.parametrize("retry", Retry)
@pytest.mark.parametrize(
    "outcome",
    [
        CallOutcome.TLS,
        CallOutcome.KEY_REJECTED,
        CallOutcome.REDIRECT,
        CallOutcome.CONTENT_TYPE,
        CallOutcome.TOO_LARGE,
        CallOutcome.SCHEMA,
        CallOutcome.CIRCUIT_OPEN,
        CallOutcome.QUEUE_FULL,
        CallOutcome.DEADLINE,
    ],
)
def test_what_will_not_pass_is_never_repeated(retry: Retry, outcome: CallOutcome) -> None:
    assert not retry.allows(outcome)


def test_never_means_never() -> None:
    assert not any(Retry.NEVER.allows(outcome) for outcome in CallOutcome)


@pytest.mark.parametrize(("attempt", "longest"), [(1, 0.4), (2, 0.8), (3, 1.0), (9, 1.0)])
def test_jitter_fills_the_room_between_its_bounds(attempt: int, longest: float) -> None:
    delays = [Backoff().delay(attempt, CallOutcome.SERVER_ERROR, None) or 0.0 for _retry in range(400)]

    assert 0.1 <= min(delays) < 0.1 + longest / 10
    assert longest * 0.9 < max(delays) <= longest


def test_broken_connection_is_tried_again_at_once_and_then_with_a_pause() -> None:
    assert Backoff().delay(1, CallOutcome.RESET, None) == 0.0
    assert Backoff().delay(2, CallOutcome.RESET, None) != 0.0


def test_advice_is_honoured_or_not_worth_waiting_for() -> None:
    assert Backoff().delay(1, CallOutcome.SERVER_ERROR, 1.5) == 1.5
    assert Backoff().delay(1, CallOutcome.SERVER_ERROR, 30.0) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("1.5", None),
        ("٣", None),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("86400", 60.0),
        ("9" * 5000, 60.0),
        ("Sat, 14 Mar 2026 12:00:30 GMT", 30.0),
        ("Sat, 14 Mar 2026 11:00:00 GMT", 0.0),
        ("Sat, 14 Mar 2027 12:00:00 GMT", 60.0),
        ("Sat, 14 Mar 2026 12:00:10", 10.0),
        ("Sat, 99 Mar 2026 12:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_each_form(value: str | None, seconds: float | None) -> None:
    assert read_retry_after(value, now=lambda: NOW) == seconds


@given(value=st.one_of(st.text(), st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ \S+")))
def test_any_retry_after_is_bounded_or_ignored(value: str) -> None:
    seconds = read_retry_after(value)

    assert seconds is None or 0.0 <= seconds <= 60.0


def test_budget_runs_out_and_is_earned_back() -> None:
    budget = RetryBudget(share=0.1, reserve=2.0)
    assert [budget.spend() for _ in range(3)] == [True, True, False]

    for _ in range(11):
        budget.earn()

    assert [budget.spend(), budget.spend()] == [True, False]
