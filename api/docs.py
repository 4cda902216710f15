"""`/api/docs`: the API's OpenAPI document as a page (`api/document/reference.py`), and the codes of its problems."""

from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse

from api.document.reference import page
from api.problems import codes

THEMES: Final = frozenset({"light", "dark"})


def add_docs(app: FastAPI) -> None:
    """Serve the page, in the theme that its reader has chosen on the others."""

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        chosen = request.cookies.get("theme", "")
        return HTMLResponse(page(app.openapi(), codes(), chosen if chosen in THEMES else "system"))
