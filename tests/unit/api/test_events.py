"""`POST /api/payment/events`: signed, fresh, once; it makes the watcher look and carries no truth."""

import hashlib
import hmac
import json
import time
from pathlib import Path

import pytest

from sandbox.launch import RunningSandbox
from sandbox.payment.app_push import signature
from services.storage.pubsub import Topic
from tests.unit.api.api_world import WEBHOOK_SECRET, ApiWorld, api_world

BODY = json.dumps({"type": "customer.subscription.updated", "user_id": "usr_1", "status": "active"})


def signed(body: str = BODY, *, age: float = 0.0, secret: str = WEBHOOK_SECRET) -> str:
    at = int(time.time() - age)
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


async def post(api: ApiWorld, body: str, header: str | None) -> int:
    browser = api.browser()
    del browser.headers["sec-fetch-site"]
    headers = {"content-type": "application/json"} | ({} if header is None else {"x-signature": header})
    return (await browser.post("/api/payment/events", content=body, headers=headers)).status_code


async def test_a_signed_event_makes_the_watcher_look_now_and_says_nothing_else(api: ApiWorld) -> None:
    heard: list[str] = []
    listener = api.container.pubsub.listen(Topic.POLL, "usr_1", heard.append)

    status = await post(api, BODY, signed())
    listener.close()

    assert status == 204
    assert heard == ["once"]
    assert await api.container.refresher.remembered("usr_1") is None


async def test_the_sandboxs_own_signature_is_taken(api: ApiWorld) -> None:
    assert await post(api, BODY, signature(WEBHOOK_SECRET, int(time.time()), BODY)) == 204


async def test_the_same_event_is_refused_the_second_time(api: ApiWorld) -> None:
    header = signed()

    statuses = [await post(api, BODY, header) for _ in range(2)]

    assert statuses == [204, 403]


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=1,v1=" + "0" * 64,
        pytest.param(signed(secret="another secret of many letters"), id="signed with another secret"),
        pytest.param(signed(BODY + " "), id="signed for another body"),
        "v1=" + "0" * 64,
        "t=999999999999,v1=" + "0" * 64,
    ],
)
async def test_an_event_without_its_signature_is_refused(api: ApiWorld, header: str | None) -> None:
    assert await post(api, BODY, header) == 403


@pytest.mark.parametrize("age", [301, -301])
async def test_an_event_of_another_time_is_refused(api: ApiWorld, age: float) -> None:
    assert await post(api, BODY, signed(age=age + (1 if age > 0 else -1))) == 403


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '{"user_id":"ada","user_id":"bob"}', '{"user_id":1}', '{"user_id":""}', "[" * 5000]
)
async def test_a_signed_body_that_can_not_be_read_is_a_bad_request(api: ApiWorld, body: str) -> None:
    assert await post(api, body, signed(body)) == 400


async def test_without_a_secret_there_is_no_such_route(tmp_path: Path, api_sandbox: RunningSandbox) -> None:
    async with api_world(tmp_path, api_sandbox, payment_ms_webhook_secret=None) as api:
        assert await post(api, BODY, signed()) == 404
