"""The cart: its lines, its total, the way out of it and back, and the way to Stripe."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.errors import StoreUnavailable, UpstreamTimeout
from tests.ui.billing_world import until
from tests.ui.reading import just_now
from tests.ui.shop_world import CREDITS, SEATS, STICKERS, Shopping, changed, shopping


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shopping]:
    async with shopping(tmp_path) as shopper:
        yield shopper


async def test_an_empty_cart_says_so_and_leads_to_the_shop(shop: Shopping) -> None:
    await shop.world.open("/cart")

    assert "Your cart is empty" in shop.words("cart-empty")
    assert not shop.world.marked("cart-checkout")


async def test_lines_show_quantities_and_totals_in_the_carts_currency(shop: Shopping) -> None:
    await shop.put(CREDITS, 3)
    await shop.put(SEATS, 2)
    await shop.world.open("/cart")

    assert "10,000 API credits" in shop.words("cart-line-api-credits")
    assert shop.words("line-total-api-credits") == "$75.00"
    assert shop.words("line-total-training-seats") == "$98.00"
    assert shop.words("cart-total") == "$173.00"
    assert "5 items" in shop.world.text()


async def test_the_total_says_of_tax_what_the_operator_says_and_follows_it(shop: Shopping) -> None:
    await shop.put(SEATS, 2)
    await shop.world.open("/cart")
    assert not shop.world.marked("cart-tax")

    await shop.sell(changed(lambda document: document.update(tax="added")))
    await until(lambda: "Prices are without tax, which is added at checkout." in shop.world.text())
    await shop.sell(changed(lambda document: document.update(tax="included")))
    await until(lambda: "Prices include tax." in shop.world.text())


async def test_a_changed_quantity_is_kept_and_the_total_follows(shop: Shopping) -> None:
    await shop.put(STICKERS, 1)
    await shop.world.open("/cart")

    shop.type(STICKERS, "7")
    await until(lambda: shop.words("cart-total") == "$63.00")

    assert await shop.held() == {"sticker-pack": 7}
    assert shop.words("line-total-sticker-pack") == "$63.00"


async def test_of_many_changes_at_once_the_last_one_stays(shop: Shopping) -> None:
    await shop.put(STICKERS, 1)
    await shop.world.open("/cart")

    for quantity in range(2, 10):
        shop.type(STICKERS, str(quantity))
    await until(lambda: shop.words("cart-total") == "$81.00")

    assert await shop.held() == {"sticker-pack": 9}


async def test_what_is_being_typed_is_not_overwritten_by_news_of_the_line(shop: Shopping) -> None:
    await shop.put(STICKERS, 1)
    await shop.world.open("/cart")
    await until(lambda: shop.pubsub.count)

    shop.type(STICKERS, "10", done=False)
    await shop.put(STICKERS, 1)
    await until(lambda: shop.words("cart-total") == "$18.00")

    assert shop.world.one("quantity-sticker-pack").props["value"] == "10"


async def test_a_quantity_outside_the_limits_changes_nothing_and_says_why(shop: Shopping) -> None:
    await shop.put(SEATS, 5)
    await shop.world.open("/cart")

    for text in ("0", "1", "51", "", "2.5"):
        shop.type(SEATS, text)
        await until(lambda: "Training seat: from 2 to 50." in shop.world.text())
        assert shop.world.one("quantity-training-seats").props["aria-invalid"] == "true"
        shop.type(SEATS, "5")
        await until(lambda: "Training seat: from 2 to 50." not in shop.world.text())
        assert "aria-invalid" not in shop.world.one("quantity-training-seats").props

    assert await shop.held() == {"training-seats": 5}


async def test_a_removed_line_can_be_put_back_as_it_was(shop: Shopping) -> None:
    await shop.put(CREDITS, 3)
    await shop.put(STICKERS, 2)
    await shop.world.open("/cart")

    shop.world.press("remove-api-credits")
    await until(lambda: shop.world.marked("cart-undo"))
    assert "10,000 API credits removed." in shop.words("notice")
    assert await shop.held() == {"sticker-pack": 2}
    shop.world.press("cart-undo")
    await until(lambda: shop.world.marked("cart-line-api-credits"))

    assert await shop.held() == {"api-credits": 3, "sticker-pack": 2}
    assert not shop.world.marked("cart-undo")


async def test_the_last_line_taken_out_leaves_an_empty_cart_and_the_way_back(shop: Shopping) -> None:
    await shop.put(STICKERS, 2)
    await shop.world.open("/cart")

    shop.world.press("remove-sticker-pack")
    await until(lambda: shop.world.marked("cart-undo"))

    assert shop.world.marked("cart-empty")


async def test_what_another_tab_changes_shows_here(shop: Shopping) -> None:
    await shop.put(STICKERS, 1)
    await shop.world.open("/cart")
    await until(lambda: shop.pubsub.count)

    await shop.put(STICKERS, 1)
    await until(lambda: shop.words("cart-total") == "$18.00")
    assert shop.world.one("quantity-sticker-pack").props["value"] == "2"
    await shop.put(CREDITS, 1)
    await until(lambda: shop.words("cart-total") == "$43.00")
    await shop.world.cart.clear(shop.owner)

    await until(lambda: shop.world.marked("cart-empty"))


async def test_a_closed_page_listens_no_more(shop: Shopping) -> None:
    await shop.put(STICKERS, 1)
    client = await shop.world.open("/cart")
    await until(lambda: shop.pubsub.count)

    client.delete()

    assert shop.pubsub.count == 0


async def test_the_checkout_holds_every_line_at_the_prices_shown(shop: Shopping) -> None:
    await shop.sign_in()
    await shop.put(CREDITS, 3)
    await shop.put(SEATS, 2)
    await shop.put(STICKERS, 1)
    await shop.world.open("/cart")

    shop.world.press("cart-checkout")
    await until(lambda: shop.world.went_to.startswith("https://checkout.stripe.com/"))

    (request,) = shop.world.billing.opened
    assert {(line.price_id, line.quantity) for line in request.lines} == {
        ("price_sandbox_api_credits", 3), ("price_sandbox_training_seats", 2), ("price_sandbox_sticker_pack", 1)
    }  # fmt: skip
    assert await shop.held() == {"api-credits": 3, "training-seats": 2, "sticker-pack": 1}


async def test_the_checkout_is_of_what_was_typed_last_and_shown(shop: Shopping) -> None:
    await shop.sign_in()
    await shop.put(STICKERS, 1)
    await shop.world.open("/cart")

    shop.type(STICKERS, "7", done=False)
    shop.world.press("cart-checkout")
    await until(lambda: shop.world.went_to.startswith("https://checkout.stripe.com/"))

    (request,) = shop.world.billing.opened
    assert [(line.price_id, line.quantity) for line in request.lines] == [("price_sandbox_sticker_pack", 7)]
    assert await shop.held() == {"sticker-pack": 7}


async def test_no_checkout_starts_of_a_quantity_that_cannot_be_had(shop: Shopping) -> None:
    await shop.sign_in()
    await shop.put(SEATS, 5)
    await shop.world.open("/cart")

    shop.type(SEATS, "51", done=False)
    shop.world.press("cart-checkout")
    await until(lambda: "Training seat: from 2 to 50." in shop.world.text())

    assert shop.world.one("quantity-training-seats").props["aria-invalid"] == "true"
    assert not shop.world.billing.opened


async def test_a_visitor_signs_in_first_and_comes_back_to_the_cart(shop: Shopping) -> None:
    await shop.put(STICKERS, 1)
    await shop.world.open("/cart")

    shop.world.press("cart-checkout")

    await until(lambda: shop.world.went_to == "/login?next=/cart")
    assert not shop.world.billing.opened


async def test_a_failed_checkout_keeps_the_cart_and_lets_the_button_be_pressed_again(shop: Shopping) -> None:
    await shop.sign_in()
    await shop.put(STICKERS, 1)
    shop.world.billing.refusal = UpstreamTimeout("payment_ms", "create_cart_checkout")
    await shop.world.open("/cart")

    shop.world.press("cart-checkout")
    await until(lambda: "Nothing was charged." in shop.world.text())
    assert await shop.held() == {"sticker-pack": 1}
    shop.world.billing.refusal = None
    shop.world.press("cart-checkout")

    await until(lambda: shop.world.went_to.startswith("https://checkout.stripe.com/"))


async def test_a_price_that_changed_behind_the_pages_back_is_not_charged(shop: Shopping) -> None:
    await shop.sign_in()
    await shop.put(STICKERS, 2)
    await shop.world.open("/cart")
    shop.world.catalogs.current = changed(dearer_stickers)

    shop.world.press("cart-checkout")
    await until(lambda: "The price has changed" in shop.world.text())

    assert not shop.world.billing.opened


async def test_a_new_price_shows_in_the_open_cart(shop: Shopping) -> None:
    await shop.put(STICKERS, 2)
    await shop.world.open("/cart")
    await until(lambda: shop.pubsub.count)

    await shop.sell(changed(dearer_stickers))

    await until(lambda: shop.words("cart-total") == "$22.00")


async def test_what_is_no_longer_sold_is_named_in_the_open_cart_and_counted_in_a_new_one(shop: Shopping) -> None:
    await shop.put(STICKERS, 2)
    await shop.put(CREDITS, 1)
    await shop.world.open("/cart")
    await until(lambda: shop.pubsub.count)

    await shop.sell(changed(lambda document: document["items"].pop()))

    await until(lambda: "We no longer sell these, so they left your cart: Sticker pack." in shop.world.text())
    assert shop.words("cart-total") == "$25.00"
    await shop.world.open("/cart")
    assert "We no longer sell 1 item in your cart, so it was removed." in shop.world.text()


async def test_a_cart_of_things_no_longer_sold_can_not_be_bought(shop: Shopping) -> None:
    await shop.put(STICKERS, 2)
    shop.world.catalogs.current = changed(lambda document: document["items"].pop())
    await shop.world.open("/cart")

    assert shop.world.marked("cart-empty")
    assert "We no longer sell" in shop.world.text()


async def test_without_a_script_every_line_is_changed_and_removed_by_forms(shop: Shopping) -> None:
    await shop.put(STICKERS, 2)

    text = (await shop.world.browser.http_client.get("/cart")).text
    line = text[text.index('data-testid="cart-line-sticker-pack"') :].partition("</li>")[0]
    forms = re.findall(r"<form[^>]* action=\"([^\"]+)\"", line)
    checkout = re.findall(r'<form[^>]*id="cart-form".*?</form>', text, re.DOTALL)[0]
    (field,) = re.findall(r"<input[^>]*type=\"number\"[^>]*>", line)
    (update,) = re.findall(r"<button[^>]*>Update</button>", line)

    assert forms == ["/cart/remove"]
    assert 'form="cart-form"' in field
    assert 'name="quantity.price_sandbox_sticker_pack"' in field
    assert {'form="cart-form"', 'formaction="/cart/quantities"', 'type="submit"'} <= set(re.split(r"[ >]", update))
    assert "quantity." not in checkout  # the field's own, and no second one that says what was shown
    assert 'name="next" value="/cart?removed=price_sandbox_sticker_pack&amp;quantity=2"' in line
    assert 'action="/cart/checkout"' in text


async def test_after_a_removal_without_a_script_the_way_back_is_a_form_too(shop: Shopping) -> None:
    await shop.world.open("/cart?removed=price_sandbox_sticker_pack&quantity=4")
    assert "Sticker pack removed." in shop.words("notice")

    shop.world.press("cart-undo")
    await until(lambda: shop.world.marked("cart-line-sticker-pack"))

    assert await shop.held() == {"sticker-pack": 4}


@pytest.mark.parametrize("query", ["removed=price_nobody_sells&quantity=1", "removed=&quantity=x", "problem=made_up"])
async def test_made_up_addresses_say_nothing(shop: Shopping, query: str) -> None:
    await shop.world.open(f"/cart?{query}")

    assert not shop.world.marked("notice")


async def test_a_problem_of_a_form_without_a_script_is_put_into_words(shop: Shopping) -> None:
    await shop.world.open(just_now("/cart?price=price_sandbox_sticker_pack&problem=invalid_quantity"))
    assert "Sticker pack: from 1 to 10." in shop.world.text()

    await shop.world.open(just_now("/cart?problem=cart_full"))
    assert "A cart holds at most 20 different items." in shop.world.text()


async def test_an_unreadable_cart_is_a_page_that_says_so(shop: Shopping, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(owner: str) -> None:
        raise StoreUnavailable("the store is away")

    monkeypatch.setattr(shop.world.cart, "read", away)
    answer = await shop.world.browser.http_client.get("/cart")

    assert answer.status_code == 503
    assert "Your cart is empty" not in answer.text


def dearer_stickers(document: dict[str, Any]) -> None:
    document["items"][4]["price"]["amount"] = 1100
