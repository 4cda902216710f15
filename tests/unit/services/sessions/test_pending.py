"""The cookies of sign-ins under way: found by state, the newest first, and read whatever stands in them."""

from datetime import UTC, datetime, timedelta

import pytest

from services.sessions.pending import (
    LONGEST_KEPT,
    PendingSignIn,
    cookie_of,
    cookie_value,
    new_token,
    pending_in,
    pending_of,
)

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
STATES = ("a" * 64, "b" * 64)


def begun(state: str, next_path: str = "/cart", *, minutes: float = 0) -> dict[str, str]:
    """Return the cookie of a sign-in that began so many minutes after noon."""
    token = new_token(NOW + timedelta(minutes=minutes))
    return {cookie_of("login", state): cookie_value(token, next_path)}


def test_the_way_back_finds_its_own_by_the_state() -> None:
    cookies = begun(STATES[0], "/cart") | begun(STATES[1], "/account", minutes=1)

    found = [pending_of(cookies, "login", state) for state in STATES]

    assert [one.next_path for one in found if one is not None] == ["/cart", "/account"]
    assert pending_of(cookies, "login", "c" * 64) is None


def test_without_a_state_it_is_the_newest() -> None:
    cookies = begun(STATES[1], "/newest", minutes=5) | begun(STATES[0], "/oldest", minutes=-5)

    newest = pending_of(cookies, "login", None)

    assert newest is not None
    assert newest.next_path == "/newest"
    assert [one.next_path for one in pending_in(cookies, "login")] == ["/newest", "/oldest"]
    assert pending_of({}, "login", None) is None


def test_the_one_cookie_of_earlier_releases_is_a_token_for_any_state() -> None:
    old = PendingSignIn("login", "token")

    assert pending_of({"login": "token"}, "login", STATES[0]) == old
    assert pending_of({"login": "token", **begun(STATES[0])}, "login", STATES[0]) != old


@pytest.mark.parametrize(
    "encoded", ["", "!!!", "_w", "Ly9ldmlsLmV4YW1wbGUv", "aHR0cHM6Ly9ldmlsLmV4YW1wbGU", "L" * 5000]
)
def test_what_stands_there_leads_nowhere_else(encoded: str) -> None:
    (found,) = pending_in({"login-abc": f"token.{encoded}"}, "login")

    assert (found.token, found.next_path) == ("token", "")


def test_other_cookies_are_none_of_these() -> None:
    assert pending_in({"session": "x", "loginx": "y", "xlogin-1": "z"}, "login") == ()


@pytest.mark.parametrize(("length", "kept"), [(LONGEST_KEPT, True), (LONGEST_KEPT + 1, False)])
def test_a_path_that_would_not_fit_is_not_kept(length: int, kept: bool) -> None:
    path = "/" + "x" * (length - 1)

    (found,) = pending_in(begun(STATES[0], path), "login")

    assert found.next_path == (path if kept else "")
