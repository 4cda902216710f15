"""Makes every part once, in the order in which they need each other."""

from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import requests
from pydantic import JsonValue
from sqlalchemy import select

from payment_service.checkout import Checkouts
from payment_service.customers import Customers
from payment_service.database import FactRow, ServiceDatabase, insert
from payment_service.guards import SecondSubscriptions
from payment_service.keys import ProjectKeys
from payment_service.metrics import ServiceMetrics
from payment_service.outbox import EventOutbox
from payment_service.portal import Portal
from payment_service.prices import Prices
from payment_service.settings import BadSettings, ServiceSettings
from payment_service.stripe_api import StripeAPI
from payment_service.subscriptions import Subscriptions
from payment_service.sync import Sync
from payment_service.visits import AT_ONCE, StripeVisits
from payment_service.webhooks import StripeEvents


@dataclass(frozen=True)
class PaymentService:
    """All parts, for routes, background work and commands."""

    settings: ServiceSettings
    database: ServiceDatabase
    metrics: ServiceMetrics
    stripe: StripeAPI
    keys: ProjectKeys
    customers: Customers
    subscriptions: Subscriptions
    sync: Sync
    checkouts: Checkouts
    portal: Portal
    seconds: SecondSubscriptions
    outbox: EventOutbox
    webhooks: StripeEvents
    visits: StripeVisits

    def close(self) -> None:
        """Give back what is connected."""
        self.visits.close()
        self.outbox.close()
        self.database.close()


def assemble(
    settings: ServiceSettings,
    transport: httpx.BaseTransport | None = None,
    stripe_session: requests.Session | None = None,
    executor: Executor | None = None,
) -> PaymentService:
    """Return the service; nothing is asked or written yet.

    `transport` takes the place of the network to the app, `stripe_session` of that to Stripe, `executor` of threads.
    """
    metrics = ServiceMetrics()
    database = ServiceDatabase(settings.sqlalchemy_url)
    stripe = StripeAPI(settings, metrics, stripe_session)
    subscriptions = Subscriptions(database)
    customers = Customers(database, stripe, settings.project)
    prices = Prices(stripe)

    def told_of(user_id: str) -> Mapping[str, JsonValue]:
        return subscriptions.account(user_id)

    outbox = EventOutbox(database, settings, metrics, told_of, transport)
    seconds = SecondSubscriptions(database, stripe, outbox, metrics, refund=settings.refund_second)
    sync = Sync(database, stripe, customers, prices, seconds, settings.project)
    return PaymentService(
        settings=settings,
        database=database,
        metrics=metrics,
        stripe=stripe,
        keys=ProjectKeys(database, settings.payment_ms_api_key),
        customers=customers,
        subscriptions=subscriptions,
        sync=sync,
        checkouts=Checkouts(settings, database, stripe, customers, prices, subscriptions, sync),
        portal=Portal(stripe, customers, subscriptions),
        seconds=seconds,
        outbox=outbox,
        webhooks=StripeEvents(settings, database, stripe, sync, customers, outbox, metrics),
        visits=StripeVisits(customers, stripe, sync, executor or ThreadPoolExecutor(AT_ONCE, "visit")),
    )


def claim_database(service: PaymentService) -> None:
    """Note on the first start what the database is for; raises BadSettings where it is for something else by now.

    Test and live customers in one database would be sold to and refunded with the wrong key.
    """
    mode = "live" if service.settings.livemode else "test"
    with service.database.writing() as session:
        for name, value in (("mode", mode), ("project", service.settings.project)):
            insert(session, FactRow, {"name": name, "value": value})
        facts = {row.name: row.value for row in session.scalars(select(FactRow))}
    if facts["mode"] != mode:
        raise BadSettings(
            f"DATABASE_URL holds sales of Stripe's {facts['mode']} mode, and STRIPE_SECRET_KEY is a {mode} key. "
            f"Give the {mode} service a database of its own."
        )
    if facts["project"] != service.settings.project:
        raise BadSettings(
            f"DATABASE_URL is of the project {facts['project']}, and PROJECT is {service.settings.project}. "
            "Set it back, or give the new project a database of its own."
        )
