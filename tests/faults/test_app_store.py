"""Rows 28 to 30 and the full disk: what can't be guarded is refused, pages stay open, and all heals by itself."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness.app_process import NO_AUTHORITIES
from harness.redis_server import RedisServer
from tests.faults.shop import CHECKOUT, PREMIUM, STICKERS, AsyncHttpUser, ProxiedProduct

NOT_NOW = "We can't do that"
PATIENCE = 6.0
"""Seconds within which everything has its answer while Redis says nothing."""


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.kill()


async def nothing_is_sold_and_pages_open(shop: ProxiedProduct, person: AsyncHttpUser) -> None:
    visitor, before = shop.person(), len(shop.payment.calls(CHECKOUT))
    started = time.monotonic()
    pricing = await visitor.look("/pricing")
    opened = time.monotonic() - started
    plan = await person.ask(PREMIUM)
    item = await person.press(STICKERS)
    account = await person.look("/account")
    login = await visitor.look("/auth/login?provider=google")
    async with httpx.AsyncClient(verify=NO_AUTHORITIES, trust_env=False, timeout=10) as client:
        ready = await client.get(f"{shop.app.url}/readyz")

    assert (pricing.status, "$29" in pricing.text) == (200, True)
    assert opened < PATIENCE
    assert (plan.status_code, plan.json()["code"]) == (503, "store_unavailable")
    assert NOT_NOW in plan.json()["detail"]
    assert plan.headers["retry-after"]
    assert NOT_NOW in item.text
    assert account.status == 503
    assert "signed out" not in account.text
    assert "Sign-in is unavailable right now." in login.text
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["checks"]["store"]["status"] == "failing"
    assert len(shop.payment.calls(CHECKOUT)) == before


@pytest.mark.faults("28 Redis refuses", "30 Redis restarted empty", "group 9 Redis gone, slow, back")
async def test_redis_dies_and_comes_back_empty(shop: ProxiedProduct, redis: RedisServer) -> None:
    await shop.open(redis.settings)
    person = await shop.person().sign_in()
    await shop.control("POST", f"/users/{person.user_id}/state", status="active", email=person.email)
    redis.kill()

    await nothing_is_sold_and_pages_open(shop, person)

    redis.start()
    end = time.monotonic() + 10
    while (answer := await person.client.get("/api/me")).status_code != 401:
        assert time.monotonic() < end
        assert answer.status_code == 503
    await person.sign_in()
    while "Active" not in (await person.look("/payment")).text:
        assert time.monotonic() < end + 10, "the truth is at the services, and is not shown"
    assert (await shop.ready())["status"] != "failing"


@pytest.mark.faults("29 Redis slow or hung", "group 9 Redis gone, slow, back")
async def test_redis_hangs_and_goes_on(shop: ProxiedProduct, redis: RedisServer) -> None:
    await shop.open(redis.settings)
    person = await shop.person().sign_in()
    redis.pause()

    await nothing_is_sold_and_pages_open(shop, person)

    redis.resume()
    end = time.monotonic() + 10
    while (answer := await person.ask(PREMIUM)).status_code != 200:
        assert time.monotonic() < end
        assert answer.status_code == 503
    assert len(await person.sessions()) == 1


@pytest.mark.faults("group 10 disk full or storage unwritable")
async def test_a_full_disk_is_said_at_sign_in_and_leaves_nothing_half_written(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    await shop.app.kill()
    shop.app.largest_file, shop.app.output = 4096, Path("/dev/null")
    await shop.app.start()
    visitor = shop.person()

    login = await visitor.look("/auth/login?provider=google")
    pricing = await visitor.look("/pricing")
    plan = await person.ask(PREMIUM)
    item = await person.press(STICKERS)

    assert (login.status, login.path.partition("?")[0]) == (200, "/login")
    assert "Sign-in is unavailable right now." in login.text
    assert pricing.status == 200
    assert (plan.status_code, plan.json()["code"]) == (503, "store_unavailable")
    assert NOT_NOW in item.text
    assert await person.sessions() == []
    shop.app.largest_file = None
    await shop.app.restart()
    assert (await person.ask(PREMIUM)).status_code == 200
    assert await visitor.sign_in()


@pytest.mark.faults("group 10 disk full or storage unwritable")
async def test_a_storage_that_can_not_be_written_is_said_at_sign_in_and_by_the_check(shop: ProxiedProduct) -> None:
    (shop.folder / "file").write_text("no folder")
    await shop.open({"STORAGE_PATH": str(shop.folder / "file" / "store.sqlite3")})
    visitor, said = shop.person(), shop.folder / "check.log"

    login = await visitor.look("/auth/login?provider=google")
    checking = shop.forks.start(shop.app.environment, said, command=["check"])
    code = shop.forks.ended(checking, 10)

    assert "Sign-in is unavailable right now." in login.text
    assert code not in (0, None)
    assert "STORAGE_PATH" in said.read_text()
    assert "Traceback" not in said.read_text() + shop.app.log()
