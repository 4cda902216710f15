"""`make live-check`: every step is taken and undone, and the first that comes out wrong is said."""

import pytest

from payment_service.commands.live_check import PROJECT, LiveCheck, live_check
from payment_service.settings import BadSettings, ServiceSettings
from tests.payment_service.conftest import OpenShops


def test_every_step_is_said_and_what_was_made_is_undone(open_shop: OpenShops) -> None:
    shop = open_shop(project=PROJECT, refund_second=True)
    said: list[str] = []

    assert LiveCheck(shop.service, said.append).run(), said
    assert [line[:4] for line in said] == ["ok  "] * 9
    assert shop.stripe.things["customers"] == {}
    assert {one["status"] for one in shop.stripe.things["subscriptions"].values()} == {"canceled"}
    assert len(shop.stripe.things["refunds"]) == 1


def test_step_that_comes_out_wrong_is_named_and_ends_it(open_shop: OpenShops) -> None:
    shop = open_shop(project=PROJECT, refund_second=True)
    shop.stripe.broken = lambda call: 400 if call == "POST checkout/sessions" else None
    said: list[str] = []

    assert not LiveCheck(shop.service, said.append).run()
    assert said[-1].startswith("FAIL  a checkout is opened, and closed: broken on purpose")


def test_live_key_is_refused() -> None:
    with pytest.raises(BadSettings, match="use a test key"):
        live_check(ServiceSettings(_env_file=None, stripe_secret_key="sk_live_x"))
