"""The Python client: it takes and refuses what every client must, and guards a service from the sample alone."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.python.billing_entitlements import Billing, NotEntitled, Refused, Unavailable

ROOT = Path(__file__).resolve().parents[2]
VECTORS: dict[str, Any] = json.loads((ROOT / "clients" / "vectors.json").read_text(encoding="utf-8"))
GOOD = next(one["token"] for one in VECTORS["tokens"] if one["name"] == "good")


class FrontEnd:
    """Answers with the vectors' keys and good token, or is gone."""

    def __init__(self) -> None:
        self.gone = False
        self.now = float(VECTORS["now"])
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if self.gone:
            raise httpx.ConnectError("gone")
        if request.url.path == "/.well-known/jwks.json":
            return httpx.Response(200, json=VECTORS["keys"])
        assert request.headers["authorization"] == "Bearer bst_1"
        return httpx.Response(200, json={"token": GOOD})


@pytest.fixture
def front_end() -> FrontEnd:
    return FrontEnd()


def client(front_end: FrontEnd, **more: Any) -> Billing:
    http = httpx.Client(transport=httpx.MockTransport(front_end))
    return Billing(VECTORS["issuer"], service_token="bst_1", http=http, now=lambda: front_end.now, **more)


@pytest.mark.parametrize("vector", VECTORS["tokens"], ids=lambda vector: vector["name"])
def test_a_token_is_taken_or_refused(front_end: FrontEnd, vector: dict[str, Any]) -> None:
    billing = client(front_end)
    if vector["good"]:
        assert billing.verify(vector["token"]).user_id == "usr_1"
    else:
        with pytest.raises(Refused):
            billing.verify(vector["token"])


def test_features_are_what_they_say(front_end: FrontEnd) -> None:
    rights = client(front_end).verify(GOOD)

    assert {name: rights.has(name) for name in VECTORS["features"]["has"]} == VECTORS["features"]["has"]
    assert {name: rights.limit(name) for name in VECTORS["features"]["limit"]} == VECTORS["features"]["limit"]


def test_an_answer_is_kept_until_it_ends_and_keys_longer(front_end: FrontEnd) -> None:
    billing = client(front_end)
    for _ in range(3):
        billing.of("usr_1")
    assert front_end.asked == ["/api/entitlements/usr_1", "/.well-known/jwks.json"]

    billing.forget("usr_1")
    billing.of("usr_1")
    assert front_end.asked[2:] == ["/api/entitlements/usr_1"]


@pytest.mark.parametrize(
    ("fail_open_for", "after", "counts"), [(0, 54, True), (0, 56, False), (60, 110, True), (60, 116, False)]
)
def test_while_billing_is_gone_the_stated_policy_holds(
    front_end: FrontEnd, fail_open_for: float, after: float, counts: bool
) -> None:
    billing = client(front_end, fail_open_for=fail_open_for)
    billing.of("usr_1")
    front_end.gone, front_end.now = True, front_end.now + after

    if counts:
        assert billing.require("usr_1", "exports").plan == "premium"
    else:
        with pytest.raises(Unavailable):
            billing.require("usr_1", "exports")


def test_another_users_answer_is_not_believed(front_end: FrontEnd) -> None:
    with pytest.raises(Refused):
        client(front_end).of("usr_2")


def test_who_lacks_a_feature_is_refused(front_end: FrontEnd) -> None:
    with pytest.raises(NotEntitled):
        client(front_end).require("usr_1", "audit_log")


def test_unknown_keys_are_asked_for_at_most_each_ten_seconds(front_end: FrontEnd) -> None:
    billing = client(front_end)
    unknown = next(one["token"] for one in VECTORS["tokens"] if one["name"] == "unknown kid")
    for _ in range(5):
        with pytest.raises(Refused):
            billing.verify(unknown)

    assert front_end.asked == ["/.well-known/jwks.json"]


def test_a_check_of_what_is_known_takes_no_millisecond(front_end: FrontEnd) -> None:
    billing = client(front_end)
    billing.of("usr_1")
    took = []
    for _ in range(2000):
        began = time.perf_counter()
        billing.require("usr_1", "exports")
        took.append(time.perf_counter() - began)

    assert sorted(took)[1980] < 0.001
