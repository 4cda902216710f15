"""The way of a price from a posted form to the Payment MS is the one that `docs/architecture.md` draws."""

from services.purchase import Purchase
from tests.unit.api.api_world import ApiWorld
from tests.walk import drawn, walk

MOST_ROOMS = 9


async def test_a_posted_form_takes_the_way_that_is_drawn(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()
    purchase = Purchase.of(api.container.catalog.offer(api.price()))

    with walk(purchase.price_id) as found:
        answer = await browser.post("/payment/checkout", data=purchase.fields)

    assert answer.headers["location"].startswith(api.sandbox.stripe_url)
    assert found.rooms == drawn("From a form")
    assert len(set(found.rooms)) == len(found.rooms) <= MOST_ROOMS
