"""A small world for tests of the billing pages: real services over a real store, and stand-ins for the two systems.

The stand-ins keep the contract of `services/payment_ms.py` and `services/auth_ms.py`; a test sets what they answer and
reads what they were asked.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from nicegui import Client, ui
from nicegui.testing import User as Browser
from nicegui.testing.user_simulation import user_simulation
from pydantic import SecretStr

from catalog import Catalog, load_catalog
from examples import members_page
from services.auth_ms import AuthMS, AuthSession, PlanGrant, User
from services.cart import CartService
from services.checkout.service import CheckoutService
from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind, CheckoutRepository
from services.concurrency.limit import Priority
from services.container import Container
from services.entitlements.service import Entitlements
from services.entitlements.signing import SigningKey
from services.errors import FrontendError
from services.lifecycle import Lifecycle
from services.live_status.refresher import StatusRefresher
from services.live_status.service import StatusService
from services.payment_contract.features import VERSION_1, PaymentContract
from services.payment_contract.invoices import Invoice
from services.payment_contract.sessions import SessionState
from services.payment_ms import CheckoutSession, PaymentMS, PortalSession, SubscriptionRecord
from services.people.own_data import OwnData
from services.people.personal_data import PersonalData
from services.people.record import PeopleRepository
from services.people.shown import ShownRecord
from services.portal import INVOICE_HOSTS, InvoiceService, PortalService
from services.purchase import Purchase, PurchaseLine
from services.rate_limits import RateLimits
from services.sessions.service import Session, Sessions
from services.sessions.session_rows import SessionRows
from services.storage.pubsub import PubSub
from services.storage.sqlite_store import SqliteStore
from services.stripe_mode import StripeModeService
from services.subscription.grant_rules import GrantRules
from services.web.safe_urls import Redirects
from settings import Settings
from tests.ui.reading import tags_in, text_of, until
from tests.ui.simulation import FixedCatalog
from ui.nicegui_ext.html import Tag
from ui.pages import account, cancel, login, payment, pricing, success, upgrade
from ui.pages.privacy import forget
from wiring.build import build

__all__ = [
    "ADA", "CATALOG", "Accounts", "FakeBilling", "World", "billing_world", "tags_in", "text_of", "until",
]  # fmt: skip

SECRET = SecretStr("s" * 32)
CATALOG = load_catalog(Path(__file__).parents[2] / "products.json")
ADA = User("user_ada", "Ada Lovelace", "ada@example.com")


@dataclass
class FakeBilling:
    """Stands for the Payment MS."""

    at_once: int = 1
    records: dict[str, SubscriptionRecord] = field(default_factory=dict)
    failure: FrontendError | None = None
    refusal: FrontendError | None = None
    portal_refusal: FrontendError | None = None
    opened: list[Purchase] = field(default_factory=list)
    buyers: list[str] = field(default_factory=list)
    portals: list[tuple[str, str]] = field(default_factory=list)
    questions: int = 0
    contract: PaymentContract = VERSION_1
    session_states: dict[str, SessionState] = field(default_factory=dict)
    """What a service of the second version says of a session, by its id."""
    listed: tuple[Invoice, ...] | FrontendError | None = None
    """The invoices it tells; None for a service that has no such call."""
    asked_for_invoices: int = 0
    portal_ways: list[dict[str, object]] = field(default_factory=list)
    pause: asyncio.Event | None = None
    checkouts_begun: int = 0
    checkout_pause: asyncio.Event | None = None

    async def subscription(
        self, customer: str, product: str, *, priority: Priority = Priority.LOOK
    ) -> SubscriptionRecord:
        self.questions += 1
        if self.pause is not None:
            await self.pause.wait()
        if self.failure is not None:
            raise self.failure
        return self.records.get(product, SubscriptionRecord(exists=False, product_id=product))

    async def subscriptions(self, customer: str, **_how: object) -> None:
        """A service of the first version has no such call."""

    async def checkout_session(self, session_id: str, **_how: object) -> SessionState | None:
        return self.session_states.get(session_id)

    async def expire_session(self, session_id: str) -> SessionState | None:
        return self.session_states.get(session_id)

    async def invoices(self, customer: str) -> tuple[Invoice, ...] | None:
        self.asked_for_invoices += 1
        if self.pause is not None:
            await self.pause.wait()
        if isinstance(self.listed, FrontendError):
            raise self.listed
        return self.listed

    async def create_checkout(self, purchase: Purchase, *, user_id: str, **_about: str) -> CheckoutSession:
        self.checkouts_begun += 1
        if self.checkout_pause is not None:
            await self.checkout_pause.wait()
        if self.refusal is not None:
            raise self.refusal
        self.opened.append(purchase)
        self.buyers.append(user_id)
        name = f"cs_test_{len(self.opened)}"
        return CheckoutSession(name, f"https://checkout.stripe.com/c/pay/{name}")

    async def create_portal_session(self, customer: str, return_url: str, **how: object) -> PortalSession:
        self.portal_ways.append(how)
        if self.portal_refusal is not None:
            raise self.portal_refusal
        self.portals.append((customer, return_url))
        return PortalSession("bps_1", "https://billing.stripe.com/p/session/bps_1")

    def has(
        self,
        plan_id: str,
        status: str | None = "active",
        *,
        until: datetime | None = None,
        ends: bool = False,
        subscription_id: str | None = None,
    ) -> None:
        """Put a subscription to a plan on record."""
        product = CATALOG.plan(plan_id).product_id or ""
        self.records[product] = SubscriptionRecord(
            True,
            product,
            status,
            subscription_id or f"sub_{plan_id}",
            "cus_1",
            until,
            Lifecycle(cancel_at_period_end=ends or None),
        )


@dataclass
class Accounts:
    """Stands for the Auth MS."""

    grant: PlanGrant | None = None
    failure: FrontendError | None = None
    user: User = ADA

    def sign_in_url(self, provider: str, redirect_uri: str) -> str:
        return f"http://auth.test/auth/{provider}"

    async def create(self, auth_code: str) -> AuthSession:
        return AuthSession(SecretStr(f"auth_{auth_code}"), self.user, self.grant)

    async def refresh(self, session_id: SecretStr) -> AuthSession:
        if self.failure is not None:
            raise self.failure
        return AuthSession(session_id, self.user, self.grant)

    def says(self, status: str, plan: str = "", until: datetime | None = None) -> None:
        """Have the account name a status and a plan."""
        self.grant = PlanGrant(status, plan, until)


@dataclass
class World:
    """Everything a test of a billing page touches."""

    browser: Browser
    container: Container
    billing: FakeBilling
    accounts: Accounts
    sessions: Sessions
    checkouts: CheckoutRepository
    status: StatusService
    cart: CartService
    store: SqliteStore
    refresher: StatusRefresher
    catalogs: FixedCatalog
    session: Session | None = None

    async def sign_in(self) -> Session:
        """Sign Ada in, in this world's browser."""
        start = await self.sessions.begin_sign_in("github", "/")
        done = await self.sessions.complete_sign_in(
            token=start.token, state=None, auth_code="code", old_session_id=None
        )
        cookie = self.sessions.cookie_for(done.session.id)
        self.browser.http_client.cookies.set(self.sessions.cookie_name, cookie)
        self.session = done.session
        return done.session

    async def keep_session(self, session: Session) -> None:
        """Keep Ada's session as given, as if an earlier visit had left it so."""
        await self.store.put(f"session:{session.visitor_id}", SessionRows(SECRET).written(session), 60)

    async def open(self, path: str) -> Client:
        """Open a page and let its socket connect."""
        return await self.browser.open(path)

    async def started(
        self, plan_id: str = "premium", *, ago: timedelta = timedelta(minutes=4), returned: timedelta | None = None
    ) -> Checkout:
        """Remember a checkout of a plan that was opened a while ago; `returned` says how long ago Ada came back."""
        plan = CATALOG.plan(plan_id)
        price = next(iter(plan.prices.values()))
        now = datetime.now(UTC)
        name = f"{plan_id}_{len(await self.checkouts.of(ADA.user_id))}"
        line = PurchaseLine.of(plan, price)
        checkout = Checkout(
            id=f"co_{name}", customer=ADA.user_id, kind=CheckoutKind.SUBSCRIPTION, session_id=f"cs_test_{name}",
            url=f"https://checkout.stripe.com/c/pay/cs_test_{name}",
            lines=(line,),
            currency=price.currency, started_at=now - ago, plan_id=plan.id, group=plan.group, interval=price.interval,
        )  # fmt: skip
        await self.checkouts.add(checkout)
        if returned is not None:
            await self.mark(checkout, CheckoutEvent.RETURNED, now - returned)
        return checkout

    async def mark(self, checkout: Checkout, event: CheckoutEvent, when: datetime) -> None:
        """Note an event at a time of the test's choosing."""
        key = f"checkouts:{checkout.customer}"
        await self.store.put_field(key, f"{checkout.id}.{event}", when.isoformat(), None)

    async def look(self) -> None:
        """Ask both systems afresh and push what they say to the open pages, as a watcher does."""
        assert self.session is not None
        await self.status.changed(await self.refresher.ask(self.session, "all", fresh=True))

    def marked(self, testid: str) -> list[Tag]:
        """Return the visible elements with a testid, in the order of the page."""
        client = self.browser.client
        assert client is not None
        return [tag for tag in tags_in(client.layout) if tag.prop_dict().get("data-testid") == testid]

    def one(self, testid: str) -> Tag:
        """Return the one visible element with a testid."""
        found = self.marked(testid)
        assert len(found) == 1, f"{len(found)} elements called {testid}; the page says: {self.text()}"
        return found[0]

    def classed(self, name: str) -> list[Tag]:
        """Return the visible elements of a CSS class."""
        client = self.browser.client
        assert client is not None
        return [tag for tag in tags_in(client.layout) if name in tag.class_list()]

    def tags(self, name: str) -> list[Tag]:
        """Return the visible elements of an HTML tag."""
        client = self.browser.client
        assert client is not None
        return [tag for tag in tags_in(client.layout) if tag.tag == name]

    def press(self, testid: str) -> None:
        """Press the one thing with a testid."""
        self.one(testid)
        self.browser.find(marker=testid).trigger("click.prevent")

    def text(self) -> str:
        """Return all visible words of the page."""
        client = self.browser.client
        assert client is not None
        return text_of(client.layout)

    @property
    def went_to(self) -> str:
        """Where the page has sent the browser."""
        return self.browser.back_history[-1]


def _hosted_page(name: str) -> None:
    """Stands for a page at Stripe: the simulated browser has to arrive somewhere."""
    ui.label(name)


@asynccontextmanager
async def billing_world(
    folder: Path, *, settings: Settings | None = None, payment_ms: PaymentMS | None = None
) -> AsyncIterator[World]:
    """Open the world, with all billing pages registered and nobody signed in; `payment_ms` instead of the fake."""
    settings = settings or Settings(public_url="https://test", support_url="https://help.example.com")
    store = SqliteStore(folder / "store.sqlite3")
    pubsub = PubSub(store)
    accounts, billing = Accounts(), FakeBilling()
    payment_ms = payment_ms or cast(PaymentMS, billing)
    sessions = Sessions(
        store, cast(AuthMS, accounts), pubsub, secret=SECRET, public_url="https://test",
        max_age=timedelta(days=30),
    )  # fmt: skip
    checkouts = CheckoutRepository(store)
    catalogs = FixedCatalog(CATALOG)

    def catalog() -> Catalog:
        return catalogs.current

    async def same_id(user_id: str) -> str:
        return user_id

    refresher = StatusRefresher(
        store=store, payment_ms=payment_ms, sessions=sessions, checkouts=checkouts, catalog=catalog,
        customer_of=lambda session: session.user.user_id, grants=GrantRules(frozenset({"gifted"})),
    )  # fmt: skip
    status = StatusService(refresher, pubsub)
    limits = RateLimits()
    checkout = CheckoutService(
        store=store, checkouts=checkouts, refresher=refresher, status=status, payment_ms=payment_ms,
        catalog=catalog, limits=limits, redirects=Redirects("https://test", settings.checkout_hosts),
        selling=settings.selling, not_sold_because=settings.selling_off_text,
    )  # fmt: skip
    portal = PortalService(
        store=store, refresher=refresher, status=status, payment_ms=payment_ms, limits=limits,
        redirects=Redirects("https://test", settings.portal_hosts),
    )  # fmt: skip
    entitlements = Entitlements(refresher, SigningKey(), issuer="https://test", catalog=catalog)
    cart = CartService(store, pubsub, catalog)
    people = PeopleRepository(store, same_id)
    elsewhere = {"storage_path": str(folder / "other.sqlite3"), "storage_secret": SECRET}
    made = build(settings.model_copy(update=elsewhere)).container
    container = replace(
        made, settings=settings, store=store, catalogs=catalogs, sessions=sessions, status=status, checkout=checkout,
        invoices=InvoiceService(payment_ms, refresher, Redirects("https://test", INVOICE_HOSTS)),
        portal=portal, cart=cart, limits=limits, checkouts=checkouts, refresher=refresher, pubsub=pubsub,
        entitlements=entitlements, shown=ShownRecord(store), people=people,
        own_data=OwnData(store, people, PersonalData(store, pubsub), refresher, sessions),
        stripe_mode=StripeModeService(store, public_url="https://shop.example.com", sandbox=False),
    )  # fmt: skip
    async with user_simulation(root=None) as browser:
        for module in (account, cancel, forget, login, members_page, payment, pricing, success, upgrade):
            module.register(container)
        ui.page("/c/pay/{name}")(_hosted_page)
        ui.page("/p/session/{name}")(_hosted_page)
        try:
            yield World(
                browser, container, billing, accounts, sessions, checkouts, status, cart, store, refresher, catalogs
            )
        finally:
            for client in list(Client.instances.values()):
                client.delete()
            await checkout.finish()
            await container.shown.written()
            await limits.close()
            await store.close()
