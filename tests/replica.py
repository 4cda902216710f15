"""One process of the app over a world: every service as `wiring/` puts it together, without pages or sockets."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from pydantic import SecretStr

from catalog import Catalog
from services.alarms.recorder import AlarmRecorder
from services.auth_ms import User
from services.cart import CartService
from services.checkout.earlier_records import EarlierRecords
from services.checkout.service import CheckoutService
from services.checkout_record import SESSION_LIFE, Checkout, CheckoutRepository
from services.live_status.confirmations import Confirmations, ConfirmationWatch
from services.live_status.refresher import StatusRefresher
from services.live_status.service import StatusService
from services.portal import PortalService
from services.rate_limits import Policy, RateLimits
from services.sessions.service import Session, Sessions, customer_by
from services.storage.lease import Lease
from services.storage.marks import Marks
from services.storage.port import Store
from services.storage.pubsub import PubSub
from services.subscription.customer_status import CustomerStatus
from services.subscription.grant_rules import ACCOUNT_ALONE, GrantRules
from services.subscription.model import Reason
from services.web.safe_urls import Redirects
from services.webhooks.endpoints import Endpoint
from services.webhooks.outbox import Outbox
from tests.fakes import START, Clock, FakeAuthMS, FakePaymentMS, Shape, settle
from tests.shop import CATALOG, press, world_of
from tests.world import OutsideWorld
from truth.memory_store import MemoryStore

PUBLIC_URL: Final = "https://shop.example"
ADA: Final = User("ada", "Ada", "ada@example.com")
BOB: Final = User("bob", "Bob", "bob@example.com")
GENEROUS: Final = Policy("checkout", "1000000 per minute")


class Outside:
    """What all replicas share: the time, the store, the two services and what is for sale."""

    def __init__(self, shape: Shape = "running", *, rotates: bool = False) -> None:
        self.clock = Clock(START)
        self.store = MemoryStore(self.clock)
        self.world: OutsideWorld = world_of(self.clock)
        self.payment_ms = FakePaymentMS(self.world, shape)
        self.auth_ms = FakeAuthMS(self.world, rotates=rotates)
        self.catalog: Catalog = CATALOG


class Replica:
    """One process. Two of them on one `Outside` are two replicas; a new one in place of an old one is a restart."""

    def __init__(
        self,
        outside: Outside,
        *,
        store: Store | None = None,
        leases: bool = False,
        name: str = "replica-1",
        policy: Policy = GENEROUS,
        customer_id: Any = "user_id",
        memory: int = 10_000,
        ahead: timedelta = timedelta(),
        idle: timedelta | None = None,
        session_life: timedelta = SESSION_LIFE,
        alarms: AlarmRecorder | None = None,
        asks_by_email: bool = False,
        grants: GrantRules = ACCOUNT_ALONE,
        endpoints: Sequence[Endpoint] = (),
    ) -> None:
        self.outside = outside
        self.counted: list[tuple[str, str]] = []
        clock = outside.clock
        store = store or outside.store
        catalog: Callable[[], Catalog] = lambda: self.outside.catalog  # noqa: E731
        self.pubsub = PubSub(store)
        self.sessions = Sessions(
            store,
            outside.auth_ms,
            self.pubsub,
            secret=SecretStr("storage-secret-of-the-tests"),
            public_url=PUBLIC_URL,
            max_age=timedelta(days=30),
            idle=idle,
            now=clock,
        )
        self.outbox = Outbox(store, endpoints, catalog=catalog, now=clock)
        on = self.outbox.on
        self.confirmed: list[tuple[str, float | None]] = []
        self.disagreed: list[Reason] = []
        self.confirmations = Confirmations(
            store, lambda outcome, seconds: self.confirmed.append((outcome.value, seconds))
        )
        self.checkouts = CheckoutRepository(
            store, clock, changed=self.outbox.checkouts_changed if on else None, marked=self.confirmations.marked
        )
        self.refresher = StatusRefresher(
            store=store,
            payment_ms=outside.payment_ms,
            sessions=self.sessions,
            checkouts=self.checkouts,
            catalog=catalog,
            customer_of=customer_by(customer_id),
            grants=grants,
            alarms=alarms,
            observer=self.outbox if on else None,
            disagreed=self.disagreed.append,
            now=lambda: clock() + ahead,
            memory=memory,
        )
        self.confirmation_watch = ConfirmationWatch(
            store, self.confirmations, self.refresher, self.checkouts, now=clock
        )
        self.status = StatusService(
            self.refresher,
            self.pubsub,
            leases=(lambda customer: Lease(store, f"watch:{customer}", name)) if leases else None,
            now=clock,
            wait=clock.wait,
            jitter=lambda seconds: seconds,
        )
        self.limits = RateLimits()
        self.checkout = CheckoutService(
            store=store,
            checkouts=self.checkouts,
            refresher=self.refresher,
            status=self.status,
            payment_ms=outside.payment_ms,
            catalog=catalog,
            limits=self.limits,
            redirects=Redirects(PUBLIC_URL, ("checkout.stripe.com",)),
            policy=policy,
            session_life=session_life,
            earlier_records=EarlierRecords(outside.payment_ms, Marks(store), PUBLIC_URL) if asks_by_email else None,
            alarms=alarms,
            observe=lambda kind, outcome: self.counted.append((str(kind), str(outcome))),
            now=clock,
        )
        self.portal = PortalService(
            store=store,
            refresher=self.refresher,
            status=self.status,
            payment_ms=outside.payment_ms,
            limits=self.limits,
            redirects=Redirects(PUBLIC_URL, ("billing.stripe.com",)),
            now=clock,
        )
        self.cart = CartService(store, self.pubsub, catalog)

    async def sign_in(self, user: User = ADA, *, old_session_id: str | None = None) -> Session:
        """Sign a user in, in a browser of their own."""
        start = await self.sessions.begin_sign_in("google", "/payment")
        done = await self.sessions.complete_sign_in(
            token=start.token,
            state=None,
            auth_code=self.outside.auth_ms.code_for(user),
            old_session_id=old_session_id,
        )
        return done.session

    async def click(
        self, session: Session, price_id: str = "price_premium_month", quantity: int = 1, **answers: Any
    ) -> Checkout:
        """Press the button of a price, with what the user has answered so far."""
        purchase = press(price_id, quantity, catalog=self.outside.catalog).model_copy(update=answers)
        return await self.checkout.start(session, purchase)

    async def come_back(self, session: Session, checkout: Checkout) -> Checkout | None:
        """Open the address that Stripe sends the browser to after paying."""
        return await self.checkout.record_return(session, checkout.session_id, checkout.return_key)

    async def ask(self, session: Session) -> CustomerStatus:
        """Ask both services about everything, now."""
        return await self.refresher.ask(session, "all", fresh=True)


def watch(replica: Replica, session: Session) -> "Tab":
    """Open a tab."""
    return Tab(replica, session)


class Tab:
    """One open page: what it was told."""

    def __init__(self, replica: Replica, session: Session) -> None:
        self.seen: list[CustomerStatus] = []
        self.signed_out = 0
        self._watch = replica.status.watch(session, self.seen.append, self._sign_out)

    def _sign_out(self) -> None:
        self.signed_out += 1

    @property
    def state(self) -> str | None:
        """The state it shows."""
        return self.seen[-1].current.state if self.seen else None

    def look_now(self) -> None:
        """The tab became visible."""
        self._watch.look_now()

    async def close(self) -> None:
        """Close it, and let what ends with it end."""
        self._watch.close()
        await settle()
