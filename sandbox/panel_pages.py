"""The control panel in the browser: ``/`` and ``/states``. The same actions as `control`, as plain forms."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from sandbox.auth_accounts import SAMPLE_PEOPLE, AccountPlan
from sandbox.payment_methods import CARDS, PaymentRefused
from sandbox.price_list import plan_line
from sandbox.rendering import form_of, go_to, page
from sandbox.scenarios import SCENARIO_NAMES, SCENARIOS, clear_user, put_in_state, set_status
from sandbox.scheduler import Scheduler
from sandbox.settings import (
    AuthShape,
    CancellationWord,
    DunningEnd,
    PlanPlace,
    PortalShape,
    Reach,
    Renewals,
    StaleEvents,
    StatusShape,
    UnknownPrices,
    WebhookMode,
)
from sandbox.state import SandboxState
from sandbox.stripe_objects import SessionStatus
from sandbox.upcoming import next_moment

Fields = dict[str, str]
WORDS = (
    "active",
    "trialing",
    "past_due",
    "unpaid",
    "incomplete",
    "incomplete_expired",
    "paused",
    "canceled",
    "on_hold",
)
_STEPS = {"1 hour": 1, "1 day": 24, "3 days": 72, "1 week": 168, "31 days": 744, "1 year": 8784}
_CHOICES: dict[str, tuple[str, list[str]]] = {
    "webhook_mode": ("Webhooks are", list(WebhookMode)),
    "webhook_reach": ("They reach", list(Reach)),
    "stale_events": ("Older events are", list(StaleEvents)),
    "cancellation_word": ("Ending plans are called", list(CancellationWord)),
    "renewals": ("Renewals", list(Renewals)),
    "dunning_ends": ("After the last retry", list(DunningEnd)),
    "status_shape": ("Status answers", list(StatusShape)),
    "portal_shape": ("Portal answers", list(PortalShape)),
    "auth_shape": ("Session answers", list(AuthShape)),
    "plan_place": ("Plan stands", list(PlanPlace)),
    "unknown_prices": ("Unknown prices", list(UnknownPrices)),
}
_NUMBERS = {
    "webhook_delay": "Webhook delay, seconds",
    "latency": "Answer after, seconds",
    "session_hours": "Checkout lives, hours",
}
_SWITCHES = {
    "one_connection": "Overlapping requests break the Payment MS",
    "first_checkout_fails": "A new user's first checkout fails",
    "drops_customer_created": "New subscriptions never appear",
}


def panel_router(state: SandboxState, scheduler: Scheduler) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    actions = _actions(state, scheduler)

    @router.get("/")
    async def panel(said: str = "", problem: str = "") -> Response:
        return page("panel.html", 200, said=said, problem=problem, **_view(state))

    @router.get("/states")
    async def states(said: str = "") -> Response:
        return page(
            "states.html",
            200,
            scenarios=SCENARIOS,
            people=SAMPLE_PEOPLE,
            said=said,
            brand=state.settings.brand_name,
        )

    @router.get("/calls")
    async def calls(request: Request) -> Response:
        paths = request.app.openapi()["paths"]
        found = [(method.upper(), path, call) for path, methods in paths.items() for method, call in methods.items()]
        return page(
            "calls.html", calls=[one for one in found if one[1].startswith("/control")], brand=state.settings.brand_name
        )

    @router.post("/states/{name}/{scenario}")
    async def put(name: str, scenario: str) -> Response:
        user = SAMPLE_PEOPLE.get(name)
        if user is None or scenario not in SCENARIO_NAMES:
            return go_to("/states")
        put_in_state(state, user.user_id, user.email, scenario, plan_line(state.prices))
        return go_to(f"/states?{urlencode({'said': f'{user.name} is now: {scenario}'})}#{quote(scenario)}")

    @router.post("/panel/{action}")
    async def act(action: str, request: Request) -> Response:
        carry_out = actions.get(action)
        if carry_out is None:
            return go_to("/")
        fields = await form_of(request)
        try:
            said = carry_out(fields)
        except (ValidationError, ValueError, PaymentRefused) as error:
            reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            return go_to(f"/?{urlencode({'problem': reason})}#{quote(fields.get('back', ''))}")
        return go_to(f"/?{urlencode({'said': said})}#{quote(fields.get('back', ''))}")

    return router


def _view(state: SandboxState) -> dict[str, Any]:
    people = state.people()
    names = {person.user_id: person.name for person in people}
    known = {record.subscription.id: record.subscription for record in state.records.all()}
    return {
        "addresses": state.addresses,
        "brand": state.settings.brand_name,
        "clock": state.clock,
        "steps": _STEPS,
        "runtime_settings": state.runtime_settings.current,
        "choices": _CHOICES,
        "numbers": _NUMBERS,
        "switches": _SWITCHES,
        "waiting": state.webhooks.waiting(),
        "poisoned": state.connection.lost,
        "faults": state.faults.all(),
        "people": [(person, state.accounts.grant_of(person)) for person in people],
        "names": names,
        "subscriptions": [
            (one, known.get(one.id), state.accounts.grant(one.user_id), next_moment(one))
            for one in state.subscriptions.newest(50)
        ],
        "plans": sorted({line.plan for line in state.prices.plans() if line.plan}),
        "words": WORDS,
        "sessions": state.checkout.newest(20),
        "events": state.webhooks.log(limit=40),
        "traffic": state.traffic.report(limit=15),
    }


def _actions(state: SandboxState, scheduler: Scheduler) -> dict[str, Callable[[Fields], str]]:
    """Form posts by name. Each returns the sentence that the panel then shows."""

    def advance(fields: Fields) -> str:
        scheduler.advance(timedelta(hours=min(float(fields.get("hours", "0")), 24 * 3700)))
        return f"It is now {state.clock.now():%d %B %Y, %H:%M} UTC in the sandbox."

    def settings(fields: Fields) -> str:
        values: dict[str, object] = {name: fields[name] for name in (*_CHOICES, *_NUMBERS) if name in fields}
        if "switches" in fields:
            values |= {name: name in fields for name in _SWITCHES}
        state.runtime_settings.change(values)
        return "Settings saved."

    def reset_settings(_: Fields) -> str:
        state.runtime_settings.reset()
        return "Settings are as at the start."

    def flush(_: Fields) -> str:
        return f"{state.webhooks.flush()} delivered."

    def resend(fields: Fields) -> str:
        event = state.webhooks.redeliver(fields.get("event", ""), Reach(fields.get("reach", "both")))
        return f"{event.type} sent again." if event else "No such event."

    def heal(_: Fields) -> str:
        state.connection.lost = False
        return "The Payment MS has a fresh database connection."

    def clear_faults(_: Fields) -> str:
        state.faults.clear()
        return "No faults."

    def give(fields: Fields) -> str:
        user_id, plan = fields.get("user", ""), fields.get("plan", "")
        if plan:
            state.accounts.set_grant(user_id, AccountPlan(status="active", plan=plan))
            return f"The Auth MS now grants {plan}."
        state.accounts.clear_grant(user_id)
        return "The Auth MS knows of no plan."

    def clear(fields: Fields) -> str:
        clear_user(state, fields.get("user", ""))
        return "Billing forgotten."

    def set_state(fields: Fields) -> str:
        subscription = state.subscriptions.get(fields.get("subscription", ""))
        if subscription is None:
            return "No such subscription."
        moved = set_status(state, subscription, fields.get("status", "").strip() or subscription.status)
        return f"{subscription.name} is now {moved.status.replace('_', ' ')}; the webhook is on its way."

    def forget_record(fields: Fields) -> str:
        state.records.forget(fields.get("subscription", ""))
        return "The Payment MS no longer knows of it."

    def pay(fields: Fields) -> str:
        session = state.checkout.get(fields.get("session", ""))
        if session is None or session.status is not SessionStatus.OPEN:
            return "This session can't be paid."
        state.checkout.pay(session, CARDS[0].number)
        return "Paid; the webhook is on its way."

    def expire(fields: Fields) -> str:
        session = state.checkout.get(fields.get("session", ""))
        if session and session.status is SessionStatus.OPEN:
            state.checkout.expire(session)
        return "Expired."

    def reset_requests(_: Fields) -> str:
        state.traffic.reset()
        return "Counting from zero."

    def reset(_: Fields) -> str:
        state.reset()
        return "Everything is gone; everybody is signed out."

    return {
        "advance": advance,
        "settings": settings,
        "reset-settings": reset_settings,
        "flush": flush,
        "resend": resend,
        "heal": heal,
        "clear-faults": clear_faults,
        "give": give,
        "clear": clear,
        "state": set_state,
        "forget-record": forget_record,
        "pay": pay,
        "expire": expire,
        "reset-requests": reset_requests,
        "reset": reset,
    }
