"""The browser's way through a sign-in and out again: cookies and redirects. `services/sessions/service.py` decides."""

import contextlib
from typing import Final
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.access import Access, client_address
from api.throttle import BusyPage
from services.cart import user_owner, visitor_owner
from services.container import Container
from services.errors import FrontendError, RateLimited, SignInFailed, StoreUnavailable
from services.sessions.service import SIGN_IN_LIFE, SignedIn
from services.web.safe_paths import safe_next

DEFAULT_NEXT: Final = "/payment"
LONGEST_CODE: Final = 2000

_log = structlog.get_logger(__name__)


def sign_in_routes(container: Container, busy_page: BusyPage) -> APIRouter:
    """Return the routes of signing in and out."""
    router = APIRouter(include_in_schema=False)
    access = Access(container)
    sessions = container.sessions

    @router.get("/auth/login")
    async def log_in(request: Request) -> Response:
        """Send the browser to a provider, with a login cookie that its way back must show."""
        provider = request.query_params.get("provider", "")
        next_path = request.query_params.get("next", DEFAULT_NEXT)
        if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return _to_login(next_path=next_path)
        try:
            await container.limits.hit(container.policies.sign_ins, "begin", client_address(request))
            start = await sessions.begin_sign_in(provider, safe_next(next_path))
        except RateLimited as error:
            return busy_page(request.headers.get("accept-language", ""), error.retry_after or 60.0)
        except FrontendError as error:
            container.metrics.count_sign_in(error.code)
            return _to_login(error, refused=isinstance(error, SignInFailed), next_path=next_path)
        answer = RedirectResponse(start.url, 303)
        answer.set_cookie(
            sessions.login_cookie_name,
            start.token,
            max_age=int(SIGN_IN_LIFE.total_seconds()),
            path="/",
            secure=sessions.secure,
            httponly=True,
            samesite="lax",
        )
        return answer

    @router.get("/auth/callback")
    async def come_back(request: Request) -> Response:
        """Trade the one-time code for a session; the code leaves the address bar with the redirect."""
        auth_code, state = request.query_params.get("auth_code"), request.query_params.get("state")
        old_session_id = sessions.id_of(request.cookies.get(sessions.cookie_name))
        try:
            await container.limits.hit(container.policies.sign_ins, "complete", client_address(request))
            signed_in = await sessions.complete_sign_in(
                token=request.cookies.get(sessions.login_cookie_name),
                state=state,
                auth_code=auth_code if auth_code and len(auth_code) <= LONGEST_CODE else None,
                old_session_id=old_session_id,
            )
        except RateLimited as error:
            return busy_page(request.headers.get("accept-language", ""), error.retry_after or 60.0)
        except FrontendError as error:
            container.metrics.count_sign_in(error.code)
            _log.info("sign_in_refused", code=error.code, cause=str(error))
            refused = "error" in request.query_params and auth_code is None
            return _without_login_cookie(container, _to_login(error, refused=refused))
        container.metrics.count_sign_in("completed")
        container.users.bind(signed_in.session.user.user_id)
        _log.info("signed_in")
        await _take_cart_along(container, old_session_id, signed_in)
        answer = RedirectResponse(safe_next(signed_in.next_path), 303)
        access.set_cookie(answer, sessions.cookie_for(signed_in.session.id))
        return _without_login_cookie(container, answer)

    @router.post("/auth/sign-out")
    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        """Forget the session here, and in every open tab; the browser goes on as a new visitor."""
        session_id = sessions.id_of(request.cookies.get(sessions.cookie_name))
        if session_id is not None:
            await sessions.end(session_id)
            _log.info("signed_out")
        answer = RedirectResponse("/", 303)
        access.new_cookie(answer)
        return answer

    return router


async def _take_cart_along(container: Container, old_session_id: str | None, signed_in: SignedIn) -> None:
    """Move the visitor's cart into the user's; a cart that can't be moved stops no sign-in."""
    if old_session_id is None:
        return
    with contextlib.suppress(StoreUnavailable):  # logged by the store
        await container.cart.merge(visitor_owner(old_session_id), user_owner(signed_in.session))


def _to_login(error: FrontendError | None = None, *, refused: bool = False, next_path: str = "") -> RedirectResponse:
    """Return the way to the sign-in page, which has words for `expired`, `failed` and `unavailable`."""
    query: dict[str, str] = {}
    if error is not None:
        query["error"] = "failed" if refused else "expired" if isinstance(error, SignInFailed) else "unavailable"
    if next_path:
        query["next"] = safe_next(next_path)
    return RedirectResponse(f"/login?{urlencode(query, safe='/')}", 303)


def _without_login_cookie(container: Container, answer: Response) -> Response:
    sessions = container.sessions
    answer.delete_cookie(sessions.login_cookie_name, path="/", secure=sessions.secure, httponly=True, samesite="lax")
    return answer
