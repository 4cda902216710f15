"""The invoice with its lines and payments, whether made or only seen ahead (https://docs.stripe.com/api/invoices)."""

from sandbox.settings import Tax
from sandbox.state import SandboxState
from sandbox.stripe.objects import Invoice, InvoiceStatus, StripeSubscription
from sandbox.stripe.rest.shapes import Shape, listing, nulls, unix, unix_or_none
from sandbox.stripe.rest.shapes.payments import intent_id
from sandbox.stripe.rest.shapes.promotions import discount_id
from sandbox.stripe.rest.shapes.subscriptions import item_id, subscription_metadata


def invoice_shape(state: SandboxState, invoice: Invoice) -> Shape:
    subscription = state.subscriptions.get(invoice.subscription_id)
    customer = state.customers.get(invoice.customer)
    money = _Money(invoice, subscription)
    paid, draft = invoice.status is InvoiceStatus.PAID, invoice.status is InvoiceStatus.DRAFT
    finalized = None if draft else unix(invoice.created)
    retry = subscription.retry_at if subscription and invoice.status is InvoiceStatus.OPEN else None
    return {
        **nulls("account_tax_ids application automatically_finalizes_at custom_fields customer_account"),
        **nulls("customer_address customer_phone customer_shipping default_payment_method default_source description"),
        **nulls("due_date footer from_invoice last_finalization_error latest_revision on_behalf_of receipt_number"),
        **nulls("rendering shipping_cost shipping_details statement_descriptor test_clock"),
        "id": invoice.id,
        "object": "invoice",
        "account_country": "US",
        "account_name": state.settings.brand_name,
        "amount_due": invoice.amount,
        "amount_overpaid": 0,
        "amount_paid": invoice.amount if paid else 0,
        "amount_remaining": 0 if paid else invoice.amount,
        "amount_shipping": 0,
        "attempt_count": 0 if draft else max(1, subscription.failures if subscription else 0),
        "attempted": not draft,
        "auto_advance": invoice.status in (InvoiceStatus.OPEN, InvoiceStatus.DRAFT),
        "automatic_tax": nulls("disabled_reason liability provider status") | {"enabled": False},
        "billing_reason": invoice.billing_reason,
        "collection_method": "charge_automatically",
        "created": unix(invoice.created),
        "currency": invoice.currency,
        "customer": invoice.customer or None,
        "customer_email": (customer.email or None) if customer else None,
        "customer_name": (customer.name or None) if customer else None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": [discount_id(invoice.subscription_id)] if money.discount else [],
        "effective_at": finalized,
        "ending_balance": None if draft else 0,
        "hosted_invoice_url": None if draft else f"{state.addresses.stripe}/i/{invoice.id}",
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "lines": listing(f"/v1/invoices/{invoice.id}/lines", [_line(invoice, subscription, money)]),
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": unix(invoice.created) if draft else unix_or_none(retry),
        "number": None if draft else f"{invoice.customer[-8:].upper()}-{invoice.id[-4:].upper()}",
        "parent": _parent(subscription) if subscription else None,
        "payment_settings": nulls("default_mandate payment_method_options payment_method_types"),
        "period_end": unix(invoice.created),
        "period_start": unix(invoice.created),
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": str(invoice.status),
        "status_transitions": {
            "finalized_at": finalized,
            "marked_uncollectible_at": finalized if invoice.status is InvoiceStatus.UNCOLLECTIBLE else None,
            "paid_at": unix_or_none(invoice.paid_at),
            "voided_at": finalized if invoice.status is InvoiceStatus.VOID else None,
        },
        "subtotal": money.subtotal,
        "subtotal_excluding_tax": money.subtotal_excluding_tax,
        "total": invoice.amount,
        "total_discount_amounts": money.discounts(),
        "total_excluding_tax": invoice.amount - money.tax,
        "total_pretax_credit_amounts": [],
        "total_taxes": money.taxes(),
        "webhooks_delivered_at": None if draft else unix(invoice.created),
    }


class _Money:
    """An invoice's sums in the currency that is charged; they add up there."""

    def __init__(self, invoice: Invoice, subscription: StripeSubscription | None) -> None:
        due = invoice.due
        rate = due.amount / due.list_amount if due.list_amount else 1.0
        terms = subscription.terms if subscription else None
        self._subscription_id = invoice.subscription_id
        self.added = terms is not None and terms.tax is Tax.ADDED
        self.tax = round(due.tax * rate)
        self.discount = round(due.discount * rate)
        net = invoice.amount - (self.tax if self.added else 0)
        self.subtotal = net + self.discount
        self.subtotal_excluding_tax = self.subtotal - (0 if self.added else self.tax)
        self._taxable = invoice.amount - self.tax

    def discounts(self) -> list[Shape]:
        if not self.discount:
            return []
        return [{"amount": self.discount, "discount": discount_id(self._subscription_id)}]

    def taxes(self) -> list[Shape]:
        if not self.tax:
            return []
        return [
            {
                "amount": self.tax,
                "tax_behavior": "exclusive" if self.added else "inclusive",
                "tax_rate_details": {"tax_rate": "txr_sandbox"},
                "taxability_reason": "standard_rated",
                "taxable_amount": self._taxable,
                "type": "tax_rate_details",
            }
        ]


def _line(invoice: Invoice, subscription: StripeSubscription | None, money: _Money) -> Shape:
    start, end = invoice.period_start or invoice.created, invoice.period_end or invoice.created
    details: Shape = {
        **nulls("invoice_item proration_details"),
        "proration": False,
        "subscription": invoice.subscription_id,
        "subscription_item": item_id(invoice.subscription_id),
    }
    parent = {
        "invoice_item_details": None,
        "subscription_item_details": details,
        "type": "subscription_item_details",
    }
    pricing = {
        "price_details": {"price": invoice.price_id, "product": invoice.product_id},
        "type": "price_details",
        "unit_amount_decimal": str(money.subtotal // max(invoice.quantity, 1)),
    }
    return {
        "id": f"il_{invoice.id.rpartition('in_')[2]}",
        "object": "line_item",
        "amount": money.subtotal,
        "currency": invoice.currency,
        "description": f"{invoice.quantity} × {invoice.name}" if subscription else invoice.name,
        "discount_amounts": money.discounts(),
        "discountable": True,
        "discounts": [],
        "invoice": invoice.id,
        "livemode": False,
        "metadata": {},
        "parent": parent if subscription else None,
        "period": {"start": unix(start), "end": unix(end)},
        "pretax_credit_amounts": [],
        "pricing": pricing if invoice.price_id else None,
        "quantity": invoice.quantity,
        "subscription": invoice.subscription_id or None,
        "subtotal": money.subtotal,
        "taxes": money.taxes(),
    }


def _parent(subscription: StripeSubscription) -> Shape:
    details: Shape = {"metadata": subscription_metadata(subscription), "subscription": subscription.id}
    return {"type": "subscription_details", "quote_details": None, "subscription_details": details}


def invoice_payments(invoice: Invoice) -> list[Shape]:
    """The one payment of an invoice that asks for money."""
    if not invoice.amount:
        return []
    paid = invoice.status is InvoiceStatus.PAID
    payment: Shape = {"type": "payment_intent", "payment_intent": intent_id(invoice.id)}
    return [
        {
            "id": f"inpay_{invoice.id.removeprefix('in_')}",
            "object": "invoice_payment",
            "amount_paid": invoice.amount if paid else None,
            "amount_requested": invoice.amount,
            "created": unix(invoice.created),
            "currency": invoice.currency,
            "invoice": invoice.id,
            "is_default": True,
            "livemode": False,
            "payment": payment,
            "status": "paid" if paid else "open",
            "status_transitions": {"canceled_at": None, "paid_at": unix_or_none(invoice.paid_at)},
        }
    ]
