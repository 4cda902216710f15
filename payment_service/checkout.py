"""Opening a checkout, looking at one, closing one.

Before a subscription is sold Stripe itself is looked at: the user's subscriptions, and the sessions that are open.
The others of the group are closed first, so that at most one of them can be paid; whoever just paid one has a
subscription, and is told so. All of that is under a lease for the user and the group, and right without it, too: what
slips through is found by `guards.py`.
"""

from dataclasses import dataclass
from typing import Final, Literal, cast

from stripe import InvalidRequestError, Price
from stripe.checkout import Session as CheckoutSession
from stripe.params.checkout import SessionCreateParams

from payment_service.bodies import CartCheckout, ItemCheckout, SubscriptionCheckout
from payment_service.customers import Customers
from payment_service.database import ServiceDatabase, SessionRow
from payment_service.documents import ENDED, Document, group_of, id_of, metadata_of, moment
from payment_service.errors import ServiceError, invalid, price_not_found, subscription_exists
from payment_service.idempotency import Idempotency
from payment_service.leases import DatabaseLeases
from payment_service.settings import ServiceSettings
from payment_service.stripe_api import StripeAPI
from payment_service.subscriptions import Subscriptions
from payment_service.sync import SOLD_BY, Sync

PATIENCE: Final = 8.0
"""Seconds to wait for another checkout of the same user and group that is being opened."""
LONGEST: Final = 20.0
"""Seconds after which another checkout need not wait any more for one that was cut off."""

Checkout = SubscriptionCheckout | ItemCheckout | CartCheckout


@dataclass(frozen=True)
class Checkouts:
    """The three kinds of checkout, and one session's state."""

    settings: ServiceSettings
    database: ServiceDatabase
    stripe: StripeAPI
    customers: Customers
    subscriptions: Subscriptions
    sync: Sync
    leases: DatabaseLeases
    idempotency: Idempotency

    def open(self, body: Checkout, key: str) -> Document:
        """Open a checkout; raises SUBSCRIPTION_EXISTS where the user has a subscription of the plan's group."""
        request = {"kind": body.kind, **body.model_dump(mode="json")}
        return self.idempotency.once(key, request, lambda own: self._open(body, own))

    def session(self, session_id: str) -> Document:
        """Return a session's state: as on record where nothing can change any more, else as Stripe has it now."""
        with self.database.reading() as session:
            row = session.get(SessionRow, session_id)
        return row.document if row is not None and row.settled else self._as_stripe_has_it(session_id)

    def expire(self, session_id: str) -> Document:
        """Close an open session so that nobody can pay it; raises SESSION_NOT_OPEN for one that is complete."""
        state = self._as_stripe_has_it(session_id)
        if state["status"] == "open":
            state = self._close(session_id)
        if state["status"] == "expired":
            return state
        raise ServiceError(
            409, "SESSION_NOT_OPEN", "The session is complete", "It was paid, or is being paid.",
            beside={"session": state},
        )  # fmt: skip

    def _as_stripe_has_it(self, session_id: str) -> Document:
        found = self.sync.checkout_session(session_id)
        if found is None:
            description = "No such session of this project."
            raise ServiceError(404, "SESSION_NOT_FOUND", "Checkout session not found", description)
        return found[0]

    def _close(self, session_id: str) -> Document:
        """Ask Stripe to expire a session; return what it is then, whoever was faster."""
        ticket = self.sync.ticket(session_id)
        try:
            closed = self.sync.keep_session(self.stripe.v1.checkout.sessions.expire(session_id), ticket)
        except InvalidRequestError:  # it is not open any more
            closed = None
        return closed[0] if closed else self._as_stripe_has_it(session_id)

    def _open(self, body: Checkout, key: str) -> Document:
        if isinstance(body, SubscriptionCheckout):
            return self._open_subscription(body, key)
        customer, _made = self.customers.find_or_make(body.user_id, body.email)
        params = self._params(body, "payment", {})
        params["payment_intent_data"] = {"metadata": params["metadata"] or {}}
        opened = self._create(body, params, customer, key)
        return opened | {"item_count": len(body.items)} if isinstance(body, CartCheckout) else opened

    def _open_subscription(self, body: SubscriptionCheckout, key: str) -> Document:
        group = group_of(self._price(body).product)
        with self.leases.hold(f"checkout:{body.user_id}:{group}", holder=key, seconds=LONGEST, wait=PATIENCE):
            for known in self.subscriptions.live(body.user_id, group):
                self.sync.subscription(known.id)  # the news of its end may have been lost
            self._refuse_second(body.user_id, group)
            customer, made = self.customers.find_or_make(body.user_id, body.email)
            if not made:
                self._look_at_stripe(body.user_id, customer, group, key)
            params = self._params(body, "subscription", {"group": group, "product_id": body.product_id})
            params["subscription_data"] = {"metadata": params["metadata"] or {}}
            if body.trial_days:
                params["subscription_data"]["trial_period_days"] = body.trial_days
            return self._create(body, params, customer, key)

    def _price(self, body: SubscriptionCheckout) -> Price:
        """Return the price that is asked for, with its product; raises what is wrong with it."""
        price = self.stripe.fetched(lambda: self.stripe.v1.prices.retrieve(body.price_id, {"expand": ["product"]}))
        if price is None or not price.active:
            message = "The price is inactive" if price else "No such price"
            raise price_not_found(message, f"Stripe has no active price {body.price_id}.")
        if id_of(price.product) != body.product_id:
            raise invalid("price_id", f"The price {price.id} is not of the product {body.product_id}.")
        if not price.recurring:
            raise invalid("price_id", f"The price {price.id} is paid once; open a checkout of an item.")
        return price

    def _refuse_second(self, user_id: str, group: str) -> None:
        if live := self.subscriptions.live(user_id, group):
            raise subscription_exists(live[0].id)

    def _look_at_stripe(self, user_id: str, customer: str, group: str, key: str) -> None:
        """Raise SUBSCRIPTION_EXISTS if Stripe has a live one of the group; close the sessions that could make one."""
        for found in self.stripe.v1.subscriptions.list({"customer": customer, "limit": 100}).data:
            if found.status not in ENDED:
                self.sync.subscription(found.id)
        self._refuse_second(user_id, group)
        opened = self.stripe.v1.checkout.sessions.list({"customer": customer, "status": "open", "limit": 100}).data
        for session in opened:
            about = metadata_of(session)
            ours = about.get("project") == self.settings.project and about.get("group") == group
            if not ours or session.mode != "subscription" or (key and about.get("request") == key):
                continue
            state = self._close(session.id)
            if state["status"] == "complete":
                raise subscription_exists(str(state["subscription_id"] or ""))

    def _params(
        self, body: Checkout, mode: Literal["payment", "subscription"], sold: dict[str, str]
    ) -> SessionCreateParams:
        params: SessionCreateParams = {
            "mode": mode,
            "client_reference_id": body.user_id,
            "line_items": body.lines,
            "success_url": body.success_url,
            "cancel_url": body.cancel_url,
            "metadata": {"user_id": body.user_id, "project": self.settings.project, "sold_by": SOLD_BY, **sold},
            "billing_address_collection": "required",
        }
        if body.promotion:
            params["discounts"] = [{"promotion_code": self._promotion(body.promotion)}]
        else:
            params["allow_promotion_codes"] = True
        if body.locale:
            params["locale"] = body.locale
        if body.consent and body.consent.terms_of_service:
            params["consent_collection"] = {"terms_of_service": "required"}
        if self.settings.automatic_tax:
            params["automatic_tax"] = {"enabled": True}
            params["customer_update"] = {"address": "auto", "name": "auto"}
        return params

    def _create(self, body: Checkout, params: SessionCreateParams, customer: str, key: str) -> Document:
        """Open it at Stripe, under the caller's key; once more with a new customer where the known one is gone."""
        if key:
            params["metadata"] = {**cast(dict[str, str], params["metadata"]), "request": key}
        try:
            opened = self._at_stripe(params, customer, key)
        except InvalidRequestError as error:
            if error.code != "resource_missing" or error.param != "customer":
                raise
            another, _made = self.customers.find_or_make(body.user_id, body.email, instead_of=customer)
            opened = self._at_stripe(params, another, key)
        self.sync.keep_session(opened, ticket=0)
        self.customers.sent_to_stripe(body.user_id)
        return {
            "checkout_session_id": opened.id,
            "checkout_url": opened.url,
            "expires_at": moment(opened.expires_at),
            "livemode": opened.livemode,
        }

    def _at_stripe(self, params: SessionCreateParams, customer: str, key: str) -> CheckoutSession:
        params["customer"] = customer
        return self.stripe.v1.checkout.sessions.create(
            params, {"idempotency_key": f"checkout-{key}-{customer}"} if key else {}
        )

    def _promotion(self, code: str) -> str:
        found = self.stripe.v1.promotion_codes.list({"code": code, "active": True, "limit": 1}).data
        if not found:
            raise ServiceError(
                400, "PROMOTION_NOT_FOUND", "No such promotion code", "It is unknown, or over.", field="promotion"
            )
        return found[0].id
