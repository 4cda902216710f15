"""What other services ask about users, without a browser: each question with a service token, counted and logged."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from api.problems import problem_docs
from api.schemas import EntitlementsAnswer, EntitlementsQuery, UserEntitlement
from api.siblings.access import ServiceAccess
from api.siblings.answers import SignedAnswers
from api.strict_json import StrictRoute
from services.container import Container

UserId = Annotated[str, Path(min_length=1, max_length=255, description="The Auth MS's id of a user.")]

_log = structlog.get_logger("audit")


def service_routes(container: Container) -> APIRouter:
    """The routes; without SERVICE_TOKENS they answer 404."""
    router = APIRouter(prefix="/entitlements", route_class=StrictRoute, tags=["entitlements"])
    service = Depends(ServiceAccess(container).service)

    answers = SignedAnswers(container.entitlements)

    @router.get("/{user_id}", response_model=UserEntitlement, responses=problem_docs(401, 404, 422))
    async def get_user_entitlements(user_id: UserId, name: Annotated[str, service]) -> Response:
        """What a user is entitled to, for a service with a token. The user need not be here.

        Billing is asked; the Auth MS can't be without the user, so that its last word stands: see `as_of` and `stale`.
        """
        found = await container.entitlement_lookup.of([user_id])
        entitlement = found[user_id]
        about = container.users.fields(user_id)
        _log.info("entitlements_asked", service=name, users=1, stale=entitlement.stale, **about)
        return Response(answers.json(user_id, entitlement), media_type="application/json")

    @router.post("/query", response_model=EntitlementsAnswer, responses=problem_docs(401, 404, changes=True))
    async def query_entitlements(wanted: EntitlementsQuery, name: Annotated[str, service]) -> Response:
        """What up to 100 users are entitled to: as for one. What could not be asked within seconds is told as known."""
        found = await container.entitlement_lookup.of(wanted.user_ids)
        stale = sum(entitlement.stale for entitlement in found.values())
        _log.info("entitlements_asked", service=name, users=len(found), stale=stale)
        users = b",".join(answers.json(user_id, entitlement) for user_id, entitlement in found.items())
        return Response(b'{"users":[' + users + b"]}", media_type="application/json")

    return router
