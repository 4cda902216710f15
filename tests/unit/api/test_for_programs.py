"""What programs meet: names of operations that people would write, and a catalog that is sent once."""

from tests.unit.api.api_world import ApiWorld


async def test_operations_are_named_as_people_would(api: ApiWorld) -> None:
    document = (await api.browser().get("/api/openapi.json")).json()

    names = [one["operationId"] for operations in document["paths"].values() for one in operations.values()]
    assert sorted(names) == [
        "clearCart", "getCart", "getCatalog", "getEntitlements", "getMe", "getSubscriptions", "getUserEntitlements",
        "postCartCheckout", "postCheckout", "postEvent", "postPortal", "putInCart", "queryEntitlements",
        "removeFromCart",
    ]  # fmt: skip
    assert document["info"]["title"] == "Billing API"
    assert document["components"]["securitySchemes"]["serviceToken"]["scheme"] == "bearer"


async def test_a_catalog_that_did_not_change_is_not_sent_again(api: ApiWorld) -> None:
    browser = api.browser()
    first = await browser.get("/api/catalog", headers={"accept-language": "de"})
    tag = first.headers["etag"]

    again = await browser.get("/api/catalog", headers={"accept-language": "de", "if-none-match": tag})
    english = await browser.get("/api/catalog", headers={"accept-language": "en", "if-none-match": tag})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (english.status_code, english.headers["vary"]) == (200, "Accept-Language")
    assert first.headers["cache-control"] == "no-cache"
