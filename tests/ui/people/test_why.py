"""On the billing page, folded, stands why it says what it says: live, without ids or names of our parts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.people.heard import HeardKind
from tests.ui.billing_states import active, nothing
from tests.ui.billing_world import World, billing_world
from tests.ui.reading import tags_in, text_of
from ui.text.heard_words import SENTENCES


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        yield world


def lines(world: World) -> list[str]:
    return [text_of(tag).strip() for tag in tags_in(world.one("why")) if tag.tag == "li"]


async def test_it_says_which_service_said_what_and_when(world: World) -> None:
    await world.sign_in()
    active(world)
    await world.open("/payment")

    said = lines(world)

    assert said[0].startswith("Billing, just now: Premium, Active, current period until ")
    assert said[1].startswith("Your account, just now: Premium, Active")
    assert "open" not in world.one("why").prop_dict()


async def test_it_follows_what_the_services_say(world: World) -> None:
    await world.sign_in()
    active(world)
    await world.open("/payment")
    world.billing.records.clear()
    nothing(world)
    await world.look()

    assert lines(world)[0] == "Billing, just now: no subscription."


async def test_it_names_no_ids(world: World) -> None:
    await world.sign_in()
    nothing(world)
    await world.started()
    await world.open("/payment")

    told = text_of(world.one("why"))

    assert "You went to checkout 4 minutes ago" in told
    for secret in ("sub_", "cus_", "cs_", "prod_", "user_ada", "Payment MS", "Auth MS"):
        assert secret not in told


def test_every_fact_has_words() -> None:
    assert set(SENTENCES) == set(HeardKind)
