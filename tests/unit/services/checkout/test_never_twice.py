"""The property: whatever happens in whatever order, nobody has two live subscriptions through the app, nobody is told
"active" by nobody, and nobody who has nothing is locked out.

A user with two browsers on two replicas clicks, pays, cancels, comes back or never does, signs out and in, while
webhooks arrive now, late, twice, out of order, at one service only or never, replicas restart, services and the store
fail, answers are lost, and time passes; against a model of Stripe and both services, in all three status shapes.

Two things are taken for granted, since no call of the Payment MS expires a checkout session or looks one up, so that
only Stripe's own limit of one subscription a customer can guard them:

* a session that the user gave up when asked ("start instead", "start a new one") is not paid any more, unless the app
  sends them there again; Stripe's back link gives nothing up;
* the plain questions ("has it ended?", "were you charged?", "did you pay there?") are answered truthfully.

Who has nothing is a press, and an answer to one question, from a live session. Not against a service's own
word that something runs, be it that no news of its end came: then the way on is the portal. Nor within the day of a
purchase that they came back from and that ended untold: it may be on its way, and is waited for.

Any webhook can be lost for good, be it the only word of a payment whose browser never came back: then one of those
questions has to come before the next sale.

The run of `make test` is short, that of `make test-long` five times as long, both the same each time;
`NEVER_TWICE_EXAMPLES=3000` looks for longer, elsewhere each time.
What longer runs have found has a test of its own in `test_service.py` or `test_reconcile.py`.
"""

import os

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.examples import some_of
from tests.fakes import SHAPES, Shape
from tests.unit.services.checkout.never_twice import PRICES, Story
from tests.world import BOTH, Part

pytestmark = pytest.mark.slow

browsers = st.sampled_from([0, 1])
prices = st.sampled_from(PRICES)
several = st.integers(min_value=0, max_value=20)
parts: st.SearchStrategy[tuple[Part, ...]] = st.sampled_from([BOTH, ("billing",), ("account",)])
renewed: st.SearchStrategy[tuple[Part, ...]] = st.sampled_from([BOTH, ("billing",), ("account",), ()])
moments = st.sampled_from([0.2, 2.0, 45.0, 700.0, 3_700.0, 30_000.0, 90_000.0, 500_000.0, 3_000_000.0])


class NeverTwice(RuleBasedStateMachine):
    story: Story

    @initialize(shape=st.sampled_from((*SHAPES, "running")), speaks=st.booleans(), rotates=st.booleans())
    def begin(self, shape: Shape, speaks: bool, rotates: bool) -> None:
        self.story = Story(shape, account_speaks=speaks, rotates=rotates)

    @rule(browser=browsers, price=prices, again=st.booleans())
    def click(self, browser: int, price: str, again: bool) -> None:
        self.story.click(browser, price)
        if again:
            self.story.click(1 - browser, price)

    @rule(browser=browsers, price=prices, told=st.sampled_from([None, BOTH, BOTH, ("billing",), ("account",)]))
    def buy(self, browser: int, price: str, told: tuple[Part, ...] | None) -> None:
        """The short way: click, pay and come back, and the news arrives at once, or later."""
        if self.story.click(browser, price) and self.payable:
            self.story.pay(self.payable[-1], browser)
            if told is not None:
                self.story.deliver(self.story.world.pending[-1], told, keep=False)

    @rule(first=prices, second=prices)
    def click_two_buttons_at_once(self, first: str, second: str) -> None:
        self.story.click_together(first, second)

    @rule(browser=browsers, price=prices)
    def start_instead(self, browser: int, price: str) -> None:
        self.story.start_instead(browser, price)

    @rule(browser=browsers)
    def go_on(self, browser: int) -> None:
        self.story.go_on(browser)

    @precondition(lambda self: self.payable)
    @rule(pick=several, browser=st.sampled_from([0, 1, 0, 1, None]))
    def pay(self, pick: int, browser: int | None) -> None:
        self.story.pay(self.payable[pick % len(self.payable)], browser)

    @precondition(lambda self: self.payable)
    @rule(pick=several)
    def a_session_is_expired_at_stripe(self, pick: int) -> None:
        self.story.world.sessions[self.payable[pick % len(self.payable)]].expired = True

    @precondition(lambda self: self.story.in_hand)
    @rule(pick=several, browser=browsers)
    def press_stripes_back_link(self, pick: int, browser: int) -> None:
        self.story.cancel(self.named(pick), browser)

    @precondition(lambda self: self.story.in_hand)
    @rule(pick=several, browser=browsers)
    def open_the_success_page(self, pick: int, browser: int) -> None:
        self.story.come_back(self.named(pick), browser)

    @precondition(lambda self: self.story.world.pending)
    @rule(pick=several, to=parts, keep=st.booleans())
    def webhook_arrives(self, pick: int, to: tuple[Part, ...], keep: bool) -> None:
        pending = self.story.world.pending
        self.story.deliver(pending[pick % len(pending)], to, keep=keep)

    @precondition(lambda self: self.story.world.pending)
    @rule(pick=several)
    def webhook_is_lost(self, pick: int) -> None:
        pending = self.story.world.pending
        self.story.lose(pending[pick % len(pending)])

    @precondition(lambda self: not self.story.nothing_charges)
    @rule(now=st.booleans())
    def cancel_in_the_portal(self, now: bool) -> None:
        subscription = self.story.world.live("ada")[0]
        if now:
            self.story.world.set_status(subscription, "canceled")
        else:
            subscription.ends = True
            self.story.world.send(subscription)

    @precondition(lambda self: not self.story.nothing_charges)
    @rule(to=parts)
    def subscription_ends_and_is_told(self, to: tuple[Part, ...]) -> None:
        self.story.world.set_status(self.story.world.live("ada")[0], "canceled")
        for webhook in tuple(self.story.world.pending):
            self.story.deliver(webhook, to, keep=False)

    @precondition(lambda self: not self.story.nothing_charges)
    @rule(price=prices, both=st.booleans())
    def switch_in_the_portal(self, price: str, both: bool) -> None:
        self.story.world.lists_both = both
        self.story.world.switch(self.story.world.live("ada")[0], price)

    @precondition(lambda self: not self.story.nothing_charges)
    @rule(status=st.sampled_from(["past_due", "unpaid", "paused", "active"]))
    def payment_fails_or_recovers(self, status: str) -> None:
        self.story.world.set_status(self.story.world.live("ada")[0], status)

    @rule(seconds=moments, to=renewed)
    def time_passes(self, seconds: float, to: tuple[Part, ...]) -> None:
        self.story.pass_time(seconds, to)

    @rule(browser=browsers)
    def look(self, browser: int) -> None:
        found = self.story.look(browser)
        if found is not None:
            self.story.check_claims(found)

    @precondition(lambda self: self.story.healthy)
    @rule(browser=browsers)
    def sign_out_and_in(self, browser: int) -> None:
        self.story.sign_out(browser)

    @rule(number=browsers)
    def restart(self, number: int) -> None:
        self.story.restart(number)

    @rule(billing=st.booleans(), account=st.booleans())
    def services_go_or_come(self, billing: bool, account: bool) -> None:
        self.story.set_outage(billing=billing, account=account)

    @rule(lost=st.booleans(), honours=st.booleans())
    def checkout_answers_are_lost_or_found(self, lost: bool, honours: bool) -> None:
        payment_ms = self.story.outside.payment_ms
        payment_ms.lose_answers, payment_ms.honours_keys = lost, honours

    @rule(browser=browsers, price=prices, after=st.integers(min_value=0, max_value=30))
    def the_store_fails_during_a_click(self, browser: int, price: str, after: int) -> None:
        store = self.story.outside.store
        store.break_after = after
        self.story.click(browser, price)
        store.broken, store.break_after = False, None

    @rule(browser=browsers, price=prices)
    def nobody_is_locked_out(self, browser: int, price: str) -> None:
        self.story.outside.payment_ms.lose_answers = False
        self.story.check_no_dead_end(browser, price)

    @invariant()
    def never_two(self) -> None:
        if hasattr(self, "story"):
            self.story.check_one_subscription()
            self.story.check_one_session()

    def teardown(self) -> None:
        if hasattr(self, "story"):
            self.story.close()

    @property
    def payable(self) -> list[str]:
        """The checkouts that the user may pay and Stripe would take."""
        return [name for name in self.story.in_hand if self.story.world.payable(name)]

    def named(self, pick: int) -> str:
        """One of the checkouts in the user's hands."""
        names = list(self.story.in_hand)
        return names[pick % len(names)]


EXAMPLES = int(os.environ.get("NEVER_TWICE_EXAMPLES", some_of(250)))
NeverTwice.TestCase.settings = settings(
    max_examples=EXAMPLES,
    derandomize="NEVER_TWICE_EXAMPLES" not in os.environ,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestNeverTwice = pytest.mark.examples(pytest.mark.timeout(120 + EXAMPLES)(NeverTwice.TestCase))
