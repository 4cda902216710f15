"""`/robots.txt` and `/sitemap.xml`: what search engines may read, and where it is."""

from html import escape

from nicegui import app
from starlette.responses import Response

from services.container import Container
from ui.page.head import alternates

FOR_PROGRAMS = ("/api/catalog", "/api/docs", "/api/openapi.json")
"""What of the API may be read by whoever keeps to these rules, such as agents."""

FOR_A_DAY = {"Cache-Control": "public, max-age=86400"}


def register(container: Container) -> None:
    """Add both files. Pages of one's own need no rule: they lead strangers to the sign-in, which says `noindex`."""
    base = container.settings.public_url

    @app.get("/robots.txt", include_in_schema=False)
    def robots() -> Response:
        lines = (
            "User-agent: *", *(f"Allow: {path}" for path in FOR_PROGRAMS), "Disallow: /api/", "Disallow: /auth/",
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
