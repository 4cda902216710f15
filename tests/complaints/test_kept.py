"""What others got wrong and was right here from the first: ids and addresses of all kinds, accounts that change.

No row of `docs/complaints.md`, but worth keeping. What needs a browser is in `tests/browser/test_complaints.py`.
"""

import re
from pathlib import Path

import pytest

from money import format_money, minor_digits
from sandbox.truth.report import truth_about
from tests.complaints.life import CustomerLife, life
from tests.complaints.test_words import PREMIUM, answers_with

CURRENCIES = ("usd", "eur", "gbp", "jpy", "krw", "chf", "sek", "inr", "brl", "kwd")
LOCALES = ("en", "de", "es", "ja", "ar")


@pytest.mark.parametrize("user_id", ["auth0|507f1f77bcf86cd799439020", "ada+test&1=2@example.com"])
async def test_an_id_as_providers_give_them_buys_and_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user_id: str
) -> None:
    answers_with(monkeypatch, user_id=user_id)
    async with life(tmp_path) as ada:
        await ada.sign_in()
        back = await ada.pay(await ada.press(PREMIUM))
        await ada.open(back)
        await ada.settle()

        found = await ada.ask()

        assert (found.customer, found.current.plan_id, found.billing_failed) == (user_id, "premium", None)
        assert [one.known_as for one in truth_about(ada.sandbox.state, user_id).subscriptions] == [user_id]


async def test_a_plus_in_an_address_is_kept(tmp_path: Path) -> None:
    async with life(tmp_path, settings={"customer_id": "email"}) as ada:
        await ada.sign_in("ada+shop@example.com")
        text = await ada.subscribe(PREMIUM)

        assert "Welcome to Premium" in text
        assert ada.truth.subscriptions[0].known_as == "ada+shop@example.com"


async def test_the_portal_of_somebody_without_purchases_is_a_sentence(tmp_path: Path) -> None:
    async with life(tmp_path) as ada:
        await ada.sign_in()

        answer = await ada.api.post("/payment/portal")

        assert answer.status_code == 303
        assert "You have no billing history yet." in await ada.open(answer.headers["location"])


async def test_another_users_session_id_tells_nothing_of_its_purchase(tmp_path: Path) -> None:
    async with life(tmp_path) as ada:
        await ada.sign_in()
        back = await ada.pay(await ada.press(PREMIUM))
        await ada.open(back)
        await ada.sign_in("bob@example.com")

        text = await ada.open(back)

        assert "This link doesn't belong to a checkout of yours." in text
        assert not re.search(r"Premium|\$29", text)


async def test_a_user_who_was_signed_out_while_paying_comes_back_to_the_purchase(tmp_path: Path) -> None:
    async with life(tmp_path) as ada:
        await ada.sign_in()
        address = await ada.press(PREMIUM)
        await ada.api.post("/auth/sign-out")
        back = await ada.pay(address)
        await _as_visitor(ada)
        assert "Sign in to see your purchase" in await ada.open(back)

        await ada.sign_in(next_path=back)
        await ada.settle()

        assert "Welcome to Premium" in await ada.open(back)


async def test_an_account_that_was_deleted_is_signed_out_and_sells_nothing(tmp_path: Path) -> None:
    async with life(tmp_path) as ada:
        await ada.sign_in()
        await ada.control("POST", f"users/{ada.user_id}/sign-out")  # its sessions are unknown from now on

        pressed = await ada.api.post("/payment/checkout", data={"price_id": PREMIUM})
        told = await ada.api.get("/api/me")

        assert pressed.headers["location"].startswith("/login?next=")
        assert told.status_code == 401
        assert not ada.truth.sessions


async def test_a_cart_stays_with_the_account_that_filled_it(tmp_path: Path) -> None:
    async with life(tmp_path) as ada:
        item = ada.container.catalog.items[0].price.price_id
        await ada.sign_in()
        await ada.api.put(f"/api/cart/{item}", json={"quantity": 2})
        await ada.sign_in("bob@example.com")
        of_bob = (await ada.api.get("/api/cart")).json()["count"]
        await ada.sign_in()

        assert (of_bob, (await ada.api.get("/api/cart")).json()["count"]) == (0, 2)


@pytest.mark.parametrize("currency", CURRENCIES)
@pytest.mark.parametrize("locale", LOCALES)
def test_an_amount_is_the_same_in_every_language(currency: str, locale: str) -> None:
    text = format_money(1_234_567, currency, locale)

    digits = "".join(character for character in text if character.isdecimal())
    fraction = re.search(r"[.,](\d{1,3})(?=\D*$)", text)
    assert digits == "1234567"
    assert minor_digits(currency) in (0, len(fraction[1]) if fraction else 0)
    assert re.search(r"[^\d\s.,\u200e\u200f]", text), "no currency"


async def _as_visitor(ada: CustomerLife) -> None:
    """Take from the browser the cookie that it had before sign-out."""
    ada.browser.http_client.cookies.clear()
