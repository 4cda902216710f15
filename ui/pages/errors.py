"""Pages for what is not there and for what went wrong; and one page that costs nothing, for floods of requests.

Errors inside a page's own building are handled by `ui/serving/document.py`. Here are unknown addresses, and
429.
"""

from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Final

from nicegui import Client, app
from nicegui.page import page as nicegui_page
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Match

from services.container import Container
from services.errors import PageNotFound, RateLimited
from services.site_notice.model import SiteNotice
from services.web.safe_paths import safe_next
from settings import Theme
from ui.nicegui_ext import template
from ui.page.context import Head, theme_for
from ui.page.frame import SANDBOX_WORDS
from ui.serving.document import PageContext, respond
from ui.serving.error_page import error_page
from ui.serving.shared_documents import MARK, SHARED, UNKNOWN
from ui.text import i18n
from ui.text.i18n import N_, _
from ui.theme.look import Look, look_of
from ui.theme.style_sheet import style_sheet

VIEWPORT: Final = '<meta name="viewport" content="width=device-width, initial-scale=1">'


def register(container: Container) -> None:
    """Answer unknown addresses with a page, to those who want a page, and lead from `/pricing/` to `/pricing`."""
    app.router.redirect_slashes = False  # it would name the host that a proxy told us

    @app.exception_handler(404)
    async def not_found(request: Request, error: Exception) -> Response:
        meant = _without_slash(request)
        if meant is not None:
            return RedirectResponse(meant, 307)
        answered_by_route = request.scope.get("endpoint") not in (None, app)
        if answered_by_route or "text/html" not in request.headers.get("accept", ""):
            detail = error.detail if isinstance(error, HTTPException) else "Not Found"
            return JSONResponse({"detail": detail}, 404)
        return await page_not_found(container, request)


def _without_slash(request: Request) -> str | None:
    """Return the page that is meant by an address with a slash at its end, as a path; None where there is none."""
    path = request.scope["path"]
    bare = path.rstrip("/")
    if bare == path or not bare or safe_next(bare) != bare:
        return None
    if not any(route.matches({**request.scope, "path": bare})[0] is Match.FULL for route in app.routes):
        return None
    return f"{bare}?{request.url.query}" if request.url.query else bare


async def page_not_found(container: Container, request: Request) -> Response:
    """Return the page for an unknown address; for unknown visitors it is drawn once (`shared_documents.py`)."""
    state = request.scope.get("state", {})
    if state.get(UNKNOWN) and SHARED not in state:
        return Response(status_code=404, headers={MARK.decode(): "not-found"})

    def draw(context: PageContext) -> None:
        error_page(context, PageNotFound())

    with Client(nicegui_page(""), request=request) as client:
        head = Head(N_("Page not found"), robots="noindex")
        return await respond(container, request, client, draw, head, status=404)


def too_many_requests(container: Container, accept_language: str, retry_after: float) -> Response:
    """Return a page for 429 that needs no element tree, no socket and no script, and asks no service."""
    settings = container.settings
    locale = i18n.offered(settings).choose(None, accept_language)
    problems = container.stripe_mode.known_problems()
    banners = (*((SANDBOX_WORDS,) if settings.sandbox_enabled else ()), *(problem.banner for problem in problems))
    notice = _words_of(container.notice.current, locale)
    html = _plain_page(settings.brand_name, look_of(settings), theme_for(settings, {}, {}), locale, banners, notice)
    return HTMLResponse(html, 429, {"Retry-After": str(max(1, round(retry_after))), "Cache-Control": "no-store"})


@lru_cache(maxsize=16)
def _plain_page(
    brand_name: str, look: Look, theme: Theme, locale: str, banners: tuple[str, ...], notice: "_Notice | None"
) -> str:
    """Return the page once for each language, state of the money and notice; it holds nothing of the request."""
    with i18n.use_locale(locale):
        title, sentence = _(RateLimited.title), _(RateLimited.sentence)
        main = (
            f'<main class="plain"><div class="card card-page center"><p class="muted small">{escape(brand_name)}</p>'
            f'<h1 class="card-title">{escape(title)}</h1><p class="muted">{escape(sentence)}</p></div></main>'
        )
        page = template.DocumentParts(
            locale=locale,
            direction=i18n.direction(locale),
            theme=theme,
            nonce="",
            head=f"<title>{escape(title)}</title>\n{VIEWPORT}",
            style=style_sheet(look),
            content=_plain_banners(banners) + _plain_notice(notice) + main,
            words={},
        )
    return template.assemble(page, None)


@dataclass(frozen=True, slots=True)
class _Notice:
    """The operator's notice in one reader's language, without its link."""

    kind: str
    title: str
    text: str


def _words_of(shown: SiteNotice | None, locale: str) -> _Notice | None:
    if shown is None:
        return None
    return _Notice(shown.kind, shown.title.in_(locale) if shown.title is not None else "", shown.text.in_(locale))


def _plain_notice(notice: _Notice | None) -> str:
    if notice is None:
        return ""
    title = f'<p class="notice-title">{escape(notice.title)}</p>' if notice.title else ""
    body = f'<div class="notice-body"><div>{title}<p>{escape(notice.text)}</p></div></div>'
    box = f'<div class="notice notice-{notice.kind}">{body}</div>'
    # Translators: name of the place for what the operator has to say to everybody, for screen readers
    label = escape(_("Announcements"))
    return f'<section class="site-notices" aria-label="{label}">{box}</section>'


def _plain_banners(banners: tuple[str, ...]) -> str:
    if not banners:
        return ""
    lines = "".join(f"<p>{escape(_(banner))}</p>" for banner in banners)
    return f'<aside class="money-banner" aria-label="{escape(_("About payments here"))}">{lines}</aside>'
