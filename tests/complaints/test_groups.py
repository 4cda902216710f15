"""A plan and an add-on of another group beside it: two subscriptions that are no mistake.

Each class is a row of complaints found in public threads; the source stands above it.
"""

import pytest

from services.claims import ClaimKind, status_claims
from services.sessions.service import Session
from tests.fakes import SHAPES, Shape
from tests.replica import Outside, Replica


async def buy(replica: Replica, session: Session, price_id: str) -> str:
    """Buy a plan, come back and let the news arrive; return the subscription's id."""
    checkout = await replica.click(session, price_id)
    subscription = replica.outside.world.pay(checkout.session_id)
    await replica.come_back(session, checkout)
    replica.outside.world.deliver_all()
    await replica.ask(session)
    replica.outside.clock.move(5)
    assert subscription is not None
    return subscription.id


# feedback#103, better-auth#3979
class TestAddOnBesideAPlan:
    @pytest.mark.parametrize("shape", SHAPES)
    async def test_nobody_is_told_to_pay_twice(self, shape: Shape) -> None:
        outside = Outside(shape)
        replica = Replica(outside)
        ada = await replica.sign_in()
        await buy(replica, ada, "price_premium_month")
        await buy(replica, ada, "price_backup_month")

        found = await replica.ask(ada)

        claims = status_claims(found, outside.catalog, outside.clock())
        assert ClaimKind.PAYING_TWICE not in {claim.says for claim in claims}
        assert not found.duplicates
        assert len(outside.world.live("ada")) == 2

    @pytest.mark.parametrize("shape", SHAPES)
    async def test_a_plan_that_has_ended_is_sold_again_at_most_after_the_question(self, shape: Shape) -> None:
        outside = Outside(shape)
        replica = Replica(outside)
        ada = await replica.sign_in()
        premium = await buy(replica, ada, "price_premium_month")
        await buy(replica, ada, "price_backup_month")
        outside.world.set_status(outside.world.subscriptions[premium], "canceled")
        outside.world.deliver_all()
        outside.clock.move(5)

        again = await replica.click(ada, "price_premium_month", has_ended=True)

        assert outside.world.payable(again.session_id)
