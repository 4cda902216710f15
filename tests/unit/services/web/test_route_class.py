"""Requests are counted by a few words, whatever is in their addresses."""

import pytest

from services.web.route_class import RouteClass, route_class, status_class


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/", "page"),
        ("HEAD", "/pricing", "page"),
        ("GET", "/payment/success", "page"),
        ("GET", "/wp-login.php", "page"),
        ("GET", "/apinotes", "page"),
        ("POST", "/payment/checkout", "press"),
        ("POST", "/cart/add", "press"),
        ("POST", "/api/payment/checkout", "press"),
        ("POST", "/api/payment/portal", "press"),
        ("POST", "/api/payment/events", "api"),
        ("GET", "/api/payment/subscriptions", "api"),
        ("GET", "/api/me", "api"),
        ("GET", "/api/entitlements", "entitlements"),
        ("POST", "/api/entitlements/query", "entitlements"),
        ("GET", "/.well-known/jwks.json", "entitlements"),
        ("GET", "/auth/callback", "sign_in"),
        ("POST", "/sign-out", "sign_in"),
        ("GET", "/assets/style.css", "asset"),
        ("GET", "/_nicegui/3.18/vue.js", "asset"),
        ("POST", "/_nicegui_ws/socket.io/", "socket"),
        ("GET", "/readyz", "operations"),
        ("GET", "/ops", "operations"),
        ("GET", "", "page"),
    ],
)
def test_what_is_asked_for(method: str, path: str, found: str) -> None:
    assert route_class(method, path) == RouteClass(found)


@pytest.mark.parametrize(
    ("status", "found"),
    [(0, "gone"), (101, "1xx"), (200, "2xx"), (304, "3xx"), (404, "4xx"), (503, "5xx"), (599, "5xx"), (999, "gone")],
)
def test_how_it_ended(status: int, found: str) -> None:
    assert status_class(status) == found
