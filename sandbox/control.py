"""The control panel as HTTP calls: ``/control/*`` on the hosted pages' port, JSON in and out. For tests and scripts."""

from datetime import timedelta
from typing import Any, TypeVar

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.auth_accounts import Grant, person
from sandbox.cards import CARDS, CardRefused
from sandbox.engine import Engine
from sandbox.faults import Fault
from sandbox.moves import clear_user, move, put_in_state
from sandbox.settings import Reach, WebhookMode
from sandbox.stripe_objects import CheckoutSession, Line, SessionStatus, Subscription
from sandbox.webhooks import Travel
from sandbox.world import World

T = TypeVar("T")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Advance(_Body):
    """How far to move the clock; the parts add up."""

    seconds: float = Field(default=0, ge=0)
    hours: float = Field(default=0, ge=0)
    days: float = Field(default=0, ge=0, le=3700)


class Move(_Body):
    """A status word, and how the news of it travels (the knobs' way, where absent)."""

    status: str = Field(min_length=1, max_length=60)
    mode: WebhookMode | None = None
    delay: float | None = Field(default=None, ge=0)
    reach: Reach | None = None


class UserState(_Body):
    """A state of `moves.SANDBOX_STATES` or any status word, for a plan's price."""

    status: str = Field(min_length=1, max_length=60)
    price_id: str = ""
    email: str = ""


class Pay(_Body):
    card: str = CARDS[0].number
    promotion: str = ""


class Redeliver(_Body):
    reach: Reach = Reach.BOTH


class NewPerson(_Body):
    email: str = Field(pattern=r"^\S+@\S+$")
    name: str = ""


def control_router(world: World, engine: Engine) -> APIRouter:
    """Routes about the sandbox as a whole. Those about people and money are in `control_billing_router`."""
    router = APIRouter(prefix="/control", tags=["sandbox"])

    @router.get("/health")
    async def health() -> dict[str, Any]:
        return {
            "status": "ok",
            "poisoned": world.poisoned,
            "waiting_webhooks": world.webhooks.waiting(),
            "payment_ms_url": world.addresses.payment,
            "auth_ms_url": world.addresses.auth,
            "stripe_url": world.addresses.stripe,
        }

    @router.get("/settings")
    async def settings() -> dict[str, Any]:
        return world.knobs.current.model_dump(mode="json")

    @router.patch("/settings")
    async def change_settings(request: Request) -> dict[str, Any]:
        try:
            return world.knobs.change(await request.json()).model_dump(mode="json")
        except ValidationError as error:
            details = [{"setting": ".".join(map(str, one["loc"])), "reason": one["msg"]} for one in error.errors()]
            raise HTTPException(422, details) from None

    @router.post("/settings/reset")
    async def reset_settings() -> dict[str, Any]:
        return world.knobs.reset().model_dump(mode="json")

    @router.get("/clock")
    async def clock() -> dict[str, Any]:
        return {"now": world.clock.now(), "offset_seconds": world.clock.offset.total_seconds()}

    @router.post("/clock/advance")
    async def advance(by: Advance) -> dict[str, Any]:
        engine.advance(timedelta(days=by.days, hours=by.hours, seconds=by.seconds))
        return await clock()

    @router.get("/faults")
    async def faults() -> list[Fault]:
        return world.faults.all()

    @router.post("/faults", status_code=201)
    async def add_fault(fault: Fault) -> Fault:
        return world.faults.add(fault)

    @router.delete("/faults")
    async def clear_faults() -> dict[str, Any]:
        world.faults.clear()
        return {"faults": []}

    @router.delete("/faults/{fault_id}")
    async def drop_fault(fault_id: str) -> dict[str, Any]:
        return {"dropped": world.faults.drop(fault_id)}

    @router.post("/payment/{what}")
    async def poison(what: str) -> dict[str, Any]:
        if what not in ("heal", "poison"):
            raise HTTPException(404)
        world.poisoned = what == "poison"
        return {"poisoned": world.poisoned}

    @router.get("/requests")
    async def requests(user_id: str = "", limit: int = 100) -> dict[str, Any]:
        return world.traffic.report(user_id, limit)

    @router.post("/requests/reset")
    async def reset_requests() -> dict[str, Any]:
        world.traffic.reset()
        return world.traffic.report()

    @router.get("/events")
    async def events(user_id: str = "", limit: int = 200) -> list[dict[str, Any]]:
        return [event.model_dump(mode="json") for event in world.webhooks.log(user_id, limit)]

    @router.post("/events/{event_id}/deliver")
    async def deliver(event_id: str, how: Redeliver | None = None) -> dict[str, Any]:
        event = world.webhooks.redeliver(event_id, how.reach if how else Reach.BOTH)
        if event is None:
            raise HTTPException(404, "no such event")
        return event.model_dump(mode="json")

    @router.post("/webhooks/flush")
    async def flush() -> dict[str, Any]:
        return {"delivered": world.webhooks.flush()}

    @router.get("/settled")
    async def settled(seconds: float = 10.0) -> dict[str, Any]:
        return {"settled": await engine.settled(min(seconds, 120.0)), "waiting": world.webhooks.waiting()}

    @router.post("/reset")
    async def reset() -> dict[str, Any]:
        world.reset()
        return {"reset": True}

    return router


def control_billing_router(world: World) -> APIRouter:
    """Routes about people, their checkouts, their subscriptions and what each service knows of them."""
    router = APIRouter(prefix="/control", tags=["billing"])

    def subscription_of(subscription_id: str) -> Subscription:
        return _found(world.subscriptions.get(subscription_id), "subscription")

    @router.get("/sessions")
    async def sessions(user_id: str = "") -> list[dict[str, Any]]:
        found = world.checkout.of(user_id) if user_id else world.checkout.newest()
        return [_session(world, session) for session in found]

    @router.post("/pay/{session_id}")
    async def pay(session_id: str, how: Pay | None = None) -> dict[str, Any]:
        """Pay without a browser; a card that asks for confirmation is confirmed. 402 when refused, 409 when closed."""
        session = _found(world.checkout.get(session_id), "checkout session")
        if session.status is not SessionStatus.OPEN:
            raise HTTPException(409, f"the session is {session.status}")
        how = how or Pay()
        try:
            if how.promotion:
                session = world.checkout.promote(session, how.promotion)
            paid = world.checkout.pay(session, how.card)
            if paid.waiting_card:
                paid = world.checkout.confirm(paid, succeeds=True)
        except CardRefused as refusal:
            raise HTTPException(402, str(refusal)) from None
        return _session(world, paid)

    @router.post("/sessions/{session_id}/expire")
    async def expire(session_id: str) -> dict[str, Any]:
        return _session(world, world.checkout.expire(_found(world.checkout.get(session_id), "checkout session")))

    @router.get("/subscriptions")
    async def subscriptions(user_id: str = "") -> list[dict[str, Any]]:
        found = world.subscriptions.of(user_id) if user_id else world.subscriptions.newest()
        return [subscription.model_dump(mode="json") for subscription in found]

    @router.post("/subscriptions/{subscription_id}/state")
    async def set_state(subscription_id: str, to: Move) -> dict[str, Any]:
        subscription = subscription_of(subscription_id)
        moved = move(world, subscription, to.status, Travel(to.mode, to.delay, to.reach))
        return moved.model_dump(mode="json")

    @router.post("/subscriptions/{subscription_id}/{action}")
    async def act(subscription_id: str, action: str, price_id: str = "") -> dict[str, Any]:
        subscription, stripe = subscription_of(subscription_id), world.subscriptions
        actions = {"cancel": stripe.cancel_now, "cancel-at-period-end": stripe.cancel_at_period_end}
        if action == "switch":
            return stripe.switch(subscription, plan_line(world, price_id)).model_dump(mode="json")
        if action == "card":
            return stripe.update_card(subscription, CARDS[0]).model_dump(mode="json")
        if action == "resume":
            return stripe.resume(subscription).model_dump(mode="json")
        if action not in actions:
            raise HTTPException(404, "no such action")
        return actions[action](subscription).model_dump(mode="json")

    @router.get("/invoices")
    async def invoices(user_id: str) -> list[dict[str, Any]]:
        return [invoice.model_dump(mode="json") for invoice in world.subscriptions.invoices(user_id)]

    @router.get("/payment-records")
    async def records(user_id: str = "") -> list[dict[str, Any]]:
        found = world.records.of(user_id) if user_id else world.records.all()
        return [record.model_dump(mode="json") for record in found]

    @router.delete("/payment-records/{subscription_id}")
    async def forget(subscription_id: str) -> dict[str, Any]:
        return {"forgotten": world.records.forget(subscription_id)}

    @router.get("/users")
    async def users() -> list[dict[str, Any]]:
        return [{**one.model_dump(), "plan": world.accounts.grant_of(one).model_dump()} for one in world.people()]

    @router.post("/users", status_code=201)
    async def add_user(new: NewPerson) -> dict[str, Any]:
        """A person as the sign-in page would make them, and a one-time code for ``/auth/session/create``."""
        somebody = person(new.email, new.name)
        return {**somebody.model_dump(), "auth_code": world.accounts.issue_code(somebody)}

    @router.post("/users/{user_id}/state")
    async def user_state(user_id: str, to: UserState) -> dict[str, Any]:
        put_in_state(world, user_id, to.email or f"{user_id}@example.com", to.status, plan_line(world, to.price_id))
        found = world.subscriptions.of(user_id)
        return {"user_id": user_id, "subscriptions": [one.model_dump(mode="json") for one in found]}

    @router.put("/users/{user_id}/plan")
    async def give_plan(user_id: str, grant: Grant) -> Grant:
        return world.accounts.set_grant(user_id, grant)

    @router.delete("/users/{user_id}/plan")
    async def take_plan(user_id: str) -> dict[str, Any]:
        return {"cleared": world.accounts.clear_grant(user_id)}

    @router.post("/users/{user_id}/sign-out")
    async def sign_out(user_id: str) -> dict[str, Any]:
        world.accounts.end_sessions(user_id)
        return {"user_id": user_id}

    @router.delete("/users/{user_id}/billing")
    async def clear(user_id: str) -> dict[str, Any]:
        clear_user(world, user_id)
        return {"user_id": user_id}

    return router


def plan_line(world: World, price_id: str = "") -> Line:
    """A recurring price: the one named, else of the catalogue's second plan (the one that is pushed), else any."""
    lines = world.catalogue.plans()
    if price_id:
        named = [line for line in lines if line.price_id == price_id]
        return named[0] if named else world.catalogue.line(price_id, "", 1, accept_unknown=True)
    premium = [line for line in lines if line.plan == "premium"]
    return (premium or lines or [world.catalogue.line("price_sample", "prod_sample", 1, accept_unknown=True)])[0]


def _session(world: World, session: CheckoutSession) -> dict[str, Any]:
    return {**session.model_dump(mode="json"), "url": world.checkout_url(session)}


def _found(thing: T | None, name: str) -> T:
    if thing is None:
        raise HTTPException(404, f"no such {name}")
    return thing
