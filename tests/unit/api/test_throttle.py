"""Floods of page views are answered with a page that costs nothing; limits count people and addresses."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api import turns
from api.throttle import Throttle
from api.turns import AT_ONCE, HALVED_EACH, MANY, OWN_WAITING, PageTurns, RecentPages
from sandbox.launch import RunningSandbox
from services.observability.metrics import Metrics
from services.rate_limits import Policy, RateLimits
from services.sessions.cookie import SIGNED_IN
from tests.unit.api.api_world import ApiWorld, api_world
from ui.pages.errors import too_many_requests

pytestmark = pytest.mark.slow


class Pages:
    """A guarded app with one page for every address."""

    def __init__(self, api: ApiWorld, rates: str = "1000/minute") -> None:
        self.built = 0
        self.under_way = 0
        self.most_at_once = 0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self._changed = asyncio.Condition()
        self.metrics = Metrics()
        inner = Starlette(routes=[Route("/{path:path}", self._page)])
        self.app = Throttle(
            inner,
            limits=RateLimits(),
            policy=Policy("pages", rates),
            sessions=api.container.sessions,
            busy_page=partial(too_many_requests, api.container),
            count_refused=self.metrics.count_refused_view,
        )

    async def _page(self, _request: Request) -> PlainTextResponse:
        self.built += 1
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        async with self._changed:
            self._changed.notify_all()
        await self.may_end.wait()
        self.under_way -= 1
        return PlainTextResponse("a page")

    async def reached(self, count: int) -> None:
        """Wait until so many pages are being built."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.under_way >= count)

    async def get(
        self, path: str = "/pricing", *, address: str = "203.0.113.9", cookie: str = "", language: str = ""
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path, headers={"cookie": cookie, "accept-language": language})


async def test_an_address_that_asks_for_too_many_pages_gets_a_plain_429(api: ApiWorld) -> None:
    pages = Pages(api, "5/minute")

    answers = [await pages.get() for _ in range(8)]
    other = await pages.get(address="203.0.113.10")

    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].headers["cache-control"] == "no-store"
    assert "<script" not in answers[-1].text
    assert other.status_code == 200
    assert pages.built == 6
    assert b"billing_page_views_refused_total 3.0" in pages.metrics.text()


async def test_the_plain_page_speaks_the_visitors_language(api: ApiWorld) -> None:
    pages = Pages(api, "1/minute")
    await pages.get()

    refused = await pages.get(language="de-DE,de;q=0.9")

    assert 'lang="de"' in refused.text


async def test_one_cookie_counts_as_one_wherever_it_is_sent_from(api: ApiWorld) -> None:
    pages, sessions = Pages(api, "3/minute"), api.container.sessions
    cookie = f"{sessions.cookie_name}={sessions.new_cookie()}"

    answers = [await pages.get(cookie=cookie, address=f"203.0.113.{number}") for number in range(5)]
    other = await pages.get(cookie=f"{sessions.cookie_name}={sessions.new_cookie()}", address="203.0.113.99")

    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
    assert other.status_code == 200


async def test_who_has_too_many_pages_waiting_is_sent_away_and_nobody_else(api: ApiWorld) -> None:
    pages, sessions = Pages(api), api.container.sessions
    greedy, other = (f"{sessions.cookie_name}={sessions.new_cookie()}" for _browser in range(2))
    pages.may_end.clear()

    views = [asyncio.create_task(pages.get(cookie=greedy)) for _ in range(OWN_WAITING)]
    await asyncio.wait_for(pages.reached(AT_ONCE), 10)
    refused = await pages.get(cookie=greedy)
    views.append(asyncio.create_task(pages.get(cookie=other)))
    pages.may_end.set()

    assert refused.status_code == 429
    assert {answer.status_code for answer in await asyncio.gather(*views)} == {200}


async def order_of(turns: PageTurns, asked: Sequence[tuple[tuple[str, ...], str]]) -> list[str]:
    """Ask for these pages (whose, and a name for it) while all turns are taken; return in which order they come."""
    may_go, served = asyncio.Event(), list[str]()

    async def page(owners: tuple[str, ...], name: str, until: asyncio.Event | None = None) -> None:
        async with turns.turn(*owners, signed_in=True):
            served.append(name)
            if until is not None:
                await until.wait()

    async with asyncio.TaskGroup() as group:
        for number in range(AT_ONCE):
            group.create_task(page((f"taken {number}",), "", may_go))
        await asyncio.sleep(0)
        for owners, name in asked:
            group.create_task(page(owners, name))
        await asyncio.sleep(0)
        may_go.set()
    return [name for name in served if name]


async def test_who_has_had_fewest_pages_lately_goes_first() -> None:
    greedy = [(("greedy",), f"greedy {number}") for number in range(4)]
    asked = [*greedy, (("ada",), "ada 1"), (("bob",), "bob 1"), (("ada",), "ada 2")]

    order = await order_of(PageTurns(), asked)

    assert order == ["greedy 0", "ada 1", "bob 1", "greedy 1", "ada 2", "greedy 2", "greedy 3"]


async def test_a_new_cookie_for_each_page_is_no_way_to_the_front() -> None:
    asked = [((f"cookie {number}", "an address"), f"greedy {number}") for number in range(3)]

    order = await order_of(PageTurns(), [*asked, (("ada", "hers"), "ada")])

    assert order == ["greedy 0", "ada", "greedy 1", "greedy 2"]


async def test_a_page_that_is_given_up_while_it_waits_takes_no_turn() -> None:
    turns, may_go = PageTurns(), asyncio.Event()

    async def page(name: str) -> None:
        async with turns.turn(name, signed_in=True):
            await may_go.wait()

    taken = [asyncio.create_task(page(f"taken {number}")) for number in range(AT_ONCE)]
    given_up = [asyncio.create_task(page("given up")) for _page in range(3)]
    await asyncio.sleep(0)
    for one in given_up:
        one.cancel()
    may_go.set()
    await asyncio.gather(*taken)
    await asyncio.wait(given_up)

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for number in range(AT_ONCE):
            group.create_task(page(f"later {number}"))


def test_what_was_had_counts_less_and_less_and_is_forgotten() -> None:
    now = 100.0
    recent = RecentPages(lambda: now)
    for _page in range(4):
        recent.count("greedy")

    now += 2 * HALVED_EACH

    assert (recent.of("greedy"), recent.of("ada")) == (1.0, 0.0)


async def test_few_pages_are_built_at_once_and_people_do_not_stand_behind_others(api: ApiWorld) -> None:
    pages, sessions = Pages(api), api.container.sessions
    visitors = [f"{sessions.cookie_name}={sessions.new_cookie()}" for _ in range(12)]
    people = [f"{sessions.cookie_name}={sessions.cookie_for(f'{SIGNED_IN}{number}')}" for number in range(12)]
    pages.may_end.clear()

    views = [asyncio.create_task(pages.get(address=f"203.0.113.{number}")) for number in range(12)]
    views += [asyncio.create_task(pages.get(cookie=cookie)) for cookie in visitors + people]
    await asyncio.wait_for(pages.reached(2 * AT_ONCE), 10)
    pages.may_end.set()
    answers = await asyncio.gather(*views)

    assert {answer.status_code for answer in answers} == {200}
    assert pages.most_at_once == 2 * AT_ONCE


async def test_a_stranger_whose_turn_does_not_come_is_sent_away(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT", 0.01)
    pages = Pages(api)
    pages.may_end.clear()

    served = [asyncio.create_task(pages.get(address=f"203.0.113.{number}")) for number in range(AT_ONCE)]
    await asyncio.wait_for(pages.reached(AT_ONCE), 10)
    refused = await pages.get(address="203.0.113.99")
    pages.may_end.set()

    assert refused.status_code == 429
    assert {answer.status_code for answer in await asyncio.gather(*served)} == {200}


async def test_strangers_in_a_row_leave_time_to_others(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "REST", 1e9)
    monkeypatch.setattr(turns, "LONGEST_REST", 1e9)
    pages, person = Pages(api), await api.browser().sign_in()
    name = api.container.sessions.cookie_name
    pages.may_end.clear()
    row = [asyncio.create_task(pages.get(address=f"203.0.113.{number}")) for number in range(AT_ONCE + 1)]
    await asyncio.wait_for(pages.reached(AT_ONCE), 10)

    pages.may_end.set()
    await asyncio.wait(row[:-1], timeout=10)
    known = await pages.get(cookie=f"{name}={person.cookies[name]}")

    assert [view.done() for view in row] == [True] * AT_ONCE + [False]
    assert known.status_code == 200
    row[-1].cancel()
    await asyncio.wait(row)


@pytest.mark.parametrize(("greedy", "goes_at_once"), [(True, False), (False, True)])
async def test_whoever_has_had_many_lately_rests_too(
    monkeypatch: pytest.MonkeyPatch, greedy: bool, goes_at_once: bool
) -> None:
    monkeypatch.setattr(turns, "REST", 1e9)
    monkeypatch.setattr(turns, "LONGEST_REST", 1e9)
    rows, may_go = PageTurns(), asyncio.Event()

    async def page(owner: str) -> None:
        async with rows.turn(owner, signed_in=True):
            await may_go.wait()

    may_go.set()
    for number in range(int(MANY)):
        await page("one" if greedy else f"{number}")
    may_go.clear()
    taken = [asyncio.create_task(page("one" if greedy else f"{number}")) for number in range(AT_ONCE)]
    ada = asyncio.create_task(page("ada"))
    await asyncio.sleep(0)
    may_go.set()
    await asyncio.gather(*taken)
    for _step in range(10):
        await asyncio.sleep(0)

    assert ada.done() is goes_at_once
    ada.cancel()
    await asyncio.wait([ada])


async def test_a_stranger_alone_makes_the_next_one_wait_for_nothing(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "REST", 1e9)
    monkeypatch.setattr(turns, "LONGEST_REST", 1e9)
    pages = Pages(api)

    answers = [await asyncio.wait_for(pages.get(), 10) for _ in range(2 * AT_ONCE)]

    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize(
    "path", ["/api/me", "/api", "/healthz", "/readyz", "/metrics", "/auth/callback", "/_nicegui/x.js", "/favicon.ico"]
)
async def test_what_builds_no_page_is_not_counted_as_one(api: ApiWorld, path: str) -> None:
    pages = Pages(api, "1/minute")

    answers = [await pages.get(path) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


@pytest.mark.parametrize("path", ["/apiary", "/healthz/", "/metrics2", "/favicons", "/_niceguix", "/assets"])
async def test_what_only_begins_like_it_is_counted(api: ApiWorld, path: str) -> None:
    pages = Pages(api, "1/minute")

    assert [(await pages.get(path)).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("method", ["DELETE", "PUT"])
async def test_changes_of_a_cart_are_limited_by_address(
    tmp_path: Path, api_sandbox: RunningSandbox, method: str
) -> None:
    async with api_world(tmp_path, api_sandbox, limit_page_views="2/minute") as api:
        browser, path = api.browser(), f"/api/cart/{api.item_price()}"

        answers = [await browser.request(method, path, json={"quantity": 1}) for _ in range(3)]
        cleared = await browser.delete("/api/cart")

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert cleared.status_code == 429


async def test_checkouts_are_limited_by_user_and_by_address(tmp_path: Path, api_sandbox: RunningSandbox) -> None:
    async with api_world(tmp_path, api_sandbox, limit_checkouts="2/minute") as api:
        browser = await api.browser().sign_in()
        items = api.container.catalog.items[:3]

        answers = [
            await browser.post(
                "/api/payment/checkout", json={"price_id": item.price.price_id, "quantity": item.min_quantity}
            )
            for item in items
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["code"] == "rate_limited"
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_what_is_refused_to_a_user_counts_for_nobody_behind_the_same_address(
    tmp_path: Path, api_sandbox: RunningSandbox
) -> None:
    async with api_world(tmp_path, api_sandbox, limit_checkouts="1/hour") as api:
        greedy, neighbour = await api.browser().sign_in(), await api.browser().sign_in("bob@example.com")
        body = {"price_id": api.item_price(), "quantity": 1}

        answers = [await greedy.post("/api/payment/checkout", json=body) for _press in range(8)]
        one = await neighbour.post("/api/payment/checkout", json=body)

    assert [answer.status_code for answer in answers] == [200] + [429] * 7
    assert one.status_code == 200


async def test_sign_ins_are_limited_by_address(tmp_path: Path, api_sandbox: RunningSandbox) -> None:
    async with api_world(tmp_path, api_sandbox, limit_sign_ins="2/minute") as api:
        one, other = api.browser(("203.0.113.9", 1)), api.browser(("203.0.113.10", 1))

        answers = [await one.get("/auth/login?provider=google") for _ in range(3)]
        callbacks = [await one.get("/auth/callback?auth_code=guess") for _ in range(3)]
        elsewhere = await other.get("/auth/login?provider=google")

    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert [answer.status_code for answer in callbacks] == [303, 303, 429]
    assert elsewhere.status_code == 303
    assert answers[-1].headers["retry-after"]


async def test_the_status_of_one_user_can_be_asked_sixty_times_a_minute(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, now = await api.browser().sign_in(), time.time()
    monkeypatch.setattr(time, "time", lambda: now)  # a busy machine may take longer than what gives the next one back

    statuses = [(await browser.get("/api/payment/subscriptions")).status_code for _ in range(61)]

    assert statuses == [200] * 60 + [429]
