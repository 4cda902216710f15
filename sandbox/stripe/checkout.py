"""Stripe's checkout sessions: opened by the Payment MS, paid once at most, or left to expire."""

from datetime import datetime, timedelta
from typing import Final

from sandbox.clock import SandboxClock
from sandbox.database import Database, DocumentStore
from sandbox.runtime_settings import RuntimeSettingsStore
from sandbox.stripe.amounts import COUPONS, AmountDue, Discount, amount_due, discount_of, terms_of
from sandbox.stripe.customers import StripeCustomers
from sandbox.stripe.objects import (
    InvoiceStatus,
    LineItem,
    PaymentStatus,
    SessionOptions,
    SessionStatus,
    StripeCheckoutSession,
    StripeCustomer,
    StripeEvent,
    StripeSubscription,
    new_id,
)
from sandbox.stripe.payment_methods import PaymentMethod, PaymentRefused, payment_method_of
from sandbox.stripe.subscriptions import StripeSubscriptions
from sandbox.stripe.webhooks import Webhooks

_PLACEHOLDER: Final = "{CHECKOUT_SESSION_ID}"
_NO_OPTIONS: Final = SessionOptions()


class StripeCheckout:
    def __init__(
        self,
        database: Database,
        clock: SandboxClock,
        runtime: RuntimeSettingsStore,
        customers: StripeCustomers,
        subscriptions: StripeSubscriptions,
        webhooks: Webhooks,
    ) -> None:
        self._database, self._clock, self._runtime = database, clock, runtime
        self._customers, self._subscriptions, self._webhooks = customers, subscriptions, webhooks
        self._documents = DocumentStore(database, "checkout_session", StripeCheckoutSession)

    def open(
        self,
        mode: str,
        user_id: str,
        email: str,
        lines: list[LineItem],
        success_url: str,
        cancel_url: str,
        *,
        customer: str = "",
        locale: str = "",
        promotion: str = "",
        expires_at: datetime | None = None,
        options: SessionOptions = _NO_OPTIONS,
    ) -> StripeCheckoutSession:
        """A new session. `promotion` is a code that is applied already, if Stripe knows it."""
        now = self._clock.second()
        session = StripeCheckoutSession(
            id=new_id("cs_test"),
            mode=mode,
            user_id=user_id,
            email=email,
            lines=lines,
            success_url=success_url,
            cancel_url=cancel_url,
            created=now,
            expires_at=expires_at or now + timedelta(hours=self._runtime.current.session_hours),
            terms=terms_of(self._runtime.current),
            customer=customer,
            locale=locale,
            promotion=promotion.upper() if promotion.upper() in COUPONS else "",
            options=options,
        )
        return self._store(session)

    def get(self, session_id: str) -> StripeCheckoutSession | None:
        """The session as it is now: one whose time is over is expired."""
        session = self._documents.get(session_id)
        return self._as_of_now(session) if session else None

    def of(self, user_id: str) -> list[StripeCheckoutSession]:
        return [self._as_of_now(session) for session in self._documents.of(user_id)]

    def newest(self, limit: int = 100) -> list[StripeCheckoutSession]:
        return [self._as_of_now(session) for session in self._documents.newest(limit)]

    def forget(self, user_id: str) -> None:
        for session in self._documents.of(user_id):
            self._documents.drop(session.id)

    def expire(self, session: StripeCheckoutSession) -> StripeCheckoutSession:
        """End an open session unpaid, early or in its time; any other is returned as it is."""
        if session.status is not SessionStatus.OPEN:
            return session
        expired = self._store(session.model_copy(update={"status": SessionStatus.EXPIRED, "waiting_card": ""}))
        self._tell(expired, "expired")
        return expired

    def apply_promotion(self, session: StripeCheckoutSession, code: str) -> StripeCheckoutSession:
        """Apply a promotion code, or take it off with an empty one; raises PaymentRefused with a sentence."""
        code = code.strip().upper()
        if code and not session.options.allow_promotion_codes:
            raise PaymentRefused("This checkout takes no promotion codes.")
        if code and code not in COUPONS:
            raise PaymentRefused("This code is invalid.")
        return self._store(session.model_copy(update={"promotion": code}))

    def agree(self, session: StripeCheckoutSession) -> StripeCheckoutSession:
        """The buyer agrees to the terms of service, where a session asks for that."""
        asked = session.options.terms_of_service and session.status is SessionStatus.OPEN
        return self._store(session.model_copy(update={"agreed": True})) if asked else session

    def pay(self, session: StripeCheckoutSession, number: str, email: str = "") -> StripeCheckoutSession:
        """Pay with a test card. Complete afterwards, or still open with `waiting_card` when it must be confirmed.

        A session that is no longer open is returned as it is: it can be paid only once. No number is a trial without
        a card. Raises PaymentRefused with a sentence for the buyer.
        """
        if session.status is not SessionStatus.OPEN:
            return session
        method = None if not number and not self.needs_card(session) else payment_method_of(number)
        if method and method.declined:
            raise PaymentRefused(method.declined)
        session = session.model_copy(update={"email": email or session.email})
        if method and method.needs_confirmation:
            return self._store(session.model_copy(update={"waiting_card": method.number}))
        return self._complete(session, method)

    def confirm(self, session: StripeCheckoutSession, *, succeeds: bool) -> StripeCheckoutSession:
        """The bank's answer to the confirmation step; raises PaymentRefused when it failed."""
        if session.status is not SessionStatus.OPEN or not session.waiting_card:
            return session
        method = payment_method_of(session.waiting_card)
        session = self._store(session.model_copy(update={"waiting_card": ""}))
        if not succeeds:
            raise PaymentRefused("We couldn't confirm this card with your bank. Try again or use another card.")
        return self._complete(session, method)

    def needs_card(self, session: StripeCheckoutSession) -> bool:
        """Whether it can't be completed without one: always, but for a trial where the settings allow it."""
        optional = session.options.card_if_required or not self._runtime.current.trial_needs_card
        return bool(self.due_today(session).amount) or not optional

    def due(self, session: StripeCheckoutSession) -> AmountDue:
        """All of it, after code and tax; of a trial, what its first period would cost by today's terms."""
        return self._amount(session, _subtotal(session), self.discount(session))

    def due_today(self, session: StripeCheckoutSession) -> AmountDue:
        """What is charged on paying: nothing for a trial."""
        trial = session.recurring and session.lines[0].trial_days
        return self._amount(session, 0 if trial else _subtotal(session), self.discount(session))

    def due_without_code(self, session: StripeCheckoutSession) -> AmountDue:
        """What a period costs once a promotion code holds no more."""
        return self._amount(session, _subtotal(session), None)

    def discount(self, session: StripeCheckoutSession) -> Discount | None:
        return discount_of(session.promotion, self._runtime.current, self._clock.now())

    def settle(self, session: StripeCheckoutSession, *, paid: bool) -> StripeCheckoutSession:
        """A delayed payment arrives, or fails, now; a session without one under way is returned as it is."""
        if session.settles_at is None:
            return session
        status = PaymentStatus.PAID if paid else PaymentStatus.UNPAID
        with self._database.transaction():
            settled = self._store(session.model_copy(update={"settles_at": None, "payment_status": status}))
            self._tell(settled, f"async_payment_{'succeeded' if paid else 'failed'}")
            subscription = self._subscriptions.get(session.subscription_id)
            failed = InvoiceStatus.OPEN if subscription and subscription.status == "active" else InvoiceStatus.VOID
            invoice = self._subscriptions.invoices.get(session.invoice_id)
            if invoice and invoice.status is InvoiceStatus.OPEN:
                self._subscriptions.invoices.set_status(invoice, InvoiceStatus.PAID if paid else failed)
            if subscription and subscription.live:
                self._subscriptions.change(subscription, self._after_first_payment(subscription, paid=paid))
        return settled

    def next_due(self) -> float | None:
        first = self._documents.first_due()
        return first[0] if first else None

    def run_due(self) -> None:
        """Expire what has run out, and let delayed payments arrive or fail."""
        while (first := self._documents.first_due()) and first[0] <= self._clock.timestamp():
            session = first[1]
            if session.status is SessionStatus.OPEN:
                self.expire(session)
            else:
                self.settle(session, paid=session.settles_well)

    def _after_first_payment(self, subscription: StripeSubscription, *, paid: bool) -> dict[str, object]:
        now = self._clock.second()
        if paid:
            return {"status": "active", "awaits_payment": False}
        if subscription.status == "incomplete":
            return {"status": "incomplete_expired", "ended_at": now, "awaits_payment": False}
        retry = now + timedelta(days=3)
        return {"status": "past_due", "retry_at": retry, "failures": 1, "awaits_payment": False}

    def _complete(self, session: StripeCheckoutSession, method: PaymentMethod | None) -> StripeCheckoutSession:
        now, due = self._clock.second(), self.due_today(session)
        waits = bool(method and method.delayed and due.amount)
        paid = PaymentStatus.UNPAID if waits else PaymentStatus.PAID
        with self._database.transaction():
            customer = self._customers.for_checkout(session.user_id, session.email, session.customer)
            session = session.model_copy(
                update={
                    "status": SessionStatus.COMPLETE,
                    "payment_status": paid if due.amount else PaymentStatus.NO_PAYMENT_REQUIRED,
                    "waiting_card": "",
                    "customer": customer.id,
                    "completed_at": now,
                    "settles_at": now + timedelta(days=self._runtime.current.delayed_payment_days) if waits else None,
                    "settles_well": bool(method and method.renews),
                }
            )
            subscription = None
            if session.recurring:
                subscription = self._begin(session, customer, method)
                bought = {"subscription_id": subscription.id, "invoice_id": subscription.latest_invoice}
            else:
                invoice = self._subscriptions.invoices.bill_purchase(session, due, processing=waits)
                bought = {"invoice_id": invoice.id}
            done = self._store(session.model_copy(update=bought))
            self._subscriptions.announce_purchase(done, subscription)
        return done

    def _begin(
        self, session: StripeCheckoutSession, customer: StripeCustomer, method: PaymentMethod | None
    ) -> StripeSubscription:
        return self._subscriptions.begin(
            session.lines[0],
            customer.model_copy(
                update={"email": session.email or customer.email, "user_id": session.user_id or customer.user_id}
            ),
            method,
            terms=session.terms,
            discount=self.discount(session),
            session_id=session.id,
            metadata=session.options.subscription_metadata,
            description=session.options.subscription_description,
        )

    def _amount(self, session: StripeCheckoutSession, subtotal: int, discount: Discount | None) -> AmountDue:
        rate, now = self._runtime.current.exchange_rate, self._clock.now()
        return amount_due(subtotal, session.lines[0].currency, session.terms, rate, discount, now)

    def _as_of_now(self, session: StripeCheckoutSession) -> StripeCheckoutSession:
        over = session.status is SessionStatus.OPEN and session.expires_at <= self._clock.second()
        return self.expire(session) if over else session

    def _tell(self, session: StripeCheckoutSession, what: str) -> None:
        event = StripeEvent(
            id=new_id("evt"),
            type=f"checkout.session.{what}",
            created=self._clock.now(),
            user_id=session.user_id,
            session_id=session.id,
            customer=session.customer,
        )
        self._webhooks.emit([event])

    def _store(self, session: StripeCheckoutSession) -> StripeCheckoutSession:
        moment: datetime | None = session.expires_at if session.status is SessionStatus.OPEN else session.settles_at
        due = moment.timestamp() if moment else None
        return self._documents.put(session.id, session, owner=session.user_id, due=due)


def _subtotal(session: StripeCheckoutSession) -> int:
    return sum(line.amount * line.quantity for line in session.lines)


def success_url(session: StripeCheckoutSession) -> str:
    """Where the browser goes after paying: the address it was given, with the session's id in its place."""
    return session.success_url.replace(_PLACEHOLDER, session.id)
