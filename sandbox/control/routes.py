"""The control panel as HTTP calls: ``/control/*`` on the hosted pages' port, JSON in and out. For tests and scripts."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.faults.planned import Fault
from sandbox.presets import PRESETS, PRESETS_BY_NAME
from sandbox.scheduler import Scheduler
from sandbox.settings import Reach
from sandbox.state import SandboxState


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Advance(Body):
    """How far to move the clock; the parts add up."""

    seconds: float = Field(default=0, ge=0)
    hours: float = Field(default=0, ge=0)
    days: float = Field(default=0, ge=0, le=3700)


class Redeliver(Body):
    reach: Reach = Reach.BOTH


def control_router(state: SandboxState, scheduler: Scheduler) -> APIRouter:
    """Routes about the sandbox as a whole. Those about people and money are in `control_billing`."""
    router = APIRouter(prefix="/control", tags=["sandbox"])

    @router.get("/health")
    async def health() -> dict[str, Any]:
        """Whether it works, what is waiting, and where everything is."""
        return {
            "status": "ok",
            "poisoned": state.connection.lost,
            "waiting_webhooks": state.webhooks.waiting(),
            "payment_ms_url": state.addresses.payment,
            "auth_ms_url": state.addresses.auth,
            "stripe_url": state.addresses.stripe,
        }

    @router.get("/settings")
    async def settings() -> dict[str, Any]:
        """The runtime settings as they stand."""
        return state.runtime_settings.current.model_dump(mode="json")

    @router.patch("/settings")
    async def change_settings(request: Request) -> dict[str, Any]:
        """Set some of them; 422 for an unknown name or a bad value, then nothing changes."""
        try:
            return state.runtime_settings.change(await request.json()).model_dump(mode="json")
        except ValidationError as error:
            details = [{"setting": ".".join(map(str, one["loc"])), "reason": one["msg"]} for one in error.errors()]
            raise HTTPException(422, details) from None

    @router.post("/settings/reset")
    async def reset_settings() -> dict[str, Any]:
        """The runtime settings as at the start."""
        return state.runtime_settings.reset().model_dump(mode="json")

    @router.get("/presets")
    async def presets() -> list[dict[str, Any]]:
        """Sets of settings that make one story, with what to do to see it."""
        return [asdict(preset) for preset in PRESETS]

    @router.post("/presets/{name}")
    async def apply_preset(name: str) -> dict[str, Any]:
        """The settings of the start, and over them those of a preset."""
        preset = PRESETS_BY_NAME.get(name)
        if preset is None:
            raise HTTPException(404, "no such preset")
        return state.runtime_settings.apply(preset).model_dump(mode="json")

    @router.get("/clock")
    async def clock() -> dict[str, Any]:
        """The sandbox time, and how far it is ahead."""
        return {"now": state.clock.now(), "offset_seconds": state.clock.offset.total_seconds()}

    @router.post("/clock/advance")
    async def advance(by: Advance) -> dict[str, Any]:
        """Move time forward; what falls due on the way happens."""
        scheduler.advance(timedelta(days=by.days, hours=by.hours, seconds=by.seconds))
        return await clock()

    @router.get("/faults")
    async def faults() -> list[Fault]:
        """The faults that are set, in the order in which they are tried."""
        return state.faults.all()

    @router.post("/faults", status_code=201)
    async def add_fault(fault: Fault) -> Fault:
        """Make calls of an operation fail, stall or answer nonsense."""
        return state.faults.add(fault)

    @router.delete("/faults")
    async def clear_faults() -> dict[str, Any]:
        """No faults any more."""
        state.faults.clear()
        return {"faults": []}

    @router.delete("/faults/{fault_id}")
    async def drop_fault(fault_id: str) -> dict[str, Any]:
        """One fault less."""
        return {"dropped": state.faults.drop(fault_id)}

    @router.post("/payment/{what}")
    async def poison(what: str) -> dict[str, Any]:
        """Break the Payment MS as an overlap does (poison), or restart its database connection (heal)."""
        if what not in ("heal", "poison"):
            raise HTTPException(404)
        state.connection.lost = what == "poison"
        return {"poisoned": state.connection.lost}

    @router.get("/requests")
    async def requests(user_id: str = "", limit: int = 100) -> dict[str, Any]:
        """What was received: counts by operation, status and user, overlaps, the newest calls."""
        return state.traffic.report(user_id, limit)

    @router.post("/requests/reset")
    async def reset_requests() -> dict[str, Any]:
        """Count from zero."""
        state.traffic.reset()
        return state.traffic.report()

    @router.get("/events")
    async def events(user_id: str = "", limit: int = 200) -> list[dict[str, Any]]:
        """What Stripe sent and what became of it, newest first."""
        return [event.model_dump(mode="json") for event in state.webhooks.log(user_id, limit)]

    @router.post("/events/{event_id}/deliver")
    async def deliver(event_id: str, how: Redeliver | None = None) -> dict[str, Any]:
        """Deliver one event now, whatever happened to it before."""
        event = state.webhooks.redeliver(event_id, how.reach if how else Reach.BOTH)
        if event is None:
            raise HTTPException(404, "no such event")
        return event.model_dump(mode="json")

    @router.post("/webhooks/flush")
    async def flush() -> dict[str, Any]:
        """Deliver now everything that is waiting."""
        return {"delivered": state.webhooks.flush()}

    @router.get("/settled")
    async def settled(seconds: float = 10.0) -> dict[str, Any]:
        """Wait until no webhook is waiting any more."""
        return {"settled": await scheduler.settled(min(seconds, 120.0)), "waiting": state.webhooks.waiting()}

    @router.post("/reset")
    async def reset() -> dict[str, Any]:
        """Forget everything: people, purchases, faults, settings, moved time."""
        state.reset()
        return {"reset": True}

    return router
