"""The control panel in the browser: ``/``, ``/states`` and ``/calls``. What its buttons do is in `panel_actions`."""

from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from sandbox.auth.accounts import SAMPLE_PEOPLE
from sandbox.control.scenarios import SCENARIO_NAMES, SCENARIOS, put_in_state
from sandbox.panel.actions import SUBSCRIPTION_ACTIONS, USER_ACTIONS, panel_actions
from sandbox.panel.app_words import AskApp
from sandbox.panel.settings_fields import GROUPS
from sandbox.presets import PRESETS
from sandbox.rendering import form_of, go_to, page
from sandbox.scheduler import Scheduler
from sandbox.state import SandboxState
from sandbox.stripe.payment_methods import PaymentRefused
from sandbox.stripe.price_list import plan_line
from sandbox.stripe.upcoming import next_moment

WORDS: Final = (
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
SECTIONS: Final = {
    "presets": "What should happen",
    "settings": "Every setting",
    "time": "Time",
    "subscriptions": "Subscriptions",
    "people": "Users",
    "sessions": "Checkouts",
    "events": "Webhooks",
    "prices": "Prices",
    "reset": "Start over",
}
"""The parts of the panel by their anchors, in order."""
_ABOUT: Final = tuple(dict.fromkeys(preset.about for preset in PRESETS))
_STEPS: Final = {"1 hour": 1, "1 day": 24, "3 days": 72, "1 week": 168, "31 days": 744, "1 year": 8784}


def panel_router(state: SandboxState, scheduler: Scheduler, app: AskApp | None = None) -> APIRouter:
    """`app` is whom to ask for the app's words; by default the one at `app_url`."""
    router = APIRouter(include_in_schema=False)
    actions, app = panel_actions(state, scheduler), app or AskApp(state)
    brand: dict[str, Any] = {"brand": state.settings.brand_name, "app_url": state.settings.app_url}

    @router.get("/")
    async def panel(said: str = "", problem: str = "") -> Response:
        shown = {"said": said, "problem": problem, "sections": SECTIONS}
        return page("panel.html", 200, **shown, **brand, **_settings(state), **_happened(state))

    @router.get("/states")
    async def states(said: str = "") -> Response:
        return page(
            "states.html", 200, scenarios=SCENARIOS, people=SAMPLE_PEOPLE, words=await app.words(), said=said, **brand
        )

    @router.get("/calls")
    async def calls(request: Request) -> Response:
        paths = request.app.openapi()["paths"]
        found = [(method.upper(), path, call) for path, methods in paths.items() for method, call in methods.items()]
        return page("calls.html", calls=[one for one in found if one[1].startswith("/control")], **brand)

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
        back = quote(fields.get("back", ""))
        try:
            return go_to(f"/?{urlencode({'said': carry_out(fields)})}#{back}")
        except (ValidationError, ValueError, PaymentRefused) as error:
            return go_to(f"/?{urlencode({'problem': _reason(error)})}#{back}")

    return router


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
    return str(error)


def _settings(state: SandboxState) -> dict[str, Any]:
    return {
        "presets": {about: [one for one in PRESETS if one.about == about] for about in _ABOUT},
        "preset": state.runtime_settings.preset(),
        "groups": GROUPS,
        "changed": state.runtime_settings.changed(),
        "runtime_settings": state.runtime_settings.current,
        "faults": state.faults.all(),
        "prices": [(line, state.prices.active(line.price_id)) for line in state.prices.lines() if line.interval],
    }


def _happened(state: SandboxState) -> dict[str, Any]:
    people = state.people()
    known = {record.subscription.id: record.subscription for record in state.records.all()}
    return {
        "addresses": state.addresses,
        "endpoints": state.endpoints.all(),
        "clock": state.clock,
        "steps": _STEPS,
        "waiting": state.webhooks.waiting(),
        "poisoned": state.connection.lost,
        "people": [(person, state.accounts.grant_of(person)) for person in people],
        "names": {person.user_id: person.name for person in people},
        "subscriptions": [
            (one, known.get(one.id), state.accounts.grant(one.user_id), next_moment(one))
            for one in state.subscriptions.newest(50)
        ],
        "subscription_actions": SUBSCRIPTION_ACTIONS,
        "user_actions": USER_ACTIONS,
        "plans": sorted({line.plan for line in state.prices.plans() if line.plan}),
        "words": WORDS,
        "sessions": state.checkout.newest(20),
        "events": state.webhooks.log(limit=40),
        "traffic": state.traffic.report(limit=15),
    }
