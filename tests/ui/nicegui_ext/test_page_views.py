"""The room for page views: whoever takes too much lets go of their own, and nobody is refused."""

from collections.abc import AsyncIterator

import pytest
from nicegui import Client
from nicegui.page import page
from nicegui.testing import User, user_simulation

from ui.nicegui_ext.html import Tag
from ui.nicegui_ext.page_views import ORDINARY_ELEMENTS, SHARE, enter, is_closed, unconnected_views, weight_of

MOST = 40.0
OWN = int(MOST / SHARE)


@pytest.fixture(autouse=True)
async def simulation() -> AsyncIterator[User]:
    async with user_simulation() as user:
        yield user


def view(owner: str, elements: int = 0) -> Client:
    """A view that was answered, of so many elements."""
    client = Client(page(""))
    with client:
        for _number in range(elements):
            Tag("p")
    enter(client, owner, MOST)
    return client


def kept(views: list[Client]) -> list[bool]:
    return [not is_closed(client) for client in views]


async def test_past_their_share_an_owners_own_oldest_view_goes() -> None:
    other = view("other")
    mine = [view("me") for _number in range(OWN + 2)]

    assert kept(mine) == [False] * 2 + [True] * OWN
    assert kept([other]) == [True]


async def test_where_all_are_too_many_the_oldest_of_whoever_has_most_goes() -> None:
    honest = [view(f"honest {number}") for number in range(10)]
    greedy = [view(f"greedy {number % 10}") for number in range(60)]

    assert kept(honest) == [True] * 10
    assert unconnected_views() <= MOST
    assert kept(greedy[:10]) == [False] * 10
    assert kept(greedy[-10:]) == [True] * 10


async def test_a_large_page_counts_as_several() -> None:
    small = [view("me") for _number in range(3)]
    large = view("me", elements=4 * ORDINARY_ELEMENTS)

    assert weight_of(large) > 4
    assert kept([*small, large]) == [False, False, False, True]


async def test_the_view_that_was_just_answered_stays_however_large_it_is() -> None:
    assert kept([view("me", elements=60 * ORDINARY_ELEMENTS)]) == [True]


async def test_a_view_that_is_being_built_or_has_its_socket_is_nobodys_to_lose() -> None:
    building = Client(page(""))
    connected = view("me")
    connected.tab_id = "tab"
    [view("me") for _number in range(3 * OWN)]

    assert kept([building, connected]) == [True, True]
