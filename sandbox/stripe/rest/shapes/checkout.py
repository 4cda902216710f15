"""The checkout session and its lines (https://docs.stripe.com/api/checkout/sessions/object)."""

from sandbox.settings import Tax
from sandbox.state import SandboxState
from sandbox.stripe.objects import SessionStatus, StripeCheckoutSession
from sandbox.stripe.rest.shapes import Shape, listing, nulls, unix
from sandbox.stripe.rest.shapes.payments import intent_id
from sandbox.stripe.rest.shapes.products import price_shape
from sandbox.stripe.rest.shapes.promotions import promotion_id
from sandbox.stripe.rest.shapes.subscriptions import price_of


def session_shape(state: SandboxState, session: StripeCheckoutSession) -> Shape:
    options, due = session.options, state.checkout.due_today(session)
    paid_now = bool(session.invoice_id) and not session.recurring
    has_invoice = bool(session.invoice_id) and (session.recurring or options.makes_invoice)
    abroad = due.currency != due.list_currency
    terms = "required" if options.terms_of_service else "none"
    consent = {"promotions": None, "terms_of_service": "accepted" if session.agreed else None}
    shape: Shape = {
        **nulls("after_expiration billing_address_collection client_secret currency_conversion customer_account"),
        **nulls("integration_identifier origin_context payment_link payment_method_configuration_details permissions"),
        **nulls("recovered_from return_url setup_intent shipping_address_collection shipping_cost submit_type"),
        **nulls("collected_information wallet_options"),
        "id": session.id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": bool(session.terms.presentment_currency)},
        "allow_promotion_codes": options.allow_promotion_codes or None,
        "amount_subtotal": due.subtotal,
        "amount_total": due.list_amount,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": session.cancel_url or None,
        "client_reference_id": options.client_reference_id or None,
        "consent": consent if options.terms_of_service else None,
        "consent_collection": {"payment_method_reuse_agreement": None, "promotions": "none", "terms_of_service": terms}
        if options.terms_of_service
        else None,
        "created": unix(session.created),
        "currency": due.list_currency,
        "custom_fields": [],
        "custom_text": nulls("after_submit shipping_address submit terms_of_service_acceptance"),
        "customer": session.customer or None,
        "customer_creation": None if session.recurring or session.customer else "if_required",
        "customer_details": _details(session),
        "customer_email": None if session.customer else session.email or None,
        "discounts": [{"coupon": None, "promotion_code": promotion_id(session.promotion)}] if session.promotion else [],
        "expires_at": unix(session.expires_at),
        "invoice": session.invoice_id if has_invoice else None,
        "invoice_creation": None if session.recurring else _invoice_creation(enabled=options.makes_invoice),
        "livemode": False,
        "locale": session.locale or None,
        "metadata": options.metadata,
        "mode": session.mode,
        "payment_intent": intent_id(session.invoice_id) if paid_now and due.amount else None,
        "payment_method_collection": ("if_required" if options.card_if_required else "always")
        if session.recurring
        else "if_required",
        "payment_method_options": {},
        "payment_method_types": ["card", "sepa_debit"],
        "payment_status": str(session.payment_status),
        "phone_number_collection": {"enabled": False},
        "saved_payment_method_options": None,
        "shipping_options": [],
        "status": str(session.status),
        "subscription": session.subscription_id or None,
        "success_url": session.success_url,
        "total_details": {"amount_discount": due.discount, "amount_shipping": 0, "amount_tax": due.tax},
        "ui_mode": "hosted_page",
        "url": state.checkout_url(session) if session.status is SessionStatus.OPEN else None,
    }
    if abroad and session.status is SessionStatus.COMPLETE:
        shape["presentment_details"] = {"presentment_amount": due.amount, "presentment_currency": due.currency}
    return shape


def lines_shape(state: SandboxState, session: StripeCheckoutSession) -> list[Shape]:
    return [_line(state, session, place) for place in range(len(session.lines))]


def _line(state: SandboxState, session: StripeCheckoutSession, place: int) -> Shape:
    line = session.lines[place]
    free = session.recurring and line.trial_days
    subtotal = 0 if free else line.amount * line.quantity
    discount = state.checkout.discount(session)
    off = round(subtotal * discount.percent_off / 100) if discount else 0
    rate = session.terms.tax_percent / 100
    net = subtotal - off
    tax = {Tax.NONE: 0.0, Tax.ADDED: net * rate, Tax.INCLUDED: net - net / (1 + rate)}[session.terms.tax]
    return {
        "id": f"li_{session.id.removeprefix('cs_test_')}{place}",
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": off,
        "amount_subtotal": subtotal,
        "amount_tax": round(tax),
        "amount_total": net + (round(tax) if session.terms.tax is Tax.ADDED else 0),
        "currency": line.currency,
        "description": line.name,
        "metadata": {},
        "price": price_shape(price_of(state.products, line)),
        "quantity": line.quantity,
    }


def line_items(state: SandboxState, session: StripeCheckoutSession) -> Shape:
    return listing(f"/v1/checkout/sessions/{session.id}/line_items", lines_shape(state, session))


def _details(session: StripeCheckoutSession) -> Shape | None:
    if not session.email:
        return None
    blank = nulls("address business_name individual_name name phone tax_ids")
    return {**blank, "email": session.email, "tax_exempt": "none"}


def _invoice_creation(*, enabled: bool) -> Shape:
    blank = nulls("account_tax_ids custom_fields description footer issuer rendering_options")
    return {"enabled": enabled, "invoice_data": {**blank, "metadata": {}}}
