"""Other services ask about users: by a token of their own, without the users' browsers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import time_machine
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from structlog.testing import capture_logs

from sandbox.launch import RunningSandbox
from services.entitlements.signing import new_key_pem
from services.web.service_tokens import ServiceTokens, digest_of, new_token
from tests.unit.api.api_world import ApiWorld, api_world
from tests.unit.api.test_operations import member

REPORTS, EXPORTS, EXPORTS_NEXT = new_token(), new_token(), new_token()
TOKENS = tuple(
    f"{name}={digest_of(token)}"
    for name, token in (("reports", REPORTS), ("exports", EXPORTS), ("exports", EXPORTS_NEXT))
)


@pytest.fixture
async def world(tmp_path: Path, api_sandbox: RunningSandbox) -> AsyncIterator[ApiWorld]:
    async with api_world(tmp_path, api_sandbox, service_tokens=TOKENS) as opened:
        yield opened


def service(world: ApiWorld, token: str | None = REPORTS) -> httpx.AsyncClient:
    """Another service: no cookie, no page, a token."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(world.app, raise_app_exceptions=False, client=("10.0.0.9", 5000))
    return httpx.AsyncClient(transport=transport, base_url=world.url, headers=headers)


async def id_of_member(world: ApiWorld) -> str:
    browser = await member(world)
    user_id: str = (await browser.get("/api/me")).json()["user_id"]
    return user_id


async def test_a_service_learns_what_a_user_is_entitled_to(world: ApiWorld) -> None:
    user_id = await id_of_member(world)

    async with service(world) as reports:
        answer = (await reports.get(f"/api/entitlements/{user_id}")).json()
        keys = KeySet.import_key_set((await reports.get("/.well-known/jwks.json")).json())

    claims = jwt.decode(answer["token"], keys, algorithms=["ES256"]).claims
    assert (answer["user_id"], answer["plan"], answer["access"]) == (user_id, "premium", True)
    assert (answer["features"]["projects"], answer["stale"]) == ("unlimited", False)
    assert claims["sub"] == user_id
    assert claims["features"] == answer["features"]


async def test_several_users_are_one_question_each_told_once(world: ApiWorld) -> None:
    user_id = await id_of_member(world)

    async with service(world) as reports:
        body = {"user_ids": [user_id, "stranger", user_id]}
        answer = await reports.post("/api/entitlements/query", json=body)

    told = {one["user_id"]: one for one in answer.json()["users"]}
    assert [one["user_id"] for one in answer.json()["users"]] == [user_id, "stranger"]
    assert (told["stranger"]["access"], told["stranger"]["stale"]) == (False, True)
    assert told["stranger"]["features"]["projects"] == 3


@pytest.mark.parametrize("users", [[], [""], ["a"] * 101, "ada", None])
async def test_a_question_about_nobody_or_too_many_is_refused(world: ApiWorld, users: Any) -> None:
    async with service(world) as reports:
        assert (await reports.post("/api/entitlements/query", json={"user_ids": users})).status_code == 422


@pytest.mark.parametrize(
    "token",
    [None, "", "wrong", REPORTS + "x", digest_of(REPORTS)],
    ids=["none", "empty", "wrong", "longer", "its hash"],
)
async def test_without_a_token_of_ours_nothing_is_told(world: ApiWorld, token: str | None) -> None:
    user_id = await id_of_member(world)

    async with service(world, token) as stranger:
        answers = [
            await stranger.get(f"/api/entitlements/{user_id}"),
            await stranger.post("/api/entitlements/query", json={"user_ids": [user_id]}),
        ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(401, "service_token_refused")] * 2


async def test_a_browsers_cookie_is_no_token(world: ApiWorld) -> None:
    browser = await member(world)
    user_id = (await browser.get("/api/me")).json()["user_id"]

    assert (await browser.get(f"/api/entitlements/{user_id}")).status_code == 401


@pytest.mark.parametrize("token", [EXPORTS, EXPORTS_NEXT], ids=["present", "next"])
async def test_while_a_token_replaces_another_both_are_taken(world: ApiWorld, token: str) -> None:
    async with service(world, token) as exports:
        assert (await exports.get("/api/entitlements/ada")).status_code == 200


async def test_without_tokens_there_is_nothing_at_these_addresses(api: ApiWorld) -> None:
    async with service(api) as stranger:
        answers = [
            await stranger.get("/api/entitlements/ada"),
            await stranger.post("/api/entitlements/query", json={"user_ids": ["ada"]}),
        ]

    assert [answer.status_code for answer in answers] == [404, 404]


async def test_every_question_is_in_the_log_with_who_asked_and_no_id(world: ApiWorld) -> None:
    user_id = await id_of_member(world)

    with capture_logs() as logs:
        async with service(world) as reports:
            await reports.get(f"/api/entitlements/{user_id}")
            await reports.post("/api/entitlements/query", json={"user_ids": [user_id, "other"]})

    asked = [line for line in logs if line["event"] == "entitlements_asked"]
    assert [(line["service"], line["users"]) for line in asked] == [("reports", 1), ("reports", 2)]
    assert asked[0]["user_hash"] == world.container.users.of(user_id)
    assert not [line for line in logs if user_id in str(line) or REPORTS in str(line)]


async def test_each_service_has_a_limit_of_its_own(tmp_path: Path, api_sandbox: RunningSandbox) -> None:
    async with api_world(
        tmp_path, api_sandbox, service_tokens=TOKENS, limit_service_queries="2/minute"
    ) as world, service(world) as reports, service(world, EXPORTS) as exports:  # fmt: skip
        statuses = [(await reports.get("/api/entitlements/ada")).status_code for _ in range(3)]
        other = (await exports.get("/api/entitlements/ada")).status_code

    assert (statuses, other) == ([200, 200, 429], 200)


async def test_guesses_are_limited(world: ApiWorld) -> None:
    async with service(world, "wrong") as guesser:
        statuses = [(await guesser.get("/api/entitlements/ada")).status_code for _ in range(31)]

    assert statuses == [401] * 30 + [429]


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://app.example.com", True), ("https://evil.example", False), (None, False)]
)
async def test_only_pages_of_named_sites_read_across_origins(
    tmp_path: Path, api_sandbox: RunningSandbox, origin: str | None, allowed: bool
) -> None:
    headers = {"origin": origin} if origin else {}
    async with api_world(tmp_path, api_sandbox, entitlements_origins=("https://app.example.com",)) as world:
        browser = await world.browser().sign_in()
        read = await browser.get("/api/entitlements", headers=headers)
        stranger = await world.browser().get("/api/entitlements", headers=headers)
        others = [await browser.get(path, headers=headers) for path in ("/api/me", "/api/payment/subscriptions")]

    for answer in (read, stranger):
        assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
        assert answer.headers["vary"].count("Origin") == 1
    assert (read.status_code, stranger.status_code) == (200, 401)
    assert not any("access-control-allow-origin" in answer.headers for answer in others)


def test_tokens_are_kept_as_hashes_of_named_services() -> None:
    tokens = ServiceTokens.of(TOKENS)

    assert tokens.service(REPORTS) == "reports"
    assert tokens.service("") is None
    assert not ServiceTokens()
    assert REPORTS not in repr(tokens)


async def test_one_answer_is_signed_once_and_each_user_has_their_own(world: ApiWorld) -> None:
    user_id = await id_of_member(world)
    path = f"/api/entitlements/{user_id}"
    now = datetime.now(UTC)

    async with service(world) as reports:
        with time_machine.travel(now, tick=False):
            tokens = [(await reports.get(path)).json()["token"] for _ in range(2)]
            other = (await reports.get("/api/entitlements/stranger")).json()
        with time_machine.travel(now + timedelta(seconds=1), tick=False):
            later = (await reports.get(path)).json()

    assert tokens[0] == tokens[1] != later["token"]
    assert (other["user_id"], later["user_id"]) == ("stranger", user_id)


async def test_the_key_before_and_the_next_are_published_beside_the_one_that_signs(
    tmp_path: Path, api_sandbox: RunningSandbox
) -> None:
    previous, present, following = (new_key_pem() for _ in range(3))
    keys = {
        "entitlements_key": present, "entitlements_key_previous": previous, "entitlements_key_next": following
    }  # fmt: skip
    async with api_world(tmp_path, api_sandbox, **keys) as world:
        browser = await world.browser().sign_in()
        token = (await browser.get("/api/entitlements")).json()["token"]
        answer = await browser.get("/.well-known/jwks.json")

    published = [key["kid"] for key in answer.json()["keys"]]
    assert published == [ECKey.import_key(pem).thumbprint() for pem in (present, previous, following)]
    assert jwt.decode(token, KeySet.import_key_set(answer.json()), algorithms=["ES256"]).header["kid"] == published[0]
    assert answer.headers["cache-control"] == "public, max-age=300, stale-if-error=3600"
    assert not any("d" in key for key in answer.json()["keys"])
