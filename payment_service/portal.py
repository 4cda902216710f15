"""Stripe's customer portal, and the invoices."""

from dataclasses import dataclass

from pydantic import JsonValue
from stripe import InvalidRequestError
from stripe.params.billing_portal import SessionCreateParams

from payment_service.bodies import PortalBody
from payment_service.customers import Customers
from payment_service.documents import Document, invoice_document, moment, now_seconds
from payment_service.errors import ServiceError
from payment_service.stripe_api import StripeAPI
from payment_service.subscriptions import Subscriptions


@dataclass(frozen=True)
class Portal:
    """What a customer does at Stripe, and reads of their invoices."""

    stripe: StripeAPI
    customers: Customers
    subscriptions: Subscriptions

    def open(self, body: PortalBody) -> Document:
        """Open a portal session, on the page of a flow where one is asked for and can be had."""
        customer = self.customers.known(body.user_id)
        description = "Nobody bought anything under this user_id."
        unknown = ServiceError(404, "CUSTOMER_NOT_FOUND", "Customer not found", description, field="user_id")
        if customer is None:
            raise unknown
        params: SessionCreateParams = {"customer": customer, "return_url": body.return_url}
        if body.locale:
            params["locale"] = body.locale
        self._add_flow(body, params)
        try:
            opened = self.stripe.v1.billing_portal.sessions.create(params)
        except InvalidRequestError as error:
            if error.param == "customer":
                raise unknown from None
            if "flow_data" not in params:
                raise
            # A flow that the portal's settings don't allow, or a subscription that is canceled already.
            del params["flow_data"]
            opened = self.stripe.v1.billing_portal.sessions.create(params)
        self.customers.sent_to_stripe(body.user_id)
        return {"portal_session_id": opened.id, "portal_url": opened.url}

    def invoices(self, user_id: str, limit: int) -> Document:
        """Return a user's invoices as Stripe has them now, newest first, without drafts."""
        customer = self.customers.known(user_id)
        found = self.stripe.v1.invoices.list({"customer": customer, "limit": limit}).data if customer else []
        told: list[JsonValue] = [invoice_document(invoice) for invoice in found if invoice.status != "draft"]
        return {"invoices": told, "as_of": moment(now_seconds())}

    def _add_flow(self, body: PortalBody, params: SessionCreateParams) -> None:
        """Have the portal open on a flow's page, where it can be told which subscription is meant."""
        if body.flow == "update_card":
            params["flow_data"] = {"type": "payment_method_update"}
        if body.flow not in ("cancel", "change_plan"):
            return
        live = self.subscriptions.live(body.user_id)
        if body.subscription_id is not None:  # one that has ended meanwhile has no page; the front says so
            live = [row for row in live if row.id == body.subscription_id]
        if len(live) != 1:
            return
        params["customer"] = live[0].customer_id  # a user may have had another one before
        if body.flow == "cancel":
            params["flow_data"] = {"type": "subscription_cancel", "subscription_cancel": {"subscription": live[0].id}}
        else:
            params["flow_data"] = {"type": "subscription_update", "subscription_update": {"subscription": live[0].id}}
