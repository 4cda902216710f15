"""Pages that stay true: one watch a page, opened by its socket, closed with its client; parts that keep their place."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from nicegui import Client

from catalog import parse_catalog
from services.catalog_file import ALL_USERS
from services.errors import UpstreamUnavailable
from services.storage.pubsub import Topic
from tests.ui.billing_world import ADA, World, billing_world
from tests.ui.reading import text_of, until

SOON = datetime.now(UTC) + timedelta(days=20)
PAGES = ["/payment", "/account", "/payment/success", "/pricing", "/members"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        world.billing.has("premium", "active", until=SOON)
        world.accounts.says("active", "premium")
        await world.sign_in()
        yield world


def emit(world: World, name: str, detail: dict[str, Any]) -> None:
    """Send what `app.js` sends with `emitEvent`."""
    client = world.browser.client
    assert client is not None
    listener = next(each for each in client.layout._event_listeners.values() if each.type == name)
    client.layout._handle_event({"listener_id": listener.id, "args": {"detail": detail}})


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_whose_socket_never_connects_watches_nothing(world: World, path: str) -> None:
    await world.browser.http_client.get(path)

    assert world.status.watchers == world.status.tabs == 0


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_holds_one_watch_and_lets_go_of_it(world: World, path: str) -> None:
    client = await world.open(path)
    await until(lambda: world.status.tabs == 1)

    client.delete()

    await until(lambda: world.status.tabs == 0)
    assert world.status.watchers == 0


async def test_a_socket_that_reconnects_does_not_watch_twice(world: World) -> None:
    client = await world.open("/payment")
    await until(lambda: world.status.tabs == 1)

    for handler in client.connect_handlers:
        client.safe_invoke(handler)
    await world.look()

    assert world.status.tabs == 1


async def test_a_page_that_was_closed_while_its_watch_was_opening_leaves_none_behind(world: World) -> None:
    answer = await world.browser.http_client.get("/payment")
    client = next(c for c in Client.instances.values() if c.id in answer.text)
    for handler in client.connect_handlers:
        client.safe_invoke(handler)

    client.delete()
    await world.look()

    assert world.status.tabs == 0


def announced(world: World) -> str:
    """Return what assistive technology was told last."""
    client = world.browser.client
    assert client is not None
    return text_of(next(e for e in client.elements.values() if e._props.get("id") == "announcements")).strip()


async def test_a_change_shows_in_place_and_is_announced(world: World) -> None:
    await world.open("/payment")
    headline = world.classed("subscription-title")[0]

    world.billing.has("premium", "past_due", until=SOON)
    world.accounts.says("past_due", "premium")
    await world.look()

    assert world.one("subscription-status")._props["data-state"] == "past_due"
    assert text_of(headline).strip() == "Your last payment for Premium failed"
    assert world.classed("subscription-title")[0] is headline
    assert announced(world).startswith("Your last payment for Premium failed. Update your card")


async def test_news_that_no_reader_would_see_touches_nothing(world: World) -> None:
    client = await world.open("/payment")
    await world.look()
    before = dict(client.elements)

    await world.look()

    assert client.elements == before


async def test_a_changed_plan_keeps_the_chosen_interval_on_the_cards(world: World) -> None:
    await world.open("/payment")
    world.browser.find(marker="interval-year").trigger("change")

    world.billing.has("premium", "canceled", until=datetime.now(UTC) - timedelta(days=1))
    world.accounts.says("canceled", "premium", datetime.now(UTC) - timedelta(days=1))
    await world.look()

    assert world.one("interval-year")._props.get("checked") is True
    assert "$290.00 today, then yearly." in world.text()


@pytest.mark.parametrize("reason", ["visible", "online", "reconnected"])
async def test_a_tab_that_comes_back_looks_at_once(world: World, reason: str) -> None:
    await world.open("/payment")
    await until(lambda: world.status.tabs == 1)
    await until(lambda: (age := world.refresher.age(ADA.user_id)) is not None and age > timedelta(seconds=1))
    before = world.billing.questions

    emit(world, "visit", {"reason": reason, "timezone": "Europe/Berlin"})

    await until(lambda: world.billing.questions > before)


@pytest.mark.parametrize("detail", [{}, {"reason": 5}, {"reason": "x" * 10_000}])
async def test_nonsense_from_the_browser_does_no_harm(world: World, detail: dict[str, Any]) -> None:
    await world.open("/payment")

    emit(world, "visit", detail)

    assert world.one("subscription-status")


async def test_signing_out_elsewhere_takes_the_page_to_sign_in(world: World) -> None:
    await world.open("/payment")
    await until(lambda: world.status.tabs == 1)
    assert world.session is not None

    await world.sessions.end(world.session.id)

    await until(lambda: "Continue with" in world.text())


async def test_a_session_that_ended_before_the_socket_connected_is_noticed(world: World) -> None:
    answer = await world.browser.http_client.get("/payment")
    client = next(c for c in Client.instances.values() if c.id in answer.text)
    world.browser.client = client
    assert world.session is not None
    await world.store.delete(f"session:{world.session.visitor_id}")

    for handler in client.connect_handlers:
        client.safe_invoke(handler)

    await until(lambda: "Continue with" in world.text())
    assert world.status.tabs == 0


async def test_the_plan_beside_the_name_is_in_the_first_html(world: World) -> None:
    text = (await world.browser.http_client.get("/pricing")).text

    assert "Premium" in text[text.index('plan-badge"') :].partition("</a>")[0][:80]


async def test_the_plan_beside_the_name_follows(world: World) -> None:
    await world.open("/pricing")
    await until(lambda: "Premium" in [text_of(tag) for tag in world.classed("badge-brand")])

    world.billing.has("premium", "canceled", until=datetime.now(UTC) - timedelta(days=1))
    world.accounts.says("canceled", "premium", datetime.now(UTC) - timedelta(days=1))
    await world.look()

    assert "Premium" not in [text_of(tag) for tag in world.classed("badge-brand")]


async def test_another_catalog_shows_its_prices_on_the_open_page(world: World) -> None:
    world.billing.records.clear()
    world.accounts.says("none")
    await world.open("/payment?price=price_sandbox_basic_month")
    assert "$9.00 today, then monthly." in world.text()

    dearer = (Path(__file__).parents[3] / "products.json").read_text().replace('"amount": 900,', '"amount": 1200,')
    world.catalogs.current = parse_catalog(dearer)
    await world.container.pubsub.announce(Topic.CATALOG, ALL_USERS)

    await until(lambda: "$12.00 today, then monthly." in world.text())
    await until(lambda: announced(world) == "This page has been updated.")


async def test_a_tab_that_comes_back_says_how_old_its_news_is_by_now(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.session is not None
    await world.refresher.ask(world.session, "all")
    world.billing.failure = UpstreamUnavailable("payment_ms", "subscription")
    await world.open("/payment")
    await world.look()
    assert "Last updated just now." in text_of(world.classed("age")[0])

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5), tick=True):
        emit(world, "visit", {"reason": "visible"})

    assert "Last updated 5 minutes ago." in text_of(world.classed("age")[0])


async def test_the_browsers_time_zone_moves_the_dates(world: World) -> None:
    world.billing.has("premium", "active", until=datetime(2031, 12, 21, 23, tzinfo=UTC))
    await world.open("/payment")
    assert "December 21, 2031" in world.text()

    emit(world, "visit", {"reason": "visible", "timezone": "Asia/Tokyo"})

    assert "December 22, 2031" in world.text()


async def test_how_long_ago_something_was_goes_on_while_a_page_is_open(world: World) -> None:
    """Nothing is new, and nothing is pressed: the answers that change nothing move the words on."""
    world.billing.records.clear()
    world.accounts.says("none")
    await world.started(returned=timedelta(minutes=11), ago=timedelta(minutes=12))
    await world.open("/payment")
    await until(lambda: world.status.tabs == 1)
    assert "11 minutes ago" in world.text()

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5), tick=True):
        await world.look()
        await until(lambda: "16 minutes ago" in world.text())


async def test_the_age_of_an_open_checkout_goes_on_without_its_buttons_being_drawn_anew(world: World) -> None:
    world.billing.records.clear()
    world.accounts.says("none")
    await world.started(ago=timedelta(minutes=4))
    await world.open("/payment")
    await until(lambda: world.status.tabs == 1)
    assert "You started a checkout for Premium 4 minutes ago." in world.text()
    before = world.one("start-new")

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5), tick=True):
        await world.look()
        await until(lambda: "You started a checkout for Premium 9 minutes ago." in world.text())

    assert world.one("start-new") is before
