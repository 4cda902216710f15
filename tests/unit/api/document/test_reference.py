"""The API's reference: each operation with who may ask, its fields in words, and nothing of a document as markup."""

import re
from typing import Any

from api.document.reference import page

DOCUMENT: dict[str, Any] = {
    "info": {"title": "An API", "description": "Amounts are `minor units`.\n\n<b>No markup.</b>"},
    "tags": [{"name": "plans", "description": "What is sold."}],
    "paths": {
        "/plans/{id}": {
            "put": {
                "tags": ["plans"],
                "operationId": "keepPlan",
                "security": [{"serviceToken": []}],
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Plan"}}}},
                "responses": {"204": {"description": "Kept"}, "422": {"description": "Problem"}},
            }
        }
    },
    "components": {
        "schemas": {
            "Plan": {
                "required": ["prices"],
                "properties": {
                    "prices": {"type": "array", "items": {"$ref": "#/components/schemas/Price"}},
                    "until": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
                },
                "examples": [{"prices": ["<script>"]}],
            },
            "Price": {"type": "string", "enum": ["month", "year"]},
        }
    },
}


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_operation_says_who_may_ask_and_what_its_fields_are() -> None:
    html = page(DOCUMENT, [("plan_gone", 404, "It is gone.")])
    operation = html[html.index('id="keepPlan"') : html.index("</article>")]

    assert "PUT /api/plans/{id}" in words(operation)
    assert "For another service, with its token." in words(operation)
    assert "id string In the path." in words(operation)
    assert "prices list of Price until optional string, date-time or null" in words(operation)
    assert "Statuses 204 422" in words(operation)
    assert 'href="#Price"' in operation
    assert "one of month , year" in words(html)
    assert "plan_gone 404 It is gone." in words(html)


def test_nothing_of_the_document_is_markup() -> None:
    html = page(DOCUMENT, [])

    assert "<script" not in html
    assert "<b>" not in html
    assert "Amounts are <code>minor units</code>." in html


def test_every_anchor_is_there_once() -> None:
    html = page(DOCUMENT, [("plan_gone", 404, "It is gone.")])
    anchors = re.findall(r' id="([^"]+)"', html)

    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(anchors)
