"""The warning over more than one subscription: no number, no plan that the account does not use."""

from tests.shop import CATALOG
from tests.unit.services.subscription.snapshot_tables import customer_status
from ui.text.twice_words import TwiceWords, twice_words


def said(billing: str, account: str) -> TwiceWords:
    found = twice_words(customer_status(billing, account).duplicates, CATALOG, "en")
    assert found is not None
    return found


def test_the_plan_that_the_account_uses_is_kept_and_the_other_is_to_be_canceled() -> None:
    words = said("basic=active premium=active", "premium active")

    assert words.title == "You're paying twice"
    assert words.sentence == (
        "More than one subscription is active. Your account uses Premium: cancel Basic in the billing portal."
    )


def test_a_trial_beside_a_plan_is_not_said_to_be_charged() -> None:
    words = said("basic=trialing premium=active", "premium active")

    assert words.title == "You have more than one subscription"
    assert words.sentence == ("Each can charge you. Your account uses Premium: cancel Basic in the billing portal.")


def test_an_account_that_says_nothing_is_not_said_to_use_a_plan() -> None:
    words = said("basic=active premium=active", "silent")

    assert words.sentence == "More than one subscription is active. Cancel what you don't need in the billing portal."


def test_of_two_of_one_name_none_is_named() -> None:
    words = said("premium=active#sub_1 premium=active#sub_2 basic=paused", "premium active")

    assert words.sentence == "More than one subscription is active. Cancel what you don't need in the billing portal."


def test_one_subscription_is_none_too_many() -> None:
    assert twice_words(customer_status("premium=active", "premium active").duplicates, CATALOG, "en") is None
