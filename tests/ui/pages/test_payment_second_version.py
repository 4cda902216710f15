"""The billing page over a Payment MS of the contract's second version, and that a first one changes nothing on it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.errors import UpstreamUnavailable
from services.payment_contract.features import ContractFeature, PaymentContract, PortalFlow
from services.payment_contract.invoices import Invoice, InvoiceStatus
from tests.ui.billing_world import World, billing_world
from tests.ui.reading import text_of, until

SOON = datetime.now(UTC) + timedelta(days=20)
SECOND = PaymentContract(2, frozenset(ContractFeature) - {ContractFeature.SUBSCRIPTIONS})
PAID = Invoice(
    "NW-0002", datetime(2025, 11, 3, 10, tzinfo=UTC), 1450, "usd", InvoiceStatus.PAID, "https://invoice.stripe.com/i/2"
)
OPEN = Invoice("", datetime(2025, 10, 3, 10, tzinfo=UTC), 2900, "usd", InvoiceStatus.OPEN, "https://evil.example/i/1")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        world.billing.has("premium", "active", until=SOON)
        world.accounts.says("active", "premium")
        await world.sign_in()
        yield world


async def test_a_first_version_has_no_list_of_invoices_and_no_way_straight_to_canceling(world: World) -> None:
    world.billing.listed = (PAID,)
    await world.open("/payment")
    world.press("action-manage")
    await until(lambda: world.billing.portals)

    assert not world.marked("invoices")
    assert not world.marked("action-cancel")
    assert [way["flow"] for way in world.billing.portal_ways] == [None]


async def test_invoices_are_listed_with_number_day_sum_state_and_a_link_that_may_be_followed(world: World) -> None:
    world.billing.contract, world.billing.listed = SECOND, (PAID, OPEN)
    await world.open("/payment")

    first, second = (text_of(row) for row in world.marked("invoice"))
    links = [tag.prop_dict().get("href") for tag in world.classed("button-quiet")]
    assert all(words in first for words in ("Invoice NW-0002", "November 3, 2025 · $14.50", "Paid", "View"))
    assert "To be paid" in second
    assert "View" not in second
    assert "https://invoice.stripe.com/i/2" in links
    assert "https://evil.example/i/1" not in links


async def test_tabs_that_hear_of_news_together_ask_for_invoices_once(world: World) -> None:
    world.billing.contract, world.billing.listed, world.billing.pause = SECOND, (PAID,), asyncio.Event()
    assert world.session is not None
    tabs = [asyncio.create_task(world.container.invoices.of(world.session)) for _ in range(3)]
    await until(lambda: world.billing.asked_for_invoices > 0)
    tabs[0].cancel()  # the tab that asked first is closed
    world.billing.pause.set()
    found = await asyncio.gather(*tabs[1:])
    world.billing.listed = ()

    assert (found, world.billing.asked_for_invoices) == ([(PAID,)] * 2, 1)
    assert await world.container.invoices.of(world.session) == ()


async def test_no_invoices_yet_and_invoices_that_cant_be_had_are_two_sentences(world: World) -> None:
    world.billing.contract, world.billing.listed = SECOND, ()
    await world.open("/payment")
    empty = text_of(world.one("invoices"))
    world.billing.listed = UpstreamUnavailable("payment_ms", "invoices", "no connection")
    await world.open("/payment")

    assert "No invoices yet." in empty
    assert "We can't show your invoices right now." in text_of(world.one("invoices"))
    assert "You're on Premium" in world.text()
    world.press("invoices-portal")
    await until(lambda: world.billing.portals)


async def test_cancel_plan_leads_straight_to_stripes_page_for_it(world: World) -> None:
    world.billing.contract = SECOND
    await world.open("/payment")
    world.press("action-cancel")
    await until(lambda: world.billing.portals)

    way = world.billing.portal_ways[-1]
    assert (way["flow"], way["subscription_id"]) == (PortalFlow.CANCEL, "sub_premium")
    assert way["locale"] == "en"


async def test_a_failed_payment_leads_to_the_card_and_another_plan_to_the_change(world: World) -> None:
    world.billing.contract = SECOND
    world.billing.has("premium", "past_due", until=SOON)
    await world.open("/payment")
    world.press("action-update_payment_method")
    await until(lambda: len(world.billing.portals) == 1)
    world.billing.has("premium", "active", until=SOON)
    await world.look()
    await world.open("/payment")
    world.press("subscribe-basic")
    await until(lambda: len(world.billing.portals) == 2)

    assert [way["flow"] for way in world.billing.portal_ways] == [PortalFlow.UPDATE_CARD, PortalFlow.CHANGE_PLAN]


async def test_what_already_ends_has_nothing_to_cancel(world: World) -> None:
    world.billing.contract = SECOND
    world.billing.has("premium", "active", until=SOON, ends=True)
    await world.open("/payment")

    assert not world.marked("action-cancel")
