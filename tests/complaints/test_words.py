"""What pages say in ordinary lives in which others' pages were wrong: the app and the sandbox in one process.

Each class is a row of complaints found in public threads; the source stands above it.
"""

import json
import re
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from sandbox.auth import service as auth_service
from tests.complaints.judge import untruths
from tests.complaints.life import CustomerLife, life

PREMIUM, YEARLY, BASIC = "price_sandbox_premium_month", "price_sandbox_premium_year", "price_sandbox_basic_month"
TRIAL = "price_sandbox_enterprise_month"
PAGES = ("/payment", "/account")
RESUMES = "A change there may undo your cancellation, and your plan would renew."
SHAPES = pytest.mark.parametrize("shape", ["running", "detailed"])


async def pages(ada: CustomerLife) -> str:
    """Return what the pages say, all of it true."""
    found = []
    for path in PAGES:
        found.append(await ada.open(path))
        assert await untruths(ada) == [], path
    return "\n".join(found)


def said(ada: CustomerLife) -> set[str]:
    """Return the kinds of claims that the open page makes."""
    return {claim["says"] for claim in ada.claims()}


# wp-calypso#112056, breatheco-de#10680, Nuphorm-#514
class TestIntervalChangedInThePortal:
    @SHAPES
    @pytest.mark.parametrize(("bought", "chosen"), [(PREMIUM, YEARLY), (YEARLY, PREMIUM)])
    async def test_no_sum_is_named_that_was_bought_before(
        self, tmp_path: Path, shape: str, bought: str, chosen: str
    ) -> None:
        async with life(tmp_path, status_shape=shape) as ada:
            await ada.sign_in()
            await ada.subscribe(bought)
            await ada.portal()
            await ada.act("switch", price_id=chosen)

            text = await pages(ada)

            assert "List price" not in text
            assert "plan has changed" not in text.lower()

    @SHAPES
    async def test_nor_after_a_trial_was_moved_to_the_year(self, tmp_path: Path, shape: str) -> None:
        async with life(tmp_path, status_shape=shape) as ada:
            await ada.sign_in()
            await ada.subscribe(TRIAL)
            await ada.portal()
            await ada.act("switch", price_id="price_sandbox_enterprise_year")

            assert "List price" not in await pages(ada)


# thunderbird-accounts#430, fxa#12171
class TestPromotionCode:
    @pytest.mark.parametrize("duration", ["once", "repeating", "forever"])
    async def test_the_list_price_is_called_that_and_never_what_will_be_charged(
        self, tmp_path: Path, duration: str
    ) -> None:
        async with life(tmp_path, coupon_duration=duration) as ada:
            await ada.sign_in()
            back = await ada.subscribe(PREMIUM, promotion="HALF")

            text = back + await pages(ada)

            assert ada.truth.charged == {"usd": 1450}
            assert "$29.00 a month; discounts and tax are on your invoice" in text
            assert not re.search(r"(charged|pay|paid|renews|due)[^.\n]*\$", text, re.IGNORECASE)


# better-auth#4539, cal.diy#28558
class TestTrialThatWasHad:
    @SHAPES
    async def test_it_is_not_offered_again(self, tmp_path: Path, shape: str) -> None:
        async with life(tmp_path, status_shape=shape) as ada:
            await ada.sign_in()
            await ada.subscribe(TRIAL)
            await ada.act("cancel")

            text = await ada.open("/payment")

            assert "14 days free for new customers" not in text
            assert "A free trial is for new customers; Stripe shows what is due today." in text

    async def test_while_it_runs_out_no_button_charges_at_once(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            await ada.sign_in()
            await ada.subscribe(TRIAL)
            await ada.act("cancel-at-period-end")

            text = await pages(ada)

            assert "It won't renew." in text
            assert "Subscribe to" not in (await ada.open("/payment"))
            assert "Start free trial" not in (await ada.open("/payment"))


# worldmonitor#6330
class TestAnotherAddressTypedAtStripe:
    @pytest.mark.parametrize("price", [PREMIUM, "item"])
    async def test_no_receipt_is_promised_to_the_accounts_address(self, tmp_path: Path, price: str) -> None:
        async with life(tmp_path) as ada:
            await ada.sign_in()
            wanted = ada.container.catalog.items[0].price.price_id if price == "item" else price
            text = await ada.subscribe(wanted, email="books@example.org")

            lines = [line for line in text.splitlines() if "receipt" in line]
            assert not any("ada@example.com" in line for line in lines)


# sure#752, get-convex/stripe#18, get-engram#335, stripe-node#2470, tradr#84
class TestCanceledForThePeriodsEnd:
    @SHAPES
    @pytest.mark.parametrize("form", ["flag", "cancel_at"])
    async def test_told_by_whoever_it_says_when_it_ends(self, tmp_path: Path, shape: str, form: str) -> None:
        async with life(tmp_path, status_shape=shape, cancellation_form=form) as ada:
            await ada.sign_in()
            await ada.subscribe(PREMIUM)
            await ada.act("cancel-at-period-end")

            text = await pages(ada)
            await ada.open("/payment")

            assert "renews" not in text
            assert "ends_on" in said(ada)

    @pytest.mark.parametrize("shape", ["running", "documented", "openapi"])
    async def test_told_by_nobody_it_says_until_when_it_is_paid_and_promises_nothing(
        self, tmp_path: Path, shape: str
    ) -> None:
        async with life(tmp_path, status_shape=shape, cancellation_word="active") as ada:
            await ada.sign_in()
            await ada.subscribe(PREMIUM)
            await ada.act("cancel-at-period-end")

            await ada.open("/payment")

            assert {"paid_until", "renews_unless_canceled"} <= said(ada)
            assert not {"renews_on", "ends_on"} & said(ada)

    async def test_a_stripe_that_names_a_date_alone(self, tmp_path: Path) -> None:
        async with life(tmp_path, status_shape="detailed", cancellation_word="active") as ada:
            await ada.sign_in()
            await ada.subscribe(PREMIUM)
            await ada.act("cancel-at", days=12)

            await ada.open("/payment")

            assert "ends_on" in said(ada)
            assert await untruths(ada) == []


# ComfyUI_frontend#14222
class TestChangeOfAPlanThatWasCanceled:
    @SHAPES
    async def test_it_says_that_a_change_may_resume_the_renewal(self, tmp_path: Path, shape: str) -> None:
        async with life(tmp_path, status_shape=shape) as ada:
            await ada.sign_in()
            await ada.subscribe(PREMIUM)
            before = await pages(ada)
            await ada.act("cancel-at-period-end")

            text = await pages(ada)
            offered = await ada.open("/payment")

            assert RESUMES not in before
            assert ("change_resumes" in said(ada)) is (RESUMES in offered) is ("Change to Basic" in text)
            assert ("Change to Basic" in text) is (shape == "detailed")

    async def test_where_the_word_alone_is_canceled_nothing_is_offered(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            await ada.sign_in()
            await ada.subscribe(PREMIUM)
            await ada.act("cancel-at-period-end")

            assert "Available from" in await ada.open("/payment")


# polar#9334
class TestCanceledForTheEndAndThenNow:
    @SHAPES
    async def test_no_end_in_the_future_is_past(self, tmp_path: Path, shape: str) -> None:
        async with life(tmp_path, status_shape=shape) as ada:
            await ada.sign_in()
            await ada.subscribe(PREMIUM)
            await ada.act("cancel-at-period-end")
            await ada.act("cancel")

            text = await pages(ada)

            assert "You keep" not in text
            assert "renews" not in text


# spiralclass#75, langwatch#2363
class TestChargedInAnotherCurrency:
    async def test_no_dollar_sum_is_named_as_charged(self, tmp_path: Path) -> None:
        async with life(tmp_path, presentment_currency="eur") as ada:
            await ada.sign_in()
            back = await ada.subscribe(PREMIUM)

            text = back + await pages(ada)

            assert "usd" not in ada.truth.charged
            assert not re.search(r"(charged|paid|pay|renews|due)[^.\n]*\$", text, re.IGNORECASE)


# genealogy-laravel#1605
class TestPaused:
    @SHAPES
    async def test_no_payment_is_promised_by_whoever_was_told(self, tmp_path: Path, shape: str) -> None:
        async with life(tmp_path, status_shape=shape) as ada:
            await ada.sign_in()
            await ada.subscribe(PREMIUM)
            await ada.act("pause")

            await ada.open("/payment")

            assert "renews_on" not in said(ada)
            assert ("Payments are paused." in ada.text()) is (shape == "detailed")

    async def test_where_no_service_tells_of_it_the_renewal_is_no_fact(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            await ada.sign_in()
            await ada.subscribe(PREMIUM)
            await ada.act("pause")

            text = await pages(ada)

            assert "Unless it's canceled or paused, it renews then." in text
            assert not re.search(r"(?<!it )renews", text, re.IGNORECASE)


# gameserverapp#1216
class TestBankDebitUnderWay:
    @pytest.mark.parametrize("status", ["active", "incomplete"])
    async def test_it_is_waited_for_and_nothing_is_sold_beside_it(self, tmp_path: Path, status: str) -> None:
        async with life(tmp_path, delayed_status=status) as ada:
            await ada.sign_in()
            text = await ada.subscribe(PREMIUM, card="AT611904300234573201")
            pressed = await ada.api.post("/payment/checkout", data={"price_id": PREMIUM})

            assert "failed" not in text
            assert len(ada.truth.sessions) == 1
            assert "checkout.stripe" not in pressed.text
            assert not ada.truth.charged


# woocommerce-gateway-stripe#4599, open-saas#24
class TestAccountWithoutAnAddress:
    async def test_it_is_said_before_the_press(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        answers_with(monkeypatch, email="")
        async with life(tmp_path) as ada:
            await ada.sign_in()

            text = await ada.open("/payment")

            assert "Your account has no email address" in text
            assert not ada.truth.sessions


# keystoneauth-websso#14, pympp#234
class TestOddFactsOfAnAccount:
    @pytest.mark.parametrize(
        "odd",
        [
            {"user_id": 4711},
            {"picture": {"data": {"url": "https://pictures.example/ada.png"}}},
            {"name": 7},
            {"expires_at": "2099-01-01T00:00:00"},
            {"expires_at": "2099-01-01"},
            {"expires_at": 4_070_908_800},
            {"expires_at": 4_070_908_800_000},
            {"expires_at": "9999-12-31T23:59:59Z"},
            {"expires_at": "soon"},
        ],
        ids=str,
    )
    async def test_nobody_is_locked_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: dict[str, Any]
    ) -> None:
        grant = {"subscription_status": "active", "subscription_plan": "premium"}
        answers_with(monkeypatch, **grant, **odd)
        async with life(tmp_path) as ada:
            await ada.sign_in()

            for path in PAGES:
                await ada.open(path)

            assert "Premium" in await ada.open("/payment")


# coral/talk#789, auth0-java#764
class TestIdThatTheServiceCannotTake:
    @pytest.mark.parametrize("user_id", ["a/b", "a b", "100%", "ada🙂"])
    async def test_the_words_are_final(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user_id: str) -> None:
        answers_with(monkeypatch, user_id=user_id)
        async with life(tmp_path, strict_ids=True) as ada:
            await ada.sign_in()

            text = await ada.open("/payment")

            assert "trying again won't help. Contact us." in text
            assert "free plan" not in text

    async def test_the_operator_reads_of_it_as_an_error_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers_with(monkeypatch, user_id="a/b")
        async with life(tmp_path, strict_ids=True) as ada:
            await ada.sign_in()
            with capture_logs() as logged:
                for path in PAGES:
                    await ada.open(path)
                    await ada.ask()

        told = [entry for entry in logged if entry["event"] == "customer_id_refused"]
        assert [(entry["log_level"], "CUSTOMER_ID" in entry["cure"]) for entry in told] == [("error", True)]
        assert "a/b" not in str(told)


# open-design#6628
class TestSilentAccount:
    @SHAPES
    async def test_the_free_plan_is_never_a_fact(self, tmp_path: Path, shape: str) -> None:
        async with life(tmp_path, status_shape=shape, plan_place="silent") as ada:
            await ada.sign_in()

            text = await ada.open("/payment")

            assert "You're on the free plan" not in text
            assert "free_plan" not in said(ada)


# kaneo#1741
class TestTwoDifferentEnds:
    @SHAPES
    async def test_page_api_and_token_name_the_end_of_access(self, tmp_path: Path, shape: str) -> None:
        async with life(tmp_path, status_shape=shape) as ada:
            await ada.sign_in()
            await ada.subscribe(PREMIUM)
            await ada.act("cancel-at-period-end")
            end = "2099-01-05T10:00:00Z"
            plan = {"status": "canceled", "plan": "premium", "expires_at": end}
            await ada.control("PUT", f"users/{ada.user_id}/plan", plan)
            await ada.ask()

            await ada.open("/payment")
            ends = {claim["date"] for claim in ada.claims() if claim["says"] in ("ends_on", "has_access")}
            told = (await ada.api.get("/api/payment/subscriptions")).json()

            assert ends == {end}
            assert end in str(told)

    @SHAPES
    @pytest.mark.parametrize(("days", "open_still"), [(20, True), (-5, False)])
    async def test_the_token_and_the_guards_go_by_it_too(
        self, tmp_path: Path, shape: str, days: int, open_still: bool
    ) -> None:
        async with life(tmp_path, status_shape=shape) as ada:
            await ada.sign_in()
            await ada.subscribe(PREMIUM)
            await ada.act("cancel-at-period-end")
            end = (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)
            plan = {"status": "canceled", "plan": "premium", "expires_at": end.isoformat()}
            await ada.control("PUT", f"users/{ada.user_id}/plan", plan)
            await ada.ask()

            told = (await ada.api.get("/api/entitlements")).json()
            page = await ada.open("/members")

            signed = json.loads(urlsafe_b64decode(told["token"].split(".")[1] + "=="))
            for said in (told, signed):
                assert said["access"] is open_still
                assert (said.get("until") and datetime.fromisoformat(said["until"])) == (end if open_still else None)
            assert ("You're in" in page) is open_still


# openwork#4520, cashier-stripe#1201
class TestStaleEventsAreApplied:
    async def test_a_late_event_of_before_brings_no_renewal_back(self, tmp_path: Path) -> None:
        async with life(tmp_path, stale_events="apply") as ada:
            await ada.sign_in()
            await ada.subscribe(PREMIUM)
            first = (await ada.control("GET", f"events?user_id={ada.user_id}"))[-1]
            await ada.act("cancel-at-period-end")
            await ada.control("POST", f"events/{first['id']}/deliver")
            await ada.ask()

            await ada.open("/payment")

            assert "renews_on" not in said(ada)
            assert "Manage subscription" in ada.text() or "Keep my plan" in ada.text()


# 2anki.net#4304
class TestAddressChangedAtTheAccount:
    async def test_no_second_one_is_sold_without_the_question(self, tmp_path: Path) -> None:
        async with life(tmp_path, settings={"customer_id": "email"}) as ada:
            await ada.sign_in()
            await ada.subscribe(PREMIUM)
            await ada.control("PATCH", f"users/{ada.user_id}", {"email": "ada@new.example"})
            await ada.sign_in("ada@new.example")

            text = await ada.open("/payment")
            await ada.api.post("/payment/checkout", data={"price_id": BASIC})

            assert "free plan" not in text
            assert len([one for one in ada.truth.sessions if one.payable]) == 0


def answers_with(monkeypatch: pytest.MonkeyPatch, **facts: Any) -> None:
    """Have the Auth MS say this of whoever is asked about."""
    told = auth_service.user_context
    monkeypatch.setattr(auth_service, "user_context", lambda state, user: {**told(state, user), **facts})
