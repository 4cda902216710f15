"""Reads what stands on screens after each step, and calls it true or false by what is known in the world."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sandbox.stripe.objects import SessionStatus
from truth.grammar import Unknown, money_in, statements_of
from truth.oracle import Verdict
from truth.people import BrowserTab, Person
from truth.reading import Pressable, Reading, read_page
from truth.statements import Kind, Statement
from truth.story_world import StoryWorld
from truth.told_claims import TOKEN, Wire, claimed, granted, viewed

AGED: Final = re.compile(r"^(?:(?:Billing|Your account), .* ago: |Last known: )")
"""What a service said, or what was known, with its age."""

OLD: Final = ("This is from", "Last known", "Last updated")
"""How sentences begin by which a card says how old its words are."""

TOKEN_AGE: Final = timedelta(seconds=15)
"""How old the answer may be, by its own `as_of`, from which a token is made: nothing is sold by it."""


class Judge:
    """The oracle at the screens of a world."""

    def __init__(self, world: StoryWorld) -> None:
        self.world = world

    def check(self) -> None:
        """Read everything that stands on screens, and call it true or false."""
        if self.world.crashes:
            self.world.fail("crash", f"an exception in a page: {self.world.crashes[0]}")
        for someone in self.world.people:
            self._check_twice(someone)
            for tab in someone.tabs:
                if tab.client is not None and tab.live:
                    tab.reading = self._read(tab)
                    self.judge(someone, tab, tab.reading)

    def _read(self, tab: BrowserTab) -> Reading:
        client = tab.client
        if client is None or (tab.reading is not None and not client.outbox.updates):
            return tab.reading or Reading((), ())
        client.outbox.updates.clear()
        return read_page(client)

    def judge(self, someone: Person, tab: BrowserTab, reading: Reading) -> None:
        """Judge each sentence of a page."""
        now = self.world.time.now()
        dated = dated_cards(reading)
        visitor = not any(said.inside("user-name") for said in reading.said)
        for said in statements_of(reading, tab.path, self._subject(tab), visitor=visitor):
            old = AGED.search(said.text) is not None or (isinstance(said, Statement) and said.box in dated)
            self._call(someone, said, now, tab.drawn_at, dated=old)

    def _call(
        self, someone: Person, said: Statement | Unknown, now: datetime, drawn_at: datetime | None, *, dated: bool
    ) -> None:
        """Call one statement true or false; `dated` ones say how old they are."""
        if isinstance(said, Unknown):
            digits = re.sub(r"\d+", "9", said.text)
            self.world.fail(f"unknown: {digits}", f"a sentence that nobody knows on {said.where}: “{said.text}”")
            return
        verdict = someone.history.judge(said, now, drawn_at)
        if verdict is Verdict.FALSE and dated and someone.history.was_ever(said, now):
            verdict = Verdict.DATED
        self.world.tally.said[verdict] += 1
        if verdict is Verdict.FALSE:
            self.world.fail(
                someone.history.sort_of(said, now),
                f"{someone.user.email} is told what is false: {said}\n{self.world.truth_of(someone)}",
            )
        if verdict is not Verdict.TRUE:
            self.world.tally.softer[f"{verdict}: {said.kind}"] = (
                self.world.tally.softer.get(f"{verdict}: {said.kind}", 0) + 1
            )

    def _subject(self, tab: BrowserTab) -> str:
        """Return the session at Stripe that the tab's page is about."""
        query = dict(part.partition("=")[::2] for part in tab.address.partition("?")[2].split("&"))
        if tab.path == "/payment/success":
            return query.get("session_id", "")
        if tab.path == "/payment/cancel":
            return next((one for one, url in self._cancel_urls().items() if url.endswith(tab.address)), "")
        return ""

    def _cancel_urls(self) -> dict[str, str]:
        return {one.id: one.cancel_url for one in self.world.state.checkout.newest(200)}

    def _check_twice(self, someone: Person) -> None:
        """Two subscriptions of one group that were both bought here, the later one without a question.

        What counts is what was sold: an add-on that somebody turned into a plan in the portal was not, unless it was
        one already when the checkout of the later one was opened.
        """
        sessions = {
            one.subscription_id: one
            for one in self.world.state.checkout.of(someone.user.user_id)
            if one.subscription_id
        }
        bought = [sub for sub in someone.history.known[-1][0].alive if sub.id in sessions]
        bought.sort(key=lambda sub: sessions[sub.id].created)  # whole seconds: of two in one, the order in the books
        for place, later in enumerate(bought):
            session = sessions[later.id]
            group = session.lines[0].group
            opened_at = session.created - timedelta(seconds=self.world.outside.skew.seconds)
            older = {
                sub.id
                for sub in bought[:place]
                if sessions[sub.id].lines[0].group == group or someone.history.in_group_at(sub.id, group, opened_at)
            }
            if session.id in someone.asked or someone.history.alone_at_first(later, group, older):
                continue
            self.world.fail(
                "paid twice",
                f"{someone.user.email} has two live subscriptions and was asked nothing\n"
                f"{self.world.truth_of(someone)}",
            )

    def check_sold(self, someone: Person, session_id: str, expected: "PriceShown | None", what: Pressable) -> None:
        """What was pressed is what Stripe sells."""
        session = self.world.state.checkout.get(session_id)
        if expected is None or session is None or session.status is not SessionStatus.OPEN:
            return
        line = session.lines[0]
        amounts = sum(one.amount * one.quantity for one in session.lines)
        found = (amounts, line.currency, line.trial_days if session.recurring else 0)
        if found != (expected.amount, expected.currency, expected.trial_days):
            self.world.fail(
                "sold otherwise",
                f"{someone.user.email} pressed “{what.label}” at {expected}, and Stripe opens at {found}",
            )

    def check_modes(self, place: int) -> None:
        """A process that has opened a checkout and been told of a subscription knows whether both are of one mode."""
        said = self.world.replicas[place].container.stripe_mode.mixed is not None
        current = self.world.state.runtime_settings.current
        if said != (current.contract == 2 and current.mixes_modes) and self.world.state.records.all():
            self.world.fail("modes", f"an operator is told that Stripe's modes are {'' if said else 'not '}mixed")

    def check_token(self, someone: Person, told: Wire) -> None:
        """A token says what is true, and not for longer than it may."""
        self.world.observe()
        now = self.world.time.now()
        truly = now + timedelta(seconds=self.world.outside.skew.seconds)
        left = (datetime.fromisoformat(told["expires_at"]) - truly).total_seconds()
        if not 0 < left <= 120:
            self.world.fail(
                "token",
                f"a token good for {left:.0f} s when issued: a clock is off by {self.world.outside.skew.seconds:.0f} s",
            )
        where, zone = TOKEN, someone.history.zone
        for group, grant in {None: told, **told["groups"]}.items():
            drawn_at = max(datetime.fromisoformat(grant["as_of"]), now - TOKEN_AGE)
            for said in granted(grant, group, where, zone):
                self._call(someone, said, now, drawn_at, dated=told["stale"])

    def check_subscriptions(self, someone: Person, told: Wire) -> None:
        """What the API says that somebody has: each claim, each field, and no date or sum that no claim holds."""
        self.world.observe()
        now, where, zone = self.world.time.now(), "/api/payment/subscriptions", someone.history.zone
        views = [told["current"], *told["groups"].values(), *told["others"]]
        claims = [*told["claims"], *(claim for view in views for claim in view["claims"])]
        said = [one for claim in claims for one in claimed(claim, where, zone)]
        said += [one for view in views for one in viewed(view, where, zone)]
        for one in dict.fromkeys(said):
            self._call(someone, one, now, None, dated=told["stale"])
        for view in views:
            for name, field in (("until", "date"), ("amount", "amount")):
                if view[name] not in (None, *(claim.get(field) for claim in view["claims"])):
                    self.world.fail(f"unclaimed: {name}", f"{where} says {name} {view[name]}, which no claim holds")


def dated_cards(reading: Reading) -> frozenset[str]:
    """Return the cards that say how old their words are: no other sentence of the page is of that age."""
    return frozenset(said.box for said in reading.said if said.box is not None and said.text.startswith(OLD))


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
    for said in statements_of(tab.reading, tab.path):
        if isinstance(said, Unknown) or said.money is None:
            continue
        if said.kind is Kind.ITEM_PRICE and "once" in said.text and said.box in what.within:
            return PriceShown(said.money.amount, said.money.currency, 0)
        mine = what.plan is not None and said.card == what.plan
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
