"""With a Payment MS that can look sessions up: dead and paid ones are known, and one at most can be paid."""

import pytest

from services.checkout_record import CheckoutEvent
from services.errors import BillingUnavailable, CheckoutInProgress
from services.payment_contract.features import VERSION_1, ContractFeature, PaymentContract
from services.subscription.model import ConfirmationWait, State
from tests.fakes import BILLING_DOWN
from tests.replica import Outside, Replica
from tests.shop import press

SECOND = PaymentContract(2, frozenset(ContractFeature))


@pytest.fixture
def outside() -> Outside:
    made = Outside("openapi")
    made.payment_ms.contract = SECOND
    return made


@pytest.fixture
def replica(outside: Outside) -> Replica:
    return Replica(outside)


def payable(outside: Outside) -> list[str]:
    """The sessions that Stripe would still take money for."""
    return [name for name in outside.world.sessions if outside.world.payable(name)]


async def test_a_first_version_is_asked_no_new_question_in_a_whole_purchase(outside: Outside, replica: Replica) -> None:
    outside.payment_ms.contract = VERSION_1
    ada = await replica.sign_in()
    first = await replica.click(ada)
    outside.clock.move(60)
    with pytest.raises(CheckoutInProgress):
        await replica.click(ada, "price_basic_month")
    outside.world.pay(first.session_id)
    await replica.come_back(ada, first)
    outside.world.deliver_all()
    await replica.ask(ada)

    assert outside.payment_ms.session_switch.calls == []
    assert {call[0] for call in outside.payment_ms.switch.calls} == {"subscription"}


async def test_all_plans_are_asked_about_at_once(outside: Outside, replica: Replica) -> None:
    ada = await replica.sign_in()
    outside.world.pay((await replica.click(ada)).session_id)
    outside.world.deliver_all()
    outside.clock.move(30)
    outside.payment_ms.switch.calls.clear()

    status = await replica.ask(ada)

    assert outside.payment_ms.switch.calls == [("subscriptions", "ada")]
    assert (status.current.state, status.current.plan_id) == (State.ACTIVE, "premium")


async def test_what_ended_long_ago_stays_ended_when_the_list_leaves_it_out(outside: Outside, replica: Replica) -> None:
    ada = await replica.sign_in()
    sold = outside.world.pay((await replica.click(ada)).session_id)
    assert sold is not None
    outside.world.set_status(sold, "canceled")
    outside.world.deliver_all()
    await replica.ask(ada)
    outside.world.billing.clear()
    outside.clock.move(100 * 86400)
    ada = await replica.sign_in()

    assert "premium" in (await replica.ask(ada)).had_plans


async def test_a_list_that_fails_is_an_unanswered_billing(outside: Outside, replica: Replica) -> None:
    ada = await replica.sign_in()
    outside.payment_ms.switch.error = BILLING_DOWN

    assert (await replica.ask(ada)).billing_failed == BILLING_DOWN.code
    with pytest.raises(BillingUnavailable):
        await replica.click(ada)


async def test_a_session_that_ended_early_is_not_offered_and_asked_about_no_more(
    outside: Outside, replica: Replica
) -> None:
    ada = await replica.sign_in()
    checkout = await replica.click(ada)
    outside.world.sessions[checkout.session_id].expired = True
    outside.clock.move(60)

    status = await replica.ask(ada)
    (known,) = await replica.checkouts.of("ada")
    outside.payment_ms.session_switch.calls.clear()
    again = await replica.click(ada)

    assert status.open is None
    assert known.dead
    assert not known.in_doubt(outside.clock())
    assert again.session_id != checkout.session_id
    assert ("expire", checkout.session_id) not in outside.payment_ms.session_switch.calls


@pytest.mark.parametrize("price", ["price_premium_year", "price_basic_month"])
async def test_another_plan_ends_the_open_session_instead_of_asking(
    outside: Outside, replica: Replica, price: str
) -> None:
    ada = await replica.sign_in()
    first = await replica.click(ada)
    outside.clock.move(60)

    second = await replica.click(ada, price)

    assert payable(outside) == [second.session_id]
    assert outside.world.sessions[first.session_id].expired


async def test_the_same_plan_goes_on_with_the_session_that_is_known_to_be_open(
    outside: Outside, replica: Replica
) -> None:
    ada = await replica.sign_in()
    first = await replica.click(ada)
    outside.clock.move(3600)
    await replica.checkout.record_cancel(ada, first.id)

    assert (await replica.click(ada)).session_id == first.session_id


async def test_one_that_was_paid_in_a_tab_that_never_came_back_is_no_second_sale(
    outside: Outside, replica: Replica
) -> None:
    ada = await replica.sign_in()
    first = await replica.click(ada)
    outside.world.pay(first.session_id)
    outside.clock.move(60)

    with pytest.raises(CheckoutInProgress) as refused:
        await replica.click(ada, "price_basic_month", instead_of=first.id)

    assert refused.value.checkout is not None
    assert payable(outside) == []
    assert len(outside.world.live("ada")) == 1


async def test_one_that_is_paid_between_the_look_and_the_end_is_no_second_sale(
    outside: Outside, replica: Replica
) -> None:
    ada = await replica.sign_in()
    await replica.click(ada)
    outside.clock.move(60)
    expire = outside.payment_ms.expire_session

    async def paid_meanwhile(session_id: str) -> object:
        outside.world.pay(session_id)
        return await expire(session_id)

    outside.payment_ms.expire_session = paid_meanwhile  # type: ignore[method-assign, assignment]
    with pytest.raises(CheckoutInProgress):
        await replica.click(ada, "price_basic_month")

    assert payable(outside) == []
    assert len(outside.world.sessions) == 1


async def test_where_the_session_cant_be_ended_the_question_is_asked_as_before(
    outside: Outside, replica: Replica
) -> None:
    ada = await replica.sign_in()
    first = await replica.click(ada)
    outside.clock.move(60)
    outside.payment_ms.session_switch.error = BILLING_DOWN

    with pytest.raises(CheckoutInProgress):
        await replica.click(ada, "price_basic_month")
    second = await replica.click(ada, "price_basic_month", instead_of=first.id)

    assert second.session_id != first.session_id


async def test_a_paid_session_is_known_before_any_webhook_comes(outside: Outside, replica: Replica) -> None:
    ada = await replica.sign_in()
    checkout = await replica.click(ada)
    outside.world.pay(checkout.session_id)
    outside.clock.move(700)

    status = await replica.ask(ada)

    assert status.current.state is State.CONFIRMING
    assert status.current.wait is ConfirmationWait.ARRIVED
    (known,) = await replica.checkouts.of("ada")
    assert CheckoutEvent.BILLING_HAS_IT in known.events


async def test_an_items_session_is_ended_for_another_and_a_paid_one_asks_before_a_second_order(
    outside: Outside, replica: Replica
) -> None:
    ada = await replica.sign_in()
    first = await replica.click(ada, "price_mug", 1)
    outside.clock.move(60)
    second = await replica.click(ada, "price_mug", 2)
    only = payable(outside)
    outside.world.pay(second.session_id)
    outside.clock.move(60)

    with pytest.raises(CheckoutInProgress):
        await replica.click(ada, "price_mug", 2)
    paid = await replica.checkouts.by_id("ada", second.id)

    assert only == [second.session_id] != [first.session_id]
    assert paid is not None
    assert paid.paid_order


async def test_the_readers_language_goes_along_only_where_it_is_taken(outside: Outside, replica: Replica) -> None:
    ada = await replica.sign_in()
    await replica.checkout.start(ada, press("price_premium_month"), locale="de")
    outside.payment_ms.contract = VERSION_1
    await replica.checkout.start(ada, press("price_mug"), locale="de")

    assert outside.payment_ms.locales == ["de", ""]
