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
from services.sessions.pending import KEPT_FOR, MOST_PENDING, PendingSignIn, pending_in, pending_of
from services.sessions.service import Sessions, SignedIn
from services.web.safe_paths import safe_next

DEFAULT_NEXT: Final = "/payment"
SIGNED_OUT: Final = "/signed-out"
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
            return _to_login("failed" if isinstance(error, SignInFailed) else "unavailable", next_path)
        answer = RedirectResponse(start.url, 303)
        answer.set_cookie(
            start.cookie_name,
            start.cookie_value,
            max_age=int(KEPT_FOR.total_seconds()),
            path="/",
            secure=sessions.secure,
            httponly=True,
            samesite="lax",
        )
        for old in pending_in(request.cookies, sessions.login_cookie_name)[MOST_PENDING - 1 :]:
            _drop(sessions, answer, old)
        return answer

    @router.get("/auth/callback")
    async def come_back(request: Request) -> Response:
        """Trade the one-time code for a session; the code leaves the address bar with the redirect."""
        auth_code, state = request.query_params.get("auth_code"), request.query_params.get("state")
        old_session_id = sessions.id_of(request.cookies.get(sessions.cookie_name))
        begun = pending_of(request.cookies, sessions.login_cookie_name, state)
        try:
            await container.limits.hit(container.policies.sign_ins, "complete", client_address(request))
            signed_in = await sessions.complete_sign_in(
                token=begun.token if begun is not None else None,
                state=state,
                auth_code=auth_code if auth_code and len(auth_code) <= LONGEST_CODE else None,
                old_session_id=old_session_id,
            )
        except RateLimited as error:
            return busy_page(request.headers.get("accept-language", ""), error.retry_after or 60.0)
        except FrontendError as error:
            container.metrics.count_sign_in(error.code)
            why = _why(request, sessions, error)
            _log.info("sign_in_refused", code=error.code, cause=str(error), why=why)
            next_path = begun.next_path if begun is not None else await _next_of(sessions, state)
            return _drop(sessions, _to_login(why, next_path), begun)
        container.metrics.count_sign_in("completed")
        container.users.bind(signed_in.session.user.user_id)
        _log.info("signed_in")
        await _take_cart_along(container, old_session_id, signed_in)
        answer = RedirectResponse(safe_next(signed_in.next_path), 303)
        access.set_cookie(answer, sessions.cookie_for(signed_in.session.id))
        return _drop(sessions, answer, begun)

    @router.post("/auth/sign-out")
    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        """Forget the session here, and in every open tab; the browser goes on as one that was never here."""
        session_id = sessions.id_of(request.cookies.get(sessions.cookie_name))
        if session_id is not None:
            await sessions.end(session_id)
            _log.info("signed_out")
        answer = RedirectResponse(SIGNED_OUT, 303)
        access.forget_cookie(answer)
        return answer

    return router


async def _take_cart_along(container: Container, old_session_id: str | None, signed_in: SignedIn) -> None:
    """Move the visitor's cart into the user's; a cart that can't be moved stops no sign-in."""
    if old_session_id is None:
        return
    with contextlib.suppress(StoreUnavailable):  # logged by the store
        await container.cart.merge(visitor_owner(old_session_id), user_owner(signed_in.session))


def _why(request: Request, sessions: Sessions, error: FrontendError) -> str:
    """Return which words of the sign-in page fit: a provider that said no, a browser without cookies, or the rest."""
    if "error" in request.query_params and "auth_code" not in request.query_params:
        return "failed"
    if not isinstance(error, SignInFailed):
        return "unavailable"
    ours = sessions.cookie_name in request.cookies or pending_in(request.cookies, sessions.login_cookie_name)
    return "expired" if ours else "cookies"


async def _next_of(sessions: Sessions, state: str | None) -> str:
    """Return where a sign-in was to lead whose cookie did not come back; nothing where that isn't known."""
    with contextlib.suppress(StoreUnavailable):  # logged by the store
        return await sessions.next_of(state or "")
    return ""


def _to_login(why: str = "", next_path: str = "") -> RedirectResponse:
    """Return the way to the sign-in page, which has words for `why`."""
    query = {"error": why} if why else {}
    if next_path:
        query["next"] = safe_next(next_path)
    return RedirectResponse(f"/login?{urlencode(query, safe='/')}", 303)


def _drop(sessions: Sessions, answer: Response, begun: PendingSignIn | None) -> Response:
    """Have the browser forget a sign-in that has come to its end; those of its other tabs go on."""
    if begun is not None:
        answer.delete_cookie(begun.cookie_name, path="/", secure=sessions.secure, httponly=True, samesite="lax")
    return answer
