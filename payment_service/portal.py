"""Stripe's customer portal, and the invoices."""

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue
from stripe import InvalidRequestError, Invoice
from stripe.params.billing_portal import SessionCreateParams

from payment_service.bodies import PortalBody
from payment_service.customers import Customers
from payment_service.errors import customer_not_found
from payment_service.locales import stripe_locale
from payment_service.stripe_api import StripeAPI
from payment_service.subscriptions import Document, Subscriptions, moment, now_seconds

FLOWS: Final[Mapping[str, str]] = {
    "cancel": "subscription_cancel",
    "change_plan": "subscription_update",
    "update_card": "payment_method_update",
}
"""The contract's words for the portal's flows, and Stripe's."""


class Portal:
    """What a customer does at Stripe, and reads of their invoices."""

    def __init__(self, stripe: StripeAPI, customers: Customers, subscriptions: Subscriptions) -> None:
        self._stripe = stripe
        self._customers = customers
        self._subscriptions = subscriptions

    def open(self, body: PortalBody) -> Document:
        """Open a portal session, on the page of a flow where one is asked for and can be had."""
        customer = self._customers.known(body.user_id)
        if customer is None:
            raise customer_not_found()
        flow, subscription_id = self._flow(body)
        if subscription_id is not None:
            customer = self._owner(body.user_id, subscription_id) or customer
        params: SessionCreateParams = {"customer": customer, "return_url": body.return_url}
        if body.locale:
            params["locale"] = stripe_locale(body.locale)
        if flow == "payment_method_update":
            params["flow_data"] = {"type": flow}
        elif flow == "subscription_cancel" and subscription_id:
            params["flow_data"] = {"type": flow, "subscription_cancel": {"subscription": subscription_id}}
        elif flow == "subscription_update" and subscription_id:
            params["flow_data"] = {"type": flow, "subscription_update": {"subscription": subscription_id}}
        try:
            opened = self._stripe.v1.billing_portal.sessions.create(params)
        except InvalidRequestError as error:
            if error.param == "customer":
                raise customer_not_found() from None
            if "flow_data" not in params:
                raise
            # A flow that the portal's settings don't allow, or a subscription that is canceled already.
            del params["flow_data"]
            opened = self._stripe.v1.billing_portal.sessions.create(params)
        self._customers.sent_to_stripe(body.user_id)
        return {"portal_session_id": opened.id, "portal_url": opened.url}

    def invoices(self, user_id: str, limit: int) -> Document:
        """Return a user's invoices as Stripe has them now, newest first, without drafts."""
        customer = self._customers.known(user_id)
        found = self._stripe.v1.invoices.list({"customer": customer, "limit": limit}).data if customer else []
        told: list[JsonValue] = [_invoice(invoice) for invoice in found if invoice.status != "draft"]
        return {"invoices": told, "as_of": moment(now_seconds())}

    def _flow(self, body: PortalBody) -> tuple[str, str | None]:
        """Return the flow in Stripe's word, and which subscription it is about; nothing where that can't be told."""
        flow = FLOWS.get(body.flow or "", "")
        if flow not in ("subscription_cancel", "subscription_update"):
            return flow, None
        live = [row.id for row in self._subscriptions.live(body.user_id)]
        if body.subscription_id is not None:  # one that has ended meanwhile has no page; the front says so
            return (flow, body.subscription_id) if body.subscription_id in live else ("", None)
        return (flow, live[0]) if len(live) == 1 else ("", None)

    def _owner(self, user_id: str, subscription_id: str) -> str | None:
        """Return the customer at Stripe that has the subscription: a user may have had another one before."""
        rows = self._subscriptions.live(user_id)
        return next((row.customer_id for row in rows if row.id == subscription_id), None)


def _invoice(invoice: Invoice) -> Document:
    details = invoice.parent.subscription_details if invoice.parent else None
    subscription = details.subscription if details else None
    address = invoice.hosted_invoice_url or ""
    return {
        "number": invoice.number,
        "created": moment(invoice.created),
        "amount": invoice.total,
        "amount_paid": invoice.amount_paid,
        "currency": invoice.currency,
        "status": invoice.status,
        "hosted_invoice_url": address if address.startswith("https://") else None,
        "subscription_id": subscription if isinstance(subscription, str) or subscription is None else subscription.id,
        "livemode": invoice.livemode,
    }
