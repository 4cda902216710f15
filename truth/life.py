"""Plays a story: the steps, and after each of them the oracle.

A step never fails for being impossible: where there is nothing to do it does nothing, so that stories can be shortened.
"""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from nicegui import core, events
from nicegui.app.app import State
from pydantic import SecretStr

from sandbox.auth.accounts import AccountPlan, person
from sandbox.control.scenarios import set_status, subscribe
from sandbox.stripe.checkout import success_url
from sandbox.stripe.objects import SessionStatus
from settings import load_settings
from truth.catalogs import CatalogOfStory
from truth.facts import facts_of, told_of
from truth.grammar import Unknown, money_in, statements_of
from truth.memory_store import MemoryStore
from truth.oracle import CatalogFacts, History, Verdict, sold_in
from truth.outside import STRIPE, OtherSystems, on_recorded
from truth.people import BrowserTab, Person, PersonalBrowser
from truth.reading import Pressable, Reading, read_page
from truth.replica import StoryReplica, without_documents
from truth.statements import Kind, Statement
from truth.story import KNOBS, LifeStory, StoryStep
from truth.stripe_side import METHODS, PROMOTIONS, portal_action
from truth.virtual_time import VirtualLoop, VirtualTime

START: Final = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
NAMES: Final = ("ada", "grace")
PAGES: Final = (
    "/payment", "/pricing", "/payment", "/account", "/pricing?interval=year", "/shop", "/", "/cart",
    "/upgrade?plan=premium", "/payment?interval=year",
)  # fmt: skip
WAITS: Final = (
    1, 5, 40, 180, 720, 3600, 23 * 3600, 25 * 3600, 3 * 86400, 8 * 86400, 14 * 86400 + 60, 31 * 86400, 62 * 86400,
    200 * 86400, 366 * 86400, 3 * 365 * 86400,
)  # fmt: skip
LIVED: Final = 600
"""Up to so many seconds pass with everybody awake; what is longer is slept through."""

LOOK_EVERY: Final = 15.0
"""So many seconds pass between two looks of the oracle into the books: it must know when something changed."""

STATUSES: Final = ("past_due", "unpaid", "paused", "canceled", "incomplete", "active", "on_hold", "incomplete_expired")
PLANS: Final = ("premium", "basic", "enterprise", "backup")
INTERVALS: Final = ("month", "year")
MOST_TABS: Final = 3
QUESTIONS: Final = frozenset({"has_ended", "instead_of"})


@dataclass(frozen=True, slots=True)
class Failure:
    """What the oracle found. `sort` is the same for failures of one kind."""

    sort: str
    text: str
    step: int

    def __str__(self) -> str:
        return f"after step {self.step + 1}: {self.text}"


class Found(Exception):
    """Ends a story: something false was said, or something bad happened."""

    def __init__(self, sort: str, text: str) -> None:
        super().__init__(text)
        self.sort = sort


@dataclass
class Tally:
    """How much was said in a story, by verdict."""

    said: dict[str, int]
    softer: dict[str, int]


def play(
    story: LifeStory, *, watch: Callable[[str], None] | None = None, to_the_end: bool = False
) -> tuple[list[Failure], Tally]:
    """Play a story in a loop of its own; return what the oracle found, and how much was said.

    A story ends with the first failure, or goes on `to_the_end` and returns the first of each sort.
    """
    with (
        _quiet_log(),
        without_documents(),
        tempfile.TemporaryDirectory(prefix="story-") as folder,
        VirtualTime(START) as time,
    ):
        loop = VirtualLoop(time)
        asyncio.set_event_loop(loop)
        before = core.loop, core.app._state
        core.loop, core.app._state = loop, State.STARTED
        core.app.config.reconnect_timeout, core.app.config.message_history_length = 15.0, 0
        life = Life(story, time, Path(folder), watch or (lambda line: None))
        life.to_the_end = to_the_end
        try:
            return loop.run_until_complete(life.live()), life.tally
        finally:
            _end(loop)
            asyncio.set_event_loop(None)
            core.loop, core.app._state = before


@contextmanager
def _quiet_log() -> Iterator[None]:
    """Log nothing while a story is played."""
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    try:
        yield
    finally:
        structlog.configure(**before)


class Life:
    """The world of one story while it is played."""

    def __init__(self, story: LifeStory, time: VirtualTime, folder: Path, watch: Callable[[str], None]) -> None:
        setup = story.setup
        self.story, self.time, self.watch = story, time, watch
        self.tally = Tally({}, {})
        self.catalog = CatalogOfStory(folder / "products.json", setup.changes)
        self.outside = OtherSystems(self.catalog.path, {
            "status_shape": setup.shape, "plan_place": setup.place, "webhook_delay": setup.delay,
            "stale_events": setup.stale, "cancellation_word": setup.word, "dunning_ends": setup.dunning,
        } | {name: value for place in setup.knobs for name, value in KNOBS[place % len(KNOBS)].items()})  # fmt: skip
        self.outside.skew.seconds = setup.skew
        self.state = self.outside.state
        self.store = MemoryStore(time.now)
        self.gives_trials = str(self.state.runtime_settings.current.trials) == "catalog"
        self.settings = load_settings(
            _env_file=None, storage_path=str(folder / "store.sqlite3"), catalog_path=str(self.catalog.path),
            storage_secret=SecretStr("Zk3v9Qm1Xw7Lr5Tn8Bc2Hd6Jf4Gs0Py1"), sandbox_payment_port=9000,
            sandbox_auth_port=8080, sandbox_stripe_port=4242, support_url="mailto:help@example.com",
            payment_ms_gives_trials=self.gives_trials,
            limit_checkouts="1000/minute", limit_sign_ins="1000/minute",
            payment_ms_webhook_secret=SecretStr("whsec_0123456789abcdef0123456789"),
        )  # fmt: skip
        self.replicas: list[StoryReplica] = []
        self.people: list[Person] = []
        self.crashes: list[str] = []
        self.to_the_end = False
        self.found: dict[str, Failure] = {}
        self.place = 0

    async def live(self) -> list[Failure]:
        """Play the steps; return the failures."""
        core.app._exception_handlers[:] = [self._crashed]
        self.replicas = [self._start(), self._start()]
        for name in NAMES[: self.story.setup.people]:
            someone = Person(person(f"{name}@example.com"), History(self.story.setup.zone))
            zone = {"timezone": self.story.setup.zone.replace("/", "%2F")}
            someone.browsers = [PersonalBrowser(someone, place, dict(zone)) for place in (0, 1)]
            self.people.append(someone)
        if self.story.setup.push:
            on_recorded(self.outside, self._push)
        clockwork = asyncio.create_task(self.outside.scheduler.run())
        try:
            self.observe()
            for place, step in enumerate(self.story.steps):
                self.place = place
                self.watch(f"{self.place + 1}. {step}")
                await self._step(step)
        except Found:
            pass
        finally:
            clockwork.cancel()
            for replica in self.replicas:
                await replica.kill()
            self.outside.close()
        return list(self.found.values())

    def _fail(self, sort: str, text: str) -> None:
        """Note a failure, the first of each sort; the story ends with it unless it is to be told to the end."""
        self.found.setdefault(sort, Failure(sort, text, self.place))
        if not self.to_the_end:
            raise Found(sort, text)

    def _start(self) -> StoryReplica:
        return StoryReplica(self.settings, self.store, self.outside)

    def _crashed(self, error: Exception) -> None:
        self.crashes.append(f"{type(error).__name__}: {error}")

    def _push(self, user_id: str) -> None:
        for replica in self.replicas:
            task = asyncio.ensure_future(replica.container.status.poll_once(user_id))
            task.add_done_callback(lambda done: done.exception())
            break

    async def _step(self, step: StoryStep) -> None:
        steps: dict[str, Callable[[StoryStep], Awaitable[None]]] = {
            name.removeprefix("do_"): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }
        await steps[step.name](step)
        await self.settle()
        self.check()

    async def settle(self, seconds: float = 0.3) -> None:
        """Let everything happen that follows from what was done, and follow where pages lead."""
        await asyncio.sleep(seconds)
        self.observe()
        for someone in self.people:
            for tab in someone.tabs:
                await self._follow(tab)

    # The oracle

    @property
    def sold(self) -> CatalogFacts:
        return sold_in(self.catalog.document, trials=self.gives_trials)

    def observe(self) -> None:
        """Let the oracle know what is true now."""
        now, sold = self.time.now(), self.sold
        for someone in self.people:
            truth = facts_of(self.state, someone.user.user_id, now)
            someone.history.observe(truth, told_of(self.state, someone.user.user_id, truth), sold)

    def check(self) -> None:
        """Read everything that stands on screens, and call it true or false."""
        if self.crashes:
            self._fail("crash", f"an exception in a page: {self.crashes[0]}")
        for someone in self.people:
            self._check_twice(someone)
            for tab in someone.tabs:
                if tab.client is not None and tab.live:
                    tab.reading = self._read(tab)
                    self._judge(someone, tab, tab.reading)

    def _read(self, tab: BrowserTab) -> Reading:
        client = tab.client
        if client is None or (tab.reading is not None and not client.outbox.updates):
            return tab.reading or Reading((), ())
        client.outbox.updates.clear()
        return read_page(client)

    def _judge(self, someone: Person, tab: BrowserTab, reading: Reading) -> None:
        now = self.time.now()
        stale = any(said.text.startswith(("This is from", "Last known", "Last updated")) for said in reading.said)
        visitor = not any(said.inside("user-name") for said in reading.said)
        for said in statements_of(reading, tab.path, self._subject(tab), visitor=visitor):
            if isinstance(said, Unknown):
                digits = re.sub(r"\d+", "9", said.text)
                self._fail(f"unknown: {digits}", f"a sentence that nobody knows on {said.where}: “{said.text}”")
                continue
            verdict = someone.history.judge(said, now, tab.drawn_at)
            if verdict is Verdict.FALSE and stale and someone.history.was_ever(said, now):
                verdict = Verdict.DATED
            self.tally.said[verdict] = self.tally.said.get(verdict, 0) + 1
            if verdict is Verdict.FALSE:
                self._fail(
                    someone.history.sort_of(said, now),
                    f"{someone.user.email} is told what is false: {said}\n{self._truth(someone)}",
                )
            if verdict is not Verdict.TRUE:
                self.tally.softer[f"{verdict}: {said.kind}"] = self.tally.softer.get(f"{verdict}: {said.kind}", 0) + 1

    def _subject(self, tab: BrowserTab) -> str:
        """Return the session at Stripe that the tab's page is about."""
        query = dict(part.partition("=")[::2] for part in tab.address.partition("?")[2].split("&"))
        if tab.path == "/payment/success":
            return query.get("session_id", "")
        if tab.path == "/payment/cancel":
            return next((one for one, url in self._cancel_urls().items() if url.endswith(tab.address)), "")
        return ""

    def _cancel_urls(self) -> dict[str, str]:
        return {one.id: one.cancel_url for one in self.state.checkout.newest(200)}

    def _truth(self, someone: Person) -> str:
        truth, told, _sold = someone.history.known[-1]
        lines = [f"    at Stripe: {sub}" for sub in truth.subs]
        lines += [f"    session {session}" for session in truth.sessions]
        lines.append(f"    account: {truth.account}")
        if told is not None:
            lines.append(f"    billing was told: {', '.join(map(str, told.subs)) or 'nothing'}")
        return "\n".join(lines)

    def _check_twice(self, someone: Person) -> None:
        """Two subscriptions of one group that were both bought here, the later one without a question.

        What counts is what was sold: an add-on that somebody turned into a second plan in the portal was not.
        """
        sessions = {
            one.subscription_id: one for one in self.state.checkout.of(someone.user.user_id) if one.subscription_id
        }
        bought = [sub for sub in someone.history.known[-1][0].alive if sub.id in sessions]
        bought.sort(key=lambda sub: sessions[sub.id].created)  # whole seconds: of two in one, the order in the books
        for place, later in enumerate(bought):
            session, older = sessions[later.id], {sub.id for sub in bought[:place]}
            if session.id in someone.asked or someone.history.alone_at_first(later, session.lines[0].group, older):
                continue
            self._fail(
                "paid twice",
                f"{someone.user.email} has two live subscriptions and was asked nothing\n{self._truth(someone)}",
            )

    # Browsers

    def _browser(self, step: StoryStep) -> PersonalBrowser:
        someone = self.people[(step.a // 4) % len(self.people)]
        return someone.browsers[step.a % 4 == 3]

    def _tabs(self, where: str) -> list[BrowserTab]:
        tabs = [tab for someone in self.people for tab in someone.tabs]
        if where == "site":
            return [tab for tab in tabs if tab.client is not None]
        return [tab for tab in tabs if tab.session]

    async def _open(
        self, browser: PersonalBrowser, address: str, *, live: bool = True, tab: BrowserTab | None = None
    ) -> BrowserTab:
        """Open an address in a new tab, or in one that is there."""
        if tab is None:
            if len(browser.tabs) >= MOST_TABS:
                self._close(browser.tabs[0])
            tab = BrowserTab(browser, live=live)
            browser.tabs.append(tab)
        await self._load(tab, address)
        return tab

    def _close(self, tab: BrowserTab) -> None:
        self._leave(tab)
        tab.browser.tabs.remove(tab)

    def _leave(self, tab: BrowserTab) -> None:
        if tab.client is not None and not tab.client.is_deleted:
            tab.client.delete()
        tab.client, tab.reading, tab.session, tab.answered = None, None, "", False

    async def _load(self, tab: BrowserTab, address: str, hops: int = 6) -> None:
        self._leave(tab)
        while hops:
            hops -= 1
            if address.startswith(STRIPE):
                self._at_stripe(tab, address)
                return
            parts = urlsplit(address)
            address = parts.path + (f"?{parts.query}" if parts.query else "")
            replica = self.replicas[tab.browser.replica]
            if not replica.has_page(parts.path):
                return
            answer, client = await replica.open(address, tab.browser.cookies)
            self._keep_cookies(tab.browser, answer.headers.getlist("set-cookie"))
            if answer.status_code in (302, 303, 307):
                address = answer.headers["location"]
                if address.startswith("/login"):
                    if not await self._sign_in(tab.browser):
                        return
                    address = tab.address if tab.address and not tab.address.startswith("/login") else "/payment"
                    continue
                continue
            if answer.status_code == 500:
                self._fail(
                    "500",
                    f"{address} answers 500 to {tab.browser.person.user.email}\n{self._truth(tab.browser.person)}",
                )
            tab.address, tab.client, tab.drawn_at = address, client, self.time.now()
            if tab.live:
                await replica.connect(client)
                await asyncio.sleep(0.1)
            tab.reading = read_page(client)
            client.outbox.updates.clear()
            self.observe()
            self._judge(tab.browser.person, tab, tab.reading)
            return

    def _keep_cookies(self, browser: PersonalBrowser, headers: list[str]) -> None:
        for header in headers:
            name, _, value = header.partition(";")[0].partition("=")
            browser.cookies[name] = value

    async def _sign_in(self, browser: PersonalBrowser) -> bool:
        sessions = self.replicas[browser.replica].container.sessions
        code = self.state.accounts.issue_code(browser.person.user)
        try:
            start = await sessions.begin_sign_in("google", "/payment")
            done = await sessions.complete_sign_in(token=start.token, state=None, auth_code=code, old_session_id=None)
        except Exception as error:
            if type(error).__module__ != "services.errors":
                raise
            return False
        browser.cookies[sessions.cookie_name] = sessions.cookie_for(done.session.id)
        return True

    def _at_stripe(self, tab: BrowserTab, address: str) -> None:
        kind, _, name = urlsplit(address).path.strip("/").rpartition("/")
        tab.client, tab.reading = None, None
        if kind == "c/pay":
            tab.session = name
            self._sent_to(tab.browser.person, name)

    def _sent_to(self, someone: Person, session_id: str) -> None:
        session = self.state.checkout.get(session_id)
        someone.sent.append(session_id)
        if session is not None and session.status is SessionStatus.EXPIRED:
            someone.dead[session_id] = someone.dead.get(session_id, 0) + 1
            if someone.dead[session_id] > 2:
                self._fail(
                    "dead end",
                    f"{someone.user.email} is sent to the same dead checkout, time {someone.dead[session_id]}",
                )

    async def _follow(self, tab: BrowserTab) -> None:
        """Go where the page has sent its browser."""
        if tab.client is None or tab.client.is_deleted:
            return
        for _target, kind, data in tuple(tab.client.outbox.messages):
            if kind == "open":
                answered = tab.answered
                tab.client.outbox.messages.clear()
                await self._load(tab, str(data["path"]))
                if tab.session and answered:
                    tab.browser.person.asked.add(tab.session)
                return
        tab.client.outbox.messages.clear()

    # Presses

    async def _press(self, tab: BrowserTab, what: Pressable, *, form: bool) -> None:
        """Press something as somebody with a script does, over the socket, or as a form that is posted."""
        tab.answered = tab.answered or bool(QUESTIONS & (what.fields or {}).keys()) or "answer-ended" in what.within
        expected = shown_price(tab, what)
        answered, someone = tab.answered, tab.browser.person
        if what.listens and tab.live and not form and tab.client is not None:
            for listener in tuple(what.element._event_listeners.values()):
                if listener.type == "click.prevent":
                    with tab.client:
                        arguments = events.GenericEventArguments(sender=what.element, client=tab.client, args={})
                        events.handle_event(listener.handler, arguments)
            await self.settle(0.1)
        elif what.fields is not None and what.action:
            replica = self.replicas[tab.browser.replica]
            answer = await replica.send("POST", what.action, tab.browser.cookies, form=what.fields)
            if answer.status_code >= 500:
                self._fail("500", f"a press of “{what.label}” answers {answer.status_code}")
            self._keep_cookies(tab.browser, answer.headers.get_list("set-cookie"))
            if answer.is_redirect:
                await self._load(tab, answer.headers["location"])
        elif what.href and not what.href.startswith(("mailto:", "#")):
            await self._load(tab, what.href)
        if tab.session:
            if answered:
                someone.asked.add(tab.session)
            self._check_sold(someone, tab.session, expected, what)

    def _check_sold(self, someone: Person, session_id: str, expected: "PriceShown | None", what: Pressable) -> None:
        session = self.state.checkout.get(session_id)
        if expected is None or session is None or session.status is not SessionStatus.OPEN:
            return
        line = session.lines[0]
        amounts = sum(one.amount * one.quantity for one in session.lines)
        found = (amounts, line.currency, line.trial_days if session.recurring else 0)
        if found != (expected.amount, expected.currency, expected.trial_days):
            self._fail(
                "sold otherwise",
                f"{someone.user.email} pressed “{what.label}” at {expected}, and Stripe opens at {found}",
            )

    # Steps

    async def do_open(self, step: StoryStep) -> None:
        await self._open(self._browser(step), PAGES[step.b % len(PAGES)], live=step.c != 7)

    async def do_press(self, step: StoryStep) -> None:
        tabs = self._tabs("site")
        if not tabs:
            return
        tab = tabs[step.a % len(tabs)]
        found = [one for one in (tab.reading or Reading((), ())).pressables if "sign-out-here" not in one.within]
        if found:
            await self._press(tab, found[step.b % len(found)], form=step.c % 2 == 1)

    async def do_choose(self, step: StoryStep) -> None:
        """Press the button of a plan, on a page that is open or on the billing page."""
        plan, interval = PLANS[(0, 0, 0, 1, 1, 2, 3)[step.b % 7]], INTERVALS[step.b // 7 % 3 == 2]
        tabs = [tab for tab in self._tabs("site") if tab.reading and _button_of(tab.reading, plan)]
        if step.c < 3 and tabs:
            tab = tabs[step.a % len(tabs)]
        else:
            tab = await self._open(self._browser(step), f"/payment?interval={interval}")
        button = _button_of(tab.reading, plan) if tab.reading is not None else None
        if button is not None:
            await self._press(tab, button, form=step.c % 2 == 1)

    async def do_cart(self, step: StoryStep) -> None:
        """Put something into the cart, or buy it, or buy the cart."""
        if step.b % 3 == 2:
            tab = await self._open(self._browser(step), "/cart", live=step.c % 2 == 0)
            wanted = "cart-checkout"
        else:
            tab = await self._open(self._browser(step), "/shop")
            wanted = ("add", "buy")[step.b % 3 == 1]
        found = [
            one
            for one in (tab.reading or Reading((), ())).pressables
            if any(name.startswith(wanted) for name in one.within)
        ]
        if found and not (wanted == "cart-checkout" and step.c >= 6):
            await self._press(tab, found[step.b % len(found)], form=step.c % 2 == 1)

    async def do_pay(self, step: StoryStep) -> None:
        """Pay in a tab at Stripe; the browser comes back, or dies on the way."""
        tabs = self._tabs("stripe")
        if not tabs:
            return
        tab = tabs[step.a % len(tabs)]
        session = self.state.checkout.get(tab.session)
        if session is None or session.status is not SessionStatus.OPEN:
            return
        if step.b % 6 == 5:
            session = self.state.checkout.apply_promotion(session, PROMOTIONS[step.b // 6 % len(PROMOTIONS)])
        paid = self.state.checkout.pay(session, METHODS[step.b // 2 % len(METHODS)])
        self.observe()
        if step.c < 5:
            await self._load(tab, success_url(paid))
        elif step.c == 5:
            self._close(tab)

    async def do_back(self, step: StoryStep) -> None:
        """Press Stripe's back link."""
        tabs = self._tabs("stripe")
        if tabs:
            tab = tabs[step.a % len(tabs)]
            session = self.state.checkout.get(tab.session)
            if session is not None:
                await self._load(tab, session.cancel_url)

    async def do_duplicate(self, step: StoryStep) -> None:
        """Open what a tab shows in a second one."""
        tabs = self._tabs("stripe") or self._tabs("site")
        if tabs:
            tab = tabs[step.a % len(tabs)]
            if tab.session:
                tab.browser.tabs.append(BrowserTab(tab.browser, tab.address, session=tab.session))
            else:
                await self._open(tab.browser, tab.address)

    async def do_portal(self, step: StoryStep) -> None:
        """Go to the billing portal, do something there, and come back or not."""
        browser = self._browser(step)
        tab = await self._open(browser, ("/payment", "/account")[step.c % 2])
        found = [one for one in (tab.reading or Reading((), ())).pressables if one.action == "/payment/portal"]
        if not found:
            return
        await self._press(tab, found[step.b % len(found)], form=step.c % 4 >= 2)
        if tab.client is not None and not tab.client.is_deleted and "from=portal" not in tab.address:
            return  # it did not open
        portal_action(self.state, browser.person.user.user_id, step.b, step.c)
        self.observe()
        if step.c < 6:
            await self._load(tab, f"{('/payment', '/account')[step.c % 2]}?from=portal")

    async def do_close(self, step: StoryStep) -> None:
        tabs = [tab for someone in self.people for tab in someone.tabs]
        if tabs:
            self._close(tabs[step.a % len(tabs)])

    async def do_reload(self, step: StoryStep) -> None:
        tabs = self._tabs("site")
        if tabs:
            tab = tabs[step.a % len(tabs)]
            await self._load(tab, tab.address)

    async def do_cut(self, step: StoryStep) -> None:
        """A tab loses its socket: it shows what it showed, and what is pressed there is posted."""
        tabs = [tab for tab in self._tabs("site") if tab.live]
        if tabs:
            tabs[step.a % len(tabs)].live = False

    async def do_wait(self, step: StoryStep) -> None:
        await self._wait(WAITS[step.b % len(WAITS)])

    async def _wait(self, seconds: float) -> None:
        if seconds <= LIVED:
            while seconds > 0:
                await asyncio.sleep(min(seconds, LOOK_EVERY))
                seconds -= LOOK_EVERY
                self.observe()
            return
        end = self.time.now() + timedelta(seconds=seconds)
        while (due := self.outside.next_due()) is not None and due <= end.timestamp():
            self.time.jump(max(0.0, due - self.time.now().timestamp()) + 0.001)
            self.outside.catch_up()
            self.observe()
        self.time.jump(max(0.0, (end - self.time.now()).total_seconds()))
        self.observe()
        await self.settle(3.0)

    async def do_news(self, step: StoryStep) -> None:
        """News of what happens at Stripe gets lost, comes twice, late or in the wrong order, or reaches one service."""
        changes: tuple[dict[str, object], ...] = (
            {"webhook_mode": "lose"}, {"webhook_mode": "deliver", "webhook_reach": "both", "webhook_delay": 2},
            {"webhook_mode": "twice"}, {"webhook_mode": "out_of_order"}, {"webhook_delay": 90}, {"webhook_delay": 7200},
            {"webhook_reach": "payment"}, {"webhook_reach": "auth"}, {"plan_place": "silent"}, {"renewals": "fail"},
            {"renewals": "succeed"}, {"drops_customer_created": True}, {"session_hours": 0.5},
        )  # fmt: skip
        self.state.runtime_settings.change(changes[step.b % len(changes)])

    async def do_deliver(self, step: StoryStep) -> None:
        """Everything on its way arrives; or Stripe sends an old event once more."""
        if step.c % 2 == 0:
            self.state.webhooks.flush()
        else:
            sent = self.state.webhooks.log(limit=20)
            if sent:
                self.state.webhooks.redeliver(sent[step.b % len(sent)].id)

    async def do_restart(self, step: StoryStep) -> None:
        """A process of the app is killed, and a new one starts over the same store."""
        place = step.a % len(self.replicas)
        for someone in self.people:
            for tab in someone.tabs:
                if tab.browser.replica == place and tab.client is not None:
                    tab.live = False
        await self.replicas[place].kill()
        self.replicas[place] = self._start()
        for someone in self.people:
            for tab in someone.tabs:
                if tab.browser.replica == place and tab.client is not None:
                    tab.live = True
                    await self._load(tab, tab.address)

    async def do_redis(self, step: StoryStep) -> None:
        """The shared store goes away, or comes back."""
        self.store.broken = not self.store.broken
        if not self.store.broken:
            self.store.lose_messages()

    async def do_catalog(self, step: StoryStep) -> None:
        """The operator changes what is sold; every process reads it within two seconds."""
        if step.c == 7:
            self.catalog.restore()
        else:
            self.catalog.change(step.b)
        for replica in self.replicas:
            await replica.running.catalog_file.look()
        self.observe()

    async def do_stripe(self, step: StoryStep) -> None:
        """Something happens at Stripe by itself, or in its dashboard."""
        user_id = self.people[step.a % len(self.people)].user.user_id
        if step.b % 2 == 0:
            still = [one for one in self.state.checkout.of(user_id) if one.status is SessionStatus.OPEN]
            if still:
                self.state.checkout.expire(still[-1])
        else:
            found = [one for one in self.state.subscriptions.of(user_id) if one.live]
            if found:
                set_status(self.state, found[-1], STATUSES[step.b // 2 % len(STATUSES)])
        self.observe()

    async def do_account(self, step: StoryStep) -> None:
        """Somebody changes what the account says: a gift, a plan that is called otherwise, an odd date, nothing."""
        user_id = self.people[step.a % len(self.people)].user.user_id
        soon = (self.time.now() + timedelta(days=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        grants = (
            AccountPlan(status="active", plan="premium"), AccountPlan(status="active", plan="gold-2023"),
            AccountPlan(status="active", plan="basic", expires_at=soon), AccountPlan(silent=True),
            AccountPlan(status="canceled", plan="premium", expires_at=soon),
            AccountPlan(status="active", plan="premium", expires_at="9999-12-31T23:59:59Z"),
            AccountPlan(status="active", plan="premium", expires_at="2026-12-31"),
            AccountPlan(status="none", plan="free"), AccountPlan(status="trialing", plan="enterprise", expires_at=soon),
        )  # fmt: skip
        self.state.accounts.set_grant(user_id, grants[step.b % len(grants)])
        self.observe()

    async def do_sales(self, step: StoryStep) -> None:
        """A subscription that was not bought here: made by sales, or in an older front end."""
        someone = self.people[step.a % len(self.people)]
        lines = self.state.prices.plans()
        subscribe(self.state, someone.user.user_id, someone.user.email, lines[step.b % len(lines)])
        self.observe()

    async def do_address(self, step: StoryStep) -> None:
        """Somebody puts an address of their own into the address bar."""
        someone = self.people[step.a % len(self.people)]
        browser = someone.browsers[0]
        if step.c % 3 == 2 or not someone.sent:
            await self._open(browser, "/payment/success?session_id=cs_test_of_somebody_else")
            return
        session_id = someone.sent[step.b % len(someone.sent)]
        await self._open(browser, f"/payment/success?session_id={session_id}")

    async def do_api(self, step: StoryStep) -> None:
        """A sibling service asks what somebody may use."""
        browser = self._browser(step)
        if not browser.cookies and not await self._sign_in(browser):
            return
        answer = await self.replicas[browser.replica].send("GET", "/api/entitlements", browser.cookies)
        if answer.status_code == 500:
            self._fail("500", "/api/entitlements answers 500")
        if answer.status_code == 200:
            self._check_token(browser.person, answer.json())

    def _check_token(self, someone: Person, told: dict[str, Any]) -> None:
        self.observe()
        now = self.time.now()
        truly = now + timedelta(seconds=self.outside.skew.seconds)
        left = (datetime.fromisoformat(told["expires_at"]) - truly).total_seconds()
        if not 0 < left <= 120:
            self._fail(
                "token",
                f"a token good for {left:.0f} s when issued: a clock is off by {self.outside.skew.seconds:.0f} s",
            )
        if told["access"] and told["plan"]:
            said = Statement(
                Kind.ACCESS, f"token: {told['plan']}", plan=told["plan"].title(), where="/api/entitlements"
            )
            if someone.history.judge(said, now) is Verdict.FALSE:
                self._fail("false: has access to", f"{said}\n{self._truth(someone)}")


@dataclass(frozen=True, slots=True)
class PriceShown:
    """What a page said that a press would buy."""

    amount: int
    currency: str
    trial_days: int


def shown_price(tab: BrowserTab, what: Pressable) -> PriceShown | None:
    """Return what the page says beside a button that it costs: the words on the same card, or the total beside it."""
    if tab.reading is None:
        return None
    card = next((name for name in reversed(what.within) if name.startswith("plan-card-")), None)
    for said in statements_of(tab.reading, tab.path):
        if isinstance(said, Unknown) or said.money is None:
            continue
        mine = card is not None and said.card == card.removeprefix("plan-card-")
        if mine and said.kind in (Kind.DUE_TODAY, Kind.TRIAL_OFFER):
            return PriceShown(said.money.amount, said.money.currency, said.count or 0)
    if "cart-checkout" in what.within:
        return _total_shown(tab.reading)
    return None


def _total_shown(reading: Reading) -> PriceShown | None:
    for said in reading.said:
        if said.inside("cart-total"):
            money = money_in(said.text)
            return PriceShown(money.amount, money.currency, 0) if money is not None else None
    return None


def _button_of(reading: Reading, plan: str) -> Pressable | None:
    """Return the button that buys a plan."""
    return next((one for one in reading.pressables if f"subscribe-{plan}" in one.within), None)


def _drop(*_event: object) -> Any:
    raise structlog.DropEvent


def _end(loop: VirtualLoop) -> None:
    """Cancel what still runs, and close the loop."""
    pending = asyncio.all_tasks(loop)
    for task in pending:
        task.cancel()
    if pending:
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
    loop.close()
