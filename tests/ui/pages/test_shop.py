"""The shop: what each item says, and where "Buy now" and "Add to cart" lead, with and without a sign-in."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.errors import StoreUnavailable, UpstreamTimeout
from services.purchase import Purchase
from tests.ui.billing_world import CATALOG, until
from tests.ui.reading import just_now
from tests.ui.shop_world import CREDITS, SEATS, STICKERS, Shopping, changed, many_items, shopping


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shopping]:
    async with shopping(tmp_path) as shopper:
        yield shopper


async def html(shop: Shopping, path: str = "/shop") -> str:
    answer = await shop.world.browser.http_client.get(path)
    assert answer.status_code == 200
    return answer.text


async def test_each_item_says_what_it_is_what_it_costs_and_how_many_are_sold(shop: Shopping) -> None:
    await shop.world.open("/shop")

    words = shop.words("item-training-seats")
    assert "Training seat" in words
    assert "$49" in words
    assert "2 to 50 at a time" in words
    assert "$98.00 once. Nothing renews." in words


async def test_an_item_is_bought_without_a_script_by_one_plain_form(shop: Shopping) -> None:
    text = await html(shop)

    form = text[text.index('id="item-training-seats"') :].partition("</form>")[0]
    assert 'method="post" action="/payment/checkout"' in form
    assert 'formaction="/cart/add"' in form
    assert 'name="price_id" value="price_sandbox_training_seats"' in form
    assert 'type="number" name="quantity" value="2" min="2" max="50"' in form


async def test_each_item_has_a_picture_and_an_unknown_name_shows_a_parcel(shop: Shopping) -> None:
    def rename(document: dict[str, Any]) -> None:
        document["items"][0]["image"] = "rocket_launch"

    shop.world.catalogs.current = changed(rename)

    text = await html(shop)
    assert "/assets/items.svg?v=" in text
    assert 'data-picture="box"' in text
    assert 'data-picture="sell"' in text
    pictures = await shop.world.browser.http_client.get("/assets/items.svg")
    assert pictures.headers["content-type"].startswith("image/svg+xml")
    assert '<symbol id="sell"' in pictures.text


async def test_buy_now_opens_a_checkout_of_the_quantity_typed(shop: Shopping) -> None:
    await shop.sign_in()
    await shop.world.open("/shop")

    shop.type(STICKERS, "3")
    shop.world.press("buy-sticker-pack")
    await until(lambda: shop.world.went_to.startswith("https://checkout.stripe.com/"))

    line = shop.world.billing.opened[0].lines[0]
    assert (line.price_id, line.quantity, line.product_id) == (
        "price_sandbox_sticker_pack", 3, "prod_sandbox_sticker_pack"
    )  # fmt: skip


async def test_the_total_follows_the_quantity_while_it_is_typed(shop: Shopping) -> None:
    await shop.world.open("/shop")

    shop.type(STICKERS, "4", done=False)

    await until(lambda: "$36.00" in shop.words("total-sticker-pack"))


async def test_a_visitor_signs_in_and_comes_back_to_the_item_with_the_quantity_kept(shop: Shopping) -> None:
    await shop.world.open("/shop")
    shop.type(STICKERS, "3")
    shop.world.press("buy-sticker-pack")
    await until(lambda: shop.world.went_to.startswith("/login"))

    wanted = "/shop%3Fprice%3Dprice_sandbox_sticker_pack%26quantity%3D3"
    assert shop.world.went_to.replace("/shop?", "/shop%3F") == f"/login?next={wanted}"

    await shop.sign_in()
    await shop.world.open("/shop?price=price_sandbox_sticker_pack&quantity=3")
    assert "3 × Sticker pack" in shop.world.text()
    assert shop.world.one("quantity-sticker-pack").props["value"] == "3"
    shop.world.press("continue-to-checkout")
    await until(lambda: shop.world.billing.opened)
    assert shop.world.billing.opened[0].lines[0].quantity == 3


@pytest.mark.parametrize("query", ["price=price_nobody_sells&quantity=3", "price=price_sandbox_premium_month", ""])
async def test_an_address_that_names_no_item_chooses_nothing(shop: Shopping, query: str) -> None:
    await shop.sign_in()
    await shop.world.open(f"/shop?{query}")

    assert not shop.world.marked("continue-to-checkout")


@pytest.mark.parametrize(("text", "kept"), [("0", "1"), ("999", "10"), ("-3", "1"), ("x", "1"), ("9" * 30, "1")])
async def test_a_quantity_in_the_address_is_brought_within_the_limits(shop: Shopping, text: str, kept: str) -> None:
    await shop.world.open(f"/shop?price=price_sandbox_sticker_pack&quantity={text}")

    assert shop.world.one("quantity-sticker-pack").props["value"] == kept


@pytest.mark.parametrize("text", ["0", "11", "", "2.5", "-1", "3 3", "٣", "1e1"])
@pytest.mark.parametrize("button", ["buy", "add-to-cart"])
async def test_a_quantity_outside_the_limits_is_refused_with_a_sentence(shop: Shopping, button: str, text: str) -> None:
    await shop.sign_in()
    await shop.world.open("/shop")

    shop.type(STICKERS, text)
    shop.world.press(f"{button}-sticker-pack")
    await until(lambda: "Sticker pack: from 1 to 10." in shop.words("item-sticker-pack"))

    assert "Nothing was charged" in shop.words("item-sticker-pack")
    assert shop.world.one("quantity-sticker-pack").props["aria-invalid"] == "true"
    assert not shop.world.billing.opened
    assert await shop.held() == {}


async def test_add_to_cart_says_how_many_are_in_the_cart_and_counts_beside_the_link(shop: Shopping) -> None:
    await shop.world.open("/shop")

    shop.type(CREDITS, "3")
    shop.world.press("add-to-cart-api-credits")
    await until(lambda: shop.world.marked("cart-count"))
    shop.world.press("add-to-cart-api-credits")
    await until(lambda: shop.world.one("cart-count").text == "6")

    assert "6 in your cart." in shop.words("in-cart-api-credits")
    assert await shop.held() == {"api-credits": 6}


async def test_more_than_the_most_says_how_many_are_in_the_cart_already(shop: Shopping) -> None:
    await shop.put(STICKERS, 8)
    await shop.world.open("/shop")

    shop.type(STICKERS, "3")
    shop.world.press("add-to-cart-sticker-pack")

    await until(lambda: "at most 10, and 8 are in your cart already" in shop.words("item-sticker-pack"))
    assert await shop.held() == {"sticker-pack": 8}


@pytest.mark.parametrize("path", ["/pricing", "/shop", "/cart"])
async def test_what_another_tab_adds_is_counted_on_every_page(shop: Shopping, path: str) -> None:
    await shop.put(STICKERS)
    await shop.world.open(path)
    assert shop.world.one("cart-count").text == "1"
    await until(lambda: shop.pubsub.count)

    await shop.put(CREDITS, 2)

    await until(lambda: shop.world.one("cart-count").text == "3")


async def test_a_stranger_does_not_see_somebody_elses_cart(shop: Shopping) -> None:
    await shop.put(CREDITS, 2)

    shop.visit_as_stranger()
    await shop.world.open("/shop")

    assert not shop.world.marked("cart-count")


async def test_the_twenty_first_kind_is_refused_with_the_sentence(tmp_path: Path) -> None:
    catalog = changed(many_items)
    async with shopping(tmp_path, catalog) as shop:
        for item in catalog.items[:20]:
            await shop.put(item)
        await shop.world.open("/shop")

        shop.world.press("add-to-cart-item-21")

        await until(lambda: "A cart holds at most 20 different items." in shop.words("item-item-21"))
        assert len(await shop.held()) == 20
        await shop.world.open("/cart")
        assert "A cart holds at most 20 different items: this one is full." in shop.world.text()


async def test_a_second_currency_is_refused_with_a_sentence(tmp_path: Path) -> None:
    def one_in_euro(document: dict[str, Any]) -> None:
        document["items"][1]["price"]["currency"] = "eur"

    async with shopping(tmp_path, changed(one_in_euro)) as shop:
        await shop.put(STICKERS)
        await shop.world.open("/shop")

        shop.world.press("add-to-cart-api-credits")

        await until(lambda: "All items in a cart must be in one currency." in shop.words("item-api-credits"))


async def test_a_new_price_shows_on_the_open_page_and_keeps_what_was_typed(shop: Shopping) -> None:
    def dearer(document: dict[str, Any]) -> None:
        document["items"][4]["price"]["amount"] = 1100

    await shop.world.open("/shop")
    shop.type(STICKERS, "3")
    await until(lambda: "$27.00" in shop.words("total-sticker-pack"))

    await shop.sell(changed(dearer))

    await until(lambda: "$33.00" in shop.words("total-sticker-pack"))
    assert shop.world.one("quantity-sticker-pack").props["value"] == "3"


async def test_what_an_open_shop_says_of_tax_follows_the_operator(shop: Shopping) -> None:
    await shop.world.open("/shop")
    assert "Prices are without tax" not in shop.world.text()

    await shop.sell(changed(lambda document: document.update(tax="added")))

    await until(lambda: "Prices are without tax, which is added at checkout." in shop.world.text())


async def test_a_price_that_changed_behind_the_pages_back_is_not_charged(shop: Shopping) -> None:
    def dearer(document: dict[str, Any]) -> None:
        document["items"][4]["price"]["amount"] = 1100

    await shop.sign_in()
    await shop.world.open("/shop")
    replaced = changed(dearer)
    shop.world.catalogs.current = replaced

    shop.world.press("buy-sticker-pack")

    await until(lambda: "The price has changed" in shop.words("item-sticker-pack"))
    assert not shop.world.billing.opened


async def test_a_catalog_without_items_has_an_empty_shop(tmp_path: Path) -> None:
    async with shopping(tmp_path, changed(lambda document: document.update(items=[]))) as shop:
        await shop.world.open("/shop")

        assert "Nothing is for sale right now." in shop.world.text()


async def test_a_failing_payment_service_is_a_sentence_beside_the_item(shop: Shopping) -> None:
    await shop.sign_in()
    shop.world.billing.refusal = UpstreamTimeout("payment_ms", "create_item_checkout")
    await shop.world.open("/shop")

    shop.world.press("buy-sticker-pack")
    await until(lambda: "Nothing was charged." in shop.words("item-sticker-pack"))
    shop.world.billing.refusal = None
    shop.world.press("buy-sticker-pack")

    await until(lambda: shop.world.went_to.startswith("https://checkout.stripe.com/"))


async def test_the_shop_opens_while_the_store_is_away(shop: Shopping, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(owner: str) -> None:
        raise StoreUnavailable("the store is away")

    monkeypatch.setattr(shop.world.cart, "read", away)
    await shop.world.open("/shop")

    assert len([tag for item in CATALOG.items for tag in shop.world.marked(f"item-{item.id}")]) == 5


async def test_a_problem_of_a_form_without_a_script_is_put_into_words(shop: Shopping) -> None:
    await shop.world.open(just_now("/shop?price=price_sandbox_training_seats&problem=invalid_quantity"))

    assert "Training seat: from 2 to 50." in shop.world.text()
    assert SEATS.min_quantity == 2


async def test_made_up_problems_say_nothing(shop: Shopping) -> None:
    await shop.world.open("/shop?problem=<b>you_won</b>")

    assert not shop.world.marked("notice")


async def test_an_order_made_a_moment_ago_is_asked_about_and_can_be_made_again(shop: Shopping) -> None:
    session = await shop.sign_in()
    first = await shop.world.container.checkout.start(session, Purchase.of_item(STICKERS, 1))
    await shop.world.container.checkout.record_return(session, first.session_id, first.return_key)
    await shop.world.open("/shop")

    shop.world.press(f"buy-{STICKERS.id}")
    await until(lambda: shop.world.marked("order-again"))

    assert "and the payment may still be on its way. Order it again?" in shop.world.text()
    assert shop.world.marked("see-purchase")
    shop.world.press("order-again")
    await until(lambda: len(shop.world.billing.opened) == 2)
