"""The world of a story while it is played: both services, the processes of the app, the people, and what is known."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from sandbox.auth.accounts import person
from sandbox.settings import Trials
from sandbox.state import SandboxState
from settings import Settings, load_settings
from truth.addresses import EVENTS_SECRET
from truth.catalogs import CatalogOfStory
from truth.facts import facts_of, told_of
from truth.memory_store import MemoryStore
from truth.oracle import History
from truth.outside import OtherSystems, Skew
from truth.people import Person, PersonalBrowser
from truth.replica import StoryReplica
from truth.rule import CatalogFacts, sold_in
from truth.story import QUIRKS, LifeStory
from truth.virtual_time import VirtualTime

if TYPE_CHECKING:
    from truth.own_service import OwnPaymentService

START: Final = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
NAMES: Final = ("ada", "grace")


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

    said: Counter[str] = field(default_factory=Counter)
    softer: Counter[str] = field(default_factory=Counter)


class StoryWorld:
    """What a story is played in. Whoever reads or presses something is given it."""

    def __init__(
        self,
        story: LifeStory,
        time: VirtualTime,
        folder: Path,
        watch: Callable[[str], None],
        *,
        to_the_end: bool = False,
    ) -> None:
        setup = story.setup
        self.story, self.time, self.watch = story, time, watch
        self.tally = Tally()
        self.catalog = CatalogOfStory(folder / "products.json", setup.changes)
        self.crashes: list[str] = []
        runtime = {
            "status_shape": setup.shape, "plan_place": setup.place, "webhook_delay": setup.delay,
            "contract": setup.contract, "stale_events": setup.stale,
            "cancellation_word": setup.word, "dunning_ends": setup.dunning,
        } | {name: value for place in setup.quirks for name, value in QUIRKS[place % len(QUIRKS)].items()}  # fmt: skip
        own = setup.service == "own"
        if own:  # it gives the trials that it is asked for
            runtime.pop("trials", None)
        self._folder, self._tells = folder, not runtime.get("tells_nobody")
        self.outside = OtherSystems(self.catalog.path, runtime, self._own_service if own else None)
        self.outside.skew.seconds = setup.skew
        self.state = self.outside.state
        self.store = MemoryStore(time.now)
        self.gives_trials = self.state.runtime_settings.current.trials is not Trials.NONE
        here: dict[str, object] = {
            "storage_path": str(folder / "store.sqlite3"),
            "catalog_path": str(self.catalog.path),
        }
        if setup.second and self.gives_trials:  # as beside no sandbox: the service has to say so
            here["payment_ms_gives_trials"] = None
        self.settings = _usual_settings(self.gives_trials, 32 if own else 1).model_copy(update=here)
        self.replicas: list[StoryReplica] = []
        self.people: list[Person] = []
        self.to_the_end = to_the_end
        self.found: dict[str, Failure] = {}
        self.place = 0

    async def begin(self) -> None:
        """Start both processes of the app, and let the people come."""
        await self.outside.begin(httpx.ASGITransport(self._the_app, raise_app_exceptions=False))
        self.replicas = [await self.start_replica(), await self.start_replica()]
        for name in NAMES[: self.story.setup.people]:
            someone = Person(person(f"{name}@example.com"), History(self.story.setup.zone))
            zone = {"timezone": self.story.setup.zone.replace("/", "%2F")}
            someone.browsers = [PersonalBrowser(someone, place, dict(zone)) for place in (0, 1)]
            self.people.append(someone)
        self.outside.on_recorded(lambda _user_id: self.observe())  # between two events of one step a page may ask
        if self.outside.own is not None:
            self.outside.own.on_told.append(self.observe)
        if self.story.setup.push:
            self.outside.on_recorded(self._push)

    async def end(self) -> None:
        """Stop everything."""
        for replica in self.replicas:
            await replica.kill()
        await self.outside.close()

    def fail(self, sort: str, text: str) -> None:
        """Note a failure, the first of each sort; the story ends with it unless it is to be told to the end."""
        self.found.setdefault(sort, Failure(sort, text, self.place))
        if not self.to_the_end:
            raise Found(sort, text)

    async def start_replica(self) -> StoryReplica:
        """Return a new process of the app over the same store, which has asked what the Payment MS can."""
        replica = StoryReplica(self.settings, self.store, self.outside)
        if self.story.setup.second:
            await replica.running.contract_watch.look()
        return replica

    def crashed(self, error: Exception) -> None:
        """Keep what a page raised; the next look finds it."""
        self.crashes.append(f"{type(error).__name__}: {error}")

    def _own_service(self, state: SandboxState, skew: Skew) -> "OwnPaymentService":
        from truth.own_service import OwnPaymentService  # Stripe's library takes a second: not for every story

        return OwnPaymentService(
            state, self._folder, self.time, ahead=lambda: skew.seconds, tells=self._tells, failed=self.crashed
        )

    async def _the_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The app as others reach it: one of its processes answers."""
        await self.replicas[0].routes(scope, receive, send)

    def _push(self, user_id: str) -> None:
        for replica in self.replicas:
            task = asyncio.ensure_future(replica.container.status.poll_once(user_id))
            task.add_done_callback(lambda done: done.exception())
            break

    @property
    def sold(self) -> CatalogFacts:
        """What is sold now."""
        return sold_in(self.catalog.document, trials=self.gives_trials)

    def observe(self) -> None:
        """Let the oracle know what is true now."""
        now, sold = self.time.now(), self.sold
        for someone in self.people:
            truth = facts_of(self.state, someone.user.user_id, now)
            told_to_own = None if self.outside.own is None else self.outside.own.told.values()
            told = told_of(self.state, someone.user.user_id, truth, told_to_own)
            someone.history.observe(truth, told, sold)

    def truth_of(self, someone: Person) -> str:
        """Return what is true of somebody, for whoever reads a failure."""
        truth, told, _sold = someone.history.known[-1]
        lines = [f"    at Stripe: {sub}" for sub in truth.subs]
        lines += [f"    session {session}" for session in truth.sessions]
        lines.append(f"    account: {truth.account}")
        if told is not None:
            lines.append(f"    billing was told: {', '.join(map(str, told.subs)) or 'nothing'}")
        return "\n".join(lines)


@lru_cache
def _usual_settings(gives_trials: bool, in_flight: int) -> Settings:
    """Return what the settings of most stories are: to read them takes as long as two pages."""
    return load_settings(
        _env_file=None, storage_secret=SecretStr("Zk3v9Qm1Xw7Lr5Tn8Bc2Hd6Jf4Gs0Py1"), sandbox_payment_port=9000,
        sandbox_auth_port=8080, sandbox_stripe_port=4242, support_url="mailto:help@example.com",
        payment_ms_gives_trials=gives_trials, payment_ms_max_in_flight=in_flight,
        limit_checkouts="1000/minute", limit_sign_ins="1000/minute",
        payment_ms_webhook_secret=SecretStr(EVENTS_SECRET),
    )  # fmt: skip
