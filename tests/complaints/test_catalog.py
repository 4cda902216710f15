"""The catalog changes under people who have something: their plan, its name and its price stay theirs.

Each class is a row of complaints found in public threads; the source stands above it.
"""

import copy
from datetime import timedelta
from typing import Any

import pytest

from catalog import Catalog
from services.checkout_record import CheckoutEvent
from services.entitlements.model import entitlement_of
from services.entitlements.service import Entitlements
from services.entitlements.signing import SigningKey
from services.errors import AlreadySubscribed, FrontendError, PriceNotSold, PurchaseUnconfirmed
from services.sessions.service import Session
from services.subscription.model import State
from tests.fakes import SHAPES, Shape
from tests.replica import Outside, Replica
from tests.shop import PLANS, catalog_with, without

GOLD: dict[str, Any] = {
    "id": "gold",
    "name": {"en": "Gold", "de": "Goldtarif"},
    "tagline": "T",
    "kind": "paid",
    "product_id": "prod_gold",
    "prices": {"month": {"price_id": "price_gold_month", "amount": 4900, "currency": "usd"}},
}


def sold(**changes: dict[str, Any]) -> Catalog:
    """Return the tests' catalog with fields of some plans changed."""
    plans = copy.deepcopy(PLANS)
    for plan in plans:
        plan.update(changes.get(plan["id"], {}))
    return catalog_with(plans)


def premium(month: int, price_id: str = "price_premium_month", **more: Any) -> Catalog:
    """Return the catalog in which Premium is sold by the month, at that price."""
    price = {"price_id": price_id, "amount": month, "currency": "usd"}
    return sold(premium={"prices": {"month": price}, **more})


async def subscriber(replica: Replica, outside: Outside, price: str = "price_premium_month") -> Session:
    """Return somebody who bought that here, and of whom both services know."""
    session = await replica.sign_in()
    checkout = await replica.click(session, price)
    outside.world.pay(checkout.session_id)
    await replica.come_back(session, checkout)
    outside.world.deliver_all()
    assert (await replica.ask(session)).current.live
    outside.clock.move(5)
    return session


async def refused(replica: Replica, session: Session, price: str) -> FrontendError | None:
    """Press a price's button; return why nothing was sold."""
    try:
        await replica.click(session, price)
    except FrontendError as error:
        return error
    return None


def entitlements(replica: Replica, outside: Outside) -> Entitlements:
    return Entitlements(
        replica.refresher, SigningKey(), issuer="https://shop.example", catalog=lambda: outside.catalog,
        now=outside.clock,
    )  # fmt: skip


# manaflow-ai/cmux#11350, frappe/press#6821, inbox-zero#1927
class TestSubscriberOfAProductThatIsSoldNoMore:
    @pytest.mark.parametrize("shape", SHAPES)
    async def test_a_replaced_product_is_still_that_plan(self, shape: Shape) -> None:
        outside = Outside(shape)
        replica = Replica(outside)
        session = await subscriber(replica, outside)
        outside.catalog = sold(premium={"product_id": "prod_premium_2", "former_product_ids": ["prod_premium"]})

        found = await replica.ask(session)

        assert (found.current.plan_id, found.current.access) == ("premium", True)
        assert isinstance(await refused(replica, session, "price_premium_month"), FrontendError)
        assert isinstance(await refused(replica, session, "price_basic_month"), FrontendError)

    async def test_it_is_known_to_a_process_that_never_saw_the_old_product(self, outside: Outside) -> None:
        buyer = Replica(outside)
        session = await subscriber(buyer, outside)
        await outside.store.delete("evidence:ada")
        await outside.store.delete("checkouts:ada")
        outside.catalog = sold(premium={"product_id": "prod_premium_2", "former_product_ids": ["prod_premium"]})

        found = await Replica(outside).ask(session)

        assert ("subscription", "ada", "prod_premium") in outside.payment_ms.switch.calls
        assert (found.current.plan_id, found.current.product_id) == ("premium", "prod_premium")

    async def test_a_former_product_that_is_written_down_later_is_looked_at(
        self, replica: Replica, outside: Outside
    ) -> None:
        outside.world.pay(outside.world.open_session("subscription", "ada", (("price_premium_month", 1),), "", ""))
        outside.world.deliver_all(("billing",))
        forgotten = {"product_id": "prod_premium_2"}
        outside.catalog = sold(premium=forgotten)
        session = await replica.sign_in()
        assert (await replica.ask(session)).current.state is State.NONE
        outside.clock.move(5)
        outside.catalog = sold(premium={**forgotten, "former_product_ids": ["prod_premium"]})

        found = await replica.refresher.ask(session)

        assert (found.current.plan_id, found.current.product_id) == ("premium", "prod_premium")

    async def test_a_replaced_product_that_nobody_wrote_down_is_remembered(
        self, replica: Replica, outside: Outside
    ) -> None:
        session = await subscriber(replica, outside)
        outside.catalog = sold(premium={"product_id": "prod_premium_2"})

        found = await replica.ask(session)

        assert (found.current.plan_id, found.current.access) == ("premium", True)
        assert isinstance(await refused(replica, session, "price_basic_month"), AlreadySubscribed)

    async def test_a_plan_that_got_another_id_is_one_purchase_and_one_plan(
        self, replica: Replica, outside: Outside
    ) -> None:
        session = await subscriber(replica, outside)
        outside.catalog = sold(premium={"id": "pro", "name": "Pro", "also_known_as": ["premium"]})

        found = await replica.ask(session)

        assert (found.current.state, found.current.plan_id, found.current.amount) == (State.ACTIVE, "pro", 2900)
        assert found.current.former_name is None
        assert await entitlements(replica, outside).has_plan(session, "pro")
        assert await entitlements(replica, outside).has_plan(session, "premium")

    async def test_a_checkout_under_way_is_confirmed_under_the_plans_new_id(
        self, replica: Replica, outside: Outside
    ) -> None:
        session = await replica.sign_in()
        checkout = await replica.click(session)
        outside.world.pay(checkout.session_id)
        await replica.come_back(session, checkout)
        outside.catalog = sold(premium={"id": "pro", "name": "Pro", "also_known_as": ["premium"]})
        outside.world.deliver_all()

        found = await replica.ask(session)

        kept = await replica.checkouts.by_id("ada", checkout.id)
        assert kept is not None
        assert CheckoutEvent.ACCESS_ON in kept.events
        assert (found.current.state, found.current.plan_id) == (State.ACTIVE, "pro")

    async def test_a_retired_plan_is_not_sold_and_grants_what_it_granted(
        self, replica: Replica, outside: Outside
    ) -> None:
        session = await subscriber(replica, outside)
        outside.catalog = sold(premium={"retired": True, "includes": "basic"})

        found = await replica.ask(session)

        assert (found.current.state, found.current.plan_id, found.current.amount) == (State.ACTIVE, "premium", 2900)
        assert await entitlements(replica, outside).has_plan(session, "premium")
        assert await entitlements(replica, outside).has_plan(session, "basic")
        assert isinstance(await refused(replica, session, "price_premium_month"), PriceNotSold)
        assert isinstance(await refused(replica, session, "price_basic_month"), AlreadySubscribed)

    @pytest.mark.parametrize("word", ["gold-2023", "GOLD-2023", "prod_gold_2022", "price_gold_2022"])
    async def test_an_accounts_old_word_leads_to_the_plan(self, replica: Replica, outside: Outside, word: str) -> None:
        outside.catalog = sold(
            premium={
                "also_known_as": ["gold-2023"],
                "former_product_ids": ["prod_gold_2022"],
                "former_price_ids": ["price_gold_2022"],
            }
        )
        session = await subscriber(replica, outside)
        outside.world.accounts["ada"] = outside.world.accounts["ada"].__class__(
            "active", word, outside.clock() + timedelta(days=20)
        )
        outside.clock.move(5)

        found = await replica.ask(session)

        assert (found.current.state, found.current.plan_id, found.current.account_plan) == (
            State.ACTIVE, "premium", None,
        )  # fmt: skip


# Subscribie#1317
class TestPlanTakenOutUnderASubscriber:
    @pytest.mark.parametrize("shape", SHAPES)
    async def test_its_name_is_kept_and_nothing_is_sold_beside_it(self, shape: Shape) -> None:
        outside = Outside(shape)
        replica = Replica(outside)
        session = await subscriber(replica, outside)
        outside.catalog = without("premium")

        found = await replica.ask(session)

        assert (found.current.plan_id, str(found.current.former_name)) == ("premium", "Premium")
        assert (found.current.access, found.current.amount) == (True, 2900)
        assert entitlement_of(found, outside.catalog).plan == "premium"
        assert isinstance(await refused(replica, session, "price_basic_month"), FrontendError)
        assert found.current.live

    async def test_its_name_is_kept_in_every_language_by_whoever_saw_it(
        self, replica: Replica, outside: Outside
    ) -> None:
        outside.catalog = catalog_with([*PLANS, GOLD])
        outside.world.prices["price_gold_month"] = type(outside.world.prices["price_basic_month"])("prod_gold", "gold")
        outside.world.pay(outside.world.open_session("subscription", "ada", (("price_gold_month", 1),), "", ""))
        outside.world.deliver_all()
        session = await replica.sign_in()
        await replica.ask(session)
        outside.catalog = catalog_with()

        found = await Replica(outside).ask(session)

        assert found.current.plan_id == "gold"
        assert found.current.former_name is not None
        assert found.current.former_name.in_("de") == "Goldtarif"
        assert found.current.access

    async def test_an_add_on_beside_it_can_still_be_bought(self, replica: Replica, outside: Outside) -> None:
        session = await subscriber(replica, outside)
        outside.catalog = without("premium")
        outside.clock.move(5)

        assert (await replica.click(session, "price_backup_month")).group == "addons"

    async def test_taken_out_before_anybody_confirmed_it(self, replica: Replica, outside: Outside) -> None:
        session = await replica.sign_in()
        checkout = await replica.click(session)
        outside.world.pay(checkout.session_id)
        await replica.come_back(session, checkout)
        outside.catalog = without("premium")
        outside.world.deliver_all()

        found = await replica.ask(session)

        assert ("subscription", "ada", "prod_premium") in outside.payment_ms.switch.calls
        assert (found.current.state, str(found.current.former_name)) == (State.ACTIVE, "Premium")

    async def test_taken_out_and_never_confirmed_it_is_asked_about_before_another_is_sold(
        self, replica: Replica, outside: Outside
    ) -> None:
        session = await replica.sign_in()
        checkout = await replica.click(session)
        await replica.come_back(session, checkout)
        outside.catalog = without("premium")
        outside.clock.move(25 * 3600)

        assert isinstance(await refused(replica, session, "price_basic_month"), PurchaseUnconfirmed)

    async def test_when_it_has_ended_another_plan_is_sold(self, replica: Replica, outside: Outside) -> None:
        session = await subscriber(replica, outside)
        outside.catalog = without("premium")
        outside.world.set_status(outside.world.live("ada")[0], "canceled")
        outside.world.deliver_all()
        outside.clock.move(5)

        assert await refused(replica, session, "price_basic_month") is None


# MCPJam/inspector#5104, freehire#2409
class TestDearerPriceForNewCustomers:
    @pytest.mark.parametrize(
        "dearer",
        [
            premium(3900),
            premium(3900, "price_premium_2", former_price_ids=["price_premium_month"]),
            premium(3900, "price_premium_2"),
            sold(premium={"prices": {"year": {"price_id": "price_y", "amount": 39000, "currency": "usd"}}}),
            premium(1900),
        ],
        ids=["same id", "former id", "forgotten id", "yearly only", "cheaper"],
    )
    async def test_what_an_old_customer_reads_stays(self, replica: Replica, outside: Outside, dearer: Catalog) -> None:
        session = await subscriber(replica, outside)
        before = (await replica.ask(session)).current
        outside.catalog = dearer
        outside.clock.move(5)

        found = (await replica.ask(session)).current

        assert (found.amount, found.currency, found.interval) == (2900, "usd", "month")
        assert found.model_copy(update={"as_of": before.as_of}) == before

    async def test_an_old_price_is_sold_to_nobody(self, replica: Replica, outside: Outside) -> None:
        outside.catalog = premium(3900, "price_premium_2", former_price_ids=["price_premium_month"])
        session = await replica.sign_in()

        assert isinstance(await refused(replica, session, "price_premium_month"), PriceNotSold)

    async def test_of_a_price_that_was_not_bought_here_no_amount_is_said(
        self, replica: Replica, outside: Outside
    ) -> None:
        outside.world.pay(outside.world.open_session("subscription", "ada", (("price_premium_month", 1),), "", ""))
        outside.world.deliver_all()
        outside.catalog = premium(3900, "price_premium_2", former_price_ids=["price_premium_month"])
        session = await replica.sign_in()

        found = (await replica.ask(session)).current

        assert (found.plan_id, found.amount, found.interval) == ("premium", None, None)
