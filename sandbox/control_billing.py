"""The HTTP calls about people: their checkouts, their subscriptions, and what each service knows of them."""

from typing import Any, TypeVar

from fastapi import APIRouter, HTTPException
from pydantic import Field

from sandbox.auth_accounts import AccountPlan, person
from sandbox.cards import CARDS, CardRefused
from sandbox.control import Body
from sandbox.scenarios import clear_user, put_in_state, set_status
from sandbox.settings import Reach, WebhookMode
from sandbox.state import SandboxState
from sandbox.stripe_objects import LineItem, SessionStatus, StripeCheckoutSession, StripeSubscription
from sandbox.webhooks import DeliveryOptions

T = TypeVar("T")


class SetStatus(Body):
    """A status word, and how the news of it is delivered (the runtime settings' way, where absent)."""

    status: str = Field(min_length=1, max_length=60)
    mode: WebhookMode | None = None
    delay: float | None = Field(default=None, ge=0)
    reach: Reach | None = None


class UserState(Body):
    """A state of `scenarios.SCENARIOS` or any status word, for a plan's price."""

    status: str = Field(min_length=1, max_length=60)
    price_id: str = ""
    email: str = ""


class Pay(Body):
    card: str = CARDS[0].number
    promotion: str = ""


class NewUser(Body):
    email: str = Field(pattern=r"^\S+@\S+$")
    name: str = ""


def control_billing_router(state: SandboxState) -> APIRouter:
    """Routes about people, their checkouts, their subscriptions and what each service knows of them."""
    router = APIRouter(prefix="/control", tags=["billing"])

    def subscription_of(subscription_id: str) -> StripeSubscription:
        return _found(state.subscriptions.get(subscription_id), "subscription")

    @router.get("/sessions")
    async def sessions(user_id: str = "") -> list[dict[str, Any]]:
        """Checkout sessions, of one user or the newest of all."""
        found = state.checkout.of(user_id) if user_id else state.checkout.newest()
        return [_session(state, session) for session in found]

    @router.post("/pay/{session_id}")
    async def pay(session_id: str, how: Pay | None = None) -> dict[str, Any]:
        """Pay without a browser; a card that asks for confirmation is confirmed. 402 when refused, 409 when closed."""
        session = _found(state.checkout.get(session_id), "checkout session")
        if session.status is not SessionStatus.OPEN:
            raise HTTPException(409, f"the session is {session.status}")
        how = how or Pay()
        try:
            if how.promotion:
                session = state.checkout.promote(session, how.promotion)
            paid = state.checkout.pay(session, how.card)
            if paid.waiting_card:
                paid = state.checkout.confirm(paid, succeeds=True)
        except CardRefused as refusal:
            raise HTTPException(402, str(refusal)) from None
        return _session(state, paid)

    @router.post("/sessions/{session_id}/expire")
    async def expire(session_id: str) -> dict[str, Any]:
        """End a checkout session unpaid."""
        return _session(state, state.checkout.expire(_found(state.checkout.get(session_id), "checkout session")))

    @router.get("/subscriptions")
    async def subscriptions(user_id: str = "") -> list[dict[str, Any]]:
        """Subscriptions as Stripe has them."""
        found = state.subscriptions.of(user_id) if user_id else state.subscriptions.newest()
        return [subscription.model_dump(mode="json") for subscription in found]

    @router.post("/subscriptions/{subscription_id}/state")
    async def set_state(subscription_id: str, to: SetStatus) -> dict[str, Any]:
        """Put a subscription in any state, known or not; mode, delay and reach say how the news is delivered."""
        subscription = subscription_of(subscription_id)
        moved = set_status(state, subscription, to.status, DeliveryOptions(to.mode, to.delay, to.reach))
        return moved.model_dump(mode="json")

    @router.post("/subscriptions/{subscription_id}/{action}")
    async def act(subscription_id: str, action: str, price_id: str = "") -> dict[str, Any]:
        """What the portal does: cancel, cancel-at-period-end, resume, card, switch (with a price_id)."""
        subscription, stripe = subscription_of(subscription_id), state.subscriptions
        actions = {"cancel": stripe.cancel_now, "cancel-at-period-end": stripe.cancel_at_period_end}
        if action == "switch":
            return stripe.switch(subscription, plan_line(state, price_id)).model_dump(mode="json")
        if action == "card":
            return stripe.update_card(subscription, CARDS[0]).model_dump(mode="json")
        if action == "resume":
            return stripe.resume(subscription).model_dump(mode="json")
        if action not in actions:
            raise HTTPException(404, "no such action")
        return actions[action](subscription).model_dump(mode="json")

    @router.get("/invoices")
    async def invoices(user_id: str) -> list[dict[str, Any]]:
        """Invoices of a user, newest first."""
        return [invoice.model_dump(mode="json") for invoice in state.subscriptions.invoices(user_id)]

    @router.get("/payment-records")
    async def records(user_id: str = "") -> list[dict[str, Any]]:
        """Subscriptions as the Payment MS knows them."""
        found = state.records.of(user_id) if user_id else state.records.all()
        return [record.model_dump(mode="json") for record in found]

    @router.delete("/payment-records/{subscription_id}")
    async def forget(subscription_id: str) -> dict[str, Any]:
        """Make the Payment MS forget a subscription."""
        return {"forgotten": state.records.forget(subscription_id)}

    @router.get("/users")
    async def users() -> list[dict[str, Any]]:
        """People, each with the plan that the Auth MS knows."""
        return [{**one.model_dump(), "plan": state.accounts.grant_of(one).model_dump()} for one in state.people()]

    @router.post("/users", status_code=201)
    async def add_user(new: NewUser) -> dict[str, Any]:
        """A person as the sign-in page would make them, and a one-time code for ``/auth/session/create``."""
        user = person(new.email, new.name)
        return {**user.model_dump(), "auth_code": state.accounts.issue_code(user)}

    @router.post("/users/{user_id}/state")
    async def user_state(user_id: str, to: UserState) -> dict[str, Any]:
        """Put a user in any state of the states page, or of any status word, at both services at once."""
        put_in_state(state, user_id, to.email or f"{user_id}@example.com", to.status, plan_line(state, to.price_id))
        found = state.subscriptions.of(user_id)
        return {"user_id": user_id, "subscriptions": [one.model_dump(mode="json") for one in found]}

    @router.put("/users/{user_id}/plan")
    async def give_plan(user_id: str, grant: AccountPlan) -> AccountPlan:
        """Tell the Auth MS of a plan that is not paid for."""
        return state.accounts.set_grant(user_id, grant)

    @router.delete("/users/{user_id}/plan")
    async def take_plan(user_id: str) -> dict[str, Any]:
        """Make the Auth MS forget the plan of a user."""
        return {"cleared": state.accounts.clear_grant(user_id)}

    @router.post("/users/{user_id}/sign-out")
    async def sign_out(user_id: str) -> dict[str, Any]:
        """End all sessions of a user."""
        state.accounts.end_sessions(user_id)
        return {"user_id": user_id}

    @router.delete("/users/{user_id}/billing")
    async def clear(user_id: str) -> dict[str, Any]:
        """Forget the billing of a user at all three; they stay signed in."""
        clear_user(state, user_id)
        return {"user_id": user_id}

    return router


def plan_line(state: SandboxState, price_id: str = "") -> LineItem:
    """A recurring price: the one named, else of the catalogue's second plan (the one that is pushed), else any."""
    lines = state.prices.plans()
    if price_id:
        named = [line for line in lines if line.price_id == price_id]
        return named[0] if named else state.prices.line(price_id, "", 1, accept_unknown=True)
    premium = [line for line in lines if line.plan == "premium"]
    return (premium or lines or [state.prices.line("price_sample", "prod_sample", 1, accept_unknown=True)])[0]


def _session(state: SandboxState, session: StripeCheckoutSession) -> dict[str, Any]:
    return {**session.model_dump(mode="json"), "url": state.checkout_url(session)}


def _found(thing: T | None, name: str) -> T:
    if thing is None:
        raise HTTPException(404, f"no such {name}")
    return thing
