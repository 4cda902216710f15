"""`page`: the one decorator for pages, from the request to the finished document.

What it adds to NiceGUI's own `ui.page`: the page context (who, which language, zone and theme), sign-in where a page
needs it, errors as pages in our frame with their own status, the page's text in the first answer
(`ui/nicegui_ext/first_paint.py`), a document with a nonce on every script, and the head that search engines read.

    @page(container, "/account", title=N_("Your account"), requires_sign_in=True)
    async def account(context: PageContext) -> None:
        with frame(context):
            Tag("h1", _("Your account"))

A page is light: drawn from plain elements (`ui/nicegui_ext/html.py`) in a document without Quasar
(`ui/nicegui_ext/template.py`). With `elements="all"` it may be drawn from everything that NiceGUI has, in NiceGUI's own
document (`ui/nicegui_ext/full_document.py`), which costs a browser a megabyte and its policy the word `unsafe-eval`.
"""

import asyncio
import inspect
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import quote
from weakref import WeakValueDictionary

import structlog
from nicegui import Client, ui
from nicegui.page import page as nicegui_page
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.container import Container
from services.errors import FrontendError, NotSignedIn
from services.rate_limits import address_key
from services.sessions.service import Session, Visitor
from services.web.timezones import is_timezone
from ui.nicegui_ext import (
    first_paint,
    full_document,
    light_page,
    optimizations,
    page_policy,
    page_views,
    template,
    told_elements,
)
from ui.nicegui_ext.drawn_page import keep_with_client
from ui.nicegui_ext.html import Tag
from ui.page import assets
from ui.page.assets import has_style_sheet
from ui.page.context import TIMEZONE_COOKIE, Elements, Head, PageContext, locale_for, theme_for
from ui.page.head import head_html, words
from ui.serving.arrivals import ARRIVALS
from ui.serving.error_page import error_page
from ui.serving.finished import live_answer
from ui.serving.shared_documents import MARK, SHARED
from ui.shop.live_cart import owner_of
from ui.text import i18n
from ui.text.i18n import _
from ui.theme.icons import icon_rules
from ui.theme.look import look_of
from ui.theme.style_sheet import quasar_style, style_sheet

__all__ = ["Builder", "Head", "PageContext", "page", "respond"]

Builder = Callable[[PageContext], Awaitable[Response | None] | Response | None]

BUILD_SECONDS = 20.0
"""Longer than the slowest deadline a page may wait for, so that a page can say itself that a service is slow."""

LASTING = (200, 404)
"""Statuses of documents that the next view would get as well."""

_log = structlog.get_logger(__name__)


def page(
    container: Container,
    path: str,
    *,
    title: str,
    description: str = "",
    robots: str = "index,follow",
    requires_sign_in: bool = False,
    elements: Elements = "light",
) -> Callable[[Builder], Builder]:
    """Serve the decorated builder at `path`. `title` and `description` are message ids; the builder may change them.

    A builder may return a response of its own (a redirect), and may raise a FrontendError, which becomes a page.
    """

    def decorate(build: Builder) -> Builder:
        async def serve(request: Request, client: Client) -> Response:
            head = Head(title, description, robots)
            return await respond(
                container, request, client, build, head, requires_sign_in=requires_sign_in, elements=elements
            )

        serve.__name__ = serve.__qualname__ = f"page_{build.__name__}"
        ui.page(path, response_timeout=BUILD_SECONDS)(serve)
        return build

    return decorate


async def respond(
    container: Container,
    request: Request,
    client: Client,
    build: Builder,
    head: Head,
    *,
    status: int = 200,
    requires_sign_in: bool = False,
    elements: Elements = "light",
) -> Response:
    """Return the finished answer to a request for a page that `build` draws into `client`."""
    session, failure = await _find_session(container, request)
    context = _context(container, request, session, head, status)
    context.elements = elements
    _begin(client, context)
    try:
        if requires_sign_in and context.user is None:
            raise failure or NotSignedIn()
        for prepare in ARRIVALS:
            await prepare(context)
        result = build(context)
        answer = await result if inspect.isawaitable(result) else result
        if answer is None:
            answer = _document(client, context)
        else:
            client.delete()
    except NotSignedIn:
        client.delete()
        answer = RedirectResponse(f"/login?next={quote(context.here, safe='/')}", 303)
    except Exception as error:
        client.delete()
        # A task of its own has no element that new ones would be added to; here that would be the deleted client's.
        answer = await asyncio.create_task(_error(context, error))
    if answer.background is None:
        answer.background = BackgroundTask(_let_go, request)
    if session is None and failure is None and not context.shared and not isinstance(answer, RedirectResponse):
        answer.set_cookie(
            container.sessions.cookie_name, container.sessions.new_cookie(), **container.sessions.cookie_attributes
        )
    return answer


async def _let_go(request: Request) -> None:
    """Keep what an answered request said, without its connection: a page keeps its request, and so all of that."""
    Request.__init__(request, request.scope)


async def _error(context: PageContext, error: Exception) -> Response:
    """Return the page that says what went wrong, in a fresh client: the failed one may be half built."""
    cause = ""
    if isinstance(error, FrontendError):
        shown = error
        _log.warning("page_refused", path=context.path, code=error.code, status=error.status, cause=str(error))
    elif isinstance(error, light_page.NotOnLightPage):
        shown = FrontendError()
        _log.error("element_refused", path=context.path, cause=str(error), place=error.place)
        cause = str(error) if context.settings.sandbox_enabled else ""  # read by who writes the page
    else:
        shown = FrontendError()
        _log.error("page_failed", path=context.path, exc_info=error)
    context.status = shown.status
    context.head = Head(shown.title, robots="noindex")
    context.elements = "light"
    with Client(nicegui_page(""), request=context.request) as client:
        _begin(client, context)
        error_page(context, shown, cause)
        answer = _document(client, context)
    if shown.retry_after is not None:
        answer.headers["Retry-After"] = str(max(1, round(shown.retry_after)))
    return answer


def _begin(client: Client, context: PageContext) -> None:
    """Make the client's outer elements plain ones, so that they need no Quasar, and tell it about the page context."""
    keep_with_client(client, context)
    client.storage["locale"] = context.locale
    client.layout.tag = "div"
    client.layout.props.pop("view", None)
    client.page_container.tag = "div"
    main = client.page_container.default_slot.children[0]
    main.tag = "main"
    main.props["id"] = "main"
    main.props["tabindex"] = "-1"
    client.layout.classes(replace="site")
    client.content.classes(replace="site-content")
    if not _in_own_document(context):
        full_document.prepare(client, context.locale, context.theme)
    if context.elements == "light":
        light_page.watch(client, context.path)


def _in_own_document(context: PageContext) -> bool:
    return context.elements == "light" and optimizations.in_force().own_document


def _document(client: Client, context: PageContext) -> Response:
    """Return the answer for a built page; from now on what changes in it is sent."""
    if context.elements == "light":
        light_page.check(client)
    return _shared_document(client, context) if context.shared else _written_out(client, context)


def _written_out(client: Client, context: PageContext) -> Response:
    """Return NiceGUI's answer for a built page, as our document."""
    with client, i18n.use_locale(context.locale):
        client.title = _(context.head.title)
        client.outbox.updates = WeakValueDictionary()  # all is new in a first answer; emptied, it would keep its size
        answer, told = _answer(client, context)
        parts = _parts(client, context, getattr(context.request.state, "csp_nonce", "") or secrets.token_urlsafe(16))
    html = bytes(answer.body).decode()
    if _in_own_document(context):
        html = template.assemble(parts, template.dismantle(html, told))
    else:
        html = full_document.dress(html, parts, tailwind=context.elements == "all")
    page_policy.mark(context.request, needs_eval=context.elements == "all")
    page_views.enter(client, _owner(context), context.settings.limit_unconnected_views)
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return live_answer(html, context.status, headers, context.request.headers.get("accept-encoding", ""))


def _answer(client: Client, context: PageContext) -> tuple[Response, str]:
    """Return NiceGUI's answer, and what our document tells the browser of the elements, of which that has but a few."""
    if not _in_own_document(context):
        return client.build_response(context.request, context.status), ""
    told = told_elements.told_in_script(client)
    with told_elements.scripted_alone(client):
        return client.build_response(context.request, context.status), told


def _owner(context: PageContext) -> str:
    """Return whose view this is, of those who share the room for views."""
    if context.session is not None:
        return owner_of(context.session)
    return f"address {address_key(context.request.client.host if context.request.client else '')}"


def _shared_document(client: Client, context: PageContext) -> Response:
    """Return a built page as a document that needs no client, which goes: it holds nothing but what was drawn.

    What went wrong may be over by the next view, and its reference is one asker's: such a page is marked for nobody.
    """
    with client, i18n.use_locale(context.locale):
        parts = replace(_parts(client, context, ""), version=context.request.scope["state"][SHARED])
    client.delete()
    mark = {MARK.decode(): "kept"} if context.status in LASTING else {}
    return Response(template.assemble(parts, None), context.status, mark, media_type="text/html")


def _parts(client: Client, context: PageContext, nonce: str) -> template.DocumentParts:
    """Return what every document of ours is made of."""
    look, known = look_of(context.settings), has_style_sheet(context.request.headers)
    return template.DocumentParts(
        locale=context.locale,
        direction=context.direction,
        theme=context.theme,
        nonce=nonce,
        head=head_html(context, nonce),
        style=("" if known else style_sheet(look)) + icon_rules(_icons_in(client)) + context.head.style,
        content=first_paint.render(client.layout),
        words=words(context),
        style_sheet=assets.style(look).address,
        has_style_sheet=known,
        script=assets.script("app.js").address,
        icons=assets.icons().address,
        document_script=assets.script("document.js").address,
        full_script=assets.script("full.js").address,
        full_style=quasar_style(),
    )


def _icons_in(client: Client) -> set[str]:
    """Return the icons that a page shows at first; the others come with a style sheet that nothing waits for."""
    tags = (element for element in client.elements.values() if isinstance(element, Tag))
    classes = {name for element in tags for name in element.class_list()}
    return {name.removeprefix("icon-") for name in classes if name.startswith("icon-")}


async def _find_session(
    container: Container, request: Request
) -> tuple[Session | Visitor | None, FrontendError | None]:
    """Return the browser's session, or why no service can say: public pages open all the same."""
    try:
        return await container.sessions.find(request.cookies.get(container.sessions.cookie_name, "")), None
    except FrontendError as error:
        _log.warning("session_unknown", code=error.code, cause=str(error))
        return None, error


def _context(
    container: Container, request: Request, session: Session | Visitor | None, head: Head, status: int
) -> PageContext:
    cookies, settings = request.cookies, container.settings
    zone = cookies.get(TIMEZONE_COOKIE, "").replace("%2F", "/")
    return PageContext(
        request=request,
        container=container,
        session=session,
        locale=locale_for(settings, request.query_params, cookies, request.headers.get("accept-language", "")),
        timezone=zone if is_timezone(zone) else "UTC",
        theme=theme_for(settings, request.query_params, cookies),
        head=head,
        status=status,
        shared=SHARED in request.scope.get("state", {}),
    )
