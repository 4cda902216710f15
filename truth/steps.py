"""The steps of stories: a method `do_<name>` for each name of `truth/story.py`.

A step never fails for being impossible: where there is nothing to do it does nothing, so that stories can be shortened.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from sandbox.auth.accounts import AccountPlan
from sandbox.control.scenarios import set_status, subscribe
from sandbox.stripe.checkout import success_url
from sandbox.stripe.objects import SessionStatus
from truth.browsing import Browsing
from truth.judging import Judge
from truth.people import BrowserTab, Person
from truth.reading import Pressable, Reading
from truth.story import StoryStep
from truth.story_world import StoryWorld
from truth.stripe_side import METHODS, PROMOTIONS, portal_action

PAGES: Final = (
    "/payment", "/pricing", "/payment", "/account", "/pricing?interval=year", "/shop", "/", "/cart",
    "/upgrade?plan=premium", "/payment?interval=year",
)  # fmt: skip
WAITS: Final = (
    1, 5, 40, 180, 720, 3600, 23 * 3600, 25 * 3600, 3 * 86400, 8 * 86400, 14 * 86400 + 60, 31 * 86400, 62 * 86400,
    200 * 86400, 366 * 86400, 3 * 365 * 86400,
)  # fmt: skip
LOGIN_LINK: Final = 7
"""A portal step of this last number begins in an e-mail of Stripe's: nothing of ours knows of the visit."""
LIVED: Final = 600
"""Up to so many seconds pass with everybody awake; what is longer is slept through."""

LOOK_EVERY: Final = 15.0
"""So many seconds pass between two looks of the oracle into the books: it must know when something changed."""

STATUSES: Final = ("past_due", "unpaid", "paused", "canceled", "incomplete", "active", "on_hold", "incomplete_expired")
PLANS: Final = ("premium", "basic", "enterprise", "backup")
INTERVALS: Final = ("month", "year")


class Steps:
    """What can happen in a world."""

    def __init__(self, world: StoryWorld, browsing: Browsing, judge: Judge) -> None:
        self.world, self._browsing, self._judge = world, browsing, judge
        self._by_name: dict[str, Callable[[StoryStep], Awaitable[None]]] = {
            name.removeprefix("do_"): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }

    async def take(self, step: StoryStep) -> None:
        """Let one step happen."""
        await self._by_name[step.name](step)

    async def do_open(self, step: StoryStep) -> None:
        await self._browsing.open(self._browsing.browser(step), PAGES[step.b % len(PAGES)], live=step.c != 7)

    async def do_press(self, step: StoryStep) -> None:
        tabs = self._browsing.tabs("site")
        if not tabs:
            return
        tab = tabs[step.a % len(tabs)]
        found = [one for one in (tab.reading or Reading((), ())).pressables if "sign-out-here" not in one.within]
        if step.what:
            found = [one for one in found if step.what in one.within]
            if not found:
                raise LookupError(f"{tab.path} has no {step.what} that this kept story could press")
        if found:
            await self._browsing.press(tab, found[step.b % len(found)], form=step.c % 2 == 1)

    async def do_choose(self, step: StoryStep) -> None:
        """Press the button of a plan: on a page that is open, on the billing page, or on the page that confirms it."""
        plan, interval = PLANS[(0, 0, 0, 1, 1, 2, 3)[step.b % 7]], INTERVALS[step.b // 7 % 3 == 2]
        tabs = [tab for tab in self._browsing.tabs("site") if tab.reading and _button_of(tab.reading, plan)]
        if step.c < 3 and tabs:
            tab = tabs[step.a % len(tabs)]
        else:
            chosen = f"plan={plan}&" if step.c >= 6 else ""
            tab = await self._browsing.open(self._browsing.browser(step), f"/payment?{chosen}interval={interval}")
        button = _button_of(tab.reading, plan) if tab.reading is not None else None
        if button is not None:
            await self._browsing.press(tab, button, form=step.c % 2 == 1)

    async def do_cart(self, step: StoryStep) -> None:
        """Put something into the cart, or buy it, or buy the cart."""
        if step.b % 3 == 2:
            tab = await self._browsing.open(self._browsing.browser(step), "/cart", live=step.c % 2 == 0)
            wanted = "cart-checkout"
        else:
            tab = await self._browsing.open(self._browsing.browser(step), "/shop")
            wanted = ("add", "buy")[step.b % 3 == 1]
        found = [
            one
            for one in (tab.reading or Reading((), ())).pressables
            if any(name.startswith(wanted) for name in one.within)
        ]
        if found and not (wanted == "cart-checkout" and step.c >= 6):
            await self._browsing.press(tab, found[step.b % len(found)], form=step.c % 2 == 1)

    async def do_pay(self, step: StoryStep) -> None:
        """Pay in a tab at Stripe; the browser comes back, or dies on the way."""
        tabs = self._browsing.tabs("stripe")
        if not tabs:
            return
        tab = tabs[step.a % len(tabs)]
        session = self.world.state.checkout.get(tab.session)
        if session is None or session.status is not SessionStatus.OPEN:
            return
        if step.b % 6 == 5:
            session = self.world.state.checkout.apply_promotion(session, PROMOTIONS[step.b // 6 % len(PROMOTIONS)])
        paid = self.world.state.checkout.pay(session, METHODS[step.b // 2 % len(METHODS)])
        self.world.observe()
        if step.c < 5:
            await self._browsing.load(tab, success_url(paid))
        elif step.c == 5:
            self._browsing.close(tab)

    async def do_back(self, step: StoryStep) -> None:
        """Press Stripe's back link."""
        tabs = self._browsing.tabs("stripe")
        if tabs:
            tab = tabs[step.a % len(tabs)]
            session = self.world.state.checkout.get(tab.session)
            if session is not None:
                await self._browsing.load(tab, session.cancel_url)

    async def do_duplicate(self, step: StoryStep) -> None:
        """Open what a tab shows in a second one."""
        tabs = self._browsing.tabs("stripe") or self._browsing.tabs("site")
        if tabs:
            tab = tabs[step.a % len(tabs)]
            if tab.session:
                tab.browser.tabs.append(BrowserTab(tab.browser, tab.address, session=tab.session))
            else:
                await self._browsing.open(tab.browser, tab.address)

    async def do_portal(self, step: StoryStep) -> None:
        """Go to the billing portal, do something there, and come back or not; or go there by Stripe's own link."""
        browser = self._browsing.browser(step)
        if step.c == LOGIN_LINK:
            browser.person.history.moved_elsewhere |= self._in_portal(browser.person, step)
            return
        tab = await self._browsing.open(browser, "/payment")
        found = [one for one in (tab.reading or Reading((), ())).pressables if one.action == "/payment/portal"]
        if not found:
            return
        await self._browsing.press(tab, found[step.b % len(found)], form=step.c % 4 >= 2)
        if tab.client is not None and not tab.client.is_deleted and "from=portal" not in tab.address:
            return  # it did not open
        browser.person.history.visit(self.world.time.now())
        browser.person.history.moved_elsewhere -= self._in_portal(browser.person, step)
        if step.c < 6:
            await self._browsing.load(tab, "/payment?from=portal")

    def _in_portal(self, someone: Person, step: StoryStep) -> set[str]:
        """Do what a step does there; return the subscription (its id) whose plan that changed, if any."""
        changed = portal_action(self.world.state, someone.user.user_id, step.b, step.c)
        self.world.observe()
        return {changed} if changed is not None else set()

    async def do_close(self, step: StoryStep) -> None:
        tabs = [tab for someone in self.world.people for tab in someone.tabs]
        if tabs:
            self._browsing.close(tabs[step.a % len(tabs)])

    async def do_reload(self, step: StoryStep) -> None:
        tabs = self._browsing.tabs("site")
        if tabs:
            tab = tabs[step.a % len(tabs)]
            await self._browsing.load(tab, tab.address)

    async def do_cut(self, step: StoryStep) -> None:
        """A tab loses its socket: it shows what it showed, and what is pressed there is posted."""
        tabs = [tab for tab in self._browsing.tabs("site") if tab.live]
        if tabs:
            tabs[step.a % len(tabs)].live = False

    async def do_wait(self, step: StoryStep) -> None:
        await self._wait(WAITS[step.b % len(WAITS)])

    async def _wait(self, seconds: float) -> None:
        if seconds <= LIVED:
            while seconds > 0:
                await asyncio.sleep(min(seconds, LOOK_EVERY))
                seconds -= LOOK_EVERY
                self.world.observe()
            return
        end = self.world.time.now() + timedelta(seconds=seconds)
        while (due := self.world.outside.next_due()) is not None and due <= end.timestamp():
            self.world.time.jump(max(0.0, due - self.world.time.now().timestamp()) + 0.001)
            await self.world.outside.catch_up()
            self.world.observe()
        self.world.time.jump(max(0.0, (end - self.world.time.now()).total_seconds()))
        self.world.observe()
        await self._browsing.settle(3.0)

    async def do_news(self, step: StoryStep) -> None:
        """News of what happens at Stripe gets lost, comes twice, late or in the wrong order, or reaches one service."""
        changes: tuple[dict[str, object], ...] = (
            {"webhook_mode": "lose"}, {"webhook_mode": "deliver", "webhook_reach": "both", "webhook_delay": 2},
            {"webhook_mode": "twice"}, {"webhook_mode": "out_of_order"}, {"webhook_delay": 90}, {"webhook_delay": 7200},
            {"webhook_reach": "payment"}, {"webhook_reach": "auth"}, {"plan_place": "silent"}, {"renewals": "fail"},
            {"renewals": "succeed"}, {"drops_customer_created": True}, {"session_hours": 0.5},
        )  # fmt: skip
        self.world.state.runtime_settings.change(changes[step.b % len(changes)])

    async def do_deliver(self, step: StoryStep) -> None:
        """Everything on its way arrives; or Stripe sends an old event once more."""
        if step.c % 2 == 0:
            self.world.state.webhooks.flush()
        else:
            sent = self.world.state.webhooks.log(limit=20)
            if sent:
                self.world.state.webhooks.redeliver(sent[step.b % len(sent)].id)

    async def do_restart(self, step: StoryStep) -> None:
        """A process of the app is killed, and a new one starts over the same store."""
        place = step.a % len(self.world.replicas)
        for someone in self.world.people:
            for tab in someone.tabs:
                if tab.browser.replica == place and tab.client is not None:
                    tab.live = False
        await self.world.replicas[place].kill()
        self.world.replicas[place] = await self.world.start_replica()
        for someone in self.world.people:
            for tab in someone.tabs:
                if tab.browser.replica == place and tab.client is not None:
                    tab.live = True
                    await self._browsing.load(tab, tab.address)

    async def do_redis(self, step: StoryStep) -> None:
        """The shared store goes away, or comes back."""
        self.world.store.broken = not self.world.store.broken
        if not self.world.store.broken:
            self.world.store.lose_messages()

    async def do_catalog(self, step: StoryStep) -> None:
        """The operator changes what is sold; every process reads it within two seconds."""
        if step.c == 7:
            self.world.catalog.restore()
        else:
            self.world.catalog.change(step.b)
        for replica in self.world.replicas:
            await replica.running.catalog_file.look()
        self.world.observe()

    async def do_stripe(self, step: StoryStep) -> None:
        """Something happens at Stripe by itself, or in its dashboard."""
        user_id = self.world.people[step.a % len(self.world.people)].user.user_id
        if step.b % 2 == 0:
            still = [one for one in self.world.state.checkout.of(user_id) if one.status is SessionStatus.OPEN]
            if still:
                self.world.state.checkout.expire(still[-1])
        else:
            found = [one for one in self.world.state.subscriptions.of(user_id) if one.live]
            if found:
                set_status(self.world.state, found[-1], STATUSES[step.b // 2 % len(STATUSES)])
        self.world.observe()

    async def do_account(self, step: StoryStep) -> None:
        """Somebody changes what the account says: a gift, a plan that is called otherwise, an odd date, nothing."""
        user_id = self.world.people[step.a % len(self.world.people)].user.user_id
        soon = (self.world.time.now() + timedelta(days=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        grants = (
            AccountPlan(status="active", plan="premium"), AccountPlan(status="active", plan="gold-2023"),
            AccountPlan(status="active", plan="basic", expires_at=soon), AccountPlan(silent=True),
            AccountPlan(status="canceled", plan="premium", expires_at=soon),
            AccountPlan(status="active", plan="premium", expires_at="9999-12-31T23:59:59Z"),
            AccountPlan(status="active", plan="premium", expires_at="2026-12-31"),
            AccountPlan(status="none", plan="free"), AccountPlan(status="trialing", plan="enterprise", expires_at=soon),
        )  # fmt: skip
        self.world.state.accounts.set_grant(user_id, grants[step.b % len(grants)])
        self.world.observe()

    async def do_sales(self, step: StoryStep) -> None:
        """A subscription that was not bought here: made by sales, or in an older front end."""
        someone = self.world.people[step.a % len(self.world.people)]
        lines = self.world.state.prices.plans()
        subscribe(self.world.state, someone.user.user_id, someone.user.email, lines[step.b % len(lines)])
        self.world.observe()

    async def do_address(self, step: StoryStep) -> None:
        """Somebody puts an address of their own into the address bar."""
        someone = self.world.people[step.a % len(self.world.people)]
        browser = someone.browsers[0]
        if step.c % 3 == 2 or not someone.sent:
            await self._browsing.open(browser, "/payment/success?session_id=cs_test_of_somebody_else")
            return
        session_id = someone.sent[step.b % len(someone.sent)]
        await self._browsing.open(browser, f"/payment/success?session_id={session_id}")

    async def do_modes(self, step: StoryStep) -> None:
        """The Payment MS is given a key of Stripe's other mode. No random story does it: pages say nothing of it."""
        self.world.state.runtime_settings.change({"mixes_modes": step.c % 2 == 0})

    async def do_operator(self, step: StoryStep) -> None:
        """The operator looks at what a process says of which money it takes."""
        self._judge.check_modes(step.a % len(self.world.replicas))

    async def do_api(self, step: StoryStep) -> None:
        """A program asks what somebody may use, and what they have."""
        browser = self._browsing.browser(step)
        if not browser.cookies and not await self._browsing.sign_in(browser):
            return
        checks = {
            "/api/entitlements": self._judge.check_token,
            "/api/payment/subscriptions": self._judge.check_subscriptions,
        }
        for address, check in checks.items():
            answer = await self.world.replicas[browser.replica].send("GET", address, browser.cookies)
            if answer.status_code == 500:
                self.world.fail("500", f"{address} answers 500")
            if answer.status_code == 200:
                check(browser.person, answer.json())


def _button_of(reading: Reading, plan: str) -> Pressable | None:
    """Return the button that buys a plan."""
    return next((one for one in reading.pressables if f"subscribe-{plan}" in one.within), None)
