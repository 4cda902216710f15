"""Stripe's invoices: made, paid, voided, refunded, disputed. Charged is what stands here as paid."""

from datetime import datetime

from sandbox.clock import SandboxClock
from sandbox.database import Database, DocumentStore
from sandbox.stripe.amounts import AmountDue
from sandbox.stripe.objects import (
    DisputeStatus,
    Invoice,
    InvoiceStatus,
    StripeCheckoutSession,
    StripeEvent,
    StripeSubscription,
    new_id,
)
from sandbox.stripe.refunds import StripeRefund
from sandbox.stripe.webhooks import Webhooks


class StripeInvoices:
    def __init__(self, database: Database, clock: SandboxClock, webhooks: Webhooks) -> None:
        self._clock, self._webhooks = clock, webhooks
        self._documents = DocumentStore(database, "invoice", Invoice)
        self._refunds = DocumentStore(database, "refund", StripeRefund)

    def get(self, invoice_id: str) -> Invoice | None:
        return self._documents.get(invoice_id)

    def of(self, user_id: str) -> list[Invoice]:
        """Newest first."""
        return list(reversed(self._documents.of(user_id)))

    def of_customer(self, customer_id: str) -> list[Invoice]:
        """Newest first."""
        return self._documents.having("customer", customer_id)

    def newest(self, limit: int = 10_000) -> list[Invoice]:
        return self._documents.newest(limit)

    def bill(
        self,
        subscription: StripeSubscription,
        due: AmountDue,
        status: InvoiceStatus = InvoiceStatus.PAID,
        reason: str = "subscription_cycle",
        period: tuple[datetime, datetime] | None = None,
        *,
        processing: bool = False,
    ) -> Invoice:
        """An invoice of a subscription, for a period (the one that is running, where none is given)."""
        start, end = period or (subscription.period_start, subscription.period_end)
        invoice = Invoice(
            id=new_id("in"),
            user_id=subscription.user_id,
            customer=subscription.customer,
            subscription_id=subscription.id,
            session_id=subscription.session_id if reason == "subscription_create" else "",
            name=subscription.name,
            price_id=subscription.price_id,
            product_id=subscription.product_id,
            quantity=subscription.quantity,
            billing_reason=reason,
            due=due,
            amount=due.amount,
            currency=due.currency,
            status=status,
            processing=processing,
            created=self._clock.second(),
            period_start=start,
            period_end=end,
        )
        return self._add(invoice)

    def bill_purchase(self, session: StripeCheckoutSession, due: AmountDue, *, processing: bool) -> Invoice:
        """The receipt of a one-off purchase."""
        invoice = Invoice(
            id=new_id("in"),
            user_id=session.user_id,
            customer=session.customer,
            session_id=session.id,
            name=", ".join(f"{line.quantity} × {line.name}" for line in session.lines),
            due=due,
            amount=due.amount,
            currency=due.currency,
            status=InvoiceStatus.OPEN if processing else InvoiceStatus.PAID,
            processing=processing,
            created=self._clock.second(),
        )
        return self._add(invoice)

    def open_of(self, subscription: StripeSubscription) -> list[Invoice]:
        """Invoices of a subscription that wait for money, newest first."""
        invoices = self.of(subscription.user_id)
        return [one for one in invoices if one.subscription_id == subscription.id and one.status is InvoiceStatus.OPEN]

    def close(self, subscription: StripeSubscription, status: InvoiceStatus = InvoiceStatus.PAID) -> None:
        """Close a subscription's open invoices as paid, or as void."""
        for invoice in self.open_of(subscription):
            self.set_status(invoice, status)

    def set_status(self, invoice: Invoice, status: InvoiceStatus, *, processing: bool = False) -> Invoice:
        paid_at = self._clock.second() if status is InvoiceStatus.PAID else None
        changed = invoice.model_copy(update={"status": status, "processing": processing, "paid_at": paid_at})
        self._put(changed)
        self._tell_payment(changed)
        return changed

    def refund(
        self, invoice: Invoice, amount: int | None = None, reason: str = "", metadata: dict[str, str] | None = None
    ) -> Invoice:
        """Give back an amount, or all that is left of it; raises ValueError for more than that, or if it is unpaid."""
        left = invoice.amount - invoice.refunded if invoice.status is InvoiceStatus.PAID else 0
        amount = left if amount is None else amount
        if not 0 < amount <= left:
            raise ValueError(f"at most {left} can be refunded")
        refunded = self._put(invoice.model_copy(update={"refunded": invoice.refunded + amount}))
        given = StripeRefund(
            id=new_id("re"),
            invoice_id=invoice.id,
            customer=invoice.customer,
            amount=amount,
            currency=invoice.currency,
            created=self._clock.second(),
            reason=reason,
            metadata=metadata or {},
        )
        self._refunds.put(given.id, given, owner=invoice.id)
        self._tell(refunded, "charge.refunded")
        return refunded

    def refunds_of(self, invoice: Invoice) -> list[StripeRefund]:
        """Newest first."""
        return list(reversed(self._refunds.of(invoice.id)))

    def refunds(self) -> list[StripeRefund]:
        """Newest first."""
        return self._refunds.newest(10_000)

    def dispute(self, invoice: Invoice, status: DisputeStatus) -> Invoice:
        """The cardholder's bank takes the money back; it is won or lost later. Raises ValueError if it is unpaid."""
        if invoice.status is not InvoiceStatus.PAID:
            raise ValueError("only a paid invoice can be disputed")
        disputed = self._put(invoice.model_copy(update={"dispute": status}))
        opened = status is DisputeStatus.NEEDS_RESPONSE
        self._tell(disputed, f"charge.dispute.{'created' if opened else 'closed'}")
        return disputed

    def keep(self, invoice: Invoice) -> Invoice:
        """Store it as it is."""
        return self._put(invoice)

    def forget(self, user_id: str) -> None:
        for invoice in self.of(user_id):
            self._documents.drop(invoice.id)

    def _tell(self, invoice: Invoice, kind: str) -> None:
        self._webhooks.emit([self._event(invoice, kind)])

    def _tell_payment(self, invoice: Invoice) -> None:
        """Of a subscription's invoice, that it was paid, or that an attempt has failed."""
        kinds = {InvoiceStatus.PAID: "invoice.paid", InvoiceStatus.OPEN: "invoice.payment_failed"}
        if invoice.subscription_id and invoice.status in kinds and not invoice.processing:
            self._webhooks.emit_outside(self._event(invoice, kinds[invoice.status]))

    def _event(self, invoice: Invoice, kind: str) -> StripeEvent:
        return StripeEvent(
            id=new_id("evt"),
            type=kind,
            created=self._clock.now(),
            user_id=invoice.user_id,
            invoice_id=invoice.id,
            customer=invoice.customer,
        )

    def _add(self, invoice: Invoice) -> Invoice:
        paid_at = invoice.created if invoice.status is InvoiceStatus.PAID else None
        added = self._put(invoice.model_copy(update={"paid_at": paid_at}))
        self._tell_payment(added)
        return added

    def _put(self, invoice: Invoice) -> Invoice:
        return self._documents.put(invoice.id, invoice, owner=invoice.user_id)
