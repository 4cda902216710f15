"""The fault matrix: every row there is, and which tests elsewhere show a row besides those in this folder.

A test names its rows with `@pytest.mark.faults("4 slow headers", …)`: the number is the row, the words say which part
of it. Rows `group 1` to `group 13` are families of faults, and say what must hold for all of one. A row that no test of
a run names is missing.
"""

import re
from typing import Final

ROWS: Final = {
    "1": "Connection refused",
    "2": "DNS failure, TLS failure",
    "3": "Connect timeout",
    "4": "Slow headers",
    "5": "Slow body drip",
    "6": "Stale keep-alive, reset",
    "7": "Status 500",
    "8": "Status 502 with an HTML page",
    "9": "Status 503 with Retry-After",
    "10": "Status 429",
    "11": "Status 401 or 403",
    "12": "Status 400 or 422",
    "13": "Status 404: customer unknown",
    "13b": "Status 404 of another shape",
    "14": "Malformed JSON",
    "15": "Truncated answer",
    "16": "Wrong content type",
    "17": "Huge body",
    "18": "Redirect",
    "19": "Missing, null or wrong field",
    "20": "checkout_url on a foreign host",
    "21": "checkout_url of another shape",
    "22": "Extra fields, new status word",
    "23": "Clock skew, time zones",
    "24": "Auth MS fails at sign-in",
    "25": "Auth MS: code used, expired, refused",
    "26": "Auth MS ends the session",
    "27": "Auth MS away, session still valid",
    "28": "Redis refuses",
    "29": "Redis slow or hung",
    "30": "Redis restarted empty",
    "31": "Replica restarted while a page is open",
    "32": "App restarted while the user is at Stripe",
    "33": "Double-click",
    "34": "Two tabs subscribe",
    "35": "Already subscribed",
    "36": "Back button from Stripe",
    "37": "Cancel address",
    "38": "Success address of somebody else",
    "39": "Success address without paying",
    "40": "Success address replayed",
    "41": "Session expired at Stripe",
    "42": "Webhook late",
    "43": "Webhook lost",
    "44": "Status flaps",
    "45": "products.json invalid at the start",
    "46": "products.json broken while running",
    "47": "Price changed under an open page",
    "48": "Replicas hold different catalogs",
    "49": "Websocket blocked",
    "50": "Many tabs at once",
    "51": "Disk full, log sink blocked",
    "group 1": "Payment MS refuses, resets, DNS fails, TLS fails",
    "group 2": "Slow headers, a body that drips, a 100 MB body",
    "group 3": "500, 502 with HTML, 503 with Retry-After, 429",
    "group 4": "401, first ever",
    "group 5": "401 after success",
    "group 6": "400, 404, truncated or invalid JSON, wrong type, missing or extra fields, 302 to HTML",
    "group 7": "checkout_url to a foreign host, to javascript:, to http",
    "group 8": "Auth MS slow or gone",
    "group 9": "Redis gone, slow, back",
    "group 10": "Disk full or storage unwritable",
    "group 11": "The browser leaves, reloads, sleeps in the middle of a checkout call",
    "group 12": "SIGTERM under load",
    "group 13": "The one-connection fault",
}
"""Number and title, in the order in which they are printed. 1 to 51 with 13b are 52."""

SAME: Final = {
    "group 1": ("1", "2", "6"),
    "group 2": ("4", "5", "17"),
    "group 3": ("7", "8", "9", "10"),
    "group 4": ("11 status 401, first ever",),
    "group 5": ("11 status 401 after success",),
    "group 6": ("12", "13", "13b", "14", "15", "16", "18", "19", "22"),
}
"""Families that consist of single rows: their tests count for both. With words, only the tests of those."""

ELSEWHERE: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "tests/browser/test_truth.py": {
        "test_the_success_page_is_true_at_each_moment": ("42",),
        "test_a_made_up_session_id_claims_nothing": ("39",),
        "test_a_shared_success_address_shows_nothing_of_the_buyer": ("38",),
        "test_clicks_in_two_browsers_and_three_tabs_open_one_session_a_price": ("33", "34"),
        "test_the_app_may_be_killed_while_the_user_is_at_stripe": ("32",),
    },
    "tests/scale/test_replica_lost.py": {"test_a_page_goes_on_at_another_replica": ("31",)},
    "tests/scale/test_redis_lost.py": {
        "test_a_stalled_redis_stops_selling_and_nobody_is_signed_out": ("29",),
        "test_a_redis_that_is_gone_and_comes_back_empty_asks_people_to_sign_in_once": ("28", "30"),
    },
    "tests/scale/test_crowd.py": {
        "test_a_hundred_people_with_three_tabs_each_do_not_break_the_payment_ms": ("group 13", "50")
    },
}
"""Tests of other folders that show a row too, by file and name; they run with the matrix."""

_NUMBERS: Final = re.compile(r"group \d+|\d+b?(?:(?:, |-)\d+b?)*")


def rows_of(words: str) -> tuple[str, ...]:
    """Return the rows that a mark names: "14, 19 any JSON" names two, "1-11 circuit" eleven."""
    found = _NUMBERS.match(words)
    if found is None:
        raise ValueError(f"a mark that names no row: {words}")
    named: list[str] = []
    for part in found[0].split(", "):
        first, dash, last = part.partition("-")
        named += [str(n) for n in range(int(first), int(last) + 1)] if dash else [part]
    unknown = [row for row in named if row not in ROWS]
    if unknown:
        raise ValueError(f"no such row: {unknown}")
    named += [
        row
        for row, same in SAME.items()
        if any(words == other or (other.split(" ")[0] == other and other in named) for other in same)
    ]
    return tuple(named)


def marks_for(path: str, name: str) -> tuple[str, ...]:
    """Return the rows that a test of another folder shows."""
    return ELSEWHERE.get(path, {}).get(name, ())
