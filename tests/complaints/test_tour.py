"""The README's tour, read aloud: what each page says at each step, held against what the sandbox knows to be so.

With its defaults, and with each shape in which a Payment MS answers about a status.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from tests.complaints.judge import untruths
from tests.complaints.life import STRIPE, CustomerLife, life, path_of
from tests.ui.reading import until

MONTHLY, BASIC = "price_sandbox_premium_month", "price_sandbox_basic_month"
SHAPES = ("running", "documented", "openapi")
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest_asyncio.fixture(params=SHAPES)
async def ada(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CustomerLife]:
    async with life(tmp_path, status_shape=request.param) as ada:
        yield ada


def day(moment: datetime | None) -> str:
    """Return a day as pages say it: with the year only if it is another one."""
    assert moment is not None
    year = "" if moment.year == datetime.now(UTC).year else f", {moment.year}"
    return f"{moment:%B} {moment.day}{year}"


async def read(ada: CustomerLife, path: str) -> str:
    """Open a page and read it aloud; nothing on it may be untrue."""
    await ada.open(path)
    assert await untruths(ada) == [], path
    return ada.text()


async def bought(ada: CustomerLife) -> str:
    """Steps 1 to 3: choose Premium, sign in, pay; return the way back from Stripe."""
    await ada.sign_in(next_path="/payment?plan=premium")
    session = await ada.press(MONTHLY)
    paid = await ada.at_stripe(session, email=ada.email, card="4242 4242 4242 4242")
    return path_of(paid.headers["location"])


async def test_1_prices_are_what_stripe_takes(ada: CustomerLife) -> None:
    for interval, due in (("month", "$29.00 today, then monthly."), ("year", "$290.00 today, then yearly.")):
        assert due in await read(ada, f"/pricing?interval={interval}")

    await ada.sign_in()
    for price, due_today in ((MONTHLY, 2900), ("price_sandbox_premium_year", 29_000)):
        address = await ada.press(price, **(await instead(ada)))
        opened = next(one for one in ada.truth.sessions if one.url == address)
        assert opened.due_today.amount == due_today


async def instead(ada: CustomerLife) -> dict[str, str]:
    """Return the answer that gives up the open checkout, where there is one."""
    checkout = (await ada.ask()).open
    return {"instead_of": checkout.id} if checkout else {}


async def test_2_who_signs_in_is_told_what_they_have(ada: CustomerLife) -> None:
    await ada.sign_in(next_path="/payment?plan=premium")

    text = await read(ada, "/payment?plan=premium")

    assert "Continue to checkout" in text
    assert "You're on the free plan." in await read(ada, "/payment")
    assert not ada.truth.subscriptions


async def test_3_a_declined_card_charges_nothing_and_another_one_pays(ada: CustomerLife) -> None:
    await ada.sign_in()
    session = await ada.press(MONTHLY)
    declined = await ada.at_stripe(session, email=ada.email, card="4000 0000 0000 0002")
    assert declined.status_code == 422
    assert not ada.truth.charged

    asked = await ada.at_stripe(session, email=ada.email, card="4000 0025 0000 3155")
    assert asked.headers["location"].endswith("/confirm")
    assert not ada.truth.charged
    confirmed = await ada.at_stripe(f"{session}/confirm", answer="complete")
    await ada.settle()

    assert ada.truth.charged == {"usd": 2900}
    assert "Welcome to Premium" in await read(ada, path_of(confirmed.headers["location"]))


async def test_4_back_before_the_webhook_the_steps_turn_without_a_reload(ada: CustomerLife) -> None:
    back = await bought(ada)

    waiting = await read(ada, back)
    assert ada.truth.waiting_webhooks
    assert "Waiting for Stripe's confirmation" in waiting
    assert "Welcome" not in waiting
    page = ada.browser.client
    await until(lambda: "Welcome to Premium" in ada.text(), seconds=20)

    assert ada.browser.client is page
    assert await untruths(ada) == []
    assert f"Paid until {day(ada.subscription.paid_until)}." in ada.text()
    assert "$29.00 a month" in ada.text()
    assert ada.truth.charged == {"usd": 2900}


async def test_5_what_changes_in_the_portal_is_seen_on_coming_back(ada: CustomerLife) -> None:
    await ada.open(await bought(ada))
    await ada.settle()
    until_when = day(ada.subscription.paid_until)
    assert f"Paid until {until_when}. Unless it's canceled" in await read(ada, "/payment")

    portal = await ada.portal()
    await ada.at_stripe(f"{portal}/{ada.subscription.id}/cancel")
    await ada.settle()
    canceled = await read(ada, "/payment")
    assert f"You keep Premium until {until_when}. It won't renew." in canceled
    assert "renews" not in canceled

    await ada.at_stripe(f"{portal}/{ada.subscription.id}/resume")
    await ada.settle()
    assert f"Paid until {until_when}. Unless it's canceled" in await read(ada, "/payment")

    await ada.at_stripe(f"{portal}/{ada.subscription.id}/switch", price=BASIC)
    await ada.settle()
    switched = await read(ada, "/payment")
    assert "You're on Basic" in switched
    assert "List price" not in switched
    await read(ada, "/account")


class TestStep6TheControlPanel:
    async def test_a_lost_webhook_is_waited_for_and_never_taken_for_granted(self, ada: CustomerLife) -> None:
        await ada.set(webhook_mode="lose")
        back = await bought(ada)
        await ada.settle()

        text = await read(ada, back)

        assert "Setting up Premium" in text
        assert ada.truth.charged == {"usd": 2900}
        assert "nothing was charged" not in text.lower()
        assert "You're on the free plan." not in await read(ada, "/payment")

    async def test_a_webhook_that_comes_twice_is_one_subscription(self, ada: CustomerLife) -> None:
        await ada.set(webhook_mode="twice")
        await ada.open(await bought(ada))
        await ada.settle()

        text = await read(ada, "/payment")

        assert "You're on Premium" in text
        assert len(ada.truth.subscriptions) == 1

    async def test_after_a_month_the_next_period_is_paid(self, ada: CustomerLife) -> None:
        await ada.open(await bought(ada))
        await ada.settle()

        await ada.days(31)
        await ada.settle()

        assert ada.truth.charged == {"usd": 5800}
        assert f"Paid until {day(ada.subscription.paid_until)}." in await read(ada, "/payment")

    @pytest.mark.parametrize("status", ["past_due", "canceled", "trialing"])
    async def test_somebody_is_put_into_a_state(self, ada: CustomerLife, status: str) -> None:
        await ada.open(await bought(ada))
        await ada.settle()

        await ada.control("POST", f"subscriptions/{ada.subscription.id}/state", {"status": status})
        await ada.settle()

        text = await read(ada, "/payment")
        said = {"past_due": "Update your card to keep Premium.", "canceled": "ended", "trialing": "Free until"}
        assert said[status] in text

    async def test_a_failed_payment_after_time_was_advanced(self, ada: CustomerLife) -> None:
        await ada.open(await bought(ada))
        await ada.settle()
        await ada.set(renewals="fail")

        await ada.days(31)
        await ada.settle()

        assert ada.subscription.status == "past_due"
        assert "Update your card to keep Premium." in await read(ada, "/payment")


@pytest.mark.parametrize(
    "told",
    [
        "switch between month and year, choose **Premium**",
        "**Continue to checkout** and pay with `4242 4242 4242 4242`",
        "`4000 0000 0000 0002` is declined",
        "`4000 0025 0000 3155` asks for a confirmation",
        "You are back before the webhook is. Watch the four steps turn, with no reload.",
        "cancel, resume or switch there, and come back to see what changed",
        "lose a webhook, send it twice, advance time, put anybody\n   into any state",
        "Advancing time moves the sandbox alone",
        STRIPE,
    ],
)
def test_these_are_the_readmes_words(told: str) -> None:
    assert told in README.partition("## The tour")[2].partition("\n## ")[0]
