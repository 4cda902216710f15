"""`/api/docs`: the API's OpenAPI document as a page (`api/document/reference.py`), and the codes of its problems."""

import inspect
from collections.abc import Iterator
from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse

from api.document.reference import page
from api.problems import REFUSALS
from services import errors
from services.errors import FrontendError

THEMES: Final = frozenset({"light", "dark"})


def add_docs(app: FastAPI) -> None:
    """Serve the page, in the theme that its reader has chosen on the others."""

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        chosen = request.cookies.get("theme", "")
        return HTMLResponse(page(app.openapi(), codes(), chosen if chosen in THEMES else "system"))


def codes() -> Iterator[tuple[str, int, str]]:
    """Yield each code that a problem document may have once, with its status and its sentence; `type` names it."""
    seen: set[str] = set()
    for status, (code, _title, sentence) in REFUSALS.items():
        if code != FrontendError.code:
            seen.add(code)
            yield code, status, sentence
    known = [kind for _name, kind in inspect.getmembers(errors, inspect.isclass)]
    for kind in sorted((k for k in known if issubclass(k, FrontendError)), key=lambda k: (k.status, k.code)):
        if kind.code not in seen:
            seen.add(kind.code)
            yield kind.code, kind.status, kind.sentence
