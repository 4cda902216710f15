"""The HTTP calls about subscriptions and invoices at Stripe, and about what the Payment MS knows of them."""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from fastapi import APIRouter, HTTPException
from pydantic import AwareDatetime, Field

from sandbox.control.routes import Body
from sandbox.control.scenarios import set_status
from sandbox.settings import Reach, WebhookMode
from sandbox.state import SandboxState
from sandbox.stripe.objects import DisputeStatus, Invoice, PauseBehavior, StripeSubscription
from sandbox.stripe.payment_methods import CARDS, PaymentRefused, payment_method_of
from sandbox.stripe.price_list import plan_line
from sandbox.stripe.webhooks import DeliveryOptions

T = TypeVar("T")


class SetStatus(Body):
    """A status word, and how the news of it is delivered (the runtime settings' way, where absent)."""

    status: str = Field(min_length=1, max_length=60)
    mode: WebhookMode | None = None
    delay: float | None = Field(default=None, ge=0)
    reach: Reach | None = None


class ActionBody(Body):
    """What an action needs; the other fields are ignored by it."""

    price_id: str = ""
    at: AwareDatetime | None = None
    days: float | None = Field(default=None, ge=0, le=3700)
    behavior: PauseBehavior = PauseBehavior.VOID
    card: str = CARDS[0].number


class Refund(Body):
    """Minor units of the invoice's currency; all that is left, where absent."""

    amount: int | None = Field(default=None, ge=1)


class Dispute(Body):
    status: DisputeStatus = DisputeStatus.NEEDS_RESPONSE


def control_subscriptions_router(state: SandboxState) -> APIRouter:
    router = APIRouter(prefix="/control", tags=["subscriptions"])

    @router.get("/subscriptions")
    async def subscriptions(user_id: str = "") -> list[dict[str, Any]]:
        """Subscriptions as Stripe has them."""
        found = state.subscriptions.of(user_id) if user_id else state.subscriptions.newest()
        return [subscription.model_dump(mode="json") for subscription in found]

    @router.post("/subscriptions/{subscription_id}/state")
    async def change_status(subscription_id: str, to: SetStatus) -> dict[str, Any]:
        """Put a subscription in any state, known or not; mode, delay and reach say how the news is delivered."""
        subscription = found_or_404(state.subscriptions.get(subscription_id), "subscription")
        moved = set_status(state, subscription, to.status, DeliveryOptions(to.mode, to.delay, to.reach))
        return moved.model_dump(mode="json")

    @router.post("/subscriptions/{subscription_id}/{action}")
    async def act(
        subscription_id: str, action: str, how: ActionBody | None = None, price_id: str = ""
    ) -> dict[str, Any]:
        """What the portal or the dashboard does; 404 for another action, 409 for a subscription that has ended."""
        subscription = found_or_404(state.subscriptions.get(subscription_id), "subscription")
        how = how or ActionBody()
        if price_id:
            how = how.model_copy(update={"price_id": price_id})
        return carry_out(state, subscription, action, how).model_dump(mode="json")

    @router.get("/invoices")
    async def invoices(user_id: str) -> list[dict[str, Any]]:
        """Invoices of a user, newest first."""
        return [invoice.model_dump(mode="json") for invoice in state.invoices.of(user_id)]

    @router.post("/invoices/{invoice_id}/refund")
    async def refund(invoice_id: str, how: Refund | None = None) -> Invoice:
        """Give money back; 409 for more than was paid. The subscription goes on."""
        invoice = found_or_404(state.invoices.get(invoice_id), "invoice")
        try:
            return state.invoices.refund(invoice, how.amount if how else None)
        except ValueError as error:
            raise HTTPException(409, str(error)) from None

    @router.post("/invoices/{invoice_id}/dispute")
    async def dispute(invoice_id: str, how: Dispute | None = None) -> Invoice:
        """The cardholder's bank takes the money back (needs_response); later it is won or lost."""
        invoice = found_or_404(state.invoices.get(invoice_id), "invoice")
        try:
            return state.invoices.dispute(invoice, how.status if how else DisputeStatus.NEEDS_RESPONSE)
        except ValueError as error:
            raise HTTPException(409, str(error)) from None

    @router.get("/payment-records")
    async def records(user_id: str = "") -> list[dict[str, Any]]:
        """Subscriptions as the Payment MS knows them."""
        found = state.records.of(user_id) if user_id else state.records.all()
        return [record.model_dump(mode="json") for record in found]

    @router.delete("/payment-records/{subscription_id}")
    async def forget(subscription_id: str) -> dict[str, Any]:
        """Make the Payment MS forget a subscription."""
        return {"forgotten": state.records.forget(subscription_id)}

    return router


def carry_out(
    state: SandboxState, subscription: StripeSubscription, action: str, how: ActionBody
) -> StripeSubscription:
    """One action of the portal or the dashboard; raises HTTPException for one that can't be."""
    stripe = state.subscriptions
    if action == "cancel":
        return stripe.cancel_now(subscription)
    if not subscription.live:
        raise HTTPException(409, f"the subscription is {subscription.status}")
    if action == "cancel-at-period-end":
        return stripe.cancel_at_period_end(subscription)
    if action == "cancel-at":
        return stripe.cancel_at(subscription, _moment(state, how) or subscription.period_end)
    if action == "resume":
        return stripe.resume(subscription)
    if action == "pause":
        return stripe.pause(subscription, how.behavior, _moment(state, how))
    if action == "switch":
        return stripe.switch(subscription, plan_line(state.prices, how.price_id))
    if action == "card":
        return stripe.update_card(subscription, _card(how.card))
    raise HTTPException(404, "no such action")


def found_or_404(thing: T | None, name: str) -> T:
    if thing is None:
        raise HTTPException(404, f"no such {name}")
    return thing


def _moment(state: SandboxState, how: ActionBody) -> datetime | None:
    if how.days is not None:
        return state.clock.now() + timedelta(days=how.days)
    return how.at


def _card(number: str) -> Any:
    try:
        return payment_method_of(number)
    except PaymentRefused as refusal:
        raise HTTPException(402, str(refusal)) from None
