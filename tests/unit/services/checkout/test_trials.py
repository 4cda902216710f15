"""A free trial that was shown is what is sold; where it is not the user's any more, nothing is, and they are told."""

import copy
from typing import Final

import pytest

from services.errors import CheckoutInProgress, TrialNotOffered
from services.sessions.service import Session
from tests.replica import Outside, Replica
from tests.shop import PLANS, catalog_with

MONTH: Final = "price_premium_month"
DAYS: Final = 14


@pytest.fixture
def outside() -> Outside:
    outside, plans = Outside(), copy.deepcopy(PLANS)
    next(plan for plan in plans if plan["id"] == "premium")["prices"]["month"]["trial_days"] = DAYS
    outside.catalog = catalog_with(plans)
    return outside


@pytest.fixture
async def ada(outside: Outside) -> Session:
    return await Replica(outside).sign_in()


async def test_what_was_had_meanwhile_is_a_review_and_no_payment_of_today(outside: Outside, ada: Session) -> None:
    replica = Replica(outside)
    first = await replica.click(ada, MONTH, trial_shown=True)
    subscription = outside.world.pay(first.session_id)
    assert subscription is not None
    await replica.come_back(ada, first)
    outside.world.deliver_all()
    await replica.ask(ada)
    outside.world.set_status(subscription, "canceled")
    outside.world.deliver_all()
    await replica.ask(ada)
    outside.clock.move(600)
    calls = len(outside.payment_ms.checkout_switch.calls)

    with pytest.raises(TrialNotOffered):
        await replica.click(ada, MONTH, trial_shown=True)

    assert len(outside.payment_ms.checkout_switch.calls) == calls
    assert (await replica.click(ada, MONTH)).free_days == 0


async def test_a_session_without_a_trial_is_not_handed_out_where_one_is_shown(outside: Outside, ada: Session) -> None:
    replica = Replica(outside)
    first = await replica.click(ada, MONTH, trial_shown=True)
    assert first.free_days == DAYS
    assert (await replica.click(ada, MONTH, trial_shown=True, reuse=True)).id == first.id
    await replica.checkouts.add(first.model_copy(update={"without_trial": True}))

    with pytest.raises(CheckoutInProgress):
        await replica.click(ada, MONTH, trial_shown=True, reuse=True)
