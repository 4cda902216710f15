"""Dates that have passed, and sums that were bought long ago: one process over a world whose clock is moved.

Each class is a row of complaints found in public threads; the source stands above it.
"""

import pytest

from services.claims import Claim, ClaimKind, status_claims
from services.sessions.service import Session
from tests.fakes import SHAPES, Shape
from tests.replica import Outside, Replica
from tests.world import SubscriptionAtStripe

DAY = 86_400.0
AHEAD = {ClaimKind.PAID_UNTIL, ClaimKind.RENEWS_ON, ClaimKind.RENEWS_UNLESS_CANCELED, ClaimKind.ENDS_ON}


async def buy(replica: Replica, session: Session, price_id: str) -> SubscriptionAtStripe:
    """Buy a plan, come back and let the news arrive."""
    checkout = await replica.click(session, price_id)
    subscription = replica.outside.world.pay(checkout.session_id)
    await replica.come_back(session, checkout)
    replica.outside.world.deliver_all()
    await replica.ask(session)
    assert subscription is not None
    return subscription


async def said(replica: Replica, session: Session) -> list[Claim]:
    """Ask both services, and return what pages then say."""
    found = await replica.ask(session)
    return list(status_claims(found, replica.outside.catalog, replica.outside.clock()))


# polar#9117
@pytest.mark.parametrize("shape", SHAPES)
class TestPeriodThatIsOverWithTheWordActive:
    @pytest.mark.parametrize("days", [0.1, 2, 10, 400])
    async def test_no_renewal_lies_in_the_past(self, shape: Shape, days: float) -> None:
        outside = Outside(shape)
        replica = Replica(outside)
        ada = await replica.sign_in()
        subscription = await buy(replica, ada, "price_premium_month")
        assert any(claim.says in AHEAD for claim in await said(replica, ada))
        outside.clock.move((subscription.period_end - outside.clock()).total_seconds() + days * DAY)
        ada = await replica.sign_in()

        found = await said(replica, ada)

        assert not AHEAD & {claim.says for claim in found}
        assert found


# wp-calypso#112056, breatheco-de#10680, Nuphorm-#514
@pytest.mark.parametrize("shape", SHAPES)
class TestIntervalChangedInThePortalLongAgo:
    @pytest.mark.parametrize(
        ("bought", "chosen", "days"),
        [
            ("price_premium_month", "price_premium_year", 345),
            ("price_premium_year", "price_premium_month", 345),
            ("price_premium_month", "price_premium_year", 20),
        ],
    )
    async def test_no_sum_is_named_however_well_the_dates_fit(
        self, shape: Shape, bought: str, chosen: str, days: float
    ) -> None:
        outside = Outside(shape)
        replica = Replica(outside)
        ada = await replica.sign_in()
        subscription = await buy(replica, ada, bought)
        assert ClaimKind.LIST_PRICE in {claim.says for claim in await said(replica, ada)}
        outside.clock.move(5)
        await replica.portal.open(ada, "/payment")
        outside.world.switch(subscription, chosen)
        outside.world.deliver_all()
        await replica.ask(ada)
        outside.clock.move(days * DAY)
        outside.world.let_periods_end()
        outside.world.deliver_all()
        ada = await replica.sign_in()

        found = await said(replica, ada)

        assert ClaimKind.LIST_PRICE not in {claim.says for claim in found}
