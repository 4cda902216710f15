"""Opening a checkout, looking at one, closing one.

Before a subscription is sold Stripe itself is looked at: the user's subscriptions, and the sessions that are open.
The others of the group are closed first, so that at most one of them can be paid; whoever just paid one has a
subscription, and is told so. All of that is under a lease for the user and the group, and right without it, too: what
slips through is found by `guards.py`.
"""

from typing import Final, cast

from pydantic import JsonValue
from stripe import InvalidRequestError
from stripe.checkout import Session as CheckoutSession
from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItem

from payment_service.bodies import CartCheckout, CheckoutBody, ItemCheckout, SubscriptionCheckout
from payment_service.customers import Customers
from payment_service.database import ServiceDatabase, SessionRow
from payment_service.errors import ServiceError, invalid, session_not_found, subscription_exists
from payment_service.idempotency import Idempotency
from payment_service.leases import DatabaseLeases
from payment_service.locales import stripe_locale
from payment_service.prices import Prices
from payment_service.settings import ServiceSettings
from payment_service.stripe_api import StripeAPI
from payment_service.subscriptions import ENDED, Document, Subscriptions, moment
from payment_service.sync import SOLD_BY, Sync

PATIENCE: Final = 8.0
"""Seconds to wait for another checkout of the same user and group that is being opened."""
LONGEST: Final = 20.0
"""Seconds after which another checkout need not wait any more for one that was cut off."""


class Checkouts:
    """The three kinds of checkout, and one session's state."""

    def __init__(
        self,
        settings: ServiceSettings,
        database: ServiceDatabase,
        stripe: StripeAPI,
        customers: Customers,
        prices: Prices,
        subscriptions: Subscriptions,
        sync: Sync,
    ) -> None:
        self._settings = settings
        self._database = database
        self._stripe = stripe
        self._customers = customers
        self._prices = prices
        self._subscriptions = subscriptions
        self._sync = sync
        self._leases = DatabaseLeases(database)
        self._idempotency = Idempotency(database, settings.project)

    def subscription(self, body: SubscriptionCheckout, key: str) -> Document:
        """Open a checkout for a plan; raises SUBSCRIPTION_EXISTS where the user has one of its group."""
        return self._idempotency.once(
            key, _request("subscription", body), lambda own: self._open_subscription(body, own)
        )

    def item(self, body: ItemCheckout, key: str) -> Document:
        """Open a checkout for one thing, in a quantity."""
        lines: list[SessionCreateParamsLineItem] = [{"price": body.price_id, "quantity": body.quantity}]
        return self._idempotency.once(key, _request("item", body), lambda own: self._open_payment(body, lines, own))

    def cart(self, body: CartCheckout, key: str) -> Document:
        """Open a checkout for several things."""
        lines: list[SessionCreateParamsLineItem] = [
            {"price": line.price_id, "quantity": line.quantity} for line in body.items
        ]
        opened = self._idempotency.once(key, _request("cart", body), lambda own: self._open_payment(body, lines, own))
        return {**opened, "item_count": len(body.items)}

    def session(self, session_id: str) -> Document:
        """Return a session's state: as on record where nothing can change any more, else as Stripe has it now."""
        with self._database.reading() as session:
            row = session.get(SessionRow, session_id)
        if row is not None and row.settled:
            return row.document
        found = self._sync.checkout_session(session_id)
        if found is None:
            raise session_not_found()
        return found[0]

    def expire(self, session_id: str) -> Document:
        """Close an open session so that nobody can pay it; raises SESSION_NOT_OPEN for one that is complete."""
        found = self._sync.checkout_session(session_id)
        if found is None:
            raise session_not_found()
        state = found[0]
        if state["status"] == "open":
            state = self._close(session_id) or state
        if state["status"] == "expired":
            return state
        raise ServiceError(409, "SESSION_NOT_OPEN", "The session is complete", "It was paid, or is being paid.",
                           beside={"session": state})  # fmt: skip

    def prune(self) -> None:
        """Drop the answers that nobody can ask for any more."""
        self._idempotency.prune()

    def _close(self, session_id: str) -> Document | None:
        """Ask Stripe to expire a session; return what it is then, whoever was faster."""
        ticket = self._sync.ticket(session_id)
        try:
            closed = self._sync.keep_session(self._stripe.v1.checkout.sessions.expire(session_id), ticket)
        except InvalidRequestError:  # it is not open any more
            closed = self._sync.checkout_session(session_id)
        return closed[0] if closed else None

    def _open_subscription(self, body: SubscriptionCheckout, key: str) -> Document:
        price = self._prices.get(body.price_id)
        if price.product_id != body.product_id:
            raise invalid("price_id", f"The price {price.id} is not of the product {body.product_id}.")
        if not price.interval:
            raise invalid("price_id", f"The price {price.id} is paid once; open a checkout of an item.")
        name = f"checkout:{body.user_id}:{price.group}"
        with self._leases.hold(name, holder=key, seconds=LONGEST, wait=PATIENCE):
            for known in self._subscriptions.live(body.user_id, price.group):
                self._sync.subscription(known.id)  # the news of its end may have been lost
            if live := self._subscriptions.live(body.user_id, price.group):
                raise subscription_exists(live[0].id)
            customer, made = self._customers.find_or_make(body.user_id, body.email)
            if not made:
                self._look_at_stripe(body.user_id, customer, price.group, key)
            about = self._about(body, price.group, body.product_id)
            params = self._params(body, "subscription", [{"price": price.id, "quantity": body.quantity}], about)
            params["subscription_data"] = {"metadata": about}
            if body.trial_days:
                params["subscription_data"]["trial_period_days"] = body.trial_days
            return self._create(body, params, customer, key)

    def _open_payment(
        self, body: CheckoutBody, lines: list[SessionCreateParamsLineItem], key: str
    ) -> Document:  # fmt: skip
        customer, _made = self._customers.find_or_make(body.user_id, body.email)
        about = self._about(body, "", "")
        params = self._params(body, "payment", lines, about)
        params["payment_intent_data"] = {"metadata": about}
        return self._create(body, params, customer, key)

    def _look_at_stripe(self, user_id: str, customer: str, group: str, key: str) -> None:
        """Raise SUBSCRIPTION_EXISTS if Stripe has a live one of the group; close the sessions that could make one."""
        for found in self._stripe.v1.subscriptions.list({"customer": customer, "limit": 100}).data:
            if found.status not in ENDED:
                self._sync.subscription(found.id)
        if live := self._subscriptions.live(user_id, group):
            raise subscription_exists(live[0].id)
        opened = self._stripe.v1.checkout.sessions.list({"customer": customer, "status": "open", "limit": 100}).data
        for session in opened:
            about = session.metadata.to_dict() if session.metadata else {}
            ours = about.get("project") == self._settings.project and about.get("group") == group
            if not ours or session.mode != "subscription" or (key and about.get("request") == key):
                continue
            state = self._close(session.id)
            if state is not None and state["status"] == "complete":
                raise subscription_exists(str(state["subscription_id"] or ""))

    def _about(self, body: CheckoutBody, group: str, product_id: str) -> dict[str, str]:
        about = {"user_id": body.user_id, "project": self._settings.project, "sold_by": SOLD_BY}
        return about | {name: text for name, text in (("group", group), ("product_id", product_id)) if text}

    def _params(
        self, body: CheckoutBody, mode: str, lines: list[SessionCreateParamsLineItem], about: dict[str, str]
    ) -> SessionCreateParams:
        params: SessionCreateParams = {
            "mode": mode,
            "client_reference_id": body.user_id,
            "line_items": lines,
            "success_url": body.success_url,
            "cancel_url": body.cancel_url,
            "metadata": about,
            "billing_address_collection": "required",
        }
        if body.promotion:
            params["discounts"] = [{"promotion_code": self._promotion(body.promotion)}]
        else:
            params["allow_promotion_codes"] = True
        if body.locale:
            params["locale"] = stripe_locale(body.locale)
        if body.consent and body.consent.terms_of_service:
            params["consent_collection"] = {"terms_of_service": "required"}
        if self._settings.automatic_tax:
            params["automatic_tax"] = {"enabled": True}
            params["customer_update"] = {"address": "auto", "name": "auto"}
        return params

    def _create(self, body: CheckoutBody, params: SessionCreateParams, customer: str, key: str) -> Document:
        """Open it at Stripe, under the caller's key; once more with a new customer where the known one is gone."""
        if key:
            params["metadata"] = {**cast(dict[str, str], params["metadata"]), "request": key}
        try:
            opened = self._at_stripe(params, customer, key)
        except InvalidRequestError as error:
            if error.code != "resource_missing" or error.param != "customer":
                raise
            another, _made = self._customers.find_or_make(body.user_id, body.email, instead_of=customer)
            opened = self._at_stripe(params, another, key)
        self._sync.keep_session(opened, ticket=0)
        self._customers.sent_to_stripe(body.user_id)
        answer: dict[str, JsonValue] = {
            "checkout_session_id": opened.id,
            "checkout_url": opened.url,
            "expires_at": moment(opened.expires_at),
            "livemode": opened.livemode,
        }
        return answer

    def _at_stripe(self, params: SessionCreateParams, customer: str, key: str) -> CheckoutSession:
        params["customer"] = customer
        own = f"checkout-{key}-{customer}" if key else ""
        return self._stripe.v1.checkout.sessions.create(params, {"idempotency_key": own} if own else {})

    def _promotion(self, code: str) -> str:
        found = self._stripe.v1.promotion_codes.list({"code": code, "active": True, "limit": 1}).data
        if not found:
            raise ServiceError(400, "PROMOTION_NOT_FOUND", "No such promotion code", "It is unknown, or over.",
                               field="promotion")  # fmt: skip
        return found[0].id


def _request(kind: str, body: CheckoutBody) -> dict[str, JsonValue]:
    return {"kind": kind, **body.model_dump(mode="json")}
