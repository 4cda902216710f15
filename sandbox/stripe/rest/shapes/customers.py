"""The customer (https://docs.stripe.com/api/customers/object)."""

from sandbox.stripe.objects import StripeCustomer
from sandbox.stripe.rest.shapes import Shape, nulls, unix


def customer_shape(customer: StripeCustomer) -> Shape:
    return {
        **nulls("address business_name currency customer_account default_source discount individual_name phone"),
        **nulls("shipping test_clock"),
        "id": customer.id,
        "object": "customer",
        "balance": 0,
        "created": unix(customer.created),
        "delinquent": False,
        "description": customer.description or None,
        "email": customer.email or None,
        "invoice_prefix": customer.id[-8:].upper(),
        "invoice_settings": nulls("custom_fields default_payment_method footer rendering_options"),
        "livemode": False,
        "metadata": customer_metadata(customer),
        "name": customer.name or None,
        "next_invoice_sequence": 1,
        "preferred_locales": customer.preferred_locales,
        "tax_exempt": "none",
    }


def customer_metadata(customer: StripeCustomer) -> dict[str, str]:
    """As it was given; of one that Checkout made, nothing."""
    return customer.metadata or {}
