"""The customer portal: opening it, coming back, and what a return does not mean."""

import pytest

from services.errors import CustomerUnknown, RateLimited, StoreUnavailable, UnsafePortal, UpstreamError
from services.portal import WATCHED_FOR, PortalService
from services.subscription.model import State
from services.web.safe_urls import Redirects
from tests.fakes import BILLING_DOWN
from tests.replica import BOB, Outside, Replica

PAGE = "https://billing.stripe.com/p/session/test_1"


@pytest.fixture
def outside() -> Outside:
    made = Outside()
    made.world.pay(made.world.open_session("subscription", "ada", (("price_premium_month", 1),), "", ""))
    made.world.deliver_all()
    return made


@pytest.fixture
def replica(outside: Outside) -> Replica:
    return Replica(outside)


@pytest.mark.parametrize(
    ("page", "back"),
    [
        ("/account", "/account"),
        ("/payment?price=a#x", "/payment"),
        ("https://evil.example/x", "/"),
        ("//evil.example/x", "/"),
        ("", "/"),
    ],
)
async def test_the_portal_leads_back_to_the_page_it_was_opened_from(
    replica: Replica, outside: Outside, page: str, back: str
) -> None:
    ada = await replica.sign_in()

    assert await replica.portal.open(ada, page) == PAGE

    assert outside.payment_ms.switch.calls[-1] == ("portal", "ada", f"https://shop.example{back}?from=portal")


async def test_what_was_known_before_is_kept_over_the_visit(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    await replica.ask(ada)
    await replica.portal.open(ada, "/account")
    outside.world.set_status(outside.world.live("ada")[0], "canceled")
    outside.world.deliver_all()
    outside.clock.move(600)

    visit = await replica.portal.record_return(ada)
    found = await replica.ask(ada)

    assert visit is not None
    assert visit.before is not None
    assert (visit.before.current.state, found.current.state) == (State.ACTIVE, State.CANCELED)
    assert visit.returned_at == outside.clock.now


async def test_a_return_is_watched_for_two_minutes_in_every_tab(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    await replica.portal.open(ada, "/account")
    first = await replica.portal.record_return(ada)
    outside.clock.move(WATCHED_FOR.total_seconds() - 1)

    assert await replica.portal.record_return(ada) == first
    outside.clock.move(2)
    assert await replica.portal.record_return(ada) is None


async def test_a_visit_is_remembered_for_twelve_hours(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    await replica.portal.open(ada, "/account")

    outside.clock.move(12 * 3600 + 60)

    assert await replica.portal.record_return(ada) is None


async def test_a_return_without_a_visit_means_nothing(replica: Replica) -> None:
    bob = await replica.sign_in(BOB)

    assert await replica.portal.record_return(bob) is None


async def test_somebody_who_never_bought_anything_has_no_portal(replica: Replica) -> None:
    bob = await replica.sign_in(BOB)

    with pytest.raises(CustomerUnknown):
        await replica.portal.open(bob, "/account")
    assert await replica.portal.record_return(bob) is None


async def test_an_unsafe_address_is_not_opened(replica: Replica, outside: Outside) -> None:
    portal = PortalService(
        store=outside.store, refresher=replica.refresher, status=replica.status, payment_ms=outside.payment_ms,
        limits=replica.limits, redirects=Redirects("https://shop.example", ("portal.example",)),
        now=outside.clock,
    )  # fmt: skip
    ada = await replica.sign_in()

    with pytest.raises(UnsafePortal):
        await portal.open(ada, "/account")


async def test_a_service_that_is_away_is_said_to_be(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    outside.payment_ms.switch.error = BILLING_DOWN

    with pytest.raises(UpstreamError):
        await replica.portal.open(ada, "/account")


async def test_a_store_that_is_away_is_said_to_be(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    outside.store.broken = True

    with pytest.raises(StoreUnavailable):
        await replica.portal.open(ada, "/account")


async def test_opening_it_again_and_again_is_limited(replica: Replica) -> None:
    ada = await replica.sign_in()

    for _press in range(10):
        await replica.portal.open(ada, "/account")

    with pytest.raises(RateLimited):
        await replica.portal.open(ada, "/account")
