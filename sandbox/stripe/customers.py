"""Stripe's customers: one for each user, or, as Checkout does without a `customer`, a new one for each checkout."""

from sandbox.clock import SandboxClock
from sandbox.database import Database, DocumentStore
from sandbox.runtime_settings import RuntimeSettingsStore
from sandbox.stripe.objects import StripeCustomer, StripeEvent, new_id
from sandbox.stripe.webhooks import Webhooks


class StripeCustomers:
    def __init__(
        self, database: Database, clock: SandboxClock, runtime: RuntimeSettingsStore, webhooks: Webhooks
    ) -> None:
        self._clock, self._runtime, self._webhooks = clock, runtime, webhooks
        self._documents = DocumentStore(database, "stripe_customer", StripeCustomer)

    def of(self, user_id: str) -> list[StripeCustomer]:
        """Oldest first."""
        return [customer for customer in self._documents.of(user_id) if not customer.deleted]

    def get(self, customer_id: str) -> StripeCustomer | None:
        return self._documents.get(customer_id)

    def newest(self, limit: int = 10_000) -> list[StripeCustomer]:
        return [customer for customer in self._documents.newest(limit) if not customer.deleted]

    def for_checkout(self, user_id: str, email: str, customer_id: str = "") -> StripeCustomer:
        """The customer who pays: the one that was named, the user's newest, or a new one where each makes its own."""
        named = self.get(customer_id) if customer_id else None
        if named:
            return named
        known = self.of(user_id)
        if known and not self._runtime.current.customer_per_checkout:
            return known[-1]
        return self.create(user_id, email)

    def create(self, user_id: str, email: str) -> StripeCustomer:
        return self.keep(StripeCustomer(id=new_id("cus"), user_id=user_id, email=email, created=self._clock.now()))

    def keep(self, customer: StripeCustomer) -> StripeCustomer:
        """Store it as it is, without a word to anyone."""
        return self._documents.put(customer.id, customer, owner=customer.user_id)

    def change(self, customer: StripeCustomer) -> StripeCustomer:
        """Store it, and let Stripe tell that it changed."""
        self.keep(customer)
        self._webhooks.emit([self._event(customer)])
        return customer

    def delete(self, customer: StripeCustomer) -> None:
        """Gone for good, though its id is still known."""
        self.keep(customer.model_copy(update={"deleted": True}))
        self._webhooks.emit([self._event(customer, "deleted")])

    def email_of(self, customer_id: str) -> str:
        customer = self._documents.get(customer_id)
        return customer.email if customer else ""

    def change_email(self, user_id: str, email: str, only: str = "") -> list[StripeCustomer]:
        """The customers of a user, or one of them, each with this address from now on; Stripe tells of it."""
        known = [customer for customer in self.of(user_id) if only in ("", customer.id)]
        changed = [customer.model_copy(update={"email": email}) for customer in known]
        for customer in changed:
            self._documents.put(customer.id, customer, owner=user_id)
        self._webhooks.emit([self._event(customer) for customer in changed])
        return changed

    def _event(self, customer: StripeCustomer, what: str = "updated") -> StripeEvent:
        return StripeEvent(
            id=new_id("evt"),
            type=f"customer.{what}",
            created=self._clock.now(),
            user_id=customer.user_id,
            customer=customer.id,
        )

    def forget(self, user_id: str) -> None:
        for customer in self.of(user_id):
            self._documents.drop(customer.id)
