"""`/llms.txt` and `/pricing.md`: what is here and what it costs, as text for agents and tools (https://llmstxt.org)."""

import hashlib
from typing import Final

from nicegui import app
from starlette.requests import Request
from starlette.responses import Response

from services.container import Container
from ui.page.catalog_reader import TextReader
from ui.page.context import locale_for
from ui.page.own_links import footer_links
from ui.pages.index_files import public_paths
from ui.plans import catalog_words
from ui.plans.catalog_markdown import absolute, inline, markdown
from ui.serving.finished import SHARED_CACHING
from ui.text.i18n import _, use_locale

MARKDOWN: Final = "text/markdown; charset=utf-8"


def register(container: Container) -> None:
    """Add both files."""

    @app.get("/pricing.md", include_in_schema=False)
    def pricing(request: Request) -> Response:
        reader = _reader(container, request)
        with use_locale(reader.locale):
            return _answer(
                request, reader, markdown(reader), {"Link": f'<{absolute(reader, "/pricing")}>; rel="canonical"'}
            )

    @app.get("/llms.txt", include_in_schema=False)
    def index(request: Request) -> Response:
        reader = _reader(container, request)
        with use_locale(reader.locale):
            return _answer(request, reader, _index(container, reader))


def _reader(container: Container, request: Request) -> TextReader:
    """Return who asks. No cookie is read, so that caches need to tell apart languages alone."""
    asked = request.headers.get("accept-language", "")
    locale = locale_for(container.settings, request.query_params, {}, asked)
    return TextReader(container.settings, container.catalog, locale)


def _index(container: Container, reader: TextReader) -> str:
    """Return the site's index for language models: what this is, and a link with a sentence for each thing."""
    catalog, names = reader.catalog, {"/": _("Plans and prices"), "/pricing": _("Pricing"), "/shop": _("Shop")}
    pages = [
        ("/pricing.md", _("Plans and prices as Markdown")),
        *((path, names[path]) for path in public_paths(container)),
    ]
    programs = [
        ("/api/catalog", _("Plans and prices as JSON")),
        ("/api/openapi.json", _("The API as an OpenAPI document")),
        ("/api/docs", _("The API, explained")),
    ]
    others = [link for link in footer_links(reader) if link[0] not in names]
    parts = [
        f"# {inline(reader.settings.brand_name)}",
        f"> {inline(catalog_words.description(catalog))}",
        inline(_("Pick a plan and pay on Stripe's page. Your card never reaches us.")),
        _section(reader, _("Plans and prices"), pages),
        _section(reader, _("For programs"), programs),
        _section(reader, "Optional", others),  # llmstxt.org: what may be skipped, called that in every language
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _section(reader: TextReader, name: str, links: list[tuple[str, str]]) -> str:
    if not links:
        return ""
    return "\n".join([f"## {name}", "", *(f"- [{inline(words)}]({absolute(reader, to)})" for to, words in links)])


def _answer(request: Request, reader: TextReader, text: str, more: dict[str, str] | None = None) -> Response:
    tag = hashlib.sha256(text.encode()).hexdigest()[:20]
    headers = {
        "ETag": f'W/"{tag}"', "Cache-Control": SHARED_CACHING, "Vary": "Accept-Language",
        "Content-Language": reader.locale, **(more or {}),
    }  # fmt: skip
    if f'"{tag}"' in request.headers.get("if-none-match", ""):
        return Response(None, 304, headers)
    return Response(text, headers=headers, media_type=MARKDOWN)
