"""What programs meet: a document from which code can be made that reads well, and a catalog that is sent once."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from api.document.examples import EXAMPLES
from tests.unit.api.api_world import ApiWorld
from version import VERSION

Document = dict[str, Any]
CHANGING = ("post", "put")


@pytest.fixture
async def document(api: ApiWorld) -> Document:
    found: Document = (await api.browser().get("/api/openapi.json")).json()
    return found


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, by_method in document["paths"].items():
        for method, operation in by_method.items():
            yield method, path, operation


def schemas_in(part: Any) -> Iterator[str]:
    """The names of the schemas that a part of the document refers to."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield from [value.rpartition("/")[2]] if key == "$ref" else schemas_in(value)
    elif isinstance(part, list):
        for one in part:
            yield from schemas_in(one)


def test_operations_are_named_as_people_would(document: Document) -> None:
    assert sorted(operation["operationId"] for _method, _path, operation in operations(document)) == [
        "clearCart", "createCartCheckout", "createCheckout", "createPortalSession", "getCart", "getCatalog",
        "getEntitlements", "getMe", "getMyData", "getSubscriptions", "getUserEntitlements", "queryEntitlements",
        "receivePaymentEvent", "removeCartItem", "setCartItem",
    ]  # fmt: skip
    assert document["info"] | {"title": "Billing API", "version": VERSION} == document["info"]


def test_schemas_are_named_as_people_would(document: Document) -> None:
    schemas = document["components"]["schemas"]

    assert {"Catalog", "Plan", "Price", "Subscription", "Entitlement", "Claim", "Tax", "Interval"} <= schemas.keys()
    assert not [name for name in schemas if name.endswith("View") or "Validation" in name]
    assert set(schemas_in(document)) <= schemas.keys()


def test_each_operation_belongs_to_one_group_that_is_explained(document: Document) -> None:
    explained = {tag["name"] for tag in document["tags"] if tag["description"]}

    assert {tuple(operation["tags"]) for *_where, operation in operations(document)} == {(tag,) for tag in explained}


async def test_who_may_ask_is_documented_as_it_is(api: ApiWorld, document: Document) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["serviceToken"]["scheme"] == "bearer"
    assert schemes["sessionCookie"]["name"] == api.container.sessions.cookie_name

    for method, path, operation in operations(document):
        body = EXAMPLES[next(schemas_in(operation["requestBody"]))] if "requestBody" in operation else None
        address = f"/api{path}".format(price_id=api.item_price(), user_id="usr_1")
        answer = await api.browser().request(method, address, json=body)
        of_users = operation.get("security") == [{"sessionCookie": []}]
        assert (answer.status_code == 401) == of_users, (method, path)
        of_services = operation.get("security") == [{"serviceToken": []}]
        assert (answer.status_code == 404) == of_services, (method, path)  # there are no tokens here


def test_what_is_sent_is_documented(document: Document) -> None:
    for method, path, operation in operations(document):
        assert ("requestBody" in operation) == (method in CHANGING), (method, path)
        if method in CHANGING:
            assert set(operation["requestBody"]["content"]["application/json"]["schema"]) == {"$ref"}


def test_each_body_has_an_example_that_fits(document: Document) -> None:
    bodies = [
        next(schemas_in(kind["schema"]))
        for *_where, operation in operations(document)
        for body in (operation.get("requestBody", {}), *operation["responses"].values())
        for kind in body.get("content", {}).values()
    ]

    assert set(bodies) <= EXAMPLES.keys()
    for name in EXAMPLES:
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        [example] = document["components"]["schemas"][name]["examples"]
        jsonschema_rs.validate(schema, example)
        assert example.keys() <= document["components"]["schemas"][name]["properties"].keys()


def test_what_is_one_of_a_few_words_is_documented_with_them(document: Document) -> None:
    schemas = document["components"]["schemas"]
    closed = {
        "Plan.kind", "Feature.kind", "Price.interval", "CheckoutRequest.interval", "Subscription.state",
        "Subscription.reason", "Subscription.source", "Subscription.interval", "Subscription.actions",
        "Entitlement.state", "Entitlement.reason", "Entitlement.source", "Claim.says", "Claim.evidence", "Claim.tax",
        "Problem.code",
    }  # fmt: skip

    for place in closed:
        schema, _dot, name = place.partition(".")
        field = schemas[schema]["properties"][name]
        assert "enum" in field or any("enum" in schemas[named] for named in schemas_in(field)), place


def test_an_answers_fields_are_always_there(document: Document) -> None:
    for name in ("Claim", "Entitlement", "Subscription", "Catalog", "Plan"):
        schema = document["components"]["schemas"][name]
        assert set(schema["required"]) == schema["properties"].keys()


@pytest.mark.parametrize(
    ("asked", "told"), [("", "en"), ("fr, de;q=0.8", "de"), ("de-AT", "de"), ("fr", "en"), ("en-AU", "en-GB")]
)
async def test_the_catalog_is_in_the_language_that_pages_would_be_in(api: ApiWorld, asked: str, told: str) -> None:
    answer = await api.browser().get("/api/catalog", headers={"accept-language": asked})

    names = [plan.name.in_(told) for plan in api.container.catalog.on_sale]
    assert [plan["name"] for plan in answer.json()["plans"]] == names
    assert answer.headers["content-language"] == told


async def test_a_catalog_that_did_not_change_is_not_sent_again(api: ApiWorld) -> None:
    browser = api.browser()
    first = await browser.get("/api/catalog", headers={"accept-language": "de"})
    tag = first.headers["etag"]

    again = await browser.get("/api/catalog", headers={"accept-language": "de", "if-none-match": tag})
    english = await browser.get("/api/catalog", headers={"accept-language": "en", "if-none-match": tag})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (english.status_code, english.headers["vary"]) == (200, "Accept-Language")
    assert first.headers["cache-control"] == "no-cache"
