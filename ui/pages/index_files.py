"""What programs read of the site: `/robots.txt`, `/sitemap.xml`, `/llms.txt` (llmstxt.org) and `/pricing.md`."""

import hashlib
from html import escape
from typing import Final

from nicegui import app
from starlette.requests import Request
from starlette.responses import Response

from services.container import Container
from services.web.base_path import at
from ui.page.catalog_reader import TextReader
from ui.page.context import LOCALE_IN_ADDRESS, locale_for
from ui.page.head import alternates, in_language
from ui.page.own_links import footer_links
from ui.plans import catalog_words
from ui.plans.catalog_markdown import absolute, inline, markdown
from ui.serving.finished import SHARED_CACHING
from ui.text.i18n import _, offered, use_locale

FOR_PROGRAMS = ("/api/catalog", "/api/docs", "/api/openapi.json")
"""What of the API may be read by whoever keeps to these rules, such as agents."""

FOR_A_DAY = {"Cache-Control": "public, max-age=86400"}
MARKDOWN: Final = "text/markdown; charset=utf-8"


def register(container: Container) -> None:
    """Add the files. Pages of one's own need no rule: they lead strangers to the sign-in, which says `noindex`."""
    base = container.settings.public_url

    @app.get("/robots.txt", include_in_schema=False)
    def robots() -> Response:
        lines = (
            "User-agent: *", *(f"Allow: {at(path)}" for path in FOR_PROGRAMS),
            *(f"Disallow: {at(path)}" for path in ("/api/", "/auth/")),
            f"Sitemap: {base}/sitemap.xml", f"# For language models: {base}/llms.txt", "",
        )  # fmt: skip
        return Response("\n".join(lines), media_type="text/plain", headers=FOR_A_DAY)

    @app.get("/sitemap.xml", include_in_schema=False)
    def sitemap() -> Response:
        urls = "".join(_entries(base + path, container) for path in public_paths(container))
        head = (
            '<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
            ' xmlns:xhtml="http://www.w3.org/1999/xhtml">'
        )
        return Response(f"{head}{urls}</urlset>", media_type="application/xml", headers=FOR_A_DAY)

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
            named = offered(container.settings).named(request.query_params.get(LOCALE_IN_ADDRESS)) or ""
            return _answer(request, reader, _index(container, reader, named))


def _entries(address: str, container: Container) -> str:
    """Return a page in each of its languages, each with all of them beside it."""
    others = alternates(address, container.settings)
    links = "".join(
        f'<xhtml:link rel="alternate" hreflang="{language}" href="{escape(other)}"/>' for language, other in others
    )
    pages = [address, *(other for language, other in others if other != address)]
    return "".join(f"<url><loc>{escape(page)}</loc>{links}</url>" for page in pages)


def public_paths(container: Container) -> tuple[str, ...]:
    """Return the pages that are the same for all visitors."""
    home = ("/",) if container.settings.home_page == "page" else ()
    return (*home, "/pricing", *(("/shop",) if container.catalog.items else ()))


def _reader(container: Container, request: Request) -> TextReader:
    """Return who asks. No cookie is read, so that caches need to tell apart languages alone."""
    asked = request.headers.get("accept-language", "")
    locale = locale_for(container.settings, request.query_params, {}, asked)
    return TextReader(container.settings, container.catalog, locale)


def _index(container: Container, reader: TextReader, named: str) -> str:
    """Return the site's index for language models: what this is, and a link for each thing.

    Pages are in the language that its address names; without one, in that of whoever opens them.
    """
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
        _section(reader, _("Plans and prices"), [(in_language(page, named), words) for page, words in pages]),
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
