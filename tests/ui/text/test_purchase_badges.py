"""The badges of purchases and invoices: each claim that a list of them can make has its word."""

import pytest

from services.checkout_record import CheckoutEvent, CheckoutKind
from services.claims import purchase_claims
from services.payment_contract.invoices import InvoiceStatus
from tests.unit.services.subscription.snapshot_tables import NOW, checkout
from ui.billing.invoices import TONES
from ui.billing.orders import badge_claim
from ui.text.claim_words import INVOICE_WORDS, PURCHASE_BADGES

BACK, IN_BILLING = CheckoutEvent.RETURNED, CheckoutEvent.BILLING_HAS_IT


@pytest.mark.parametrize(
    ("kind", "events", "badge"),
    [
        ("subscription", [], "Not confirmed"),
        ("subscription", [(CheckoutEvent.CANCELED, 5)], None),
        ("subscription", [(CheckoutEvent.EXPIRED, 5)], None),
        ("subscription", [(BACK, 5)], "Confirming"),
        ("subscription", [(BACK, 61)], "Confirming"),
        ("subscription", [(BACK, 601)], "Confirming"),
        ("subscription", [(BACK, 50), (IN_BILLING, 5)], "Confirming"),
        ("subscription", [(BACK, 50), (CheckoutEvent.CANCELED, 5)], "Not confirmed"),
        ("subscription", [(BACK, 50), (CheckoutEvent.REPLACED, 5)], "Not confirmed"),
        ("subscription", [(BACK, 50), (CheckoutEvent.ACCESS_ON, 5)], "Confirmed"),
        ("subscription", [(BACK, 90_000), (CheckoutEvent.COMPLETE, 90_000)], "Not confirmed"),
        ("item", [], "Not confirmed"),
        ("item", [(BACK, 50)], "Order placed"),
        ("item", [(BACK, 50), (CheckoutEvent.REPLACED, 5)], "Order placed"),
        ("item", [(IN_BILLING, 5)], "Confirmed"),
    ],
)
def test_each_purchase_in_a_list_has_the_word_of_its_claim(
    kind: str, events: list[tuple[CheckoutEvent, float]], badge: str | None
) -> None:
    started = max([900, *(ago for _event, ago in events)])
    bought = checkout(started=started, events=events).model_copy(update={"kind": CheckoutKind(kind)})

    said = badge_claim(purchase_claims(bought, NOW))

    assert (PURCHASE_BADGES[said.says] if said else None) == badge


def test_each_word_of_stripes_for_an_invoice_has_ours() -> None:
    assert INVOICE_WORDS.keys() == set(InvoiceStatus) == TONES.keys()
