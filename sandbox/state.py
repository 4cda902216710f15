"""All parts of the sandbox put together once: what every page and route is given."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.auth.accounts import SAMPLE_PEOPLE, AuthAccounts, AuthUser
from sandbox.clock import SandboxClock
from sandbox.database import Database
from sandbox.faults.planned import FaultList
from sandbox.faults.traffic import Traffic
from sandbox.payment.idempotency import IdempotentAnswers
from sandbox.payment.records import PaymentRecords
from sandbox.payment.single_connection import WORK_SECONDS, SingleConnection
from sandbox.runtime_settings import RuntimeSettingsStore
from sandbox.settings import PaymentMs, SandboxSettings
from sandbox.stripe.checkout import StripeCheckout
from sandbox.stripe.customers import StripeCustomers
from sandbox.stripe.endpoints import WebhookEndpoints
from sandbox.stripe.invoices import StripeInvoices
from sandbox.stripe.objects import StripeCheckoutSession
from sandbox.stripe.portal import StripePortal, StripePortalSession
from sandbox.stripe.price_list import PriceList
from sandbox.stripe.products import StripeProducts
from sandbox.stripe.renewals import RenewalCycle
from sandbox.stripe.subscriptions import StripeSubscriptions
from sandbox.stripe.webhooks import Webhooks


@dataclass
class Addresses:
    """Where the three listeners are, once their ports are known."""

    payment: str = ""
    auth: str = ""
    stripe: str = ""


@dataclass
class SandboxState:
    settings: SandboxSettings
    addresses: Addresses = field(default_factory=Addresses)
    real_time: Callable[[], float] = time.time
    """POSIX seconds; a test that must not depend on the machine's clock gives its own."""

    def __post_init__(self) -> None:
        settings, database = self.settings, Database(self.settings.database)
        self.database = database
        self.traffic = Traffic()
        self.connection = SingleConnection(WORK_SECONDS if self.real_time is time.time else 0.0)
        self.clock = SandboxClock(database, self.real_time)
        self.runtime_settings = RuntimeSettingsStore(database, settings.runtime_settings())
        self.faults = FaultList(database)
        self.prices = PriceList(database, settings.catalog_path)
        self.products = StripeProducts(database, self.clock, self.prices)
        self.records = PaymentRecords(database, self.runtime_settings)
        self.idempotency = IdempotentAnswers(database, self.clock)
        self.accounts = AuthAccounts(database, self.clock, self.runtime_settings)
        self.endpoints = WebhookEndpoints(database, self.clock, settings)
        self.webhooks = Webhooks(
            database,
            self.clock,
            self.runtime_settings,
            self.faults,
            self.connection,
            self.records,
            self.accounts,
            self.endpoints,
            recorded=settings.payment_ms is PaymentMs.RECORDED,
        )
        self.customers = StripeCustomers(database, self.clock, self.runtime_settings, self.webhooks)
        self.invoices = StripeInvoices(database, self.clock, self.webhooks)
        self.subscriptions = StripeSubscriptions(
            database, self.clock, self.runtime_settings, self.webhooks, self.invoices
        )
        self.renewals = RenewalCycle(self.clock, self.runtime_settings, self.subscriptions)
        self.checkout = StripeCheckout(
            database, self.clock, self.runtime_settings, self.customers, self.subscriptions, self.webhooks
        )
        self.portal = StripePortal(database, self.clock)

    def checkout_url(self, session: StripeCheckoutSession) -> str:
        return f"{self.addresses.stripe}/c/pay/{session.id}"

    def portal_url(self, session: StripePortalSession) -> str:
        return f"{self.addresses.stripe}/p/session/test_{session.id}"

    def people(self) -> list[AuthUser]:
        """The sample people, then whoever else has signed in."""
        sample = list(SAMPLE_PEOPLE.values())
        return sample + [one for one in self.accounts.people() if one not in sample]

    def reset(self) -> None:
        """An empty state: no people, sessions, subscriptions, faults; the real time; the settings of the start."""
        with self.database.transaction():
            self.database.clear()
        self.runtime_settings.reset()
        self.clock.reset()
        self.traffic.reset()
        self.connection.lost = False
        self.webhooks.changed.set()
