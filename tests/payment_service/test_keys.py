"""API keys: several, rotated without a gap, never kept."""

import pytest

from payment_service.keys import KeyNameTaken, ProjectKeys
from tests.payment_service.conftest import OpenShops, ServiceShop


def test_a_key_opens_the_door_until_it_is_revoked(shop: ServiceShop) -> None:
    key = shop.service.keys.make("app")
    headers = {"X-API-Key": key}
    assert key.startswith("proj_")
    assert len(key) == 48
    assert shop.http.get("/api/v1/subscriptions/u/p", headers=headers).status_code == 200

    shop.service.keys.revoke("app")

    assert not ProjectKeys(shop.service.database).accepts(key)


def test_two_keys_are_taken_while_one_is_rotated(shop: ServiceShop) -> None:
    old, new = shop.service.keys.make("old"), shop.service.keys.make("new")

    assert shop.service.keys.accepts(old)
    assert shop.service.keys.accepts(new)
    assert [(key.name, key.revoked) for key in shop.service.keys.listed()] == [("new", None), ("old", None)]
    with pytest.raises(KeyNameTaken):
        shop.service.keys.make("new")


def test_no_key_is_in_the_database(shop: ServiceShop) -> None:
    key = shop.service.keys.make("app")

    (row,) = shop.service.keys.listed()
    assert key not in (row.digest, row.hint)
    assert key.endswith(row.hint)


@pytest.mark.parametrize("headers", [{"X-API-Key": ""}, {"X-API-Key": "proj_wrong"}])
def test_nobody_comes_in_without_one(shop: ServiceShop, headers: dict[str, str]) -> None:
    refused = shop.http.get("/api/v1/subscriptions/u/p", headers=headers)

    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/json")
    assert refused.json()["error"]["code"] == "INVALID_API_KEY"


def test_who_tries_keys_is_held_up_and_a_good_key_is_not(open_shop: OpenShops) -> None:
    shop = open_shop(refused_limit="2/minute")
    tried = [shop.http.get("/api/v1/subscriptions/u/p", headers={"X-API-Key": f"no_{n}"}) for n in range(3)]

    assert [answer.status_code for answer in tried] == [401, 401, 429]
    assert shop.http.get("/api/v1/subscriptions/u/p").status_code == 200
