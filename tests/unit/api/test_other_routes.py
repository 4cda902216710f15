"""Nobody reads or acts on what is another user's: every route, asked by Bob with Ada's ids (OWASP ASVS 8.2)."""

from fastapi.routing import APIRoute
from starlette.routing import Mount

from services.checkout_record import CheckoutEvent
from tests.unit.api.api_world import ApiWorld, Browser

IDS_OF_USERS = {"user", "user_id", "customer", "customer_id", "email", "session", "session_id"}


async def two(api: ApiWorld) -> tuple[Browser, Browser]:
    """Ada, who has an open checkout and a filled cart, and Bob, who has nothing."""
    ada, bob = await api.browser().sign_in("ada@example.com"), await api.browser().sign_in("bob@example.com")
    await ada.put(f"/api/cart/{api.item_price()}", json={"quantity": 1})
    return ada, bob


async def test_no_route_takes_an_id_of_a_user(api: ApiWorld) -> None:
    document = (await api.browser().get("/api/openapi.json")).json()

    names = {
        parameter["name"]
        for operations in document["paths"].values()
        for operation in operations.values()
        for parameter in operation.get("parameters", ())
    }

    of_users = {path for path in document["paths"] if "{user_id}" in path}

    assert names == {"price_id", "x-signature", "user_id", "accept-language", "if-none-match"}
    assert of_users == {"/entitlements/{user_id}"}  # which other services ask, each with a token


async def test_routes_are_exactly_these(api: ApiWorld) -> None:
    found = {
        f"{method} {route.path}"
        for router in api.app.routes
        for route in getattr(getattr(router, "original_router", None), "routes", ())
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    mounted = {route.path for route in api.app.routes if isinstance(route, Mount)}
    inner = (await api.browser().get("/api/openapi.json")).json()["paths"]

    assert mounted == {"/api"}
    assert found == {
        "GET /healthz", "GET /readyz", "GET /metrics", "GET /.well-known/jwks.json",
        "GET /auth/login", "GET /auth/callback", "POST /auth/sign-out", "POST /sign-out",
        "POST /payment/checkout", "POST /payment/portal", "POST /account/forget", "POST /preferences",
        "POST /cart/checkout", "POST /cart/{action}",
    }  # fmt: skip
    assert {f"{method.upper()} {path}" for path, operations in inner.items() for method in operations} == {
        "GET /catalog", "GET /me", "GET /me/data", "GET /entitlements", "GET /payment/subscriptions",
        "POST /payment/checkout",
        "POST /payment/cart", "POST /payment/portal", "POST /payment/events", "GET /cart", "DELETE /cart",
        "PUT /cart/{price_id}", "DELETE /cart/{price_id}", "GET /entitlements/{user_id}", "POST /entitlements/query",
    }  # fmt: skip


async def test_bob_sees_nothing_of_ada(api: ApiWorld) -> None:
    ada, bob = await two(api)
    started = (await ada.post("/api/payment/checkout", json={"price_id": api.price()})).json()

    seen = [
        (await bob.get(path, params={"user_id": "ada", "session_id": started["checkout_session_id"]})).text
        for path in ("/api/me", "/api/payment/subscriptions", "/api/entitlements", "/api/cart", "/api/catalog")
    ]

    for text in seen:
        assert "ada@example.com" not in text
        assert started["checkout_session_id"] not in text
    assert (await bob.get("/api/cart")).json()["count"] == 0


async def test_bob_can_not_give_up_adas_checkout(api: ApiWorld) -> None:
    ada, bob = await two(api)
    started = (await ada.post("/api/payment/checkout", json={"price_id": api.price()})).json()

    answer = await bob.post(
        "/api/payment/checkout", json={"price_id": api.price("basic"), "instead_of": started["checkout_id"]}
    )

    me = (await ada.get("/api/me")).json()
    (kept,) = await api.container.checkouts.of(me["user_id"])
    assert answer.status_code == 200
    assert kept.session_id == started["checkout_session_id"]
    assert kept.at(CheckoutEvent.REPLACED) is None


async def test_bobs_cart_calls_leave_adas_cart_alone(api: ApiWorld) -> None:
    ada, bob = await two(api)

    await bob.delete(f"/api/cart/{api.item_price()}")
    await bob.delete("/api/cart")
    await bob.post("/cart/clear")

    assert (await ada.get("/api/cart")).json()["count"] == 1


async def test_bobs_sign_out_leaves_ada_signed_in(api: ApiWorld) -> None:
    ada, bob = await two(api)

    await bob.post("/auth/sign-out")

    assert (await bob.get("/api/me")).status_code == 401
    assert (await ada.get("/api/me")).status_code == 200


async def test_a_made_up_or_changed_cookie_is_nobody(api: ApiWorld) -> None:
    ada, _bob = await two(api)
    name = api.container.sessions.cookie_name
    cookie_of_ada = ada.cookies[name]
    signed, _, signature = cookie_of_ada.rpartition(".")
    changed = f"{signed}.{'1' if signature.startswith('0') else '0'}{signature[1:]}"  # its last letter has spare bits
    stranger = api.browser()

    for cookie in ("x", changed, cookie_of_ada.split(".")[0], "."):
        answer = await stranger.get("/api/me", headers={"cookie": f"{name}={cookie}"})
        assert answer.status_code == 401
