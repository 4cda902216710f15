"""Makes every part once, in the order in which they need each other."""

from concurrent.futures import Executor, ThreadPoolExecutor

import httpx
import requests
from sqlalchemy import select

from payment_service.checkout import Checkouts
from payment_service.customers import Customers
from payment_service.database import FactRow, ServiceDatabase, insert
from payment_service.guards import SecondSubscriptions
from payment_service.idempotency import Idempotency
from payment_service.keys import ProjectKeys
from payment_service.leases import DatabaseLeases
from payment_service.metrics import ServiceMetrics
from payment_service.outbox import EventOutbox
from payment_service.portal import Portal
from payment_service.request_limits import ServiceLimits
from payment_service.settings import BadSettings, ServiceSettings
from payment_service.stripe_api import StripeAPI
from payment_service.subscriptions import Subscriptions
from payment_service.sync import Sync
from payment_service.visits import AT_ONCE, StripeVisits
from payment_service.webhooks import StripeEvents


class PaymentService:
    """All parts, for routes, background work and commands. Nothing is asked or written yet when it is made."""

    def __init__(
        self,
        settings: ServiceSettings,
        transport: httpx.BaseTransport | None = None,
        stripe_session: requests.Session | None = None,
        executor: Executor | None = None,
    ) -> None:
        """`transport` takes the place of the network to the app, `stripe_session` of that to Stripe, `executor` of
        threads.
        """
        self.settings = settings
        self.metrics = ServiceMetrics()
        self.database = ServiceDatabase(settings.sqlalchemy_url)
        self.stripe = StripeAPI(settings, self.metrics, stripe_session)
        self.limits = ServiceLimits(settings, self.metrics)
        self.keys = ProjectKeys(self.database, settings.payment_ms_api_key)
        self.leases = DatabaseLeases(self.database)
        self.idempotency = Idempotency(self.database, settings.project)
        self.subscriptions = Subscriptions(self.database)
        self.customers = Customers(self.database, self.stripe, settings.project)
        self.outbox = EventOutbox(self.database, settings, self.metrics, self.subscriptions.account, transport)
        self.seconds = SecondSubscriptions(
            self.database, self.stripe, self.outbox, self.metrics, refund=settings.refund_second
        )
        self.sync = Sync(self.database, self.stripe, self.customers, self.seconds, settings.project)
        self.checkouts = Checkouts(
            settings, self.database, self.stripe, self.customers, self.subscriptions, self.sync, self.leases,
            self.idempotency,
        )  # fmt: skip
        self.portal = Portal(self.stripe, self.customers, self.subscriptions)
        self.webhooks = StripeEvents(
            settings, self.database, self.stripe, self.sync, self.customers, self.outbox, self.metrics
        )
        self.visits = StripeVisits(
            self.customers, self.stripe, self.sync, executor or ThreadPoolExecutor(AT_ONCE, "visit")
        )

    def claim_database(self) -> None:
        """Note on the first start what the database is for; raises BadSettings where it is for something else by now.

        Test and live customers in one database would be sold to and refunded with the wrong key.
        """
        mode, project = "live" if self.settings.livemode else "test", self.settings.project
        with self.database.writing() as session:
            for name, value in (("mode", mode), ("project", project)):
                insert(session, FactRow, {"name": name, "value": value})
            facts = {row.name: row.value for row in session.scalars(select(FactRow))}
        if facts["mode"] != mode:
            raise BadSettings(
                f"DATABASE_URL holds sales of Stripe's {facts['mode']} mode, and STRIPE_SECRET_KEY is a {mode} key. "
                f"Give the {mode} service a database of its own."
            )
        if facts["project"] != project:
            raise BadSettings(
                f"DATABASE_URL is of the project {facts['project']}, and PROJECT is {project}. "
                "Set it back, or give the new project a database of its own."
            )

    def close(self) -> None:
        """Give back what is connected."""
        self.visits.executor.shutdown(cancel_futures=True)
        self.outbox.close()
        self.database.engine.dispose()
