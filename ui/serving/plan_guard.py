"""Pages for whoever has a feature, or a plan.

    @page(container, "/exports", title=N_("Exports"), requires_sign_in=True)
    @requires("exports")
    async def exports(context: PageContext) -> None: ...

Access is decided by `services/entitlements/`, here as for API routes: it survives an outage of either service for ten
minutes on the last known answer. Whoever lacks it is led to `/upgrade`, which says what would open the page.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from services.entitlements.model import Entitlement
from services.errors import PlanRequired
from ui.page.context import PageContext
from ui.page.current_user import signed_in
from ui.serving.document import Builder


async def require(context: PageContext, feature: str) -> Entitlement:
    """Return the entitlement that has this feature; raises FeatureRequired without one, NotSignedIn for a visitor."""
    return await context.container.entitlements.require(signed_in(context), feature)


async def limit(context: PageContext, feature: str) -> int | None:
    """Return how much of a feature this user may have, None without a limit; raises NotSignedIn for a visitor."""
    return await context.container.entitlements.limit(signed_in(context), feature)


async def require_plan(context: PageContext, plan_id: str) -> Entitlement:
    """Return the entitlement that opens this page; raises PlanRequired without one, NotSignedIn for a visitor."""
    return await context.container.entitlements.require_plan(signed_in(context), plan_id)


def requires(feature: str) -> Callable[[Builder], Builder]:
    """Let a page open for whoever has a feature, and lead all other users to `/upgrade`."""
    return _guarded(lambda context: require(context, feature), feature=feature)


def members_only(plan_id: str) -> Callable[[Builder], Builder]:
    """Let a page open for members of a plan only, and lead all other users to `/upgrade`."""
    return _guarded(lambda context: require_plan(context, plan_id), plan=plan_id)


def upgrade_path(next_path: str, **wanted: str) -> str:
    """Return the address of the page that says which plan opens `next_path`: by that `plan`, or by its `feature`."""
    return f"/upgrade?{urlencode({**wanted, 'next': next_path})}"


def _guarded(required: Callable[[PageContext], Awaitable[Entitlement]], **wanted: str) -> Callable[[Builder], Builder]:
    def decorate(build: Builder) -> Builder:
        @functools.wraps(build)
        async def guarded(context: PageContext) -> Response | None:
            try:
                await required(context)
            except PlanRequired:
                return RedirectResponse(upgrade_path(context.here, **wanted), 303)
            result = build(context)
            return await result if inspect.isawaitable(result) else result

        return guarded

    return decorate
