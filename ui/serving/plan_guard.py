"""Pages for members of a plan.

    @page(container, "/members", title=N_("Members"), requires_sign_in=True)
    @members_only("premium")
    async def members(context: PageContext) -> None: ...

Access is decided by `services/entitlements.py`, here as for API routes: it survives an outage of either service for ten
minutes on the last known answer. Whoever lacks the plan is led to `/upgrade`, which says what would open the page.
"""

import functools
import inspect
from collections.abc import Callable
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from services.entitlements import Entitlement
from services.errors import PlanRequired
from ui.page.context import PageContext
from ui.page.current_user import signed_in
from ui.serving.document import Builder


async def require_plan(context: PageContext, plan_id: str) -> Entitlement:
    """Return the entitlement that opens this page; raises PlanRequired without one, NotSignedIn for a visitor."""
    return await context.container.entitlements.require(signed_in(context), plan_id)


def members_only(plan_id: str) -> Callable[[Builder], Builder]:
    """Let a page open for members of a plan only, and lead all other users to `/upgrade`."""

    def decorate(build: Builder) -> Builder:
        @functools.wraps(build)
        async def guarded(context: PageContext) -> Response | None:
            try:
                await require_plan(context, plan_id)
            except PlanRequired:
                return RedirectResponse(upgrade_path(plan_id, context.here), 303)
            result = build(context)
            return await result if inspect.isawaitable(result) else result

        return guarded

    return decorate


def upgrade_path(plan_id: str, next_path: str) -> str:
    """Return the address of the page that says which plan opens `next_path`."""
    return f"/upgrade?{urlencode({'plan': plan_id, 'next': next_path})}"
