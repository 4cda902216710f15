"""Everything that is kept of somebody is found by what support staff are told, and every row of it is named."""

from services.people.record import PeopleRepository, rows_of
from services.people.shown import ShownRecord
from services.storage.port import Store
from tests.replica import ADA, BOB, Outside, Replica


def people_in(outside: Outside, *, by_email: Store | None = None) -> PeopleRepository:
    async def customer_of(user_id: str) -> str | None:
        if by_email is None:
            return user_id
        return {"ada": "ada@example.com"}.get(user_id)

    return PeopleRepository(outside.store, customer_of, outside.clock)


async def bought(replica: Replica, outside: Outside) -> str:
    """Ada buys Premium here, and is back; returns the session's id at Stripe."""
    ada = await replica.sign_in()
    made = await replica.click(ada)
    outside.world.pay(made.session_id)
    outside.world.deliver_all()
    await replica.come_back(ada, made)
    await replica.ask(ada)
    return made.session_id


class TestFind:
    async def test_by_user_id(self, replica: Replica, outside: Outside) -> None:
        await bought(replica, outside)

        (person,) = await people_in(outside).find("ada")

        assert (person.customer, person.user_id, person.by) == ("ada", "ada", "user id")

    async def test_by_the_reference_on_a_page(self, replica: Replica, outside: Outside) -> None:
        session_id = await bought(replica, outside)
        await replica.ask(await replica.sign_in(BOB))

        (person,) = await people_in(outside).find(session_id)

        assert (person.customer, person.by) == ("ada", "checkout")

    async def test_by_a_subscription_of_stripes(self, replica: Replica, outside: Outside) -> None:
        await bought(replica, outside)
        (subscription,) = outside.world.live("ada")

        (person,) = await people_in(outside).find(subscription.id)

        assert (person.customer, person.by) == ("ada", "subscription")

    async def test_by_the_reference_of_a_problem(self, outside: Outside) -> None:
        shown = ShownRecord(outside.store, outside.clock)
        shown.note_problem("ada", "upstream_timeout", "3f0b7c")
        await shown.written()

        (person,) = await people_in(outside).find("3f0b7c")

        assert (person.customer, person.by) == ("ada", "a problem's reference")

    async def test_by_the_address_of_somebody_who_is_signed_in(self, replica: Replica, outside: Outside) -> None:
        await replica.sign_in(BOB)
        await bought(replica, outside)

        (person,) = await people_in(outside).find("Ada@example.com")

        assert (person.user_id, person.by) == ("ada", "e-mail address")

    async def test_nobody(self, replica: Replica, outside: Outside) -> None:
        await bought(replica, outside)

        assert await people_in(outside).find("cs_test_of_another_shop") == ()

    async def test_where_billing_goes_by_addresses(self, outside: Outside) -> None:
        replica = Replica(outside, customer_id="email")
        await replica.ask(await replica.sign_in())
        people = people_in(outside, by_email=outside.store)

        (by_id,) = await people.find("ada")
        (by_address,) = await people.find("ada@example.com")

        assert by_id.customer == by_address.customer == "ada@example.com"
        assert (by_id.user_id, by_address.by) == ("ada", "billing's id")


async def test_all_that_is_kept_is_read_at_once(replica: Replica, outside: Outside) -> None:
    session_id = await bought(replica, outside)
    people = people_in(outside)
    (person,) = await people.find("ada")

    record = await people.read(person)

    assert record.email == ADA.email
    assert record.snapshot is not None
    assert record.snapshot.products_on_record
    assert [one.session_id for one in record.history.checkouts] == [session_id]


async def test_every_row_of_a_person_is_named_and_none_of_another(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    await replica.ask(ada)
    await replica.click(ada)
    shown = ShownRecord(outside.store, outside.clock)
    shown.note_problem("ada", "upstream_timeout", "3f0b7c")
    await shown.written()
    await replica.ask(await replica.sign_in(BOB))
    people = people_in(outside)

    adas = await rows_of(outside.store, (await people.find("ada"))[0])
    bobs = await rows_of(outside.store, (await people.find("bob"))[0])

    assert sorted(key.partition(":")[0] for key in adas) == [
        "checkouts", "evidence", "first_email", "session", "sessions-of", "shown",
    ]  # fmt: skip
    assert not set(adas) & set(bobs)
    of_nobody = {"mark", "store", "lease"}
    left = [k for k in await outside.store.keys("") if k not in {*adas, *bobs} and k.partition(":")[0] not in of_nobody]
    assert left == []


async def test_everybody_is_listed_once(replica: Replica, outside: Outside) -> None:
    await bought(replica, outside)
    await replica.ask(await replica.sign_in(BOB))

    assert await people_in(outside).customers() == ["ada", "bob"]
