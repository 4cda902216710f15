"""`/api/docs`: the API's OpenAPI document as a page of plain HTML, which needs no script and nothing from elsewhere."""

import inspect
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from fastapi import FastAPI
from starlette.responses import HTMLResponse

from api.problems import REFUSALS
from services import errors
from services.errors import FrontendError

_METHODS: Final = ("get", "put", "post", "delete")
_STYLE: Final = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.75rem}h2{font-size:1.25rem;margin-top:2.5rem}h3{font-size:1rem;margin:0}
code,pre{font:14px/1.5 ui-monospace,monospace}
article{border:1px solid color-mix(in srgb,currentColor 20%,transparent);border-radius:12px;padding:1rem;margin:1rem 0}
.method{display:inline-block;min-width:4.5rem;font-weight:600}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.375rem .75rem .375rem 0;vertical-align:top}
p{max-width:68ch}
"""


def add_docs(app: FastAPI) -> None:
    """Serve the page."""

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page(app.openapi()))


def page(document: Mapping[str, Any]) -> str:
    """Return the page for an OpenAPI document."""
    title = escape(str(document["info"]["title"]))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>"
        f"<p>{escape(str(document['info'].get('description', '')))} "
        'For programs: <a href="/api/openapi.json">openapi.json</a>.</p>'
        f"<h2>Routes</h2>{''.join(_routes(document))}"
        f"<h2>Problem codes</h2><table><thead><tr><th>Code</th><th>Status</th><th>Meaning</th></tr></thead>"
        f"<tbody>{''.join(_codes())}</tbody></table></main></body></html>"
    )


def _routes(document: Mapping[str, Any]) -> Iterator[str]:
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                yield _route(method, f"/api{path}", operations[method], document)


def _route(method: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    parts = [
        f'<article><h3><span class="method">{method.upper()}</span><code>{escape(path)}</code></h3>',
        f"<p>{escape(str(operation.get('description', '')))}</p>",
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None:
        parts.append(f"<p>Body: <code>{escape(', '.join(_fields(body, document)))}</code></p>")
    answer = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
    if answer is not None:
        parts.append(f"<p>Answer: <code>{escape(', '.join(_fields(answer, document)))}</code></p>")
    parts.append(f"<p>Statuses: {escape(', '.join(sorted(operation['responses'])))}</p></article>")
    return "".join(parts)


def _fields(schema: Mapping[str, Any], document: Mapping[str, Any]) -> list[str]:
    """Return the names of an object's fields; optional ones end in a question mark."""
    for choice in schema.get("anyOf", (schema,)):
        if "$ref" in choice:
            found = document["components"]["schemas"][str(choice["$ref"]).rpartition("/")[2]]
            required = found.get("required", ())
            return [name if name in required else f"{name}?" for name in found.get("properties", {})]
    return []


def _codes() -> Iterator[str]:
    """Yield a row for each code that a problem document may have, with the anchor that its `type` names."""
    for status, (code, _title, sentence) in REFUSALS.items():
        if code != FrontendError.code:
            yield _code(code, status, sentence)
    known = [kind for _name, kind in inspect.getmembers(errors, inspect.isclass)]
    seen: set[str] = set()
    for kind in sorted((k for k in known if issubclass(k, FrontendError)), key=lambda k: (k.status, k.code)):
        if kind.code not in seen:
            seen.add(kind.code)
            yield _code(kind.code, kind.status, kind.sentence)


def _code(code: str, status: int, sentence: str) -> str:
    return (
        f'<tr id="{escape(code)}"><td><code>{escape(code)}</code></td><td>{status}</td><td>{escape(sentence)}</td></tr>'
    )
