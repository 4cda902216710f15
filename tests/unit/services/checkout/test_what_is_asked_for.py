"""What the Payment MS is asked for when a plan's checkout is started, and what of its answer is believed."""

from datetime import timedelta

import pytest

from services.errors import (
    CatalogChanged,
    InvalidQuantity,
    PriceNotSold,
    RateLimited,
)
from services.rate_limits import Policy
from services.sessions.service import Session
from tests.fakes import settle
from tests.replica import Outside, Replica, watch
from tests.shop import press, without
from tests.unit.services.checkout.presses import BASIC, MONTH, opened


class TestWhatIsAskedFor:
    async def test_the_payment_ms_gets_our_ids_and_addresses(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        checkout = await replica.click(ada)
        session = outside.world.sessions[checkout.session_id]

        assert session.customer == "ada"
        assert session.success_url == (
            f"https://shop.example/payment/success?session_id={{CHECKOUT_SESSION_ID}}&key={checkout.return_key}"
        )
        assert len(checkout.return_key) == 32
        assert checkout.return_key not in checkout.url + checkout.id + session.cancel_url
        assert session.cancel_url == f"https://shop.example/payment/cancel?checkout={checkout.id}"
        assert (checkout.plan_id, checkout.interval, checkout.total, checkout.currency) == (
            "premium", "month", 2900, "usd",
        )  # fmt: skip

    async def test_what_the_catalog_does_not_sell_is_refused(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        sold = press(MONTH)
        outside.catalog = without("premium")

        with pytest.raises(PriceNotSold):
            await replica.checkout.start(ada, sold)

    async def test_a_plan_is_bought_once(self, replica: Replica, ada: Session) -> None:
        with pytest.raises(InvalidQuantity):
            await replica.click(ada, MONTH, 2)

    @pytest.mark.parametrize(
        "shown",
        [{"amount": 2800}, {"currency": "eur"}, {"interval": "year"}, {"trial_days": 14}, {"product_id": "prod_basic"}],
    )
    async def test_what_was_shown_otherwise_is_not_sold(
        self, replica: Replica, ada: Session, outside: Outside, shown: dict[str, object]
    ) -> None:
        right = press(MONTH)
        wrong = right.model_copy(update={"lines": (right.lines[0].model_copy(update=shown),)})

        with pytest.raises(CatalogChanged):
            await replica.checkout.start(ada, wrong)

        assert opened(outside) == 0
        assert (await replica.checkout.start(ada, right)).total == 2900

    async def test_only_new_sessions_count_towards_the_limit(self, outside: Outside) -> None:
        replica = Replica(outside, policy=Policy("checkout", "1 per minute"))
        ada = await replica.sign_in()
        first = await replica.click(ada)
        for _click in range(5):
            await replica.click(ada)

        with pytest.raises(RateLimited) as caught:
            await replica.click(ada, BASIC, instead_of=first.id)

        assert caught.value.retry_after is not None

    @pytest.mark.parametrize(
        ("told", "life"),
        [
            (timedelta(minutes=30), timedelta(minutes=30)),
            (None, timedelta(hours=2)),
            (timedelta(days=900), timedelta(hours=2)),
        ],
        ids=["told", "set", "nonsense"],
    )
    async def test_a_session_ends_when_the_service_says_so_or_the_setting(
        self, outside: Outside, told: timedelta | None, life: timedelta
    ) -> None:
        replica = Replica(outside, session_life=timedelta(hours=2))
        ada = await replica.sign_in()
        outside.payment_ms.told_end = outside.clock.now + told if told is not None else None

        checkout = await replica.click(ada)

        assert checkout.expires_at == outside.clock.now + life
        outside.clock.move(life.total_seconds() * 0.7)
        assert checkout.reusable(outside.clock.now)
        outside.clock.move(life.total_seconds() * 0.1)
        assert not checkout.reusable(outside.clock.now)
        outside.clock.move(life.total_seconds() * 0.3)
        assert not checkout.open(outside.clock.now)

    async def test_other_tabs_hear_of_a_session_that_is_handed_out_once_more(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        checkout = await replica.click(ada)
        await replica.checkout.record_cancel(ada, checkout.id)
        tab = watch(replica, ada)
        await settle()
        assert tab.seen[-1].open is None
        outside.clock.move(60)

        await replica.click(ada, resume=checkout.id)
        await settle()

        assert tab.seen[-1].open is not None
        assert tab.seen[-1].open.session_id == checkout.session_id
        await tab.close()

    async def test_other_tabs_hear_of_a_checkout_that_the_user_came_back_from(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        tab = watch(replica, ada)
        checkout = await replica.click(ada)
        await settle()
        assert tab.seen[-1].open is not None
        outside.clock.move(5)

        await replica.checkout.record_cancel(ada, checkout.id)
        await settle()

        assert tab.seen[-1].open is None
        await tab.close()

    async def test_other_tabs_hear_of_the_open_checkout(self, replica: Replica, ada: Session) -> None:
        tab = watch(replica, ada)
        await settle()

        checkout = await replica.click(ada)
        await settle()

        assert tab.seen[-1].open is not None
        assert tab.seen[-1].open.session_id == checkout.session_id
        await tab.close()
