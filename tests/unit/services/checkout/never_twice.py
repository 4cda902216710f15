"""What a user does and knows, in the property test of `test_never_twice.py`: the model's other half.

`tests/world.py` is Stripe and both services; here are the browsers, the user's honesty and the app's replicas.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, TypeVar

from services.auth_ms import User
from services.checkout_record import Checkout, CheckoutEvent
from services.errors import (
    AlreadySubscribed,
    CheckoutInProgress,
    FrontendError,
    NotSignedIn,
    PurchaseUnconfirmed,
    SignInUnavailable,
    StatusUnclear,
    StoreUnavailable,
    SubscriptionOnRecord,
)
from services.sessions.service import Session
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import GRACE, GRANTING, State
from services.subscription.normalize import status_word
from tests.fakes import AUTH_DOWN, BILLING_DOWN, Shape
from tests.replica import ADA, Outside, Replica
from tests.world import Part, Webhook

PRICES: Final = ("price_basic_month", "price_basic_year", "price_premium_month", "price_premium_year")
CLAIMS: Final = (State.ACTIVE, State.TRIALING, State.PAST_DUE)

T = TypeVar("T")


class Story:
    """One user with two browsers, two replicas, and everything that can happen to them."""

    def __init__(self, shape: Shape, *, account_speaks: bool, rotates: bool) -> None:
        self.loop = asyncio.new_event_loop()
        self.outside = Outside(shape, rotates=rotates)
        self.world = self.outside.world
        self.world.account_speaks = account_speaks
        self.replicas = [self._start(0), self._start(1)]
        self.sessions: list[Session] = [self.run(self._sign_in(0)), self.run(self._sign_in(1))]
        self.in_hand: dict[str, Checkout] = {}
        """Checkouts that the user may pay: sent there by the app, and not given up since."""
        self.refused: CheckoutInProgress | None = None
        self.stopped: FrontendError | None = None
        """What the last press ran into."""
        self.presses = 0
        self.has_answered = False
        """Whether that press said already that what is on record has ended: pages keep the answer."""

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(call)

    def close(self) -> None:
        self.run(self._finish())
        self.loop.close()

    async def _finish(self) -> None:
        for replica in self.replicas:
            await replica.checkout.finish()

    def _start(self, number: int) -> Replica:
        return Replica(self.outside, name=f"replica-{number}")

    async def _sign_in(self, browser: int, user: User = ADA) -> Session:
        return await self.replicas[browser].sign_in(user)

    async def _sign_in_again(self, browser: int) -> None:
        with suppress(SignInUnavailable, StoreUnavailable):
            self.sessions[browser] = await self._sign_in(browser)

    # What the user does

    def click(self, browser: int, price: str, **answers: Any) -> bool:
        """Press a button, answering questions as they are; returns whether it led to Stripe."""
        return self.run(self._click(browser, price, **answers))

    def click_together(self, first: str, second: str) -> None:
        """Press two buttons at the same moment, in two browsers on two replicas."""

        async def both() -> None:
            await asyncio.gather(self._click(0, first), self._click(1, second))

        self.run(both())

    async def _click(self, browser: int, price: str, **more: Any) -> bool:
        session = self.sessions[browser]
        self.presses += 1
        try:
            checkout = await self.replicas[browser].click(session, price, **more)
        except CheckoutInProgress as error:
            if error.checkout is None:
                raise AssertionError("a refusal without a way on") from error
            if type(error) is PurchaseUnconfirmed and self.nothing_charges and not more.get("has_ended"):
                return await self._click(browser, price, **{**more, **_answer(error)})
            self.refused = self.stopped = error
            self.has_answered = bool(more.get("has_ended"))
            return False
        except SubscriptionOnRecord as error:
            self.stopped = error
            if self.nothing_charges and not more.get("has_ended"):
                return await self._click(browser, price, **{**more, **_answer(error)})
            return False
        except NotSignedIn:
            await self._sign_in_again(browser)
            return False
        except FrontendError as error:
            self.stopped = error
            return False
        self._sent_to(checkout, more.get("instead_of"))
        return True

    def _sent_to(self, checkout: Checkout, instead_of: str | None) -> None:
        now = self.outside.clock.now
        for name, other in tuple(self.in_hand.items()):
            if other.id == instead_of and name != checkout.session_id:
                del self.in_hand[name]
        for other in self.in_hand.values():
            if other.price_id == checkout.price_id and other.reusable(now) and self.world.payable(other.session_id):
                assert other.session_id == checkout.session_id, "a second session for one price"
        self.in_hand[checkout.session_id] = checkout

    def start_instead(self, browser: int, price: str) -> None:
        """Answer the last refusal's question: give that checkout up, unless what was paid there still charges.

        The user knows. What was paid and has ended can't be paid once more, and they want it anew.
        """
        named = self.refused.checkout if self.refused is not None else None
        asked = named if isinstance(named, Checkout) and self.nothing_charges else self.asked_about
        if asked is not None:
            self.click(browser, price, instead_of=asked.id, has_ended=self.has_answered and self.nothing_charges)

    def go_on(self, browser: int) -> None:
        """Go on with the checkout that was named in the last refusal."""
        asked = self.asked_about
        if asked is not None:
            self.click(browser, asked.price_id, resume=asked.id)

    @property
    def asked_about(self) -> Checkout | None:
        """The checkout that the last refusal named and that was not paid."""
        named = self.refused.checkout if self.refused is not None else None
        if not isinstance(named, Checkout) or self.world.sessions[named.session_id].paid:
            return None
        return named

    def pay(self, name: str, browser: int | None) -> None:
        """Pay at Stripe; then the browser comes back, or never does (None)."""
        assert self.world.pay(name) is not None
        if browser is not None:
            self.come_back(name, browser)

    def come_back(self, name: str, browser: int) -> None:
        """Open the success page: from Stripe after paying, or by an address typed by hand, which lacks the key."""
        key = self.in_hand[name].return_key if self.world.sessions[name].paid else ""

        async def call() -> None:
            try:
                await self.replicas[browser].checkout.record_return(self.sessions[browser], name, key)
            except FrontendError:
                return

        self.run(call())

    def cancel(self, name: str, browser: int) -> None:
        """Press Stripe's back link in one tab: the checkout may be paid in another, before or after."""
        checkout = self.in_hand[name]

        async def call() -> None:
            await self.replicas[browser].checkout.record_cancel(self.sessions[browser], checkout.id)

        self.run(call())

    def look(self, browser: int) -> CustomerStatus | None:
        """Open a page that asks both services; a second later, since younger answers are shared."""
        self.outside.clock.move(1.1)

        async def call() -> CustomerStatus | None:
            try:
                return await self.replicas[browser].refresher.ask(self.sessions[browser])
            except NotSignedIn:
                await self._sign_in_again(browser)
                return None

        return self.run(call())

    def sign_out(self, browser: int) -> None:
        """Sign out, and in again."""

        async def call() -> None:
            old = self.sessions[browser]
            await self.replicas[browser].sessions.end(old.id)
            self.sessions[browser] = await self._sign_in(browser)

        self.run(call())

    # What happens around them

    def restart(self, number: int) -> None:
        """Replace a replica by a new process on the same store."""
        self.run(self.replicas[number].checkout.finish())
        self.replicas[number] = self._start(number)

    def set_outage(self, *, billing: bool, account: bool) -> None:
        self.outside.payment_ms.switch.error = BILLING_DOWN if billing else None
        self.outside.auth_ms.switch.error = AUTH_DOWN if account else None

    @property
    def healthy(self) -> bool:
        return self.outside.payment_ms.switch.error is self.outside.auth_ms.switch.error is None

    def deliver(self, webhook: Webhook, parts: tuple[Part, ...], *, keep: bool) -> None:
        self.world.deliver(webhook, parts, keep=keep)

    def lose(self, webhook: Webhook) -> None:
        """Lose a webhook for good, be it the only word of a payment whose browser never came back."""
        self.world.pending.remove(webhook)

    def pass_time(self, seconds: float, renewals: tuple[Part, ...]) -> None:
        """Let time pass. What Stripe renews reaches the services named, or neither: such news can be lost for good."""
        end = self.outside.clock.now + timedelta(seconds=seconds)
        while self.outside.clock.now < end:
            step = min(timedelta(hours=12), end - self.outside.clock.now)
            self.outside.clock.move(step.total_seconds())
            self.world.give_up()
            known = {webhook.number for webhook in self.world.pending}
            self.world.let_periods_end()
            for webhook in [one for one in self.world.pending if one.number not in known]:
                self.world.deliver(webhook, renewals)

    # What must hold

    @property
    def nothing_charges(self) -> bool:
        return not self.world.live("ada")

    def check_one_subscription(self) -> None:
        assert len(self.world.live("ada")) <= 1, "two live subscriptions"

    def check_one_session(self) -> None:
        payable = [name for name in self.in_hand if self.world.payable(name)]
        assert len(payable) <= 1, f"the user was sent to {payable} and gave up none of them"

    def check_claims(self, found: CustomerStatus) -> None:
        """Nothing is called active, and no access is given, that neither service says."""
        if found.stale:
            return
        now = self.outside.clock.now
        grant = self.world.grant("ada")
        account = status_word(grant.status)[0] if grant else None
        lapsed = grant is not None and grant.expires_at is not None and now >= grant.expires_at + GRACE
        worded = self.outside.payment_ms.shape != "running"
        billing = {status_word(row.status)[0] for row in self.world.billing.values() if worded}
        for one in found.all:
            if one.state in CLAIMS:
                assert one.state in billing or (one.state is account and not lapsed), f"{one.state} is nobody's word"
            if one.access and account is not None:
                assert account in GRANTING, "access that the account does not grant"
                assert not lapsed, "access whose date is over"
            if one.access and account is None:
                assert billing & GRANTING, "access that nobody grants"

    @property
    def is_called_alive(self) -> bool:
        """Whether a service says in a word of its own that something runs, be it that no news of its end came."""
        grant = self.world.grant("ada")
        words = [row.status for row in self.world.billing.values() if self.outside.payment_ms.shape != "running"]
        words += [grant.status] if grant is not None else []
        return any(status_word(word)[0] is not State.CANCELED for word in words)

    def check_no_dead_end(self, browser: int, price: str) -> None:
        """A user who has nothing is a press, and an answer to one question, from a live session.

        That is so whatever news is on its way or lost, but not against a service's own word for what runs: then the way
        on is the portal, which shows that nothing does.
        """
        if not self.healthy or not self.nothing_charges:
            return
        if not self._buys(browser, price) and self._waits_for_what_came_back:
            # paid, come back from, ended and never told: within its day it may be on its way, and is not sold again
            self.pass_time(86_400 + 1, ())
            self._buys(browser, price)
        if not self._has_live(price) and self.is_called_alive:
            assert isinstance(self.stopped, AlreadySubscribed | StatusUnclear), f"no way on: {self.stopped!r}"
            return
        assert self._has_live(price), f"a dead end: {self.stopped!r}, {self.refused!r}"
        assert self.presses <= 2, f"{self.presses} presses"

    def _buys(self, browser: int, price: str) -> bool:
        """Press, answer the question if there is one, and return whether that led to a live session."""
        self.outside.clock.move(1)  # a press of its own, not the last one twice
        self.sessions[browser] = self.run(self._sign_in(browser))
        self.refused, self.stopped, self.presses = None, None, 0
        if not self.click(browser, price):
            self.start_instead(browser, price)
        return self._has_live(price)

    def _has_live(self, price: str) -> bool:
        return any(one.price_id == price and self.world.payable(name) for name, one in self.in_hand.items())

    @property
    def _waits_for_what_came_back(self) -> bool:
        asked = self.refused.checkout if self.refused is not None else None
        return isinstance(asked, Checkout) and CheckoutEvent.RETURNED in asked.events


def _answer(question: PurchaseUnconfirmed | SubscriptionOnRecord) -> dict[str, Any]:
    """Return what the button below a plain question answers: that it has ended, and what is given up beside it."""
    beside = question.also_open
    return {"has_ended": True} | ({"instead_of": beside.id} if beside is not None else {})
