"""The calls about invoices and how they were paid: previews, payments, refunds."""

from collections.abc import Iterable
from typing import Final, Literal

from pydantic import Field

from sandbox.state import SandboxState
from sandbox.stripe.objects import Invoice, InvoiceStatus, StripeSubscription
from sandbox.stripe.refunds import StripeRefund
from sandbox.stripe.rest.customers import customer_or_404
from sandbox.stripe.rest.gate import ApiCall, call
from sandbox.stripe.rest.lists import page_of
from sandbox.stripe.rest.params import CallParams, ListParams, Metadata
from sandbox.stripe.rest.problems import StripeProblem, bad_request, no_such
from sandbox.stripe.rest.shapes import Shape
from sandbox.stripe.rest.shapes.invoices import invoice_payments, invoice_shape
from sandbox.stripe.rest.shapes.payments import charge_shape, intent_shape, invoice_id_of, refund_shape
from sandbox.stripe.rest.subscriptions import subscription_or_404
from sandbox.stripe.upcoming import next_renewal

_NONE_UPCOMING: Final = "invoice_upcoming_none"


class ListInvoices(ListParams):
    customer: str = ""
    subscription: str = ""
    status: InvoiceStatus | None = None


class PreviewParams(CallParams):
    """Of a subscription as it is."""

    subscription: str = ""
    customer: str = ""


class ListPayments(ListParams):
    invoice: str = ""
    status: Literal["", "canceled", "open", "paid"] = ""


class CreateRefund(CallParams):
    payment_intent: str = ""
    charge: str = ""
    amount: int | None = Field(default=None, ge=1)
    reason: Literal["", "duplicate", "fraudulent", "requested_by_customer"] = ""
    metadata: Metadata = Field(default_factory=dict)


class ListRefunds(ListParams):
    payment_intent: str = ""
    charge: str = ""


def invoice_calls(state: SandboxState) -> Iterable[ApiCall]:
    def retrieve(_: CallParams, key: str) -> Shape:
        return invoice_shape(state, invoice_or_404(state, key))

    def listed_invoices(params: ListInvoices, _: str) -> Shape:
        known = state.invoices.of_customer(params.customer) if params.customer else state.invoices.newest()
        asked = [one for one in known if _is_asked(state, one, params)]
        return page_of(asked, params, "/v1/invoices", lambda one: one.id, lambda one: invoice_shape(state, one))

    def preview(params: PreviewParams, _: str) -> Shape:
        if params.customer:
            customer_or_404(state, params.customer, "customer")
        return invoice_shape(state, _upcoming(state, _subscription(state, params)))

    def payments(params: ListPayments, _: str) -> Shape:
        known = [invoice_or_404(state, params.invoice, "invoice")] if params.invoice else state.invoices.newest()
        every = [payment for invoice in known for payment in invoice_payments(invoice)]
        listed = [payment for payment in every if params.status in ("", payment["status"])]
        return page_of(listed, params, "/v1/invoice_payments", lambda one: str(one["id"]), lambda one: one)

    return (
        call("GET", "/invoices", ListInvoices, listed_invoices),
        call("POST", "/invoices/create_preview", PreviewParams, preview),
        call("GET", "/invoices/{key}", CallParams, retrieve),
        call("GET", "/invoice_payments", ListPayments, payments),
    )


def payment_calls(state: SandboxState) -> Iterable[ApiCall]:
    def intent(_: CallParams, key: str) -> Shape:
        return intent_shape(paid_invoice_or_404(state, key, "payment_intent"))

    def charge(_: CallParams, key: str) -> Shape:
        return charge_shape(paid_invoice_or_404(state, key, "charge"))

    def refund(params: CreateRefund, _: str) -> Shape:
        return refund_shape(_refund(state, params))

    def one_refund(_: CallParams, key: str) -> Shape:
        known = next((one for one in state.invoices.refunds() if one.id == key), None)
        if known is None:
            raise no_such("refund", key)
        return refund_shape(known)

    def refunds(params: ListRefunds, _: str) -> Shape:
        of = invoice_id_of(params.payment_intent or params.charge)
        known = [one for one in state.invoices.refunds() if of in ("in_", one.invoice_id)]
        return page_of(known, params, "/v1/refunds", lambda one: one.id, refund_shape)

    return (
        call("GET", "/payment_intents/{key}", CallParams, intent),
        call("GET", "/charges/{key}", CallParams, charge),
        call("POST", "/refunds", CreateRefund, refund),
        call("GET", "/refunds", ListRefunds, refunds),
        call("GET", "/refunds/{key}", CallParams, one_refund),
    )


def invoice_or_404(state: SandboxState, key: str, param: str = "") -> Invoice:
    invoice = state.invoices.get(key)
    if invoice is None:
        raise no_such("invoice", key, param)
    return invoice


def paid_invoice_or_404(state: SandboxState, key: str, kind: str, param: str = "") -> Invoice:
    """The invoice of a payment intent or charge."""
    invoice = state.invoices.get(invoice_id_of(key))
    if invoice is None or not key.startswith("pi_" if kind == "payment_intent" else "ch_"):
        raise no_such(kind, key, param)
    return invoice


def _is_asked(state: SandboxState, invoice: Invoice, params: ListInvoices) -> bool:
    return (
        params.created.holds(invoice.created)
        and params.customer in ("", invoice.customer)
        and params.subscription in ("", invoice.subscription_id)
        and params.status in (None, invoice.status)
        and _is_invoice(state, invoice)
    )


def _is_invoice(state: SandboxState, invoice: Invoice) -> bool:
    """Whether Stripe makes an invoice of it: a one-off purchase leaves none, unless it was asked for."""
    session = None if invoice.subscription_id else state.checkout.get(invoice.session_id)
    return session is None or session.options.makes_invoice


def _subscription(state: SandboxState, params: PreviewParams) -> StripeSubscription:
    if params.subscription:
        return subscription_or_404(state, params.subscription, "subscription")
    live = [one for one in state.subscriptions.of_customer(params.customer) if one.live]
    if not live:
        raise _nothing_upcoming(params.customer)
    return live[0]


def _upcoming(state: SandboxState, subscription: StripeSubscription) -> Invoice:
    """The next renewal's invoice, made by what will make it."""
    renewal = next_renewal(subscription, state.runtime_settings.current)
    if renewal is None:
        raise _nothing_upcoming(subscription.customer)
    return Invoice(
        id=f"upcoming_in_{subscription.id.removeprefix('sub_')}",
        user_id=subscription.user_id,
        customer=subscription.customer,
        subscription_id=subscription.id,
        name=renewal.line.name,
        price_id=renewal.line.price_id,
        product_id=renewal.line.product_id,
        quantity=subscription.quantity,
        billing_reason="upcoming",
        due=renewal.due,
        amount=renewal.due.amount,
        currency=renewal.due.currency,
        status=InvoiceStatus.DRAFT,
        created=renewal.at,
        period_start=renewal.at,
        period_end=renewal.end,
    )


def _nothing_upcoming(customer_id: str) -> StripeProblem:
    return bad_request(f"No upcoming invoices for customer: {customer_id}", _NONE_UPCOMING, status=404)


def _refund(state: SandboxState, params: CreateRefund) -> StripeRefund:
    """Give it back: all that is left, or a part of it."""
    kind = "payment_intent" if params.payment_intent else "charge"
    key = params.payment_intent or params.charge
    if not key:
        raise bad_request("One of the following params should be provided: payment_intent or charge.")
    invoice = paid_invoice_or_404(state, key, kind, kind)
    if invoice.status is not InvoiceStatus.PAID:
        raise bad_request("This PaymentIntent does not have a successful charge to refund.", param=kind)
    left = invoice.amount - invoice.refunded
    if left == 0:
        raise bad_request(
            f"{kind.replace('_', ' ').capitalize()} {key} has already been refunded.", "charge_already_refunded"
        )
    if params.amount and params.amount > left:
        text = f"Refund amount ({params.amount}) is greater than unrefunded amount on charge ({left})"
        raise bad_request(text, param="amount")
    refunded = state.invoices.refund(invoice, params.amount, params.reason, params.metadata)
    return state.invoices.refunds_of(refunded)[0]
