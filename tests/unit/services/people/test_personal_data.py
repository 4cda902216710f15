"""A user has all that is kept of them, and has forgotten what may be: never what a second sale would follow from."""

import json
from datetime import timedelta

import pytest

from services.errors import AlreadySubscribed, CheckoutInProgress, FrontendError, PurchaseUnconfirmed
from services.people.own_data import OwnData
from services.people.personal_data import PersonalData, Stays
from services.people.record import PeopleRepository
from services.people.shown import ShownRecord
from services.sessions.model import Session
from services.webhooks.model import OutboxRow, Told
from tests.fakes import AUTH_DOWN
from tests.replica import ADA, BOB, Outside, Replica

OF_NOBODY = {"mark", "store", "lease", "confirmation-counted"}


def own_data(replica: Replica, outside: Outside, *, by_email: bool = False) -> OwnData:
    async def customer_of(user_id: str) -> str | None:
        return await replica.sessions.first_email_of(user_id) if by_email else user_id

    people = PeopleRepository(outside.store, customer_of, outside.clock)
    data = PersonalData(outside.store, replica.pubsub, outside.clock)
    return OwnData(
        outside.store, people, data, replica.refresher, replica.sessions, by_email=by_email, now=outside.clock
    )


async def bought(replica: Replica, outside: Outside, ada: Session, *, told: bool = True) -> None:
    """Ada buys Premium here and is back; the services are told of it, or not yet."""
    made = await replica.click(ada)
    outside.world.pay(made.session_id)
    if told:
        outside.world.deliver_all()
    await replica.come_back(ada, made)
    await replica.ask(ada)


async def kinds(outside: Outside) -> set[str]:
    return {key.partition(":")[0] for key in await outside.store.keys("")} - OF_NOBODY


async def with_everything(replica: Replica, outside: Outside) -> Session:
    ada = await replica.sign_in()
    await replica.ask(ada)
    await replica.cart.add(f"user:{'0' * 64}", "price_mug")
    shown = ShownRecord(outside.store, outside.clock)
    shown.note_problem("ada", "upstream_timeout", "3f0b7c")
    await shown.written()
    await outside.store.put("outbox:ada", OutboxRow(user_id="ada", told=Told()).model_dump_json(), None)
    return ada


class TestExport:
    async def test_it_is_json_of_every_kind_that_is_kept(self, replica: Replica, outside: Outside) -> None:
        ada = await with_everything(replica, outside)
        await bought(replica, outside, ada)

        found = await own_data(replica, outside).export(ada)

        text = json.dumps(found)
        assert {"session", "first_email", "checkouts", "evidence", "shown", "outbox"} == {*found["kept"]}  # type: ignore[misc]
        assert ADA.email in text
        assert "cs_test_" in text
        assert "3f0b7c" in text

    async def test_it_holds_no_secret(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        await replica.click(ada)
        (checkout,) = await replica.checkouts.of("ada")

        text = json.dumps(await own_data(replica, outside).export(ada))

        secrets = (ada.id, ada.auth_session_id.get_secret_value(), checkout.return_key, "sealed")
        assert checkout.return_key
        assert [secret for secret in secrets if secret in text] == []

    async def test_it_holds_nothing_of_anybody_else(self, replica: Replica, outside: Outside) -> None:
        await bought(replica, outside, await replica.sign_in(BOB))
        ada = await replica.sign_in()

        assert "bob" not in json.dumps(await own_data(replica, outside).export(ada))


class TestForgetting:
    async def test_of_somebody_who_bought_nothing_nothing_is_left(self, replica: Replica, outside: Outside) -> None:
        ada = await with_everything(replica, outside)
        await replica.sign_in()

        forgotten = await own_data(replica, outside).forget(ada)

        assert forgotten.stays == ()
        assert await kinds(outside) == {"cart"}  # a visitor's
        assert await replica.sessions.by_id(ada.id) is None

    async def test_what_is_anothers_stays(self, replica: Replica, outside: Outside) -> None:
        bob = await replica.sign_in(BOB)
        await bought(replica, outside, bob)
        before = {key for key in await outside.store.keys("") if key.partition(":")[0] not in OF_NOBODY}

        await own_data(replica, outside).forget(await replica.sign_in())

        assert {key for key in await outside.store.keys("") if key.partition(":")[0] not in OF_NOBODY} == before

    async def test_a_running_subscription_stays_known(self, replica: Replica, outside: Outside) -> None:
        ada = await with_everything(replica, outside)
        await bought(replica, outside, ada)

        forgotten = await own_data(replica, outside).forget(ada)

        assert forgotten.stays == (Stays.RUNNING,)
        assert await kinds(outside) == {"cart", "checkouts", "evidence", "outbox"}

    async def test_an_ended_one_is_forgotten(self) -> None:
        outside = Outside("documented")
        replica = Replica(outside)
        ada = await replica.sign_in()
        await bought(replica, outside, ada)
        (subscription,) = outside.world.live("ada")
        outside.world.set_status(subscription, "canceled")
        outside.world.deliver_all()
        outside.clock.move(timedelta(days=4).total_seconds())
        ada = await replica.sign_in()

        forgotten = await own_data(replica, outside).forget(ada)

        assert forgotten.stays == ()
        assert await kinds(outside) == set()

    async def test_while_nobody_can_say_what_runs_it_stays(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        await bought(replica, outside, ada)
        outside.auth_ms.switch.error = AUTH_DOWN

        assert (await own_data(replica, outside).preview(ada)).stays == (Stays.RUNNING,)


class TestPromise:
    """After forgetting nobody is sold a second time without a question."""

    @pytest.mark.parametrize("told", [True, False], ids=["confirmed", "not confirmed"])
    async def test_a_plan_that_was_bought_is_not_sold_again(
        self, replica: Replica, outside: Outside, told: bool
    ) -> None:
        ada = await replica.sign_in()
        await bought(replica, outside, ada, told=told)
        forgotten = await own_data(replica, outside).forget(ada)

        again = await replica.sign_in()
        with pytest.raises(AlreadySubscribed if told else CheckoutInProgress):
            await replica.click(again)
        outside.clock.move(timedelta(days=5).total_seconds())
        again = await replica.sign_in()
        with pytest.raises(AlreadySubscribed if told else PurchaseUnconfirmed):
            await replica.click(again)

        assert (Stays.RUNNING if told else Stays.MAY_BE_PAID) in forgotten.stays
        assert len(outside.world.live("ada")) == 1

    async def test_a_session_that_is_open_is_asked_about(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        made = await replica.click(ada)

        forgotten = await own_data(replica, outside).forget(ada)

        assert forgotten.stays == (Stays.MAY_BE_PAID,)
        again = await replica.sign_in()
        assert (await replica.click(again)).session_id == made.session_id
        with pytest.raises(CheckoutInProgress):
            await replica.click(again, "price_basic_month")

    async def test_an_order_under_way_is_asked_about_and_an_old_one_is_forgotten(
        self, replica: Replica, outside: Outside
    ) -> None:
        ada = await replica.sign_in()
        made = await replica.click(ada, "price_mug")
        outside.world.pay(made.session_id)
        await replica.come_back(ada, made)
        data = own_data(replica, outside)

        assert (await data.preview(ada)).stays == (Stays.MAY_BE_PAID,)
        outside.clock.move(timedelta(days=5).total_seconds())
        assert (await data.preview(await replica.sign_in())).stays == ()

    async def test_where_billing_goes_by_addresses_the_first_one_stays_with_it(self, outside: Outside) -> None:
        replica = Replica(outside, customer_id="email")
        ada = await replica.sign_in()
        await bought(replica, outside, ada)

        await own_data(replica, outside, by_email=True).forget(ada)

        assert await replica.sessions.first_email_of("ada") == ADA.email
        with pytest.raises(FrontendError):
            await replica.click(await replica.sign_in())
