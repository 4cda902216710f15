"""`make live-check`: every step is taken and undone, and the first that comes out wrong is said."""

import pytest

from payment_service.commands.cli import main
from payment_service.commands.live_check import PROJECT, LiveCheck, live_check
from payment_service.settings import BadSettings, ServiceSettings
from tests.payment_service.conftest import OpenShops


def test_every_step_is_said_and_what_was_made_is_undone(open_shop: OpenShops) -> None:
    shop = open_shop(project=PROJECT, refund_second=True)
    said: list[str] = []

    assert LiveCheck(shop.service, said.append).run(), said
    assert [line[:4] for line in said] == ["ok  "] * 10
    assert shop.stripe.things["customers"] == {}
    assert {one["status"] for one in shop.stripe.things["subscriptions"].values()} == {"canceled"}
    assert len(shop.stripe.things["refunds"]) == 1


def test_step_that_comes_out_wrong_is_named_and_ends_it(open_shop: OpenShops) -> None:
    shop = open_shop(project=PROJECT, refund_second=True)
    shop.stripe.broken = lambda call: 400 if call == "POST checkout/sessions" else None
    said: list[str] = []

    assert not LiveCheck(shop.service, said.append).run()
    assert said[-2].startswith("FAIL  a checkout is opened, and closed: broken on purpose")
    assert said[-1] == "ok    what was made is deleted again"


@pytest.mark.parametrize("status", [401, 403], ids=["unknown key", "key without the right"])
def test_key_that_may_not_is_said_at_the_first_step(open_shop: OpenShops, status: int) -> None:
    shop = open_shop(project=PROJECT, refund_second=True)
    shop.stripe.broken = lambda call: status
    said: list[str] = []

    assert not LiveCheck(shop.service, said.append).run()
    assert said[0].startswith("FAIL  Stripe lets the key in: ")
    assert len(said) == 2
    assert not [call for call in shop.stripe.log if not call.startswith("GET")]


def test_what_cannot_be_undone_is_the_last_thing_said(open_shop: OpenShops) -> None:
    shop = open_shop(project=PROJECT, refund_second=True)
    shop.stripe.broken = lambda call: 403 if call == "DELETE customers/{id}" else None
    said: list[str] = []

    assert not LiveCheck(shop.service, said.append).run()
    assert said[-1].startswith("FAIL  what was made is deleted again: broken on purpose")


def test_live_key_is_refused() -> None:
    with pytest.raises(BadSettings, match="use a test key"):
        live_check(ServiceSettings(_env_file=None, stripe_secret_key="sk_live_x"))


def test_without_a_key_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("STRIPE_SECRET_KEY", raising=False)
    monkeypatch.chdir("/")

    assert main(["live-check"]) != 0
    assert "STRIPE_SECRET_KEY is not set" in capsys.readouterr().err
