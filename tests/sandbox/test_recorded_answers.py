"""The sandbox's Payment MS answers byte for byte as the running service was recorded, ids and times aside."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.shop import Shop

RECORDED: dict[str, dict[str, Any]] = {
    answer["name"]: answer
    for answer in json.loads(
        (Path(__file__).parents[1] / "contract/fixtures/payment_ms_recorded.json").read_text(encoding="utf-8")
    )
}
MASKS = (
    (r"https?://[^/\"]+", "URL"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7,9}Z", "NANO"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"(?<![a-z])(cs_test|bps|sub|price)_[0-9a-f]+\b", r"\1_ID"),
    (r"\bprod_[0-9a-f]{6,}\b", "prod_ID"),
)
BUYER = {"user_id": "user_1", "email": "ada@example.com", "success_url": "http://a/s", "cancel_url": "http://a/c"}
PLAN = {"product_id": "prod_basic", "price_id": "price_basic"}
REGISTRATION = {
    "project_name": "p1",
    "plans": [{"name": "Pro", "description": "d", "features": ["f"], "pricing": {"monthly": 2900, "yearly": 29000}}],
}
BODIES: dict[str, object] = {
    "sub ok": BUYER | PLAN,
    "item ok": BUYER | PLAN | {"quantity": 1},
    "item no product": BUYER | {"price_id": "price_basic"},
    "cart ok": BUYER | {"items": [{"price_id": "price_a", "quantity": 1}, {"price_id": "price_b", "quantity": 2}]},
    "cart empty": BUYER | {"items": []},
    "no key": BUYER | PLAN,
    "bad key": BUYER | PLAN,
    "missing": {"user_id": "user_1"},
    "portal unknown": {"user_id": "nobody", "return_url": "http://a/"},
    "portal ok": {"user_id": "user_1", "return_url": "http://a/"},
    "register": REGISTRATION,
    "register again": REGISTRATION,
}


def masked(body: str) -> str:
    for pattern, name in MASKS:
        body = re.sub(pattern, name, body)
    return body


def prepare(shop: Shop, name: str) -> None:
    """Bring the sandbox to where the recording was when this answer was taken."""
    if name == "portal ok" or (name.startswith("status ") and name not in ("status none", "status pct slash")):
        shop.buy(product_id="prod_basic", price_id="price_basic")
    if name in ("status past_due", "status canceled"):
        subscription = shop.subscription()["id"]
        shop.control("POST", f"subscriptions/{subscription}/state", {"status": name.split()[1], "delay": 0})
        shop.settle()
    if name == "register again":
        shop.payment("POST", "/admin/products/register", REGISTRATION)


def ask(shop: Shop, name: str) -> httpx.Response:
    method, path = RECORDED[name]["request"].split(" ")
    url = shop.running.payment_ms_url + path
    if name == "malformed":
        return shop.http.post(url, content=b"{not json", headers=shop.key)
    headers = {"no key": {}, "bad key": {"X-API-Key": "proj_wrong"}}.get(name, shop.key)
    return shop.http.request(method, url, json=BODIES.get(name), headers=headers)


@pytest.mark.parametrize("name", RECORDED)
def test_answer_is_as_recorded(shop: Shop, name: str) -> None:
    prepare(shop, name)

    answer = ask(shop, name)

    recorded = RECORDED[name]
    assert answer.status_code == recorded["status"]
    assert answer.headers["content-type"] == recorded["content_type"]
    assert answer.headers.get("location") == recorded["location"]
    assert masked(answer.text) == masked(recorded["body"])
