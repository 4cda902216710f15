"""What is charged: coupons, tax, other currencies, at the checkout and at every renewal."""

from typing import Any

import pytest

from tests.sandbox.local import ADA, MONTHLY, TRIAL, YEARLY, LocalShop
from tests.sandbox.shop import text_of


@pytest.mark.parametrize(
    ("code", "charged"),
    [
        ("", [2900] * 5),
        ("HALF", [1450] * 5),
        ("FOREVER50", [1450] * 5),
        ("ONCE50", [1450, 2900, 2900, 2900, 2900]),
        ("THREEMONTHS50", [1450, 1450, 1450, 2900, 2900]),
        ("FREE", [0, 2900, 2900, 2900, 2900]),
    ],
)
def test_coupon_holds_for_as_many_payments_as_it_says(local: LocalShop, code: str, charged: list[int]) -> None:
    local.subscribe(promotion=code)

    local.days(125)

    assert local.amounts() == charged


@pytest.mark.parametrize(("duration", "second"), [("once", 2900), ("repeating", 1450), ("forever", 1450)])
def test_duration_of_a_plain_code_is_a_setting(local: LocalShop, duration: str, second: int) -> None:
    local.set(coupon_duration=duration)
    local.subscribe(promotion="HALF")

    assert local.running_truth()["next_charge"]["amount"] == second
    local.days(32)
    assert local.amounts() == [1450, second]


def test_coupon_once_waits_for_the_first_payment_after_a_trial(local: LocalShop) -> None:
    local.subscribe(TRIAL, promotion="ONCE50")

    local.days(50)

    assert local.amounts() == [0, 4950, 9900]


def test_repeating_coupon_counts_months_of_a_yearly_plan_too(local: LocalShop) -> None:
    local.set(coupon_duration="repeating", coupon_months=14)
    local.subscribe(YEARLY, promotion="HALF")

    local.days(2 * 366)

    assert local.amounts() == [14500, 14500, 29000]


@pytest.mark.parametrize(("tax", "amount", "share"), [("none", 2900, 0), ("included", 2900, 463), ("added", 3451, 551)])
def test_tax_is_within_the_price_or_on_top_of_it(local: LocalShop, tax: str, amount: int, share: int) -> None:
    local.set(tax=tax)
    local.subscribe()
    local.set(tax="none")

    local.days(32)

    dues = [charge["due"] for charge in local.truth()["charges"]]
    assert [(due["amount"], due["tax"]) for due in dues] == [(amount, share)] * 2


def test_tax_is_reckoned_after_the_coupon(local: LocalShop) -> None:
    local.set(tax="added", tax_percent=10)

    local.subscribe(promotion="HALF")

    assert local.truth()["charges"][0]["due"] == {
        "subtotal": 2900, "discount": 1450, "tax": 145, "list_amount": 1595, "list_currency": "usd",
        "amount": 1595, "currency": "usd",
    }  # fmt: skip


@pytest.mark.parametrize(("currency", "rate", "amount"), [("eur", 0.92, 2668), ("jpy", 150, 4350), ("kwd", 0.31, 8990)])
def test_other_currency_is_charged_in_its_own_minor_units(
    local: LocalShop, currency: str, rate: float, amount: int
) -> None:
    local.set(presentment_currency=currency, exchange_rate=rate)

    local.subscribe()

    charge = local.truth()["charges"][0]
    assert (charge["amount"], charge["currency"]) == (amount, currency)
    assert (charge["due"]["list_amount"], charge["due"]["list_currency"]) == (2900, "usd")


def test_exchange_rate_moves_between_renewals(local: LocalShop) -> None:
    local.set(presentment_currency="eur", exchange_rate=0.9)
    local.subscribe()
    local.set(exchange_rate=1.1)

    local.days(32)

    assert local.amounts() == [2610, 3190]
    assert local.truth()["charged"] == {"eur": 5800}


def test_terms_are_those_of_the_moment_when_the_checkout_was_opened(local: LocalShop) -> None:
    session = local.checkout(ADA, product_id="prod_sandbox_premium", price_id=MONTHLY)
    local.set(tax="added", presentment_currency="eur")

    local.control("POST", f"pay/{session['checkout_session_id']}")

    assert local.truth()["charges"][0]["amount"] == 2900


def test_hosted_page_shows_what_will_be_charged(local: LocalShop) -> None:
    local.set(tax="added", presentment_currency="eur", coupon_duration="once")
    session = local.checkout(ADA, product_id="prod_sandbox_premium", price_id=MONTHLY)
    local.http.post(session["checkout_url"] + "/promotion", data={"code": "HALF"})

    words = text_of(local.http.get(session["checkout_url"]))

    for word in ("50% off the first payment", "Tax 19%", "In USD $17.26", "Total due today €15.88"):
        assert word in words


@pytest.mark.parametrize("kind", ["item", "cart"])
def test_orders_have_coupon_and_tax_as_well(local: LocalShop, kind: str) -> None:
    local.set(tax="added")
    more: dict[str, Any] = {"items": [{"price_id": "price_sandbox_sticker_pack", "quantity": 2}]}
    if kind == "item":
        more = {"price_id": "price_sandbox_sticker_pack", "quantity": 2}
    session = local.checkout(ADA, kind=kind, **more)["checkout_session_id"]

    local.control("POST", f"pay/{session}", {"promotion": "HALF"})

    (order,) = local.truth()["orders"]
    assert (order["session_id"], order["charge"]["amount"], order["payment_status"]) == (session, 1071, "paid")
