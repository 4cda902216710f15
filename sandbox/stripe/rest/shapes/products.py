"""Products, prices, and the plan that a subscription's item still carries (https://docs.stripe.com/api/prices/object)."""

from sandbox.stripe.products import StripePrice, StripeProduct
from sandbox.stripe.rest.shapes import Shape, nulls, unix


def product_shape(product: StripeProduct) -> Shape:
    return {
        **nulls("package_dimensions shippable statement_descriptor tax_code unit_label url"),
        "id": product.id,
        "object": "product",
        "active": product.active,
        "created": unix(product.created),
        "default_price": product.default_price or None,
        "description": product.description or None,
        "images": [],
        "livemode": False,
        "marketing_features": [{"name": name} for name in product.marketing_features],
        "metadata": product.metadata,
        "name": product.name,
        "type": "service",
        "updated": unix(product.updated),
    }


def price_shape(price: StripePrice) -> Shape:
    line, details = price.line, price.details
    recurring = {
        "interval": line.interval,
        "interval_count": 1,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    return {
        **nulls("custom_unit_amount tiers_mode transform_quantity"),
        "id": line.price_id,
        "object": "price",
        "active": price.active,
        "billing_scheme": "per_unit",
        "created": unix(details.created),
        "currency": line.currency,
        "livemode": False,
        "lookup_key": details.lookup_key or None,
        "metadata": details.metadata,
        "nickname": details.nickname or None,
        "product": line.product_id,
        "recurring": recurring if line.interval else None,
        "tax_behavior": details.tax_behavior,
        "type": "recurring" if line.interval else "one_time",
        "unit_amount": line.amount,
        "unit_amount_decimal": str(line.amount),
    }


def plan_shape(price: StripePrice) -> Shape:
    """The same price under its old name."""
    line, details = price.line, price.details
    return {
        **nulls("meter tiers_mode transform_usage trial_period_days"),
        "id": line.price_id,
        "object": "plan",
        "active": price.active,
        "amount": line.amount,
        "amount_decimal": str(line.amount),
        "billing_scheme": "per_unit",
        "created": unix(details.created),
        "currency": line.currency,
        "interval": line.interval or "month",
        "interval_count": 1,
        "livemode": False,
        "metadata": details.metadata,
        "nickname": details.nickname or None,
        "product": line.product_id,
        "usage_type": "licensed",
    }
