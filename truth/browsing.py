"""What people do with browsers: open pages, press, go to Stripe and back."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

from nicegui import events

from sandbox.stripe.objects import SessionStatus
from truth.addresses import STRIPE
from truth.judging import Judge, shown_price
from truth.people import BrowserTab, Person, PersonalBrowser
from truth.reading import Pressable, read_page
from truth.story import StoryStep
from truth.story_world import StoryWorld

MOST_TABS: Final = 3
QUESTIONS: Final = frozenset({"has_ended", "instead_of"})


class Browsing:
    """The browsers of a world."""

    def __init__(self, world: StoryWorld, judge: Judge) -> None:
        self.world, self._judge = world, judge

    async def settle(self, seconds: float = 0.3) -> None:
        """Let everything happen that follows from what was done, and follow where pages lead."""
        await asyncio.sleep(seconds)
        self.world.observe()
        for someone in self.world.people:
            for tab in someone.tabs:
                await self._follow(tab)

    def browser(self, step: StoryStep) -> PersonalBrowser:
        """Return the browser that a step is about."""
        someone = self.world.people[(step.a // 4) % len(self.world.people)]
        return someone.browsers[step.a % 4 == 3]

    def tabs(self, where: str) -> list[BrowserTab]:
        """Return the open tabs on the site, or at Stripe."""
        tabs = [tab for someone in self.world.people for tab in someone.tabs]
        if where == "site":
            return [tab for tab in tabs if tab.client is not None]
        return [tab for tab in tabs if tab.session]

    async def open(
        self, browser: PersonalBrowser, address: str, *, live: bool = True, tab: BrowserTab | None = None
    ) -> BrowserTab:
        """Open an address in a new tab, or in one that is there."""
        if tab is None:
            if len(browser.tabs) >= MOST_TABS:
                self.close(browser.tabs[0])
            tab = BrowserTab(browser, live=live)
            browser.tabs.append(tab)
        await self.load(tab, address)
        return tab

    def close(self, tab: BrowserTab) -> None:
        """Close a tab."""
        self._leave(tab)
        tab.browser.tabs.remove(tab)

    def _leave(self, tab: BrowserTab) -> None:
        if tab.client is not None and not tab.client.is_deleted:
            tab.client.delete()
        tab.client, tab.reading, tab.session, tab.answered = None, None, "", False

    async def load(self, tab: BrowserTab, address: str, hops: int = 6) -> None:
        """Go to an address in a tab, and wherever that leads."""
        self._leave(tab)
        while hops:
            hops -= 1
            if address.startswith(STRIPE):
                self._at_stripe(tab, address)
                return
            parts = urlsplit(address)
            address = parts.path + (f"?{parts.query}" if parts.query else "")
            replica = self.world.replicas[tab.browser.replica]
            if not replica.has_page(parts.path):
                return
            answer, client = await replica.open(address, tab.browser.cookies)
            self._keep_cookies(tab.browser, answer.headers.getlist("set-cookie"))
            if answer.status_code in (302, 303, 307):
                address = answer.headers["location"]
                if address.startswith("/login"):
                    if not await self.sign_in(tab.browser):
                        return
                    address = tab.address if tab.address and not tab.address.startswith("/login") else "/payment"
                    continue
                continue
            if answer.status_code == 500:
                someone = tab.browser.person
                self.world.fail("500", f"{address} answers 500 to {someone.user.email}\n{self.world.truth_of(someone)}")
            tab.address, tab.client, tab.drawn_at = address, client, self.world.time.now()
            if tab.live:
                await replica.connect(client)
                await asyncio.sleep(0.1)
            tab.reading = read_page(client)
            client.outbox.updates.clear()
            self.world.observe()
            self._judge.judge(tab.browser.person, tab, tab.reading)
            return

    def _keep_cookies(self, browser: PersonalBrowser, headers: list[str]) -> None:
        for header in headers:
            name, _, value = header.partition(";")[0].partition("=")
            browser.cookies[name] = value

    async def sign_in(self, browser: PersonalBrowser) -> bool:
        """Sign in; return whether it worked."""
        sessions = self.world.replicas[browser.replica].container.sessions
        code = self.world.state.accounts.issue_code(browser.person.user)
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
        session = self.world.state.checkout.get(session_id)
        someone.sent.append(session_id)
        if session is not None and session.status is SessionStatus.EXPIRED:
            someone.dead[session_id] = someone.dead.get(session_id, 0) + 1
            if someone.dead[session_id] > 2:
                self.world.fail(
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
                await self.load(tab, str(data["path"]))
                if tab.session and answered:
                    tab.browser.person.asked.add(tab.session)
                return
        tab.client.outbox.messages.clear()

    async def press(self, tab: BrowserTab, what: Pressable, *, form: bool) -> None:
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
            replica = self.world.replicas[tab.browser.replica]
            answer = await replica.send("POST", what.action, tab.browser.cookies, form=what.fields)
            if answer.status_code >= 500:
                self.world.fail("500", f"a press of “{what.label}” answers {answer.status_code}")
            self._keep_cookies(tab.browser, answer.headers.get_list("set-cookie"))
            if answer.is_redirect:
                await self.load(tab, answer.headers["location"])
        elif what.href and not what.href.startswith(("mailto:", "#")):
            await self.load(tab, what.href)
        if tab.session:
            if answered:
                someone.asked.add(tab.session)
            self._judge.check_sold(someone, tab.session, expected, what)
