"""How an invoice was paid: payment intent, charge, refund. The sandbox keeps one payment for each invoice.

Their ids are made of the invoice's, so nothing is kept twice.
"""

from sandbox.stripe.objects import Invoice, InvoiceStatus
from sandbox.stripe.refunds import StripeRefund
from sandbox.stripe.rest.shapes import Shape, nulls, unix


def intent_id(invoice_id: str) -> str:
    return f"pi_{invoice_id.removeprefix('in_')}"


def charge_id(invoice_id: str) -> str:
    return f"ch_{invoice_id.removeprefix('in_')}"


def invoice_id_of(key: str) -> str:
    """The invoice's id of the id of its payment intent or charge."""
    return f"in_{key.partition('_')[2]}"


def intent_shape(invoice: Invoice) -> Shape:
    paid = invoice.status is InvoiceStatus.PAID
    status = "succeeded" if paid else ("processing" if invoice.processing else "requires_payment_method")
    return {
        **nulls("application application_fee_amount automatic_payment_methods canceled_at cancellation_reason"),
        **nulls(
            "client_secret customer_account description last_payment_error next_action on_behalf_of payment_method"
        ),
        **nulls("payment_method_configuration_details processing receipt_email review setup_future_usage shipping"),
        **nulls("source statement_descriptor statement_descriptor_suffix transfer_data transfer_group"),
        "id": intent_id(invoice.id),
        "object": "payment_intent",
        "amount": invoice.amount,
        "amount_capturable": 0,
        "amount_received": invoice.amount if paid else 0,
        "capture_method": "automatic",
        "confirmation_method": "automatic",
        "created": unix(invoice.created),
        "currency": invoice.currency,
        "customer": invoice.customer or None,
        "latest_charge": charge_id(invoice.id) if paid else None,
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": status,
    }


def charge_shape(invoice: Invoice) -> Shape:
    paid = invoice.status is InvoiceStatus.PAID
    return {
        **nulls("application application_fee application_fee_amount balance_transaction"),
        **nulls("calculated_statement_descriptor description failure_balance_transaction"),
        **nulls("failure_code failure_message on_behalf_of outcome payment_method payment_method_details"),
        **nulls("receipt_email receipt_number receipt_url review shipping source source_transfer"),
        **nulls("statement_descriptor statement_descriptor_suffix transfer_data transfer_group"),
        "id": charge_id(invoice.id),
        "object": "charge",
        "amount": invoice.amount,
        "amount_captured": invoice.amount if paid else 0,
        "amount_refunded": invoice.refunded,
        "billing_details": nulls("address email name phone tax_id"),
        "captured": paid,
        "created": unix(invoice.paid_at or invoice.created),
        "currency": invoice.currency,
        "customer": invoice.customer or None,
        "disputed": invoice.dispute is not None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "paid": paid,
        "payment_intent": intent_id(invoice.id),
        "refunded": paid and 0 < invoice.amount == invoice.refunded,
        "status": "succeeded" if paid else ("pending" if invoice.processing else "failed"),
    }


def refund_shape(refund: StripeRefund) -> Shape:
    return {
        **nulls("balance_transaction customer_account receipt_number source_transfer_reversal transfer_reversal"),
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "charge": charge_id(refund.invoice_id),
        "created": unix(refund.created),
        "currency": refund.currency,
        "customer": refund.customer or None,
        "destination_details": {"type": "card", "card": {"type": "refund"}},
        "metadata": refund.metadata,
        "payment_intent": intent_id(refund.invoice_id),
        "payment_method": None,
        "reason": refund.reason or None,
        "status": "succeeded",
    }


def dispute_shape(invoice: Invoice) -> Shape:
    """The buyer's bank wants the money back; no evidence is ever given here."""
    evidence = {"due_by": None, "has_evidence": False, "past_due": False, "submission_count": 0}
    return {
        "id": f"du_{invoice.id.removeprefix('in_')}",
        "object": "dispute",
        "amount": invoice.amount,
        "balance_transactions": [],
        "charge": charge_id(invoice.id),
        "created": unix(invoice.created),
        "currency": invoice.currency,
        "enhanced_eligibility_types": [],
        "evidence": {"enhanced_evidence": {}},
        "evidence_details": {**evidence, "enhanced_eligibility": {}},
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": intent_id(invoice.id),
        "reason": "general",
        "status": str(invoice.dispute or "needs_response"),
    }
