"""Refunds and disputes: money comes back, the subscription goes on."""

import pytest

from tests.sandbox.local import LocalShop


def invoice(local: LocalShop) -> str:
    return str(local.truth()["charges"][0]["invoice_id"])


def test_refunds_add_up_to_what_was_paid(local: LocalShop) -> None:
    local.subscribe()

    local.control("POST", f"invoices/{invoice(local)}/refund", {"amount": 900})
    part = local.truth()["returned"]
    local.control("POST", f"invoices/{invoice(local)}/refund")

    assert (part, local.truth()["returned"]) == ({"usd": 900}, {"usd": 2900})
    assert local.running_truth()["status"] == "active"
    assert [event["type"] for event in local.truth()["events"]][:2] == ["charge.refunded"] * 2


@pytest.mark.parametrize("amount", [2901, 5000])
def test_more_than_was_paid_is_not_refunded(local: LocalShop, amount: int) -> None:
    local.subscribe()

    url = f"{local.place.control_url}/invoices/{invoice(local)}/refund"

    assert local.http.post(url, json={"amount": amount}).status_code == 409
    assert local.truth()["returned"] == {}


@pytest.mark.parametrize(("end", "returned"), [("won", {}), ("lost", {"usd": 2900})])
def test_dispute_is_won_or_lost(local: LocalShop, end: str, returned: dict[str, int]) -> None:
    local.subscribe()
    local.control("POST", f"invoices/{invoice(local)}/dispute")
    opened = local.truth()

    local.control("POST", f"invoices/{invoice(local)}/dispute", {"status": end})

    assert (opened["charges"][0]["dispute"], opened["returned"]) == ("needs_response", {"usd": 2900})
    assert local.truth()["returned"] == returned


@pytest.mark.parametrize("what", ["refund", "dispute"])
def test_unpaid_invoice_gives_nothing_back(local: LocalShop, what: str) -> None:
    local.control("POST", "users/user_ada/state", {"status": "past_due"})
    unpaid = next(charge["invoice_id"] for charge in local.truth()["charges"] if charge["status"] == "open")

    assert local.http.post(f"{local.place.control_url}/invoices/{unpaid}/{what}").status_code == 409
