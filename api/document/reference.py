"""The OpenAPI document as a page of plain HTML: no script, nothing from elsewhere, the look of the other pages."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, Final

from services.web.base_path import at

METHODS: Final = ("get", "put", "post", "patch", "delete")
JSON: Final = "application/json"
REFERENCE: Final = "#/components/schemas/"
WHO: Final = {
    "sessionCookie": "the browser of a signed-in user",
    "serviceToken": "another service, with its token",
    "": "anybody",
}
"""Who may ask, by the security scheme that the document names."""

Json = Mapping[str, Any]


@lru_cache(maxsize=1)
def page_style() -> str:
    """Return the rules of this page; colours and type come from the style sheet of all pages."""
    text = (Path(__file__).parent / "reference.css").read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))


def page(document: Json, codes: Iterable[tuple[str, int, str]], theme: str = "system") -> str:
    """Return the page; `codes` are those of problem documents, each with its status and its sentence."""
    title, groups = escape(str(document["info"]["title"])), _groups(document)
    style, openapi = at("/assets/style.css"), at("/api/openapi.json")
    return (
        f'<!doctype html>\n<html lang="en" data-theme="{escape(theme)}"><head><meta charset="utf-8">'
        f"<title>{title}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        '<meta name="color-scheme" content="light dark"><link rel="stylesheet" '
        f'href="{style}">'
        f"<style>{page_style()}</style></head><body>"
        '<a class="skip-link" href="#main">Skip to content</a>'
        f'<div class="api-docs">{_contents(title, groups)}<main id="main" class="api-docs-main">'
        f'<header class="api-docs-head"><h1>{title}</h1>{_prose(document["info"].get("description", ""))}'
        f'<p>For programs: <a href="{openapi}">openapi.json</a>.</p></header>'
        f"{''.join(_group(group, document) for group in groups)}"
        f'<section id="objects"><h2>Objects</h2>{"".join(_objects(document))}</section>'
        f'<section id="problems"><h2>Problem codes</h2><p class="muted">Each error names one in <code>type</code> and '
        f"<code>code</code>.</p>{_codes(codes)}</section></main></div></body></html>"
    )


def _groups(document: Json) -> list[tuple[str, str, list[tuple[str, str, Json]]]]:
    """Return the groups of operations in the document's order: name, what it is for, method and path and operation."""
    groups: dict[str, tuple[str, list[tuple[str, str, Json]]]] = {
        str(tag["name"]): (str(tag.get("description", "")), []) for tag in document.get("tags", ())
    }
    for path, operations in document["paths"].items():
        for method in (name for name in METHODS if name in operations):
            name = str((operations[method].get("tags") or ["other"])[0])
            groups.setdefault(name, ("", []))[1].append((method, f"/api{path}", operations[method]))
    return [(name, purpose, found) for name, (purpose, found) in groups.items() if found]


def _contents(title: str, groups: list[tuple[str, str, list[tuple[str, str, Json]]]]) -> str:
    parts = [f'<nav class="api-docs-contents" aria-label="Contents"><p class="api-docs-brand">{title}</p>']
    for name, _purpose, found in groups:
        links = "".join(
            f'<li><a href="#{_anchor(operation, method, path)}">{_verb(method)}'
            f"<span>{_breakable(path.removeprefix('/api'))}</span></a></li>"
            for method, path, operation in found
        )
        parts.append(f'<p class="api-docs-group">{escape(name.capitalize())}</p><ul>{links}</ul>')
    more = '<li><a href="#objects">Objects</a></li><li><a href="#problems">Problem codes</a></li>'
    return "".join([*parts, f'<p class="api-docs-group">More</p><ul>{more}</ul></nav>'])


def _group(group: tuple[str, str, list[tuple[str, str, Json]]], document: Json) -> str:
    name, purpose, found = group
    operations = "".join(_operation(*one, document) for one in found)
    return (
        f'<section id="group-{escape(name)}"><h2>{escape(name.capitalize())}</h2><p class="muted">{escape(purpose)}</p>'
        f"{operations}</section>"
    )


def _operation(method: str, path: str, operation: Json, document: Json) -> str:
    answer: Json = next((each for status, each in operation["responses"].items() if status.startswith("2")), {})
    body = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema")
    said = answer.get("content", {}).get(JSON, {}).get("schema")
    return (
        f'<article class="card operation" id="{_anchor(operation, method, path)}">'
        f"<h3>{_verb(method)} <code>{escape(path)}</code></h3>"
        f"{_prose(operation.get('description', ''))}"
        f'<p class="small muted">For {escape(_who(operation, document))}.</p>'
        f"{_fields('Parameters', _parameters(operation))}"
        f"{_body(body, document)}{_answer(said, document)}"
        f'<p class="statuses small"><span class="muted">Statuses</span> {"".join(_statuses(operation))}</p></article>'
    )


def _verb(method: str) -> str:
    return f'<span class="verb verb-{method}">{method.upper()}</span>'


def _who(operation: Json, document: Json) -> str:
    needs = operation.get("security", document.get("security", [{}])) or [{}]
    return " or ".join(dict.fromkeys(WHO.get(next(iter(each), ""), next(iter(each), "")) for each in needs))


def _statuses(operation: Json) -> Iterator[str]:
    for status in sorted(operation["responses"]):
        look = "status" if status.startswith(("2", "3")) else "status status-problem"
        yield f'<span class="{look}">{escape(status)}</span>'


def _parameters(operation: Json) -> list[tuple[str, Json, bool]]:
    """Return what is in the path, the query and the headers: name, schema, whether it has to be there."""
    return [
        (str(one["name"]), {**one.get("schema", {}), "description": one.get("description", f"In the {one['in']}.")},
         bool(one.get("required")))
        for one in operation.get("parameters", ())
    ]  # fmt: skip


def _body(schema: Json | None, document: Json) -> str:
    """Return the fields of what is sent, and an example where the document has one."""
    if schema is None:
        return ""
    found: Json = document["components"]["schemas"].get(_named(schema), schema)
    return f"{_fields('Body', _properties(found))}{_example(found)}"


def _answer(schema: Json | None, document: Json) -> str:
    """Return what is answered: the name of the object, whose fields stand with the others, and an example."""
    if schema is None:
        return ""
    found: Json = document["components"]["schemas"].get(_named(schema), schema)
    return f"<h4>Answer</h4><p>{_type(schema)}</p>{_example(found)}"


def _named(schema: Json) -> str:
    """Return the name of the schema that this one refers to, perhaps as one choice beside null; else nothing."""
    choices = [each for each in schema.get("anyOf", (schema,)) if each.get("type") != "null"]
    reference = str(choices[0].get("$ref", "")) if len(choices) == 1 else ""
    return reference.removeprefix(REFERENCE)


def _properties(schema: Json) -> list[tuple[str, Json, bool]]:
    required = schema.get("required", ())
    return [(name, field, name in required) for name, field in schema.get("properties", {}).items()]


def _fields(title: str, fields: list[tuple[str, Json, bool]]) -> str:
    if not fields:
        return ""
    rows = "".join(
        f"<div><dt><code>{escape(name)}</code>{'' if required else ' <span class=optional>optional</span>'}</dt>"
        f'<dd><span class="small muted">{_type(field)}</span>{_prose(field.get("description", ""))}</dd></div>'
        for name, field, required in fields
    )
    return f'<h4>{title}</h4><dl class="fields">{rows}</dl>'


def _type(schema: Json) -> str:
    """Return the kind of a value in words, as HTML: names of objects lead to them."""
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(REFERENCE)
        return f'<a href="#{escape(name)}">{escape(name)}</a>'
    for choices in ("anyOf", "oneOf"):
        if choices in schema:
            return " or ".join(dict.fromkeys(_type(each) for each in schema[choices]))
    if "allOf" in schema:
        return _type(schema["allOf"][0])
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    if "enum" in schema:
        return "one of " + ", ".join(f"<code>{escape(str(word))}</code>" for word in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"{_type(schema['additionalProperties'])} by name"
    kind = str(schema.get("type", "any value"))
    return escape(f"{kind}, {schema['format']}" if "format" in schema else kind)


def _example(schema: Json) -> str:
    examples = schema.get("examples") or ()
    if not examples:
        return ""
    text = escape(json.dumps(examples[0], indent=2, ensure_ascii=False))
    return f'<details class="example"><summary>Example</summary><pre>{text}</pre></details>'


def _objects(document: Json) -> Iterator[str]:
    for name, schema in sorted(document["components"]["schemas"].items()):
        fields = _fields("Fields", _properties(schema)) or f'<p class="small">{_type(schema)}</p>'
        yield (
            f'<article class="card operation" id="{escape(name)}"><h3>{escape(name)}</h3>'
            f"{_prose(schema.get('description', ''))}{fields}{_example(schema)}</article>"
        )


def _codes(codes: Iterable[tuple[str, int, str]]) -> str:
    rows = "".join(
        f'<tr id="{escape(code)}"><th scope="row"><code>{escape(code)}</code></th><td class="number">{status}</td>'
        f"<td>{escape(sentence)}</td></tr>"
        for code, status, sentence in codes
    )
    return (
        '<table class="card codes"><thead><tr><th scope="col">Code</th><th scope="col" class="number">Status</th>'
        f'<th scope="col">What it says</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _prose(text: object) -> str:
    """Return a description as paragraphs; what stands in backticks is code."""
    paragraphs = (paragraph.strip() for paragraph in str(text).split("\n\n"))
    return "".join(f"<p>{_with_code(paragraph)}</p>" for paragraph in paragraphs if paragraph)


def _with_code(text: str) -> str:
    parts = text.replace("``", "`").split("`")
    return "".join(f"<code>{escape(part)}</code>" if place % 2 else escape(part) for place, part in enumerate(parts))


def _breakable(path: str) -> str:
    """Return a path that may be broken behind its slashes."""
    return escape(path).replace("/", "/<wbr>")


def _anchor(operation: Json, method: str, path: str) -> str:
    return escape(str(operation.get("operationId", f"{method}-{path}")))
