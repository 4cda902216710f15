"""The Auth MS on the wire: a page on which one picks who to be, and the two session calls."""

import json
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from fastapi import FastAPI, Request, Response
from pydantic import ValidationError
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles

from sandbox.auth.accounts import SAMPLE_PEOPLE, AccountPlan, AuthUser, person
from sandbox.auth.news import SubscriptionNews, plan_told
from sandbox.rendering import STATIC, form_of, go_to, message, page
from sandbox.settings import AuthShape, PlanPlace
from sandbox.state import SandboxState

PROVIDERS = {"google": "Google", "github": "GitHub", "discord": "Discord", "microsoft": "Microsoft"}
_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" fill="{colour}"/>'
    '<text x="24" y="32" font-family="sans-serif" font-size="22" fill="#fff" text-anchor="middle">{letter}</text></svg>'
)
_COLOURS = ("#3f4bd8", "#0b7a5e", "#a8501a", "#8a3b8f")


def auth_app(state: SandboxState) -> FastAPI:
    """The service as an app; without the middleware around it."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.mount("/static", StaticFiles(directory=STATIC))

    @app.get("/health")
    async def health() -> Response:
        return JSONResponse({"status": "healthy", "service": "auth-service"})

    @app.post("/auth/session/create")
    async def create(request: Request) -> Response:
        found = state.accounts.redeem(await _text_field(request, "auth_code"))
        if found is None:
            return JSONResponse({"error": "invalid or expired auth code"}, 400)
        session_id, user = found
        return JSONResponse({"session_id": session_id, "user_context": user_context(state, user)})

    @app.post("/auth/session/refresh")
    async def refresh(request: Request) -> Response:
        session_id = await _text_field(request, "session_id")
        user = state.accounts.look_up(session_id)
        if user is None:
            return JSONResponse({"error": "invalid session"}, 401)
        context = user_context(state, user)
        if state.runtime_settings.current.auth_shape is AuthShape.FLAT:
            return JSONResponse({"success": True, **context})
        return JSONResponse({"session_id": session_id, "user_context": context})

    @app.post("/auth/subscriptions")
    async def subscriptions(request: Request) -> Response:
        """What a Payment MS of one's own tells of a user's subscription: the newest word is what the account says."""
        try:
            news = SubscriptionNews.model_validate_json(await request.body())
        except ValidationError as error:
            first = error.errors()[0]
            return JSONResponse({"error": f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}"}, 400)
        plans = {line.product_id: line.plan for line in state.prices.lines() if line.plan}
        plan = plan_told(news, plans, state.runtime_settings.current.cancellation_word)
        state.accounts.set_grant(news.user_id, plan)
        return JSONResponse(plan.model_dump(exclude={"silent"}))

    @app.get("/auth/{provider}")
    async def choose(provider: str, redirect_uri: str = "") -> Response:
        return _refused(provider, redirect_uri) or _people_page(state, provider, redirect_uri)

    @app.post("/auth/{provider}")
    async def sign_in(provider: str, request: Request) -> Response:
        fields = await form_of(request)
        redirect_uri = fields.get("redirect_uri", "")
        refused = _refused(provider, redirect_uri)
        if refused:
            return refused
        email = fields.get("email", "").strip()
        user = _chosen(state, fields)
        if user is None and ("@" not in email or " " in email):
            return _people_page(state, provider, redirect_uri, email, "Enter an address, such as ada@example.com.")
        code = state.accounts.issue_code(user or state.accounts.user_of(email) or person(email))
        return go_to(with_auth_code(redirect_uri, code))

    @app.get("/pictures/{name}.svg")
    async def picture(name: str) -> Response:
        colour = _COLOURS[sum(name.encode()) % len(_COLOURS)]
        letter = name[:1].upper() if name.isalpha() else "?"
        text = _PICTURE.format(colour=colour, letter=letter)
        return Response(text, media_type="image/svg+xml")

    return app


def user_context(state: SandboxState, user: AuthUser) -> dict[str, Any]:
    """Who it is, and their plan in the place that is set."""
    first_name = user.name.split()[0].lower() if user.name else "x"
    picture = f"{state.addresses.auth}/pictures/{quote(first_name)}.svg" if state.settings.auth_pictures else ""
    context: dict[str, Any] = {
        "user_id": user.user_id,
        "name": user.name,
        "email": user.email,
        "picture": picture,
    }
    grant = state.accounts.grant_of(user)
    place = state.runtime_settings.current.plan_place
    if grant.silent or place is PlanPlace.SILENT:
        return context
    if place is PlanPlace.PROJECTS:
        return context | {"projects": {state.settings.auth_project: _plan(grant)}}
    return context | _plan(grant)


def _chosen(state: SandboxState, fields: dict[str, str]) -> AuthUser | None:
    """The sample user whose button was pressed, with the address that they have by now."""
    sample = SAMPLE_PEOPLE.get(fields.get("user", ""))
    return (state.accounts.user(sample.user_id) or sample) if sample else None


def with_auth_code(redirect_uri: str, code: str) -> str:
    """The address with ``auth_code`` added and the rest of its query kept."""
    parts = urlsplit(redirect_uri)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("auth_code", code)])
    return urlunsplit(parts._replace(query=query))


def _plan(grant: AccountPlan) -> dict[str, Any]:
    return {
        "subscription_status": grant.status,
        "subscription_plan": grant.plan,
        "expires_at": grant.expires_at,
    }


async def _text_field(request: Request, name: str) -> str:
    """A text of the JSON body; empty when the body is not what it should be."""
    try:
        content = json.loads(await request.body())
    except ValueError:
        return ""
    value = content.get(name) if isinstance(content, dict) else None
    return value if isinstance(value, str) else ""


def _refused(provider: str, redirect_uri: str) -> Response | None:
    if provider not in PROVIDERS:
        return message(404, "Unknown provider", f"Sign-in is offered with {', '.join(PROVIDERS.values())}.")
    parts = urlsplit(redirect_uri)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return message(400, "No way back", "The address has no redirect_uri to return to.")
    return None


def _people_page(state: SandboxState, provider: str, redirect_uri: str, email: str = "", error: str = "") -> Response:
    return page(
        "sign_in.html",
        422 if error else 200,
        people=SAMPLE_PEOPLE,
        provider=PROVIDERS[provider],
        email=email,
        redirect_uri=redirect_uri,
        error=error,
        brand=state.settings.brand_name,
        colours=_COLOURS,
        host=urlsplit(redirect_uri).netloc,
    )
