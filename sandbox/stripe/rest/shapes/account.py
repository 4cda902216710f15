"""The account behind every key, and its balance: what a service asks to see that its key works."""

from datetime import UTC, datetime

from sandbox.stripe.objects import Invoice, InvoiceStatus
from sandbox.stripe.rest.shapes import Shape, nulls, unix


def account_shape() -> Shape:
    return {
        **nulls("business_profile business_type email settings"),
        "id": "acct_sandbox",
        "object": "account",
        "capabilities": {},
        "charges_enabled": True,
        "country": "US",
        "created": unix(datetime(2026, 1, 1, tzinfo=UTC)),
        "default_currency": "usd",
        "details_submitted": True,
        "metadata": {},
        "payouts_enabled": True,
        "type": "standard",
    }


def balance_shape(invoices: list[Invoice]) -> Shape:
    """What was paid, less what was given back, by currency."""
    sums: dict[str, int] = {"usd": 0}
    for invoice in invoices:
        if invoice.status is InvoiceStatus.PAID:
            sums[invoice.currency] = sums.get(invoice.currency, 0) + invoice.amount - invoice.refunded
    available = [{"amount": amount, "currency": currency} for currency, amount in sums.items()]
    return {"object": "balance", "available": available, "livemode": False, "pending": []}
