"""Ten stories that support is told, each played at the sandbox: `person` says on one screen what is truly so.

What is so is read from the sandbox's own books (`truth_about`); what is said is made of what this app keeps.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.auth.accounts import AccountPlan, AuthUser, person
from sandbox.control.scenarios import subscribe
from sandbox.faults.planned import Fault
from sandbox.in_process import InProcessSandbox, settings_in_memory
from sandbox.state import Addresses
from sandbox.stripe.amounts import COUPONS
from sandbox.stripe.payment_methods import BANK_DEBITS, CARDS
from sandbox.stripe.price_list import plan_line
from sandbox.truth.model import Truth
from sandbox.truth.report import truth_about
from services.checkout_record import Checkout
from services.container import Container
from services.people.causes import CauseKind
from services.purchase import Purchase
from services.sessions.service import Session
from settings import load_settings
from truth.addresses import AUTH, PAYMENT, STRIPE
from truth.outside import InProcessTransport
from ui.people.explanation import PersonExplanation, explain
from ui.people.lines import as_lines
from wiring.build import build

pytestmark = pytest.mark.slow

PREMIUM, ENTERPRISE, BASIC = (
    "price_sandbox_premium_month",
    "price_sandbox_enterprise_month",
    "price_sandbox_basic_month",
)
CARD = CARDS[0].number
ONE_SCREEN = 50
"""Lines that a terminal of today shows at once."""


@dataclass
class Desk:
    """An app and a sandbox in one process, a customer, and somebody of support who looks at them."""

    sandbox: InProcessSandbox
    app: Container
    user: AuthUser
    session: Session

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.sandbox.state.clock.timestamp(), UTC)

    @property
    def truth(self) -> Truth:
        return truth_about(self.sandbox.state, self.user.user_id)

    def set(self, **settings: object) -> None:
        self.sandbox.state.runtime_settings.change(settings)

    def pass_time(self, **parts: float) -> None:
        self.sandbox.time.sleep(timedelta(**parts).total_seconds())
        self.sandbox.scheduler.catch_up()

    async def press(self, price_id: str = PREMIUM) -> Checkout:
        """Press a plan's button, and be at Stripe."""
        offer = self.app.catalog.offer(price_id)
        assert offer.plan is not None
        return await self.app.checkout.start(self.session, Purchase.of_plan(offer.plan, offer.price))

    def pay(self, checkout: Checkout, method: str = CARD, promotion: str = "") -> None:
        """Pay at Stripe, in whichever tab."""
        at_stripe = self.sandbox.state.checkout
        session = at_stripe.get(checkout.session_id)
        assert session is not None
        if promotion:
            session = at_stripe.apply_promotion(session, promotion)
        at_stripe.pay(session, method)
        self.sandbox.scheduler.catch_up()

    async def come_back(self, checkout: Checkout) -> None:
        await self.app.checkout.record_return(self.session, checkout.session_id, checkout.return_key)
        await self.look()

    async def buy(self, price_id: str = PREMIUM, promotion: str = "") -> Checkout:
        """Buy a plan, from the button to the confirmation."""
        checkout = await self.press(price_id)
        self.pay(checkout, promotion=promotion)
        await self.come_back(checkout)
        return checkout

    async def look(self) -> None:
        """Open the billing page."""
        await self.app.refresher.ask(self.session, "all", fresh=True)

    async def asked_about(self, who: str = "") -> PersonExplanation:
        """Look at the customer as `person` and `/ops/people` do; it fits on one screen."""
        (found,) = await self.app.people.find(who or self.user.user_id)
        explained = explain(await self.app.people.read(found), self.app.catalog, self.now)
        assert len(list(as_lines(explained))) <= ONE_SCREEN
        return explained


@pytest.fixture
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    shape = getattr(request, "param", "documented")
    sandbox = InProcessSandbox(settings_in_memory(status_shape=shape), Addresses(PAYMENT, AUTH, STRIPE))

    def now() -> datetime:
        return datetime.fromtimestamp(sandbox.state.clock.timestamp(), UTC)

    running = build(
        load_settings(_env_file=None, storage_path=str(tmp_path / "store.sqlite3"), payment_ms_gives_trials=True),
        payment_transport=InProcessTransport(PAYMENT, sandbox.payment),
        auth_transport=InProcessTransport(AUTH, sandbox.auth),
        now=now,
    )
    app = running.container
    user = person("ada@example.com")
    start = await app.sessions.begin_sign_in("google", "/")
    done = await app.sessions.complete_sign_in(
        token=start.token, state=None, auth_code=sandbox.state.accounts.issue_code(user), old_session_id=None
    )
    yield Desk(sandbox, app, user, done.session)
    await running.stop()
    sandbox.close()


def kinds(explained: PersonExplanation) -> set[CauseKind]:
    return {cause.kind for cause in explained.causes}


def text_of(explained: PersonExplanation, kind: CauseKind) -> str:
    return next(cause.text for cause in explained.causes if cause.kind is kind)


async def test_i_paid_and_it_says_free(desk: Desk) -> None:
    desk.set(webhook_mode="lose")
    checkout = await desk.press()
    desk.pay(checkout)
    await desk.come_back(checkout)
    desk.pass_time(minutes=20)
    await desk.look()

    explained = await desk.asked_about(checkout.session_id)

    assert (desk.truth.charged, desk.truth.records) == ({"usd": 2900}, [])  # paid, and its webhook was lost
    assert explained.says[0].headline == "We haven't heard from Stripe yet"
    assert checkout.session_id in text_of(explained, CauseKind.NOT_CONFIRMED)
    assert "its webhook was lost" in text_of(explained, CauseKind.NOT_CONFIRMED)


async def test_i_see_two(desk: Desk) -> None:
    await desk.buy()
    made = subscribe(
        desk.sandbox.state, desk.user.user_id, desk.user.email, plan_line(desk.sandbox.state.prices, BASIC)
    )
    desk.sandbox.scheduler.catch_up()
    await desk.look()

    explained = await desk.asked_about()

    assert [one.live for one in desk.truth.subscriptions] == [True, True]
    told = text_of(explained, CauseKind.TWO_SUBSCRIPTIONS)
    assert all(one.id in told for one in desk.truth.subscriptions)
    assert f"{made.id} (basic, active; not bought here" in told
    assert explained.twice


@pytest.mark.parametrize("desk", ["running"], indirect=True)
async def test_it_renews_though_i_canceled(desk: Desk) -> None:
    await desk.buy()
    await desk.app.portal.open(desk.session, "/payment")
    (subscription,) = desk.sandbox.state.subscriptions.of(desk.user.user_id)
    desk.set(webhook_mode="lose")
    desk.sandbox.state.subscriptions.cancel_at_period_end(subscription)
    desk.pass_time(minutes=5)
    await desk.look()

    explained = await desk.asked_about()

    assert desk.truth.subscriptions[0].renews is False  # canceled at Stripe, and nobody here was told
    assert "renews_unless_canceled" in [claim.says for claim in explained.says[0].claims]
    assert {CauseKind.PORTAL_UNHEARD, CauseKind.CANCELLATION_UNTOLD} <= kinds(explained)


async def test_paid_by_bank_debit_and_still_waiting(desk: Desk) -> None:
    desk.set(delayed_status="incomplete")
    checkout = await desk.press()
    desk.pay(checkout, BANK_DEBITS[0].number)
    await desk.come_back(checkout)

    explained = await desk.asked_about(checkout.session_id)

    (session,) = desk.truth.sessions
    assert (session.status, session.settles_at is not None, desk.truth.charged) == ("complete", True, {})
    assert "bank debit takes days" in " ".join(cause.text for cause in explained.causes)
    assert kinds(explained) & {CauseKind.PAYMENT_UNDER_WAY, CauseKind.NOT_CONFIRMED}


async def test_my_trial_was_charged(desk: Desk) -> None:
    await desk.buy(ENTERPRISE)
    (first,) = desk.sandbox.state.subscriptions.of(desk.user.user_id)
    desk.sandbox.state.subscriptions.cancel_now(first)
    desk.pass_time(minutes=5)
    await desk.look()
    again = await desk.buy(ENTERPRISE)

    explained = await desk.asked_about()

    assert [charge.amount for charge in desk.truth.charges if charge.amount] == [9900]
    told = text_of(explained, CauseKind.TRIAL_LEFT_OUT)
    assert again.session_id in told
    assert "a trial or a subscription of it before" in told


async def test_my_plan_is_unknown(desk: Desk) -> None:
    desk.sandbox.state.accounts.set_grant(desk.user.user_id, AccountPlan(status="active", plan="gold-2023"))
    await desk.look()

    explained = await desk.asked_about()

    assert desk.truth.account is not None
    assert (desk.truth.account.plan, desk.truth.subscriptions) == ("gold-2023", [])
    assert "“gold-2023”" in text_of(explained, CauseKind.UNKNOWN_PLAN)
    assert explained.says[0].rule == "unknown_plan"


async def test_i_was_refunded_and_still_have_access(desk: Desk) -> None:
    await desk.buy()
    invoice = desk.sandbox.state.invoices.of(desk.user.user_id)[0]
    desk.sandbox.state.invoices.refund(invoice, None)
    desk.pass_time(minutes=5)
    await desk.look()

    explained = await desk.asked_about()

    assert desk.truth.returned == {"usd": 2900}
    assert desk.truth.subscriptions[0].live
    assert explained.says[0].access
    assert "it ends no subscription at Stripe" in text_of(explained, CauseKind.REFUNDS_UNSEEN)


async def test_billing_is_silent(desk: Desk) -> None:
    await desk.buy()
    heard = desk.now
    desk.sandbox.state.faults.add(Fault(operation="payment", status=500))
    desk.pass_time(minutes=5)
    await desk.look()

    explained = await desk.asked_about()

    told = text_of(explained, CauseKind.BILLING_SILENT)
    assert f"{heard:%Y-%m-%d %H:%M}" in told
    assert {answer.age for answer in explained.answers if answer.service == "Payment MS"} == {"5 minutes ago"}


async def test_i_bought_in_another_tab(desk: Desk) -> None:
    desk.set(webhook_mode="lose")
    checkout = await desk.press()
    desk.pay(checkout)  # in a tab that never came back
    await desk.app.checkout.record_cancel(desk.session, checkout.id)  # and Stripe's back link in this one
    await desk.look()

    explained = await desk.asked_about()

    assert desk.truth.sessions[0].status == "complete"
    told = text_of(explained, CauseKind.NEVER_CAME_BACK)
    assert checkout.session_id in told
    assert "left by Stripe's back link" in told
    assert "paid in another tab" in told


async def test_a_wrong_amount_after_a_coupon(desk: Desk) -> None:
    await desk.buy(promotion=next(iter(COUPONS)))
    await desk.look()

    explained = await desk.asked_about()

    assert desk.truth.subscriptions[0].discount is not None
    assert desk.truth.charged["usd"] < 2900
    assert "list_price" in [claim.says for claim in explained.says[0].claims]
    assert "the invoice has what was charged" in text_of(explained, CauseKind.LIST_PRICE_ONLY)
    assert explained.checkouts[0].asked_for == "$29.00 a month"
