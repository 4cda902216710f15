"""All parts of the sandbox put together once: what every page and route is given."""

from dataclasses import dataclass, field

from sandbox.auth_accounts import SAMPLE_PEOPLE, AuthAccounts, Person
from sandbox.catalogue import Catalogue
from sandbox.checkout_desk import CheckoutDesk
from sandbox.clock import Clock
from sandbox.database import Database
from sandbox.faults import FaultList
from sandbox.knobs import KnobBoard
from sandbox.payment_records import PaymentRecords
from sandbox.portal_desk import PortalDesk
from sandbox.settings import SandboxSettings
from sandbox.stripe_objects import CheckoutSession, PortalSession
from sandbox.subscriptions import Subscriptions
from sandbox.traffic import Traffic
from sandbox.webhooks import Webhooks


@dataclass
class Addresses:
    """Where the three listeners are, once their ports are known."""

    payment: str = ""
    auth: str = ""
    stripe: str = ""


@dataclass
class World:
    settings: SandboxSettings
    addresses: Addresses = field(default_factory=Addresses)
    poisoned: bool = False
    """The one-connection fault has struck: every guarded call of the Payment MS answers 401 until a restart."""

    def __post_init__(self) -> None:
        self.database = Database(self.settings.database)
        self.traffic = Traffic()
        self._furnish()

    def _furnish(self) -> None:
        settings, database = self.settings, self.database
        self.clock = Clock(database)
        self.knobs = KnobBoard(database, settings.knobs())
        self.faults = FaultList(database)
        self.catalogue = Catalogue(database, settings.catalog_path)
        self.records = PaymentRecords(database, self.knobs)
        self.accounts = AuthAccounts(database, self.knobs)
        self.webhooks = Webhooks(database, self.clock, self.knobs, self.records, self.accounts)
        self.subscriptions = Subscriptions(database, self.clock, self.knobs, self.webhooks)
        self.checkout = CheckoutDesk(database, self.clock, self.knobs, self.subscriptions)
        self.portal = PortalDesk(database)

    def checkout_url(self, session: CheckoutSession) -> str:
        return f"{self.addresses.stripe}/c/pay/{session.id}"

    def portal_url(self, session: PortalSession) -> str:
        return f"{self.addresses.stripe}/p/session/test_{session.id}"

    def people(self) -> list[Person]:
        """The sample people, then whoever else has signed in."""
        sample = list(SAMPLE_PEOPLE.values())
        return sample + [one for one in self.accounts.people() if one not in sample]

    def reset(self) -> None:
        """An empty world: no people, sessions, subscriptions, faults; the real time; the knobs of the start."""
        with self.database.transaction():
            self.database.clear()
        self.knobs.reset()
        self.clock.reset()
        self.traffic.reset()
        self.poisoned = False
        self.webhooks.changed.set()
