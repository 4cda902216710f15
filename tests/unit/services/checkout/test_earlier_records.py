"""A subscriber of another front end, which sent the e-mail address as the user's id, is sold no second one unasked."""

import pytest

from services.errors import SubscriptionUnderEmail, UpstreamFailed
from services.payment_ms import PortalSession
from services.storage.marks import Mark, Marks
from tests.fakes import BILLING_DOWN, Shape
from tests.replica import Outside, Replica
from tests.world import Row


def on_record(outside: Outside, customer: str, product: str = "prod_premium", status: str = "active") -> None:
    outside.world.billing[customer, product] = Row(product, "sub_old", status, None)
    outside.world.customers.add(customer)


def asked_by_address(outside: Outside) -> list[str]:
    return [str(call[0]) for call in outside.payment_ms.switch.calls if "@" in str(call)]


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def replica(outside: Outside) -> Replica:
    return Replica(outside, asks_by_email=True)


@pytest.mark.parametrize("product", ["prod_premium", "prod_basic"])
@pytest.mark.parametrize("shape", ["openapi", "running"])
async def test_a_record_under_the_address_is_a_question_before_a_first_sale(
    replica: Replica, outside: Outside, product: str, shape: Shape
) -> None:
    outside.payment_ms.shape = shape
    ada = await replica.sign_in()
    on_record(outside, ada.user.email, product)

    with pytest.raises(SubscriptionUnderEmail):
        await replica.click(ada)

    assert outside.payment_ms.checkout_switch.calls == []
    assert await Marks(outside.store).holds(Mark.RECORD_UNDER_EMAIL)
    assert (await replica.click(ada, has_ended=True)).url


async def test_beside_an_open_checkout_it_is_one_question_and_not_two(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    opened = await replica.click(ada)
    on_record(outside, ada.user.email)
    outside.clock.move(60)

    with pytest.raises(SubscriptionUnderEmail) as question:
        await replica.click(ada)
    assert question.value.also_open is not None
    assert question.value.also_open.id == opened.id

    answered = await replica.click(ada, has_ended=True, instead_of=opened.id)
    assert answered.id != opened.id


@pytest.mark.parametrize("status", ["canceled", "incomplete_expired"])
async def test_what_billing_itself_calls_over_is_no_question(replica: Replica, outside: Outside, status: str) -> None:
    outside.payment_ms.shape = "openapi"
    ada = await replica.sign_in()
    on_record(outside, ada.user.email, status=status)

    assert (await replica.click(ada)).url


async def test_who_is_new_costs_one_question(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()

    assert (await replica.click(ada)).url
    assert asked_by_address(outside) == ["portal"]


async def test_a_portal_that_fails_proves_nothing(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    on_record(outside, ada.user.email)

    async def failing(customer_id: str, return_url: str, **_how: object) -> PortalSession:
        raise BILLING_DOWN

    outside.payment_ms.create_portal_session = failing  # type: ignore[method-assign]

    with pytest.raises(SubscriptionUnderEmail):
        await replica.click(ada)


async def test_an_add_on_is_asked_about_in_its_own_group(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    on_record(outside, ada.user.email, "prod_backup")

    assert (await replica.click(ada)).url


async def test_nothing_is_sold_while_the_question_has_no_answer(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    outside.world.customers.add(ada.user.email)
    answered = outside.payment_ms.subscription

    async def failing(customer_id: str, product_id: str, **more: object) -> object:
        if "@" in customer_id:
            raise BILLING_DOWN
        return await answered(customer_id, product_id)

    outside.payment_ms.subscription = failing  # type: ignore[method-assign, assignment]

    with pytest.raises(UpstreamFailed):
        await replica.click(ada)
    assert outside.payment_ms.checkout_switch.calls == []


async def test_who_has_had_a_plan_here_is_known_and_asked_about_no_more(replica: Replica, outside: Outside) -> None:
    outside.payment_ms.shape = "openapi"
    ada = await replica.sign_in()
    on_record(outside, "ada", status="canceled")
    on_record(outside, ada.user.email)

    assert (await replica.click(ada)).url
    assert asked_by_address(outside) == []


async def test_a_page_or_a_look_never_asks_by_address(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    await replica.refresher.ask(ada, "all", fresh=True)

    assert asked_by_address(outside) == []


async def test_where_the_address_is_the_id_nothing_is_asked_twice(outside: Outside) -> None:
    replica = Replica(outside, asks_by_email=True, customer_id="email")
    ada = await replica.sign_in()

    await replica.click(ada)

    assert set(asked_by_address(outside)) == {"subscription"}
