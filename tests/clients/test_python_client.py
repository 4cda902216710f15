"""The Python client: it takes and refuses what every client must, and guards FastAPI and Flask."""

import json
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
import time_machine
from fastapi import Depends, FastAPI, Header
from flask import Flask, g
from flask import request as flask_request

from clients.python.billing_entitlements import Billing, NotEntitled, Refused, Rights, Unavailable

ROOT = Path(__file__).resolve().parents[2]
VECTORS: dict[str, Any] = json.loads((ROOT / "clients" / "vectors.json").read_text(encoding="utf-8"))
GOOD = next(one["token"] for one in VECTORS["tokens"] if one["name"] == "good")


class FrontEnd:
    """Answers with the vectors' keys and good token, is gone, or lets whoever asks wait."""

    def __init__(self) -> None:
        self.gone = False
        self.status = 200
        self.open = threading.Event()
        self.open.set()
        self.waiting = threading.Event()
        self.now = float(VECTORS["now"])
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        self.waiting.set()
        assert self.open.wait(30)
        if self.gone:
            raise httpx.ConnectError("gone")
        if request.url.path == "/.well-known/jwks.json":
            return httpx.Response(200, json=VECTORS["keys"])
        assert request.headers["authorization"] == "Bearer bst_1"
        return httpx.Response(self.status, json={"token": GOOD})


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


def test_old_keys_count_on_while_billing_is_gone(front_end: FrontEnd) -> None:
    billing = client(front_end)
    front_end.now -= 350
    with pytest.raises(Refused):
        billing.verify(next(one["token"] for one in VECTORS["tokens"] if one["name"] == "unknown kid"))
    front_end.gone, front_end.now = True, front_end.now + 350

    assert billing.verify(GOOD).user_id == "usr_1"


def test_a_front_end_that_fails_is_not_asked_again_at_once(front_end: FrontEnd) -> None:
    billing = client(front_end)
    for status in (503, 200):
        front_end.status = status
        with pytest.raises(Unavailable):
            billing.of("usr_1")
    front_end.now += 3

    assert billing.of("usr_1").user_id == "usr_1"
    assert front_end.asked.count("/api/entitlements/usr_1") == 2


def test_an_answer_that_an_event_overtook_is_not_kept(front_end: FrontEnd) -> None:
    billing = client(front_end)
    front_end.open.clear()
    early = threading.Thread(target=billing.of, args=["usr_1"])
    early.start()
    assert front_end.waiting.wait(30)
    billing.forget("usr_1")
    front_end.open.set()
    early.join()
    billing.of("usr_1")

    assert front_end.asked.count("/api/entitlements/usr_1") == 2


def test_an_id_is_one_part_of_the_address_whatever_is_in_it(front_end: FrontEnd) -> None:
    asked: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path)
        return front_end(request)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    billing = Billing(VECTORS["issuer"], service_token="bst_1", http=http, now=lambda: front_end.now)
    with pytest.raises(Refused):
        billing.of("../ops?a=b")

    assert asked[0] == b"/api/entitlements/..%2Fops%3Fa%3Db"


@pytest.mark.parametrize("vector", VECTORS["webhooks"]["posts"], ids=lambda vector: vector["name"])
def test_a_webhook_is_taken_or_refused(front_end: FrontEnd, vector: dict[str, Any]) -> None:
    billing = client(front_end)
    secret, body = VECTORS["webhooks"]["secret"], vector["body"].encode()
    with time_machine.travel(datetime.fromtimestamp(VECTORS["now"], UTC), tick=False):
        if vector["good"]:
            assert billing.event(secret, body, vector["headers"])["data"]["user_id"] == "usr_1"
        else:
            with pytest.raises(Refused):
                billing.event(secret, body, vector["headers"])


@pytest.mark.parametrize("secret", ["", "whsec_"])
def test_a_secret_that_is_none_is_noticed_at_the_start(front_end: FrontEnd, secret: str) -> None:
    for guard in (client(front_end).events, client(front_end).flask_events):
        with pytest.raises(Exception, match="may not be empty"):
            guard(secret)


Call = Callable[[str, str, str], Awaitable[tuple[int, Any]]]


def fastapi_service(billing: Billing) -> Call:
    """A guarded FastAPI app: what calls it, with a method, a path and a user's id."""
    app = FastAPI()

    def user_id(x_user_id: Annotated[str, Header()] = "") -> str:
        return x_user_id

    @app.get("/exports")
    def exports(rights: Annotated[Rights, Depends(billing.requires("exports", user_id))]) -> dict[str, str]:
        return {"user": rights.user_id}

    @app.get("/audit", dependencies=[Depends(billing.requires("audit_log", user_id))])
    def audit() -> None: ...

    @app.post("/hooks", dependencies=[Depends(billing.events(VECTORS["webhooks"]["secret"]))])
    def told() -> None: ...

    async def call(method: str, path: str, who: str) -> tuple[int, Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as caller:
            answer = await caller.request(method, path, headers={"x-user-id": who})
        return answer.status_code, answer.json()

    return call


def flask_service(billing: Billing) -> Call:
    """The same in Flask."""
    app = Flask(__name__)

    def user_id() -> str | None:
        return flask_request.headers.get("x-user-id")

    @app.get("/exports")
    @billing.flask_requires("exports", user_id)
    def exports() -> dict[str, str]:
        return {"user": g.rights.user_id}

    @app.get("/audit")
    @billing.flask_requires("audit_log", user_id)
    def audit() -> str:
        return ""

    app.post("/hooks")(billing.flask_events(VECTORS["webhooks"]["secret"]))

    async def call(method: str, path: str, who: str) -> tuple[int, Any]:
        answer = app.test_client().open(path, method=method, headers={"x-user-id": who})
        return answer.status_code, answer.get_json()

    return call


@pytest.mark.parametrize("service_of", [fastapi_service, flask_service])
async def test_it_guards_a_service(front_end: FrontEnd, service_of: Callable[[Billing], Call]) -> None:
    billing = client(front_end)
    call = service_of(billing)

    assert await call("GET", "/exports", "usr_1") == (200, {"user": "usr_1"})
    assert await call("GET", "/audit", "usr_1") == (403, {"detail": "This needs audit_log."})
    assert await call("GET", "/exports", "") == (403, {"detail": "This needs exports."})
    assert await call("POST", "/hooks", "") == (401, {"detail": "Not signed by billing."})
    front_end.gone = True
    billing.forget("usr_1")
    assert await call("GET", "/exports", "usr_1") == (503, {"detail": "What you may do can't be checked right now."})


def test_billing_may_be_asked_at_another_address_than_its_public_one(front_end: FrontEnd) -> None:
    http = httpx.Client(transport=httpx.MockTransport(front_end))
    inside = Billing(
        "http://billing:8081", issuer=VECTORS["issuer"], service_token="bst_1", http=http, now=lambda: front_end.now
    )

    assert inside.of("usr_1").plan == "premium"


def test_a_check_of_what_is_known_takes_no_millisecond(front_end: FrontEnd) -> None:
    billing = client(front_end)
    billing.of("usr_1")
    took = []
    for _ in range(2000):
        began = time.perf_counter()
        billing.require("usr_1", "exports")
        took.append(time.perf_counter() - began)

    assert sorted(took)[1980] < 0.001
