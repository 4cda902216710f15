"""What other services ask about users, without a browser: each question with a service token, counted and logged."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path

from api.problems import problem_docs
from api.schemas import EntitlementsAnswer, EntitlementsQuery, UserEntitlement
from api.siblings.access import ServiceAccess
from api.strict_json import StrictRoute
from services.container import Container
from services.entitlements.model import Entitlement

UserId = Annotated[str, Path(min_length=1, max_length=255, description="The Auth MS's id of a user.")]

_log = structlog.get_logger("audit")


def service_routes(container: Container) -> APIRouter:
    """The routes; without SERVICE_TOKENS they answer 404."""
    router = APIRouter(prefix="/entitlements", route_class=StrictRoute, tags=["entitlements"])
    service = Depends(ServiceAccess(container).service)

    def signed(user_id: str, entitlement: Entitlement) -> UserEntitlement:
        token = container.entitlements.sign(user_id, entitlement)
        return UserEntitlement(
            user_id=user_id, **entitlement.model_dump(), token=token.token, expires_at=token.expires_at
        )

    @router.get("/{user_id}", responses=problem_docs(401, 404, 422))
    async def get_user_entitlements(user_id: UserId, name: Annotated[str, service]) -> UserEntitlement:
        """What a user is entitled to, for a service with a token. The user need not be here.

        Billing is asked; the Auth MS can't be without the user, so that its last word stands: see `as_of` and `stale`.
        """
        found = await container.entitlement_lookup.of([user_id])
        entitlement = found[user_id]
        _log.info(
            "entitlements_asked", service=name, users=1, user_hash=container.users.of(user_id), stale=entitlement.stale
        )
        return signed(user_id, entitlement)

    @router.post("/query", responses=problem_docs(401, 404, changes=True))
    async def query_entitlements(wanted: EntitlementsQuery, name: Annotated[str, service]) -> EntitlementsAnswer:
        """What up to 100 users are entitled to: as for one. What could not be asked within seconds is told as known."""
        found = await container.entitlement_lookup.of(wanted.user_ids)
        stale = sum(entitlement.stale for entitlement in found.values())
        _log.info("entitlements_asked", service=name, users=len(found), stale=stale)
        return EntitlementsAnswer(users=[signed(user_id, entitlement) for user_id, entitlement in found.items()])

    return router
