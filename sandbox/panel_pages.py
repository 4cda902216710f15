"""The control panel in the browser: ``/`` and ``/states``. The same actions as `control`, as plain forms."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from sandbox.auth_accounts import SAMPLE_PEOPLE, Grant
from sandbox.cards import CARDS, CardRefused
from sandbox.control_billing import plan_line
from sandbox.engine import Engine
from sandbox.moves import clear_user, move, put_in_state
from sandbox.rendering import form_of, go_to, page
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
from sandbox.state_table import REACHABLE, STATES
from sandbox.stripe_objects import SessionStatus
from sandbox.subscriptions import next_moment
from sandbox.world import World

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


def panel_router(world: World, engine: Engine) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    actions = _actions(world, engine)

    @router.get("/")
    async def panel(said: str = "", problem: str = "") -> Response:
        return page("panel.html", 200, said=said, problem=problem, **_view(world))

    @router.get("/states")
    async def states(said: str = "") -> Response:
        return page(
            "states.html",
            200,
            states=STATES,
            reachable=REACHABLE,
            people=SAMPLE_PEOPLE,
            said=said,
            brand=world.settings.brand_name,
        )

    @router.get("/calls")
    async def calls(request: Request) -> Response:
        paths = request.app.openapi()["paths"]
        found = [(method.upper(), path, call) for path, methods in paths.items() for method, call in methods.items()]
        return page(
            "calls.html", calls=[one for one in found if one[1].startswith("/control")], brand=world.settings.brand_name
        )

    @router.post("/states/{name}/{state}")
    async def put(name: str, state: str) -> Response:
        somebody = SAMPLE_PEOPLE.get(name)
        if somebody is None or state not in REACHABLE:
            return go_to("/states")
        put_in_state(world, somebody.user_id, somebody.email, state, plan_line(world))
        return go_to(f"/states?{urlencode({'said': f'{somebody.name} is now: {state}'})}#{quote(state)}")

    @router.post("/panel/{action}")
    async def act(action: str, request: Request) -> Response:
        carry_out = actions.get(action)
        if carry_out is None:
            return go_to("/")
        fields = await form_of(request)
        try:
            said = carry_out(fields)
        except (ValidationError, ValueError, CardRefused) as error:
            reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            return go_to(f"/?{urlencode({'problem': reason})}#{quote(fields.get('back', ''))}")
        return go_to(f"/?{urlencode({'said': said})}#{quote(fields.get('back', ''))}")

    return router


def _view(world: World) -> dict[str, Any]:
    people = world.people()
    names = {person.user_id: person.name for person in people}
    known = {record.subscription.id: record.subscription for record in world.records.all()}
    return {
        "addresses": world.addresses,
        "brand": world.settings.brand_name,
        "clock": world.clock,
        "steps": _STEPS,
        "knobs": world.knobs.current,
        "choices": _CHOICES,
        "numbers": _NUMBERS,
        "switches": _SWITCHES,
        "waiting": world.webhooks.waiting(),
        "poisoned": world.poisoned,
        "faults": world.faults.all(),
        "people": [(person, world.accounts.grant_of(person)) for person in people],
        "names": names,
        "subscriptions": [
            (one, known.get(one.id), world.accounts.grant(one.user_id), next_moment(one))
            for one in world.subscriptions.newest(50)
        ],
        "plans": sorted({line.plan for line in world.catalogue.plans() if line.plan}),
        "words": WORDS,
        "sessions": world.checkout.newest(20),
        "events": world.webhooks.log(limit=40),
        "traffic": world.traffic.report(limit=15),
    }


def _actions(world: World, engine: Engine) -> dict[str, Callable[[Fields], str]]:
    """Form posts by name. Each returns the sentence that the panel then shows."""

    def advance(fields: Fields) -> str:
        engine.advance(timedelta(hours=min(float(fields.get("hours", "0")), 24 * 3700)))
        return f"It is now {world.clock.now():%d %B %Y, %H:%M} UTC in the sandbox."

    def settings(fields: Fields) -> str:
        values: dict[str, object] = {name: fields[name] for name in (*_CHOICES, *_NUMBERS) if name in fields}
        if "switches" in fields:
            values |= {name: name in fields for name in _SWITCHES}
        world.knobs.change(values)
        return "Settings saved."

    def reset_settings(_: Fields) -> str:
        world.knobs.reset()
        return "Settings are as at the start."

    def flush(_: Fields) -> str:
        return f"{world.webhooks.flush()} delivered."

    def resend(fields: Fields) -> str:
        event = world.webhooks.redeliver(fields.get("event", ""), Reach(fields.get("reach", "both")))
        return f"{event.type} sent again." if event else "No such event."

    def heal(_: Fields) -> str:
        world.poisoned = False
        return "The Payment MS has a fresh database connection."

    def clear_faults(_: Fields) -> str:
        world.faults.clear()
        return "No faults."

    def give(fields: Fields) -> str:
        user_id, plan = fields.get("user", ""), fields.get("plan", "")
        if plan:
            world.accounts.set_grant(user_id, Grant(status="active", plan=plan))
            return f"The Auth MS now grants {plan}."
        world.accounts.clear_grant(user_id)
        return "The Auth MS knows of no plan."

    def clear(fields: Fields) -> str:
        clear_user(world, fields.get("user", ""))
        return "Billing forgotten."

    def set_state(fields: Fields) -> str:
        subscription = world.subscriptions.get(fields.get("subscription", ""))
        if subscription is None:
            return "No such subscription."
        moved = move(world, subscription, fields.get("status", "").strip() or subscription.status)
        return f"{subscription.name} is now {moved.status.replace('_', ' ')}; the webhook is on its way."

    def forget_record(fields: Fields) -> str:
        world.records.forget(fields.get("subscription", ""))
        return "The Payment MS no longer knows of it."

    def pay(fields: Fields) -> str:
        session = world.checkout.get(fields.get("session", ""))
        if session is None or session.status is not SessionStatus.OPEN:
            return "This session can't be paid."
        world.checkout.pay(session, CARDS[0].number)
        return "Paid; the webhook is on its way."

    def expire(fields: Fields) -> str:
        session = world.checkout.get(fields.get("session", ""))
        if session and session.status is SessionStatus.OPEN:
            world.checkout.expire(session)
        return "Expired."

    def reset_requests(_: Fields) -> str:
        world.traffic.reset()
        return "Counting from zero."

    def reset(_: Fields) -> str:
        world.reset()
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
