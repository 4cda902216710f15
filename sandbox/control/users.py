"""The HTTP calls about users: who they are, what the account says of them, what they are at Stripe."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, HTTPException, Response
from pydantic import Field

from sandbox.auth.accounts import AccountPlan, AuthUser, person
from sandbox.control.routes import Body
from sandbox.control.scenarios import clear_user, put_in_state
from sandbox.settings import Reach
from sandbox.state import SandboxState
from sandbox.stripe.objects import Origin
from sandbox.stripe.price_list import plan_line
from sandbox.stripe.sales import subscribe_elsewhere
from sandbox.truth.model import Truth
from sandbox.truth.report import truth_about


class UserState(Body):
    """A state of `scenarios.SCENARIOS` or any status word, for a plan's price."""

    status: str = Field(min_length=1, max_length=60)
    price_id: str = ""
    email: str = ""


class NewUser(Body):
    email: str = Field(pattern=r"^\S+@\S+$")
    name: str = ""


class ChangedUser(Body):
    """At the Auth MS; what is None stays."""

    email: str | None = Field(default=None, pattern=r"^\S+@\S+$")
    name: str | None = None


class CustomerAtStripe(Body):
    """A customer at Stripe; `known` is whether the Payment MS knows of them."""

    email: str = Field(default="", pattern=r"^(\S+@\S+)?$")
    known: bool = True


class CustomerEmail(Body):
    email: str = Field(pattern=r"^\S+@\S+$")


class SubscriptionElsewhere(Body):
    """A subscription that our checkout has not made."""

    price_id: str = ""
    origin: Origin = Origin.SALES
    email: str = ""
    amount: int | None = Field(default=None, ge=0)
    trial_days: int = Field(default=0, ge=0, le=730)
    days_ago: float = Field(default=0, ge=0, le=3700)
    new_customer: bool = True
    reach: Reach | None = None


def control_users_router(state: SandboxState) -> APIRouter:
    router = APIRouter(prefix="/control", tags=["users"])

    @router.get("/truth/{user_id:path}", response_model=Truth)
    async def truth(user_id: str, events: bool = True) -> Response:
        """Everything that is so about a user's money, dates and access, whoever knows of it."""
        told = truth_about(state, user_id, with_events=events)
        return Response(told.model_dump_json(), media_type="application/json")  # written once: it is asked for often

    @router.get("/users")
    async def users() -> list[dict[str, Any]]:
        """Users, each with the plan that the Auth MS knows."""
        return [{**one.model_dump(), "plan": state.accounts.grant_of(one).model_dump()} for one in state.people()]

    @router.post("/users", status_code=201)
    async def add_user(new: NewUser) -> dict[str, Any]:
        """A user as the sign-in page would make them, and a one-time code for ``/auth/session/create``."""
        known = state.accounts.user_of(new.email)
        user = known.model_copy(update={"name": new.name or known.name}) if known else person(new.email, new.name)
        return {**user.model_dump(), "auth_code": state.accounts.issue_code(user)}

    @router.patch("/users/{user_id}")
    async def change_user(user_id: str, to: ChangedUser) -> AuthUser:
        """Another e-mail address or name at the Auth MS; the user id stays."""
        user = state.accounts.change_user(user_id, to.model_dump(exclude_none=True))
        if user is None:
            raise HTTPException(404, "no such user")
        return user

    @router.post("/users/{user_id}/state")
    async def user_state(user_id: str, to: UserState) -> dict[str, Any]:
        """Put a user in any state of the states page, or of any status word, at both services at once."""
        line = plan_line(state.prices, to.price_id)
        put_in_state(state, user_id, to.email or f"{user_id}@example.com", to.status, line)
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

    @router.post("/users/{user_id}/customers", status_code=201)
    async def add_customer(user_id: str, new: CustomerAtStripe | None = None) -> dict[str, Any]:
        """One more customer at Stripe for a user, as an older version made them."""
        new = new or CustomerAtStripe()
        customer = state.customers.create(user_id, new.email or f"{user_id}@example.com")
        if new.known:
            known = state.records.meet(user_id, customer.email)
            state.records.keep(known.model_copy(update={"stripe_customer": customer.id}))
        return customer.model_dump(mode="json")

    @router.patch("/users/{user_id}/customers")
    async def change_email(user_id: str, to: CustomerEmail) -> list[dict[str, Any]]:
        """Another e-mail address at Stripe, where receipts go; the account keeps its own."""
        return [one.model_dump(mode="json") for one in state.customers.change_email(user_id, to.email)]

    @router.post("/users/{user_id}/subscriptions", status_code=201)
    async def add_subscription(user_id: str, new: SubscriptionElsewhere | None = None) -> dict[str, Any]:
        """A subscription made by sales in the dashboard, or in an older front end that sends the e-mail as user id."""
        new = new or SubscriptionElsewhere()
        line = plan_line(state.prices, new.price_id).model_copy(update={"trial_days": new.trial_days})
        if new.amount is not None:
            line = line.model_copy(update={"amount": new.amount})
        made = subscribe_elsewhere(
            state,
            user_id,
            new.email or f"{user_id}@example.com",
            line,
            new.origin,
            ago=timedelta(days=new.days_ago),
            new_customer=new.new_customer,
            reach=new.reach,
        )
        return made.model_dump(mode="json")

    return router
