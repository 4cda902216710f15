"""The subscription with its items, and the schedule that a booked change of plan is (https://docs.stripe.com/api)."""

from sandbox.settings import RuntimeSettings
from sandbox.stripe.objects import LineItem, StripeSubscription
from sandbox.stripe.products import PriceDetails, StripePrice, StripeProducts
from sandbox.stripe.rest.shapes import Shape, listing, nulls, unix, unix_or_none
from sandbox.stripe.rest.shapes.products import plan_shape, price_shape
from sandbox.stripe.rest.shapes.promotions import discount_id
from sandbox.stripe.upcoming import current_line


def item_id(subscription_id: str) -> str:
    return f"si_{subscription_id.removeprefix('sub_')}"


def schedule_id(subscription_id: str) -> str:
    return f"sub_sched_{subscription_id.removeprefix('sub_')}"


def subscription_metadata(subscription: StripeSubscription) -> dict[str, str]:
    """As it was given; of one of the sandbox's own, the user id that it carries, if any."""
    if subscription.metadata is not None:
        return subscription.metadata
    return {"user_id": subscription.metadata_user_id} if subscription.metadata_user_id else {}


def price_of(products: StripeProducts, line: LineItem) -> StripePrice:
    """The price of a line as it is now; of one that is for sale no more, as it was."""
    known = products.price(line.price_id)
    if known and known.line.amount == line.amount and known.line.product_id == line.product_id:
        return known
    return StripePrice(line=line, active=False, details=known.details if known else PriceDetails())


def subscription_shape(one: StripeSubscription, products: StripeProducts, settings: RuntimeSettings) -> Shape:
    pause = one.pause_collection
    charged_in = one.terms.presentment_currency
    shape: Shape = {
        **nulls("application application_fee_percent billing_cycle_anchor_config billing_thresholds"),
        **nulls("customer_account days_until_due default_source next_pending_invoice_item_invoice on_behalf_of"),
        **nulls("pending_invoice_item_interval pending_setup_intent pending_update test_clock transfer_data"),
        "id": one.id,
        "object": "subscription",
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": unix(one.billing_cycle_anchor),
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}},
        "billing_schedules": [],
        "cancel_at": unix_or_none(one.cancel_at),
        "cancel_at_period_end": one.cancel_at_period_end,
        "canceled_at": unix_or_none(one.canceled_at),
        "cancellation_details": {
            **nulls("comment feedback feedback_option"),
            "reason": "cancellation_requested" if one.canceled_at else None,
        },
        "collection_method": "charge_automatically",
        "created": unix(one.created),
        "currency": one.currency,
        "customer": one.customer,
        "default_payment_method": f"pm_{one.id.removeprefix('sub_')}" if one.has_payment_method else None,
        "default_tax_rates": [],
        "description": one.description or None,
        "discounts": [discount_id(one.id)] if one.discount else [],
        "ended_at": unix_or_none(one.ended_at),
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": listing(f"/v1/subscription_items?subscription={one.id}", [_item(one, products)]),
        "latest_invoice": one.latest_invoice or None,
        "livemode": False,
        "metadata": subscription_metadata(one),
        "pause_collection": {"behavior": str(pause.behavior), "resumes_at": unix_or_none(pause.resumes_at)}
        if pause
        else None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "schedule": schedule_id(one.id) if one.scheduled_change else None,
        "start_date": unix(one.created),
        "status": one.status,
        "trial_end": unix_or_none(one.trial_end),
        "trial_settings": {"end_behavior": {"missing_payment_method": str(settings.trial_end_without_card)}},
        "trial_start": unix(one.created) if one.trial_end else None,
    }
    if charged_in and charged_in != one.currency:
        shape["presentment_details"] = {"presentment_currency": charged_in}
    return shape


def _item(one: StripeSubscription, products: StripeProducts) -> Shape:
    price = price_of(products, current_line(one))
    return {
        "id": item_id(one.id),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": unix(one.created),
        "current_period_end": unix(one.period_end),
        "current_period_start": unix(one.period_start),
        "discounts": [],
        "metadata": {},
        "plan": plan_shape(price),
        "price": price_shape(price),
        "quantity": one.quantity,
        "subscription": one.id,
        "tax_rates": [],
    }


def schedule_shape(one: StripeSubscription) -> Shape | None:
    """The booked change of plan as a schedule of two phases; None where none is booked."""
    change = one.scheduled_change
    if change is None:
        return None
    after = one.model_copy(update={"interval": change.line.interval or "month"}).period_after(change.at)
    phases = [
        _phase(one, current_line(one), unix(one.period_start), unix(change.at)),
        _phase(one, change.line, unix(change.at), unix(after)),
    ]
    defaults: Shape = {
        **nulls("application_fee_percent billing_thresholds default_payment_method description on_behalf_of"),
        **nulls("transfer_data"),
        "billing_cycle_anchor": "automatic",
        "collection_method": "charge_automatically",
        "invoice_settings": {"account_tax_ids": None, "days_until_due": None, "issuer": {"type": "self"}},
    }
    return {
        **nulls("application canceled_at completed_at customer_account released_at released_subscription test_clock"),
        "id": schedule_id(one.id),
        "object": "subscription_schedule",
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}},
        "created": unix(one.changed),
        "current_phase": {"start_date": unix(one.period_start), "end_date": unix(change.at)},
        "customer": one.customer,
        "default_settings": defaults,
        "end_behavior": "release",
        "livemode": False,
        "metadata": {},
        "phases": phases,
        "status": "active",
        "subscription": one.id,
    }


def _phase(one: StripeSubscription, line: LineItem, start: int, end: int) -> Shape:
    item: Shape = {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": {},
        "plan": line.price_id,
        "price": line.price_id,
        "quantity": one.quantity,
        "tax_rates": [],
    }
    return {
        **nulls("application_fee_percent billing_cycle_anchor billing_thresholds collection_method"),
        **nulls("default_payment_method description invoice_settings on_behalf_of transfer_data trial_end"),
        "add_invoice_items": [],
        "currency": line.currency,
        "default_tax_rates": [],
        "discounts": [],
        "end_date": end,
        "items": [item],
        "metadata": {},
        "proration_behavior": "none",
        "start_date": start,
    }
