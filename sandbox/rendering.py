"""Pages from templates: escaped, without scripts, without a request to anywhere else."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sandbox.stripe.price_list import money

STATIC: Final = Path(__file__).parent / "static"

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def _date(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _words(word: object) -> str:
    """``past_due`` as a person writes it."""
    return str(word).replace("_", " ")


_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(money=money, date=_date, instant=_instant, words=_words)
_ENVIRONMENT.globals["stylesheet"] = f"/static/sandbox.css?{int((STATIC / 'sandbox.css').stat().st_mtime)}"


def page(template: str, status: int = 200, **values: object) -> HTMLResponse:
    text = _ENVIRONMENT.get_template(template).render(**values)
    return HTMLResponse(text, status, headers=_HEADERS)


def message(status: int, headline: str, sentence: str, link: str = "", label: str = "") -> HTMLResponse:
    """One centred card that says what is true now, with at most one way on."""
    return page("message.html", status, headline=headline, sentence=sentence, link=link, label=label)


def go_to(url: str) -> Response:
    """Send the browser on with a GET."""
    return RedirectResponse(url, 303, headers={"Cache-Control": "no-store"})


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a posted form (urlencoded); of a repeated one, the last."""
    body = (await request.body()).decode("utf-8", "replace")
    return dict(parse_qsl(body, keep_blank_values=True))
