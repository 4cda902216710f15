"""`/ops/people` explains somebody's pages to who has the token, and each look is a line of the log."""

from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from settings import Settings
from tests.ui.billing_states import active
from tests.ui.billing_world import ADA, World, billing_world
from ui.pages.operators import people

TOKEN = "a-token-for-operators-of-32-letters"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings = Settings(public_url="https://test", support_url="https://help.example.com", ops_token=SecretStr(TOKEN))
    async with billing_world(tmp_path, settings=settings) as world:
        people.register(world.container)
        yield world


async def page_about(world: World, who: str) -> str:
    answer = await world.browser.http_client.get("/ops/people", params={"who": who}, headers=SHOWN)
    assert answer.status_code == 200
    return answer.text


async def test_nobody_sees_it_without_the_token(world: World) -> None:
    refused = await world.browser.http_client.get("/ops/people?who=user_ada")

    assert refused.status_code == 401
    assert "WWW-Authenticate" in refused.headers


async def test_it_says_what_the_page_says_why_and_what_was_shown(world: World) -> None:
    await world.sign_in()
    active(world)
    await world.open("/payment")
    await world.container.shown.written()

    told = await page_about(world, ADA.user_id)

    for words in ("You're on Premium.", "active by the rule agreed", "Both services say so.", "main: Paid until"):
        assert words in unescape(told), words


async def test_what_a_page_shows_is_kept_when_it_changes_and_not_before(world: World) -> None:
    await world.sign_in()
    active(world)
    for _look in range(3):
        await world.open("/payment")
    await world.container.shown.written()
    first = await world.container.shown.of(ADA.user_id)
    world.billing.records.clear()
    world.accounts.grant = None
    await world.look()
    await world.look()
    await world.container.shown.written()
    then = await world.container.shown.of(ADA.user_id)

    assert [line.claims[0].says for line in first] == ["paid_until"]
    assert [line.claims[0].says for line in then] == ["none_in_billing", "paid_until"]


async def test_a_reference_below_a_problem_leads_to_who_was_given_it(world: World) -> None:
    session = await world.sign_in()
    world.container.shown.note_problem(session.user.user_id, "upstream_timeout", "3f0b7c12")
    await world.container.shown.written()

    told = await page_about(world, "3f0b7c12")

    assert "found by a problem" in told
    assert "upstream_timeout, reference 3f0b7c12" in told


async def test_each_look_is_a_line_of_the_log_that_names_nobody(world: World) -> None:
    await world.sign_in()
    await world.started(returned=timedelta(minutes=1))
    with structlog.testing.capture_logs() as lines:
        told = await page_about(world, "cs_test_premium_0")
        missing = await page_about(world, "cs_test_of_nobody")

    looks = [line for line in lines if line["event"] == "person_looked_at"]
    assert "Back from checkout cs_test_premium_0" in told
    assert "Nothing is kept of that" in missing
    assert [line["found"] for line in looks] == [1, 0]
    assert looks[0]["user_hashes"] == [world.container.users.of(ADA.user_id)]
    assert ADA.user_id not in str(looks)
