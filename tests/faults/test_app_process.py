"""The process itself: a stop under load, browsers that leave, a sink that takes no log line, the fragile service."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from harness.app_process import NO_AUTHORITIES
from tests.faults.fault_server import ServedConnection
from tests.faults.shop import CHECKOUT, PREMIUM, STATUS, STICKERS, AsyncHttpUser, ProxiedProduct, until

LONGEST_STOP = 20.0
PLANS = 3
"""Plans that a full look asks about."""


async def slowly(shop: ProxiedProduct, seconds: float) -> None:
    """Have the Payment MS take its time for each checkout."""

    async def behave(wire: ServedConnection) -> None:
        await asyncio.sleep(seconds)
        await shop.payment.pass_on(wire)

    shop.payment.fail(CHECKOUT, behave)


async def calls_waiting(shop: ProxiedProduct) -> int:
    """Return how many calls wait in the app for their turn at the Payment MS."""
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"{shop.app.url}/metrics")).text
    lines = (line for line in text.splitlines() if line.startswith('billing_upstream_waiting{service="payment_ms"}'))
    return int(float(next(lines).split()[-1]))


@pytest.mark.faults("group 12 SIGTERM under load", "31 replica restarted while a page is open")
async def test_a_stop_under_load_ends_what_was_begun_and_forgets_nothing(shop: ProxiedProduct) -> None:
    await shop.open()
    people = [await shop.person().sign_in() for _ in range(6)]
    await slowly(shop, 0.3)
    presses = [asyncio.create_task(person.ask(STICKERS)) for person in people]
    async with asyncio.timeout(5):  # what the app has not read yet when it is told to stop, it need not answer
        while len(shop.payment.calls(CHECKOUT)) + await calls_waiting(shop) < len(people):
            pass
    started = time.monotonic()
    shop.app.signal(signal.SIGTERM)

    answers = await asyncio.gather(*presses)
    code = await shop.app.ended(LONGEST_STOP + 2)

    assert (code, time.monotonic() - started < LONGEST_STOP) == (0, True)
    assert {answer.status_code for answer in answers} == {200}
    await shop.app.start()
    for person, answer in zip(people, answers, strict=True):
        again = await person.ask(STICKERS)
        assert again.json()["checkout_session_id"] == answer.json()["checkout_session_id"]
        assert len(await person.sessions()) == 1
    assert "Traceback" not in shop.app.log()


@pytest.mark.faults("group 11 the browser leaves in the middle of a checkout")
async def test_a_browser_that_leaves_finds_its_checkout_when_it_is_back(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    await slowly(shop, 0.5)
    press = asyncio.create_task(person.ask(PREMIUM))
    await until(lambda: bool(shop.payment.calls(CHECKOUT)))
    press.cancel()
    await asyncio.gather(press, return_exceptions=True)

    page = await person.press(PREMIUM, amount="2900")

    assert page.path.startswith(shop.sandbox.stripe_url)
    assert len(shop.payment.calls(CHECKOUT)) == 1
    (session,) = await person.sessions()
    assert session["id"] in page.path
    assert "Continue your checkout" in (await person.look("/payment")).text


@pytest.mark.faults("group 11 the browser leaves in the middle of a checkout", "33 double-click")
async def test_fifty_presses_at_once_open_one_checkout(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()

    answers = await asyncio.gather(*(person.ask(PREMIUM) for _ in range(50)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["checkout_session_id"] for answer in answers}) == 1
    assert len(shop.payment.calls(CHECKOUT)) == len(await person.sessions()) == 1


@pytest.mark.faults("51 log sink blocked")
async def test_a_log_that_nobody_reads_stops_nothing(shop: ProxiedProduct) -> None:
    pipe = shop.folder / "pipe"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR)
    try:
        await shop.open(output=pipe)
        async with httpx.AsyncClient(
            base_url=shop.app.url, verify=NO_AUTHORITIES, trust_env=False, timeout=5
        ) as client:
            for _ in range(8):
                answers = await asyncio.gather(*(client.get(f"/api/{'x' * 150}") for _ in range(50)))
                assert {answer.status_code for answer in answers} == {404}
            started = time.monotonic()
            page = await client.get("/pricing")

        assert (page.status_code, time.monotonic() - started < 2) == (200, True)
        shop.app.signal(signal.SIGTERM)
        assert await shop.app.ended(LONGEST_STOP + 2) == 0
    finally:
        os.close(held)


@pytest_asyncio.fixture
async def fragile(shop: ProxiedProduct) -> AsyncIterator[ProxiedProduct]:
    """A shop whose Payment MS is broken for good by any two overlapping calls."""
    await shop.control("PATCH", "/settings", one_connection=True)
    yield await shop.open()
    await shop.control("POST", "/payment/heal")
    await shop.control("POST", "/settings/reset")


async def leave(person: AsyncHttpUser, path: str) -> None:
    """Ask for a page and go before it is there."""
    asked = asyncio.create_task(person.client.get(path))
    await asyncio.sleep(0.01)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)


@pytest.mark.faults("group 13 the one-connection fault", "50 many tabs at once")
async def test_many_tabs_and_people_who_leave_never_poison_the_service(fragile: ProxiedProduct) -> None:
    people = [await fragile.person().sign_in() for _ in range(12)]
    work: list[Any] = []
    for person in people:
        work += [person.client.get("/payment"), person.client.get("/api/payment/subscriptions"), person.ask(PREMIUM)]
        work += [leave(person, "/account"), leave(person, "/api/payment/subscriptions")]

    answers = [answer for answer in await asyncio.gather(*work) if isinstance(answer, httpx.Response)]

    assert {answer.status_code for answer in answers} == {200}
    assert fragile.payment.most_open == 1
    assert (await fragile.control("GET", "/health"))["poisoned"] is False


@pytest.mark.faults("50 many tabs at once")
async def test_fifty_questions_of_one_user_at_once_are_one_look(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()

    answers = await asyncio.gather(*(person.client.get("/api/payment/subscriptions") for _ in range(50)))

    assert {answer.status_code for answer in answers} == {200}
    assert PLANS <= len(shop.payment.calls(STATUS)) <= 2 * PLANS
