"""Rows 45 to 48: the catalog's file breaks, changes under an open page, or differs between replicas."""

import json
from pathlib import Path

import pytest

from harness.redis_server import RedisServer
from tests.faults.shop import CHECKOUT, PREMIUM, ProxiedProduct, until
from tests.forks import ROOT

CHANGED = "Our prices changed while this page was open."


def catalog_at(path: Path, amount: int = 2900) -> str:
    """Write a catalog in which Premium costs so much a month; return its path."""
    content = json.loads((ROOT / "products.json").read_text(encoding="utf-8"))
    premium = next(plan for plan in content["plans"] if plan["id"] == "premium")
    premium["prices"]["month"]["amount"] = amount
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


@pytest.mark.faults("45 products.json invalid at the start")
async def test_a_broken_catalog_stops_the_start_with_path_and_reason(shop: ProxiedProduct) -> None:
    path = shop.folder / "products.json"
    path.write_text('{"plans": [')

    with pytest.raises(AssertionError, match="ended with 2") as caught:
        await shop.open({"CATALOG_PATH": str(path)})

    assert "products.json" in str(caught.value)
    assert "Traceback" not in str(caught.value)


@pytest.mark.faults("46 products.json broken while running")
async def test_the_last_good_catalog_is_sold_while_the_file_is_broken(shop: ProxiedProduct) -> None:
    path = shop.folder / "products.json"
    await shop.open({"CATALOG_PATH": catalog_at(path)})
    person = await shop.person().sign_in()
    path.write_text(path.read_text()[:400])

    await until(lambda: "catalog" in shop.app.log() and bool(shop.app.events("catalog_refused")), 6)

    ready = await shop.ready()
    assert (ready["status"], ready["checks"]["catalog"]["status"]) == ("degraded", "degraded")
    assert "$29" in (await person.look("/pricing")).text
    assert (await person.ask(PREMIUM)).status_code == 200
    catalog_at(path, 3100)
    await until(lambda: bool(shop.app.events("catalog_changed")), 6)
    assert "$31" in (await person.look("/pricing")).text
    assert len(shop.app.events("catalog_refused")) == 1


@pytest.mark.faults("47 price changed under an open page")
async def test_an_old_price_is_never_charged(shop: ProxiedProduct) -> None:
    path = shop.folder / "products.json"
    await shop.open({"CATALOG_PATH": catalog_at(path)})
    person = await shop.person().sign_in()
    assert "$29" in (await person.look("/payment")).text
    catalog_at(path, 3900)
    await until(lambda: bool(shop.app.events("catalog_changed")), 6)

    page = await person.press(PREMIUM, amount="2900")
    answer = await person.ask(PREMIUM, amount=2900)

    assert CHANGED in page.text
    assert "$39" in page.text
    assert (answer.status_code, answer.json()["code"]) == (409, "catalog_changed")
    assert shop.payment.calls(CHECKOUT) == []


@pytest.mark.faults("48 replicas hold different catalogs")
async def test_a_form_of_one_replica_is_reviewed_at_another(shop: ProxiedProduct, tmp_path: Path) -> None:
    redis = RedisServer(tmp_path)
    try:
        shared = redis.settings
        await shop.open(shared | {"CATALOG_PATH": catalog_at(shop.folder / "old.json")})
        person = await shop.person().sign_in()
        assert (await person.look("/payment")).status == 200
        await shop.open(shared | {"CATALOG_PATH": catalog_at(shop.folder / "new.json", 3900)})
        there = shop.person()
        there.client.cookies = person.client.cookies

        page = await there.press(PREMIUM, amount="2900")

        assert CHANGED in page.text
        assert shop.payment.calls(CHECKOUT) == []
    finally:
        redis.kill()
