"""What the Payment MS knows, which is only what Stripe's webhooks told it: its customers and subscriptions."""

import uuid
from datetime import datetime

from pydantic import BaseModel

from sandbox.database import Database, DocumentStore
from sandbox.runtime_settings import RuntimeSettingsStore
from sandbox.settings import StaleEvents
from sandbox.stripe.objects import StripeEvent, StripeSubscription


class PaymentCustomer(BaseModel):
    id: str
    user_id: str
    email: str
    stripe_customer: str = ""
    """Its id at Stripe, known from the first paid checkout on; empty before."""
    refused_once: bool = False


class Record(BaseModel):
    """A subscription as the Payment MS last heard of it."""

    subscription: StripeSubscription
    customer_id: str
    as_of: datetime


class PaymentRecords:
    def __init__(self, database: Database, runtime: RuntimeSettingsStore) -> None:
        self._runtime = runtime
        self._customers = DocumentStore(database, "payment_customer", PaymentCustomer)
        self._records = DocumentStore(database, "payment_record", Record)

    def customer(self, user_id: str) -> PaymentCustomer | None:
        return self._customers.get(user_id)

    def meet(self, user_id: str, email: str) -> PaymentCustomer:
        """The customer of this user, made at their first checkout."""
        known = self._customers.get(user_id)
        return known or self.keep(PaymentCustomer(id=str(uuid.uuid4()), user_id=user_id, email=email))

    def keep(self, customer: PaymentCustomer) -> PaymentCustomer:
        return self._customers.put(customer.user_id, customer)

    def find(self, user_id: str, product_id: str) -> Record | None:
        """The newest subscription of a user to a product, ended ones included."""
        found = [record for record in self._records.of(user_id) if record.subscription.product_id == product_id]
        return max(found, key=lambda record: record.subscription.created) if found else None

    def of(self, user_id: str) -> list[Record]:
        return self._records.of(user_id)

    def all(self) -> list[Record]:
        return self._records.newest(500)

    def forget(self, subscription_id: str) -> bool:
        return self._records.drop(subscription_id)

    def forget_customer(self, user_id: str) -> bool:
        return self._customers.drop(user_id)

    def receive(self, event: StripeEvent) -> str:
        """Take in one event: ``recorded``, ``noted`` (nothing to keep), ``stale``, ``dropped`` or ``unattributed``."""
        subscription, settings = event.subscription, self._runtime.current
        user_id = subscription.metadata_user_id if subscription else event.user_id
        if not user_id:
            return "unattributed"
        customer = self.meet(user_id, subscription.email if subscription else "")
        if event.type == "checkout.session.completed":
            self.keep(customer.model_copy(update={"stripe_customer": event.customer}))
            return "noted"
        if subscription is None or not event.type.startswith("customer.subscription."):
            return "noted"
        known = self._records.get(subscription.id)
        first = settings.contract == 1
        if known is None and settings.drops_customer_created and first:
            return "dropped"
        if known and known.as_of > event.created and settings.stale_events is StaleEvents.IGNORE:
            return "stale"
        if known and settings.record_stays_under_old_product and first:
            subscription = subscription.model_copy(update={"product_id": known.subscription.product_id})
        record = Record(subscription=subscription, customer_id=customer.id, as_of=event.created)
        self._records.put(subscription.id, record, owner=user_id)
        return "recorded"
