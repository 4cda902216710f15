"""What is said of money where billing tells it, in each case no more than it told."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from services.checkout_record import CheckoutEvent
from services.claims import Claim, ClaimKind, Evidence, subscription_claims
from services.lifecycle import Lifecycle
from services.payment_contract.details import ListPrice, NextCharge, ScheduledChange, SubscriptionDetails
from services.subscription.customer_status import CustomerStatus
from services.subscription.portal_trace import PortalTrace, trace_of
from services.subscription.reconcile import reconcile
from services.subscription.snapshot import UpstreamSnapshot
from tests.shop import CATALOG
from tests.unit.services.subscription.snapshot_tables import NOW, checkout, in_days, snapshot, telling
from ui.text.claim_words import Reader, sentences
from ui.text.i18n import use_locale

GOES_ON: Final = Lifecycle(cancel_at_period_end=False, paused=False, told=True)
END: Final = in_days(20)
PRICE: Final = ListPrice(2900, "usd", "month")
CHARGE: Final = NextCharge(END, 1450, "usd", 0, 1450)
TOLD: Final = SubscriptionDetails(price=PRICE, next_charge=CHARGE)


def with_details(
    details: SubscriptionDetails, *, billing: str = "premium=active", account: str = "premium active",
    life: Lifecycle = GOES_ON,
) -> UpstreamSnapshot:  # fmt: skip
    """Return what both services say, with what billing tells of money."""
    said = telling(snapshot(billing, account), life)
    records = {
        product: answer.model_copy(update={"record": replace(answer.record, details=details)})
        if answer.record.exists
        else answer
        for product, answer in said.records.items()
    }
    return said.model_copy(update={"records": records})


def status(said: UpstreamSnapshot, *bought: object, portal: PortalTrace | None = None) -> CustomerStatus:
    return reconcile("user_1", said, bought, CATALOG, NOW, portal=portal)  # type: ignore[arg-type]


def claims(said: UpstreamSnapshot, portal: PortalTrace | None = None) -> dict[ClaimKind, Claim]:
    """Return what is said of the headline, by kind."""
    found = subscription_claims(status(said, portal=portal).current, CATALOG, NOW)
    return {claim.says: claim for claim in found}


def words(said: UpstreamSnapshot, locale: str = "en") -> str:
    """Return the card's sentence."""
    with use_locale(locale):
        reader = Reader.at(CATALOG, locale, "UTC", NOW)
        return str(sentences(subscription_claims(status(said).current, CATALOG, NOW), reader))


def test_a_renewal_names_the_sum_that_billing_names() -> None:
    renews = claims(with_details(TOLD))[ClaimKind.RENEWS_ON]

    assert (renews.amount, renews.currency, renews.percent_off, renews.date) == (1450, "usd", 50, END)
    assert renews.evidence is Evidence.BILLING
    assert words(with_details(TOLD)) == "Renews on December 14 for $14.50 (50% off)."


@pytest.mark.parametrize(
    ("charge", "sentence"),
    [
        (NextCharge(END, 2900, "usd", 463, 0), "Renews on December 14 for $29.00 ($4.63 tax included)."),
        (NextCharge(END, 1726, "usd", 276, 1450), "Renews on December 14 for $17.26 (50% off, $2.76 tax added)."),
        (NextCharge(END, 2668, "eur"), "Renews on December 14 for €26.68."),
        (NextCharge(END, 2567, "usd", 0, 333), "Renews on December 14 for $25.67."),
        (NextCharge(in_days(18), 1450, "usd"), "Renews on December 14."),
        (NextCharge(END, 0, "usd", 0, 2900), "Renews on December 14."),
    ],
)
def test_what_is_in_a_sum_is_said_where_the_numbers_prove_it(charge: NextCharge, sentence: str) -> None:
    assert words(with_details(SubscriptionDetails(price=PRICE, next_charge=charge))) == sentence


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        ("de", "Verlängert sich am 14. Dezember für 17,26\xa0US$ (50\xa0% Rabatt, 2,76\xa0US$ Steuer hinzugerechnet)."),
        ("ja", "12月14日にUS$17.26（50%割引、税US$2.76を加算）で更新されます。"),
    ],
)
def test_it_is_said_in_the_readers_language(locale: str, sentence: str) -> None:
    charge = NextCharge(END, 1726, "usd", 276, 1450)

    assert words(with_details(SubscriptionDetails(price=PRICE, next_charge=charge)), locale) == sentence


@pytest.mark.parametrize(
    "life", [Lifecycle(cancel_at_period_end=True), Lifecycle(cancel_at_period_end=False, paused=True, told=True)]
)
def test_a_sum_is_not_said_of_what_ends_or_is_paused(life: Lifecycle) -> None:
    found = claims(with_details(TOLD, life=life))

    assert all(claim.amount is None or kind is ClaimKind.LIST_PRICE for kind, claim in found.items())


def on_trial(details: SubscriptionDetails, life: Lifecycle = GOES_ON) -> UpstreamSnapshot:
    return with_details(details, billing="premium=trialing", account="premium trialing", life=life)


def test_what_is_charged_after_a_trial_takes_the_charge_at_its_end() -> None:
    charged = claims(on_trial(TOLD))[ClaimKind.CHARGED_THEN]

    assert (charged.amount, charged.currency, charged.date, charged.evidence) == (1450, "usd", END, Evidence.BILLING)
    elsewhere = SubscriptionDetails(price=PRICE, next_charge=NextCharge(in_days(18), 1450, "usd"))
    for said in (
        on_trial(SubscriptionDetails(price=PRICE)),
        on_trial(elsewhere),
        on_trial(TOLD, Lifecycle(cancel_at_period_end=True)),
    ):
        assert ClaimKind.CHARGED_THEN not in claims(said)
    assert ClaimKind.CHARGED_THEN not in claims(on_trial(TOLD), portal=trace_of(on_trial(TOLD), NOW))


def test_after_a_visit_to_the_portal_nothing_of_it_is_repeated_until_something_new_is_heard() -> None:
    change = SubscriptionDetails(price=PRICE, next_charge=CHARGE, change=ScheduledChange(END, "prod_basic"))
    said = with_details(change)
    found = claims(said, portal=trace_of(said, NOW))

    assert not found.keys() & {ClaimKind.RENEWS_ON, ClaimKind.LIST_PRICE, ClaimKind.CHANGES_ON}
    assert ClaimKind.RENEWS_ON in claims(said, portal=trace_of(with_details(TOLD), NOW))


def test_list_price_is_billings_where_it_tells_one_and_else_that_of_the_purchase() -> None:
    bought = checkout(started=120, events=[(CheckoutEvent.RETURNED, 60), (CheckoutEvent.ACCESS_ON, 50)])
    told = ListPrice(3900, "eur", "month")
    of_billing, of_purchase = (
        next(
            claim
            for claim in subscription_claims(status(said, bought).current, CATALOG, NOW)
            if claim.says is ClaimKind.LIST_PRICE
        )
        for said in (
            with_details(SubscriptionDetails(price=told), billing="premium=active@+30"),
            telling(snapshot("premium=active@+30", "premium active"), GOES_ON),
        )
    )

    assert (of_billing.amount, of_billing.currency, of_billing.evidence) == (3900, "eur", Evidence.BILLING)
    assert (of_purchase.amount, of_purchase.currency, of_purchase.evidence) == (2900, "usd", Evidence.BOUGHT_HERE)


def test_a_trial_says_what_is_charged_then() -> None:
    said = with_details(
        SubscriptionDetails(price=PRICE, next_charge=NextCharge(END, 2900, "usd")),
        billing="premium=trialing", account="premium trialing",
    )  # fmt: skip

    assert words(said) == "Free until December 14. Then $29.00 is charged, unless you cancel before."


@pytest.mark.parametrize(
    ("product", "price", "sentence"),
    [
        ("prod_basic", ListPrice(900, "usd", "month"), "Changes to Basic, $9.00 a month, on December 14."),
        ("prod_basic", None, "Changes to Basic on December 14."),
        ("prod_of_nobody", ListPrice(900, "usd", "month"), "Changes to another plan on December 14."),
    ],
)
def test_a_booked_change_is_said_with_what_is_known_of_it(product: str, price: ListPrice | None, sentence: str) -> None:
    details = SubscriptionDetails(change=ScheduledChange(END, product, price))

    assert words(with_details(details)).endswith(sentence)


def test_a_change_that_is_past_or_of_what_ends_is_not_said() -> None:
    over = SubscriptionDetails(change=ScheduledChange(NOW - timedelta(days=1), "prod_basic"))
    ahead = SubscriptionDetails(change=ScheduledChange(END, "prod_basic"))

    assert ClaimKind.CHANGES_ON not in claims(with_details(over))
    assert ClaimKind.CHANGES_ON not in claims(with_details(ahead, life=Lifecycle(cancel_at_period_end=True)))


def test_a_pause_is_said_until_the_day_on_which_payments_go_on() -> None:
    life = Lifecycle(cancel_at_period_end=False, paused=True, told=True)

    assert words(with_details(SubscriptionDetails(resumes_at=in_days(9)), life=life)).endswith(
        "Payments are paused until December 3."
    )
    assert words(with_details(SubscriptionDetails(), life=life)).endswith("Payments are paused.")
