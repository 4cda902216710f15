"""Rows 20 and 21: an address that no browser may be sent to is followed by nobody, whoever answered it."""

import pytest

from tests.faults.fault_server import reply
from tests.faults.shop import CHECKOUT, PORTAL, PREMIUM, STICKERS, ProxiedProduct, until

UNSAFE = "We couldn't open checkout safely, so we stopped."
FOREIGN = (
    "https://evil.example/c/pay/cs_test_1",
    "https://checkout.stripe.com.evil.example/c/pay/cs_test_1",
    "https://evil.example/?https://checkout.stripe.com/",
)
MISSHAPEN = (
    "http://checkout.stripe.com/c/pay/cs_test_1",
    "javascript:alert(document.domain)",
    "JaVaScRiPt://checkout.stripe.com/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example/c/pay",
    "/payment",
    "https://checkout.stripe.com@evil.example/",
    "https://user:pass@checkout.stripe.com/c/pay",
    "https:\\\\evil.example\\checkout.stripe.com",
    "https://checkout.stripe.com\\@evil.example/",
    "https://сheckout.stripe.com/c/pay",
    "https://checkout.stripe.com:8443/c/pay",
    "https://checkout.stripe.com/\r\nSet-Cookie: a=b",
    " https://checkout.stripe.com/c/pay",
    "https://checkout.stripe.com./c/pay",
    "",
)


async def followed(shop: ProxiedProduct, addresses: tuple[str, ...]) -> list[str]:
    """Return the addresses to which a press on a plan, on an item or on the portal leads, or leaves a trace."""
    found = []
    for number, address in enumerate(addresses):
        if number % 8 == 0:  # a user may open the portal ten times a minute
            person = await shop.person().sign_in()
        session = {"checkout_session_id": "cs_test_1", "checkout_url": address}
        shop.payment.fail(CHECKOUT, reply(session))
        shop.payment.fail(PORTAL, reply({"portal_session_id": "bps_1", "portal_url": address}))
        plan = await person.ask(PREMIUM)
        item = await person.press(STICKERS)
        portal = await person.client.post("/api/payment/portal", json={})
        codes = {plan.json().get("code"), portal.json().get("code")}
        fits = (
            codes <= {"unsafe_redirect", "unsafe_portal", "upstream_contract"}
            and (plan.status_code, portal.status_code) == (502,) * 2
        )
        told = UNSAFE in item.text or "gave an answer that we can't use" in item.text
        if not fits or not told or (len(address) > 9 and address in plan.text + item.html + portal.text):
            found.append(address)
    return found


@pytest.mark.faults("20 checkout_url on a foreign host", "group 7 foreign, javascript: or http checkout_url")
async def test_no_browser_is_sent_to_a_foreign_host(shop: ProxiedProduct) -> None:
    await shop.open()

    assert await followed(shop, FOREIGN) == []

    await until(lambda: bool(shop.app.events("unsafe_redirect", host="evil.example")))
    assert {e["level"] for e in shop.app.events("unsafe_redirect")} == {"error"}
    assert "/c/pay" not in str(shop.app.events("unsafe_redirect"))


@pytest.mark.faults("21 misshapen checkout_url", "group 7 foreign, javascript: or http checkout_url")
async def test_no_browser_is_sent_to_an_address_of_another_shape(shop: ProxiedProduct) -> None:
    await shop.open()

    assert await followed(shop, MISSHAPEN) == []


@pytest.mark.faults("20 checkout_url on a foreign host")
async def test_a_good_address_is_handed_out_after_a_bad_one(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    shop.payment.fail(CHECKOUT, reply({"checkout_session_id": "cs_test_1", "checkout_url": FOREIGN[0]}))
    assert (await person.ask(PREMIUM)).status_code == 502
    shop.payment.mend()

    answer = await person.ask(PREMIUM)

    assert answer.status_code == 200
    assert answer.json()["checkout_url"].startswith(shop.sandbox.stripe_url)
