"""What is said before a press: the catalog's price and the operator's word, a trial for those who had none."""

import pytest

from catalog import Interval, Plan, Price, Promises
from services.checkout_record import CheckoutEvent, CheckoutKind
from services.claims import (
    ClaimKind,
    Evidence,
    NotChargedEvidence,
    Tax,
    arrived_claim,
    checkout_claims,
    ended_claim,
    invoice_claim,
    item_claim,
    no_invoices_claim,
    not_charged_claim,
    not_charged_then_claim,
    offer_claims,
    price_claim,
    promise_claims,
    purchase_claims,
    receipt_claim,
)
from services.payment_contract.invoices import Invoice, InvoiceStatus
from tests.shop import CATALOG
from tests.unit.services.subscription.snapshot_tables import NOW, checkout, customer_status

PREMIUM = CATALOG.plan("premium")


def offered(trial_days: int = 0) -> tuple[Plan, Price]:
    """Return Premium by the month, with a trial of so many days."""
    return PREMIUM, PREMIUM.prices[Interval.MONTH].model_copy(update={"trial_days": trial_days})


@pytest.mark.parametrize("tax", [None, "included", "added", "none"])
def test_what_is_due_today_is_the_catalogs_price_with_the_operators_word_of_tax(tax: Tax | None) -> None:
    due, then = offer_claims(*offered(), None, NOW, tax=tax)

    assert (due.says, due.amount, due.currency, due.tax) == (ClaimKind.DUE_TODAY, 2900, "usd", tax)
    assert due.evidence is Evidence.CATALOG
    assert (then.says, then.interval, then.amount) == (ClaimKind.THEN_EACH, "month", None)


def test_a_trial_is_offered_to_whoever_has_none_on_record() -> None:
    for status in (None, customer_status("", "silent"), customer_status("basic=active", "basic active")):
        (trial,) = offer_claims(*offered(14), status, NOW)
        assert (trial.says, trial.days) == (ClaimKind.TRIAL_OFFERED, 14)


@pytest.mark.parametrize(
    ("billing", "account"),
    [
        ("premium=canceled@-9", "- none"),
        ("premium=trialing", "premium trialing"),
        ("premium=incomplete_expired", "silent"),
        ("premium=?@-30", "silent"),
        ("", "premium canceled"),
    ],
)
def test_nobody_is_offered_a_trial_again(billing: str, account: str) -> None:
    (claim,) = offer_claims(*offered(14), customer_status(billing, account), NOW)

    assert (claim.says, claim.amount, claim.days) == (ClaimKind.TRIAL_FOR_NEW, None, None)


def test_a_trial_that_was_bought_here_counts_though_no_service_knows_of_it() -> None:
    back = checkout(events=[(CheckoutEvent.RETURNED, 30)])
    looked = checkout(events=[(CheckoutEvent.CANCELED, 30)])

    assert offer_claims(*offered(14), customer_status("", "silent", back), NOW)[0].says is ClaimKind.TRIAL_FOR_NEW
    assert offer_claims(*offered(14), customer_status("", "silent", looked), NOW)[0].says is ClaimKind.TRIAL_OFFERED


def test_nothing_was_charged_only_where_that_is_known() -> None:
    assert not_charged_claim(NotChargedEvidence.STOPPED_HERE, NOW).says is ClaimKind.NOTHING_CHARGED
    assert not_charged_claim(NotChargedEvidence.LOOKED_NOW, NOW).says is ClaimKind.NOTHING_CHARGED
    assert not_charged_claim(NotChargedEvidence.NONE, NOW).says is ClaimKind.NOTHING_CHARGED_HERE


def test_what_billing_said_of_an_open_session_is_said_of_that_moment() -> None:
    claim = not_charged_then_claim(checkout(), NOW)

    assert (claim.says, claim.evidence, claim.as_of) == (ClaimKind.NOT_CHARGED_THEN, Evidence.BILLING, NOW)
    assert claim.checkout_id == checkout().id


def test_an_order_is_placed_only_by_what_stripe_alone_knows() -> None:
    back = checkout(events=[(CheckoutEvent.RETURNED, 30)]).model_copy(update={"kind": "item", "plan_id": None})

    typed = back.model_copy(update={"events": {}})

    assert checkout_claims(back, NOW)[0].says is ClaimKind.ORDER_PLACED
    assert checkout_claims(typed, NOW)[0].says is ClaimKind.BACK_FROM_CHECKOUT
    plan = checkout(events=[(CheckoutEvent.RETURNED, 30)])
    assert [claim.says for claim in checkout_claims(plan, NOW)] == [ClaimKind.LIST_PRICE]
    assert checkout_claims(checkout(), NOW)[0].says is ClaimKind.BACK_FROM_CHECKOUT


def test_a_return_is_the_browsers_word_and_the_price_that_of_the_catalog() -> None:
    item = checkout(started=60, events=[(CheckoutEvent.RETURNED, 5)]).model_copy(update={"kind": CheckoutKind.ITEM})

    back, price = checkout_claims(item, NOW)

    assert (back.evidence, back.as_of, back.date) == (Evidence.CHECKOUT, NOW, item.at(CheckoutEvent.RETURNED))
    assert (price.evidence, price.as_of, price.date) == (Evidence.CATALOG, item.started_at, None)
    assert (price.amount, price.currency, price.interval) == (item.total, "usd", "month")


def test_a_checkouts_trial_is_told_in_days() -> None:
    trial = checkout().model_copy(update={"trial_days": 14})

    assert price_claim(trial).days == 14
    assert price_claim(checkout()).days is None


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([], ClaimKind.NO_WORD_YET),
        ([(CheckoutEvent.CANCELED, 5)], None),
        ([(CheckoutEvent.EXPIRED, 5)], None),
        ([(CheckoutEvent.RETURNED, 50), (CheckoutEvent.REPLACED, 5)], ClaimKind.NO_WORD_YET),
        ([(CheckoutEvent.RETURNED, 50), (CheckoutEvent.BILLING_HAS_IT, 5)], ClaimKind.ARRIVED),
        ([(CheckoutEvent.RETURNED, 5)], ClaimKind.CONFIRMING),
        ([(CheckoutEvent.RETURNED, 61)], ClaimKind.CONFIRMING_LONG_UNSURE),
        ([(CheckoutEvent.RETURNED, 601)], ClaimKind.NOT_HEARD_UNSURE),
        ([(CheckoutEvent.RETURNED, 601), (CheckoutEvent.ACCESS_ON, 5)], ClaimKind.PURCHASE_ARRIVED),
        ([(CheckoutEvent.ACCOUNT_HAS_IT, 5), (CheckoutEvent.ACCESS_ON, 5)], None),
    ],
)
def test_a_purchase_in_a_list_says_what_is_known_of_it(
    events: list[tuple[CheckoutEvent, float]], says: ClaimKind | None
) -> None:
    found = purchase_claims(checkout(started=900, events=events), NOW)

    assert [claim.says for claim in found] == [*([says] if says else []), ClaimKind.LIST_PRICE]


def test_an_item_in_a_list_is_an_order_once_stripe_has_sent_the_browser_back() -> None:
    item = checkout(events=[(CheckoutEvent.RETURNED, 5)]).model_copy(update={"kind": CheckoutKind.ITEM})

    assert purchase_claims(item, NOW)[0].says is ClaimKind.ORDER_PLACED
    again = item.model_copy(update={"events": {**item.events, CheckoutEvent.REPLACED: NOW}})
    assert purchase_claims(again, NOW)[0].says is ClaimKind.ORDER_PLACED


def test_an_invoice_is_in_the_state_that_billing_names_and_an_empty_list_is_no_invoice() -> None:
    told = Invoice("NW-1", NOW, 1450, "usd", InvoiceStatus.UNCOLLECTIBLE)

    invoice, none = invoice_claim(told, NOW), no_invoices_claim(NOW)

    assert (invoice.says, invoice.word, invoice.amount) == (ClaimKind.INVOICE, "uncollectible", 1450)
    assert (none.says, none.evidence, none.date) == (ClaimKind.NO_INVOICES, Evidence.BILLING, None)


@pytest.mark.parametrize(
    ("events", "evidence"),
    [
        ([(CheckoutEvent.BILLING_HAS_IT, 5)], Evidence.BILLING),
        ([(CheckoutEvent.BILLING_HAS_IT, 5), (CheckoutEvent.ACCOUNT_HAS_IT, 4)], Evidence.ACCOUNT),
    ],
)
def test_what_has_arrived_rests_on_the_service_that_has_it(
    events: list[tuple[CheckoutEvent, float]], evidence: Evidence
) -> None:
    assert arrived_claim(checkout(events=events), NOW).evidence is evidence


def test_a_cart_asks_for_its_total_once() -> None:
    due = item_claim(None, 9900, "usd", NOW, tax="added")

    assert (due.says, due.amount, due.interval, due.product_id) == (ClaimKind.DUE_TODAY, 9900, None, None)


def test_only_what_the_operator_states_is_promised() -> None:
    assert promise_claims(Promises(), NOW) == ()

    cancel, card = promise_claims(Promises(cancel_any_time=True, free_without_card=True), NOW)

    assert {claim.says for claim in (cancel, card)} == {ClaimKind.PROMISED}
    assert (cancel.word, cancel.evidence) == ("cancel_any_time", Evidence.OPERATOR)
    assert card.word == "free_without_card"


def test_that_a_checkout_ended_unpaid_is_billings_word_of_that_checkout() -> None:
    claim = ended_claim(checkout(events=[(CheckoutEvent.EXPIRED, 5)]), NOW)

    assert (claim.says, claim.evidence, claim.as_of) == (ClaimKind.CHECKOUT_ENDED, Evidence.BILLING, NOW)
    assert (claim.checkout_id, claim.amount, claim.date) == (checkout().id, None, None)


def test_an_invoice_is_said_as_billing_lists_it() -> None:
    listed = Invoice(number="A-1", created=NOW, amount=2900, currency="usd", status=InvoiceStatus.PAID)

    claim = invoice_claim(listed, NOW)

    assert (claim.says, claim.evidence) == (ClaimKind.INVOICE, Evidence.BILLING)
    assert (claim.date, claim.amount, claim.currency, claim.word) == (NOW, 2900, "usd", "paid")


WENT_THROUGH: list[tuple[CheckoutEvent, float]] = [(CheckoutEvent.RETURNED, 30), (CheckoutEvent.ACCESS_ON, 5)]


@pytest.mark.parametrize(
    ("events", "paid", "trial_days", "has_receipt"),
    [
        (WENT_THROUGH, True, 0, True),
        ([(CheckoutEvent.BILLING_HAS_IT, 9), (CheckoutEvent.ACCESS_ON, 5)], True, 0, True),
        (WENT_THROUGH, False, 0, False),
        (WENT_THROUGH, True, 14, False),
        ([(CheckoutEvent.RETURNED, 30)], True, 0, False),
        ([(CheckoutEvent.ACCOUNT_HAS_IT, 9), (CheckoutEvent.ACCESS_ON, 5)], True, 0, False),
    ],
)
def test_there_is_a_receipt_only_of_a_paid_purchase_that_came_from_this_checkout(
    events: list[tuple[CheckoutEvent, float]], paid: bool, trial_days: int, has_receipt: bool
) -> None:
    bought = checkout(events=events).model_copy(update={"trial_days": trial_days})

    claim = receipt_claim(bought, NOW, paid=paid)

    assert (claim is not None) is has_receipt
    assert claim is None or (claim.says, claim.evidence) == (ClaimKind.RECEIPT, Evidence.BOUGHT_HERE)


def test_an_item_has_a_receipt_once_billing_says_that_it_was_paid() -> None:
    item = checkout(events=[(CheckoutEvent.BILLING_HAS_IT, 5)]).model_copy(update={"kind": CheckoutKind.ITEM})

    claim = checkout_claims(item, NOW)[0]

    assert (claim.says, claim.evidence) == (ClaimKind.RECEIPT, Evidence.BILLING)
