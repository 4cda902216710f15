"""The rules that make one truth of two services' answers, as a table, and the rules that a table can't hold."""

from typing import NamedTuple

import pytest

from services.checkout_record import CheckoutEvent
from services.lifecycle import Lifecycle
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Action, ConfirmationWait, Reason, Source, State
from services.subscription.reconcile import access_on, plan_named, reconcile, status_word
from tests.fakes import SHAPES, Shape
from tests.shop import CATALOG, without
from tests.unit.services.subscription.snapshot_tables import NOW, checkout, customer_status, in_days, snapshot


class ReconcileRow(NamedTuple):
    """One line of the table. `plan` is the plan spoken of."""

    billing: str
    account: str
    state: State
    access: bool
    plan: str | None
    reason: Reason


S, R = State, Reason
TABLE = [
    # billing says                account says                  so it is             access plan        because
    ReconcileRow("", "silent", S.NONE, False, None, R.ACCOUNT_SILENT),
    ReconcileRow("", "free active", S.NONE, False, None, R.NO_SUBSCRIPTION),
    ReconcileRow("", "- none", S.NONE, False, None, R.NO_SUBSCRIPTION),
    ReconcileRow("", "unasked", S.UNAVAILABLE, False, None, R.ACCOUNT_UNREACHABLE),
    # The Auth MS decides access, the Payment MS product, dates and existence.
    ReconcileRow("premium=active", "premium active", S.ACTIVE, True, "premium", R.AGREED),
    ReconcileRow("premium=active", "premium active@-2", S.ACTIVE, True, "premium", R.AGREED),
    ReconcileRow("premium=trialing", "premium trialing", S.TRIALING, True, "premium", R.AGREED),
    ReconcileRow("premium=trialing", "premium trial", S.TRIALING, True, "premium", R.AGREED),
    ReconcileRow("premium=past_due", "premium active", S.PAST_DUE, True, "premium", R.AGREED),
    ReconcileRow("premium=past_due", "premium none", S.PAST_DUE, False, "premium", R.BILLING_SAYS),
    ReconcileRow("premium=active", "Premium ACTIVE", S.ACTIVE, True, "premium", R.AGREED),
    ReconcileRow("premium=active", "prod_premium active", S.ACTIVE, True, "premium", R.AGREED),
    ReconcileRow("premium=active", "price_premium_year active", S.ACTIVE, True, "premium", R.AGREED),
    ReconcileRow("premium=active", "- active", S.ACTIVE, True, "premium", R.AGREED),
    ReconcileRow("premium=unpaid", "premium active", S.UNPAID, True, "premium", R.ACCOUNT_DIFFERS),
    ReconcileRow("premium=paused", "premium active", S.PAUSED, True, "premium", R.ACCOUNT_DIFFERS),
    ReconcileRow("premium=unpaid", "premium unpaid", S.UNPAID, False, "premium", R.BILLING_SAYS),
    ReconcileRow("premium=incomplete", "silent", S.INCOMPLETE, False, "premium", R.BILLING_SAYS),
    ReconcileRow("premium=incomplete_expired", "silent", S.INCOMPLETE_EXPIRED, False, "premium", R.BILLING_SAYS),
    # An account that says nothing of plans leaves access to billing's own word.
    ReconcileRow("premium=active", "silent", S.ACTIVE, True, "premium", R.BILLING_SAYS),
    ReconcileRow("premium=trialing", "silent", S.TRIALING, True, "premium", R.BILLING_SAYS),
    ReconcileRow("premium=canceled@+5", "silent", S.CANCELED, True, "premium", R.BILLING_SAYS),
    ReconcileRow("premium=canceled@-5", "silent", S.CANCELED, False, "premium", R.BILLING_SAYS),
    # An account that never answered grants nothing.
    ReconcileRow("premium=active", "unasked", S.ACTIVE, False, "premium", R.ACCOUNT_UNREACHABLE),
    ReconcileRow("premium=canceled@+5", "unasked", S.CANCELED, False, "premium", R.ACCOUNT_UNREACHABLE),
    # The running service has no word: the account's word is what the record is worth.
    ReconcileRow("premium=?", "premium active", S.ACTIVE, True, "premium", R.AGREED),
    ReconcileRow("premium=?", "premium trialing", S.TRIALING, True, "premium", R.AGREED),
    ReconcileRow("premium=?", "premium past_due", S.PAST_DUE, True, "premium", R.AGREED),
    ReconcileRow("premium=?", "premium unpaid", S.UNPAID, False, "premium", R.ACCOUNT_SAYS),
    ReconcileRow("premium=?", "premium paused", S.PAUSED, False, "premium", R.ACCOUNT_SAYS),
    ReconcileRow("premium=?", "premium incomplete", S.INCOMPLETE, False, "premium", R.ACCOUNT_SAYS),
    ReconcileRow("premium=?", "- active", S.ACTIVE, True, "premium", R.AGREED),
    # Without that either, it is on record and no more is claimed.
    ReconcileRow("premium=?", "silent", S.ON_RECORD, False, "premium", R.ACCOUNT_SILENT),
    ReconcileRow("premium=?@none", "silent", S.ON_RECORD, False, "premium", R.ACCOUNT_SILENT),
    ReconcileRow("premium=?@-2", "silent", S.ON_RECORD, False, "premium", R.ACCOUNT_SILENT),
    ReconcileRow("premium=?", "unasked", S.ON_RECORD, False, "premium", R.ACCOUNT_UNREACHABLE),
    ReconcileRow("premium=?", "- none", S.ON_RECORD, False, "premium", R.ACCOUNT_DIFFERS),
    # A period that is over has ended nothing: news of a renewal can be lost. Only a word says that something ended.
    ReconcileRow("premium=?@-4", "silent", S.ON_RECORD, False, "premium", R.PERIOD_OVER),
    ReconcileRow("premium=?@-400", "silent", S.ON_RECORD, False, "premium", R.PERIOD_OVER),
    ReconcileRow("premium=?@-4", "- none", S.ON_RECORD, False, "premium", R.PERIOD_OVER),
    ReconcileRow("premium=?@-4", "unasked", S.ON_RECORD, False, "premium", R.ACCOUNT_UNREACHABLE),
    ReconcileRow("premium=?@-4", "premium active", S.ACTIVE, True, "premium", R.AGREED),
    ReconcileRow("premium=?@-4", "premium past_due", S.PAST_DUE, True, "premium", R.AGREED),
    ReconcileRow("premium=?@-4", "premium unpaid", S.UNPAID, False, "premium", R.ACCOUNT_SAYS),
    ReconcileRow("premium=?", "premium canceled", S.CANCELED, False, "premium", R.ACCOUNT_SAYS),
    ReconcileRow("premium=?@none", "premium cancelled", S.CANCELED, False, "premium", R.ACCOUNT_SAYS),
    ReconcileRow("premium=?", "premium canceled@+9", S.CANCELED, True, "premium", R.ACCOUNT_SAYS),
    ReconcileRow("premium=?@-4", "premium active@-4", S.ON_RECORD, False, "premium", R.PERIOD_OVER),
    ReconcileRow("premium=canceled@-5", "premium active@-4", S.CANCELED, False, "premium", R.BILLING_SAYS),
    # An account whose date is over was perhaps not told of a renewal that billing knows: nothing has ended for sure.
    ReconcileRow("premium=?", "premium active@-4", S.ON_RECORD, False, "premium", R.ACCOUNT_DIFFERS),
    ReconcileRow("premium=?@none", "premium active@-4", S.ON_RECORD, False, "premium", R.ACCOUNT_DIFFERS),
    ReconcileRow("premium=active", "premium active@-4", S.ACTIVE, False, "premium", R.BILLING_SAYS),
    ReconcileRow("premium=active", "premium canceled@+9", S.ACTIVE, True, "premium", R.AGREED),
    ReconcileRow("", "premium canceled", S.CANCELED, False, "premium", R.ACCOUNT_SAYS),
    ReconcileRow("", "premium active@-4", S.ON_RECORD, False, "premium", R.PERIOD_OVER),
    ReconcileRow("", "premium trialing@-400", S.ON_RECORD, False, "premium", R.PERIOD_OVER),
    ReconcileRow("basic=canceled@-9", "premium active@-4", S.ON_RECORD, False, "premium", R.PERIOD_OVER),
    # A word that nobody here knows is shown as itself, grants nothing, and is never called ended.
    ReconcileRow("premium=dormant", "silent", S.ON_RECORD, False, "premium", R.UNKNOWN_WORD),
    ReconcileRow("premium=dormant", "premium active", S.ON_RECORD, True, "premium", R.UNKNOWN_WORD),
    ReconcileRow("premium=?", "premium dormant", S.ON_RECORD, False, "premium", R.UNKNOWN_WORD),
    ReconcileRow("premium=?@-4", "premium dormant", S.ON_RECORD, False, "premium", R.UNKNOWN_WORD),
    ReconcileRow("", "premium dormant", S.ON_RECORD, False, "premium", R.ACCOUNT_SAYS),
    # Granted without billing: on the account, unless it was bought here or the word can only come from a payment.
    ReconcileRow("", "premium active", S.ON_ACCOUNT, True, "premium", R.GRANTED),
    ReconcileRow("", "premium trialing@+9", S.ON_ACCOUNT, True, "premium", R.GRANTED),
    ReconcileRow("", "- active", S.ON_ACCOUNT, True, None, R.GRANTED),
    ReconcileRow("", "legacy active", S.ON_ACCOUNT, True, None, R.UNKNOWN_PLAN),
    # A gift is called one only in a word that the operator lists.
    ReconcileRow("", "premium gifted", S.COMPED, True, "premium", R.GRANTED),
    ReconcileRow("", "premium Gifted@+9", S.COMPED, True, "premium", R.GRANTED),
    ReconcileRow("", "- gifted", S.COMPED, True, None, R.GRANTED),
    ReconcileRow("!", "premium gifted", S.COMPED, True, "premium", R.BILLING_UNREACHABLE),
    ReconcileRow("premium=active", "premium gifted", S.ACTIVE, True, "premium", R.AGREED),
    ReconcileRow("", "premium gifted@-4", S.CANCELED, False, "premium", R.ACCOUNT_SAYS),
    ReconcileRow("", "premium donated", S.ON_RECORD, False, "premium", R.ACCOUNT_SAYS),
    # A name that means "no plan" is none, also where the catalog has no plan of that name.
    ReconcileRow("", "none active", S.NONE, False, None, R.NO_SUBSCRIPTION),
    ReconcileRow("", "premium past_due", S.PAST_DUE, True, "premium", R.ACCOUNT_SAYS),
    ReconcileRow("", "premium unpaid", S.UNPAID, False, "premium", R.ACCOUNT_SAYS),
    ReconcileRow("", "premium canceled@+9", S.CANCELED, True, "premium", R.ACCOUNT_SAYS),
    # The two disagree on access, or on the plan.
    ReconcileRow("premium=active", "premium none", S.CONFLICT, False, "premium", R.ACCOUNT_DIFFERS),
    ReconcileRow("premium=active", "- none", S.CONFLICT, False, "premium", R.ACCOUNT_DIFFERS),
    ReconcileRow("premium=active", "free active", S.CONFLICT, False, "premium", R.ACCOUNT_DIFFERS),
    ReconcileRow("premium=canceled@-5", "premium active", S.CONFLICT, True, "premium", R.ACCOUNT_DIFFERS),
    ReconcileRow("premium=incomplete_expired", "premium active", S.CONFLICT, True, "premium", R.ACCOUNT_DIFFERS),
    ReconcileRow("basic=active", "premium gifted", S.CONFLICT, True, "premium", R.PLAN_DIFFERS),
    # One subscription that billing lists under the plan that was bought: the account names what it was changed to.
    ReconcileRow("basic=active", "premium active", S.ACTIVE, True, "premium", R.PLAN_CHANGED),
    ReconcileRow("basic=past_due", "premium active", S.PAST_DUE, True, "premium", R.PLAN_CHANGED),
    ReconcileRow("basic=?", "premium active", S.ACTIVE, True, "premium", R.PLAN_CHANGED),
    ReconcileRow("basic=?", "premium trialing", S.TRIALING, True, "premium", R.PLAN_CHANGED),
    ReconcileRow("basic=active", "premium trialing", S.TRIALING, True, "premium", R.PLAN_CHANGED),
    ReconcileRow("basic=trialing", "premium active", S.ACTIVE, True, "premium", R.PLAN_CHANGED),
    ReconcileRow("basic=?", "premium canceled@+9", S.CANCELED, True, "premium", R.PLAN_CHANGED),
    ReconcileRow("basic=active", "premium canceled@+9", S.CONFLICT, True, "premium", R.PLAN_DIFFERS),
    ReconcileRow("basic=trialing", "premium canceled@+9", S.CONFLICT, True, "premium", R.PLAN_DIFFERS),
    ReconcileRow("basic=paused", "premium active", S.CONFLICT, True, "premium", R.PLAN_DIFFERS),
    ReconcileRow("basic=unpaid", "premium active", S.CONFLICT, True, "premium", R.PLAN_DIFFERS),
    ReconcileRow("basic=?#s1 backup=?#s2", "premium active", S.ACTIVE, True, "premium", R.PLAN_CHANGED),
    ReconcileRow("basic=active#s1 vanished=active#s2", "premium active", S.CONFLICT, True, "premium", R.PLAN_DIFFERS),
    ReconcileRow("basic=active", "legacy active", S.CONFLICT, True, "basic", R.PLAN_DIFFERS),
    ReconcileRow("basic=?", "legacy active", S.CONFLICT, True, None, R.PLAN_DIFFERS),
    ReconcileRow("premium=canceled@+5", "premium active", S.CANCELED, True, "premium", R.BILLING_SAYS),
    ReconcileRow("premium=active", "premium canceled", S.CONFLICT, False, "premium", R.ACCOUNT_DIFFERS),
    # Both call it ended, with different ends: access follows the account, and so does the state.
    ReconcileRow("premium=canceled@+20", "premium canceled@+5", S.CANCELED, True, "premium", R.BILLING_SAYS),
    ReconcileRow("premium=canceled@-5", "premium canceled@+5", S.CANCELED, True, "premium", R.BILLING_SAYS),
    ReconcileRow("premium=canceled@+20", "premium canceled@-5", S.CANCELED, False, "premium", R.BILLING_SAYS),
    # The account speaks of one plan; of a plan in another group it says nothing.
    ReconcileRow("backup=active", "premium active", S.ON_ACCOUNT, True, "premium", R.GRANTED),
    ReconcileRow("backup=active", "premium canceled", S.CANCELED, False, "premium", R.ACCOUNT_SAYS),
    ReconcileRow("backup=?", "premium none", S.NONE, False, None, R.NO_SUBSCRIPTION),
    # An ended record of another plan is no contradiction to a granted one.
    ReconcileRow("basic=canceled@-5", "premium active", S.ON_ACCOUNT, True, "premium", R.GRANTED),
    ReconcileRow("basic=?@-5", "premium active", S.ON_ACCOUNT, True, "premium", R.GRANTED),
    # Billing can't be asked: what was known stands, what was never known is not called "none".
    ReconcileRow("premium=active !", "premium active", S.ACTIVE, True, "premium", R.AGREED),
    ReconcileRow("!", "premium active", S.ACTIVE, True, "premium", R.BILLING_UNREACHABLE),
    ReconcileRow("basic=? !", "premium active", S.ACTIVE, True, "premium", R.BILLING_UNREACHABLE),
    ReconcileRow("premium=active !", "unasked", S.ACTIVE, False, "premium", R.ACCOUNT_UNREACHABLE),
    ReconcileRow("!", "unasked", S.UNAVAILABLE, False, None, R.NO_SERVICE_REACHABLE),
]  # fmt: skip


def _line(rule: ReconcileRow) -> str:
    return f"{rule.billing or 'nothing'} | {rule.account} -> {rule.state}"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rule", TABLE, ids=_line)
def test_the_table(rule: ReconcileRow, shape: Shape) -> None:
    """A record with a word comes in the two shapes that have one, a record without in the third."""
    found = customer_status(
        rule.billing, rule.account, shape="openapi" if shape == "running" else shape, gifts=("gifted",)
    )
    current = found.current

    assert (current.state, current.access, current.plan_id, current.reason) == rule[2:]


@pytest.mark.parametrize("rule", TABLE, ids=_line)
def test_nothing_is_claimed_that_neither_service_says(rule: ReconcileRow) -> None:
    words = f"{rule.billing} {rule.account}".lower()
    found = customer_status(rule.billing, rule.account)

    for one in found.all:
        if one.state in (State.ACTIVE, State.TRIALING, State.PAST_DUE):
            assert {"active": "active", "trialing": "trial", "past_due": "past_due"}[one.state] in words
        if one.access:
            assert any(word in words for word in ("active", "trial", "past_due", "canceled@+"))
            assert "unasked" not in words


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("word", ["active", "trialing", "past_due", "unpaid", "paused", "incomplete", "canceled"])
def test_all_three_shapes_come_to_the_same_state_once_the_account_speaks(word: str, shape: Shape) -> None:
    billing = "premium=?" if shape == "running" else f"premium={word}"

    found = customer_status(billing, f"premium {word}", shape=shape)

    assert found.current.state == word
    assert found.current.access == (word in ("active", "trialing", "past_due"))


@pytest.mark.parametrize(
    ("word", "state"),
    [
        (None, (None, None)),
        ("  ", (None, None)),
        ("Past-Due", (State.PAST_DUE, None)),
        ("past due", (State.PAST_DUE, None)),
        ("in_trial", (State.TRIALING, None)),
        ("expired", (State.CANCELED, None)),
        ("free", (State.NONE, None)),
        (" <b>odd</b> ", (State.ON_RECORD, "<b>odd</b>")),
    ],
)
def test_words_are_read_loosely_and_unknown_ones_kept(word: str | None, state: object) -> None:
    assert status_word(word) == state


def test_a_plan_is_found_by_id_product_price_or_name() -> None:
    for word in ("premium", " PREMIUM ", "prod_premium", "price_premium_month"):
        plan = plan_named(CATALOG, word)
        assert plan is not None
        assert plan.id == "premium"
    assert plan_named(CATALOG, "legacy") is plan_named(CATALOG, "") is plan_named(CATALOG, None) is None


def test_an_unknown_word_is_kept_to_be_shown() -> None:
    assert customer_status("premium=dormant", "silent").current.word == "dormant"
    assert customer_status("premium=?", "premium dormant").current.word == "dormant"
    assert customer_status("", "premium dormant").current.word == "dormant"


def test_the_date_is_billings_and_that_of_an_end_the_accounts() -> None:
    assert customer_status("premium=active@+20", "premium active@+3").current.until == in_days(20)
    assert customer_status("premium=?@none", "premium active").current.until is None
    assert customer_status("premium=?@+20", "premium canceled@+9").current.until == in_days(9)
    assert customer_status("premium=canceled@-5", "premium canceled@-7").current.until == in_days(-7)


def test_the_end_of_a_canceled_period_is_not_the_day_on_which_it_ended() -> None:
    assert customer_status("premium=canceled@-5", "silent").current.until is None
    assert customer_status("premium=canceled@-5", "- none").current.until is None
    assert customer_status("premium=?@-9", "- none").current.state is State.ON_RECORD


def test_what_has_ended_never_ends_in_the_future() -> None:
    found = customer_status("premium=?@+20", "premium canceled")

    assert found.current.state is State.CANCELED
    assert found.current.until is None


def test_active_that_the_account_calls_canceled_shows_as_ending() -> None:
    current = customer_status("premium=active", "premium canceled@+9").current

    assert current.ends
    assert current.actions == (Action.KEEP_PLAN,)


def test_an_account_plan_that_the_catalog_does_not_know_is_named() -> None:
    assert customer_status("", "legacy active").current.account_plan == "legacy"
    assert customer_status("basic=?", "legacy active").current.account_plan == "legacy"


def test_a_plan_taken_out_of_the_catalog_stays_a_subscription() -> None:
    found = customer_status("premium=?", "premium active", catalog=without("premium"))

    assert found.current.state is State.ACTIVE
    assert found.current.access
    assert found.current.product_id == "prod_premium"
    assert found.current.account_plan == "premium"
    assert found.current.plan_id is None


def test_a_subscription_listed_under_two_products_after_a_switch_is_one() -> None:
    for word in ("?", "active"):
        found = customer_status(f"basic={word}#sub_1 premium={word}#sub_1", "premium active")

        assert found.current.state is State.ACTIVE, word
        assert found.current.plan_id == "premium"
        assert found.others == ()
        assert found.duplicates == ()


def test_the_stale_row_of_a_switched_subscription_does_not_speak_for_it() -> None:
    found = customer_status("basic=past_due#sub_1 premium=active#sub_1", "premium active")

    assert (found.current.state, found.current.plan_id) == (State.ACTIVE, "premium")


def test_without_an_account_the_longer_period_of_a_switched_subscription_is_believed() -> None:
    found = customer_status("basic=active@+3#sub_1 premium=active@+30#sub_1", "silent")

    assert found.current.plan_id == "premium"
    assert found.others == ()


def test_two_live_subscriptions_are_both_shown() -> None:
    found = customer_status("basic=active premium=past_due", "premium past_due")

    assert {one.plan_id for one in found.all} == {"basic", "premium"}
    assert {one.plan_id for one in found.duplicates} == {"basic", "premium"}


def test_two_live_subscriptions_of_one_product_are_both_shown() -> None:
    found = customer_status("basic=active#sub_1 basic=trialing#sub_2 premium=active", "premium active")

    assert sorted(str(one.subscription_id) for one in found.all) == ["sub_1", "sub_2", "sub_premium"]
    assert len(found.duplicates) == 3
    assert found.subscription_ids == ("sub_1", "sub_2", "sub_premium")


def test_two_of_the_product_that_the_account_has_are_both_shown() -> None:
    found = customer_status("basic=active#sub_1 basic=active#sub_2", "basic active")

    assert found.current.access
    assert {one.subscription_id for one in found.duplicates} == {"sub_1", "sub_2"}


def test_what_runs_out_beside_a_live_one_is_no_duplicate() -> None:
    found = customer_status("basic=active premium=active", "premium active", life=Lifecycle(cancel_at_period_end=True))

    assert found.duplicates == ()


def test_an_ended_record_beside_a_live_one_is_no_duplicate() -> None:
    found = customer_status("basic=canceled@-9 premium=active", "premium active")

    assert found.current.plan_id == "premium"
    assert [one.state for one in found.others] == [State.CANCELED]
    assert found.duplicates == ()


def test_all_subscription_ids_on_record_are_known_also_those_behind_the_headline() -> None:
    found = customer_status("premium=canceled@-9#sub_old", "premium active")

    assert found.current.state is State.CONFLICT
    assert found.subscription_ids == ("sub_old",)


def test_access_to_an_add_on_is_billings_word_where_the_account_speaks_of_a_plan() -> None:
    found = customer_status("premium=active backup=trialing", "premium active")

    assert [(one.plan_id, one.access) for one in found.all] == [("premium", True), ("backup", True)]


def test_a_word_that_names_no_plan_speaks_for_one_record_only() -> None:
    found = customer_status("basic=?@+3 premium=?@+30", "- active")

    assert (found.current.state, found.current.plan_id) == (State.ACTIVE, "premium")
    assert [(one.state, one.access) for one in found.others] == [(State.ON_RECORD, False)]


def test_access_without_a_plans_name_never_opens_an_ended_plan() -> None:
    found = customer_status("basic=active premium=canceled@-5", "- active")

    assert [(one.plan_id, one.access) for one in found.all] == [("basic", True), ("premium", False)]


def test_a_conflict_with_a_record_offers_the_portal() -> None:
    assert Action.MANAGE in customer_status("premium=active", "premium none").current.actions
    assert Action.MANAGE not in customer_status("!", "unasked").current.actions


class TestWhatIsRemembered:
    """A service can't be asked: what it said before counts for a while."""

    def test_active_stays_when_either_service_is_silent(self) -> None:
        for billing, account in (("premium=active !", "premium active"), ("premium=active", "premium active!")):
            for ago in (5, 60, 119, 590):
                current = customer_status(billing, account, ago=ago).current
                assert (current.state, current.access) == (State.ACTIVE, True)

    def test_both_silent_for_two_minutes_is_unavailable_with_the_last_known_state(self) -> None:
        before = customer_status("premium=active !", "premium active!", ago=119).current
        after = customer_status("premium=active !", "premium active!", ago=121).current

        assert before.state is State.ACTIVE
        assert (after.state, after.reason, after.source) == (S.UNAVAILABLE, R.NO_SERVICE_REACHABLE, Source.MEMORY)
        assert after.last_known is not None
        assert (after.last_known.state, after.plan_id) == (State.ACTIVE, "premium")
        assert after.access

    def test_access_is_believed_for_ten_minutes_and_no_longer(self) -> None:
        for billing in ("premium=active !", "premium=? !", "premium=?", "!"):
            assert customer_status(billing, "premium active!", ago=599).current.access, billing
            assert not any(one.access for one in customer_status(billing, "premium active!", ago=601).all), billing

    def test_memory_that_nobody_asked_about_grants_access_for_ten_minutes_only(self) -> None:
        assert customer_status("premium=active", "premium active", ago=599).current.access
        assert not customer_status("premium=active", "premium active", ago=601).current.access

    def test_access_by_billings_word_alone_is_bounded_too(self) -> None:
        assert customer_status("premium=active !", "silent", ago=60).current.access
        lost = customer_status("premium=active !", "silent", ago=601).current
        assert not lost.access
        assert (lost.state, lost.reason) == (State.UNAVAILABLE, Reason.BILLING_UNREACHABLE)

    def test_an_account_silent_for_ten_minutes_leaves_billings_word(self) -> None:
        with_word = customer_status("premium=active", "premium active!", ago=601).current
        without_word = customer_status("premium=?", "premium active!", ago=601).current

        assert (with_word.state, with_word.reason) == (State.ACTIVE, Reason.ACCOUNT_UNREACHABLE)
        assert (without_word.state, without_word.reason) == (State.ON_RECORD, Reason.ACCOUNT_UNREACHABLE)

    def test_a_granted_plan_is_unavailable_not_none_once_the_account_is_silent(self) -> None:
        current = customer_status("", "premium active!", ago=601).current

        assert current.state is State.UNAVAILABLE
        assert current.last_known is not None
        assert current.last_known.state is State.ON_ACCOUNT

    def test_no_answer_ever_turns_active_into_none_or_canceled(self) -> None:
        day = 86_400
        for billing in ("premium=active !", "premium=?@+1 !", "premium=?@+1"):
            for account in ("premium active!", "premium active", "silent"):
                for ago in (1, 130, 700, 6 * day, 30 * day):
                    if "!" not in billing + account:
                        continue
                    state = customer_status(billing, account, ago=ago).current.state
                    assert state not in (State.NONE, State.CANCELED), (billing, account, ago)

    def test_a_first_look_cut_off_in_the_middle_is_not_called_none(self) -> None:
        said = snapshot("!", "silent", asked=False)
        found = customer_status("!", "silent", asked=False)

        assert not said.knows_all(("prod_basic",))
        assert found.current.state is State.UNAVAILABLE

    def test_the_age_of_a_standing_is_that_of_the_older_answer(self) -> None:
        assert customer_status("premium=active", "premium active", ago=30).as_of == in_days(-30 / 86_400)


class TestCheckouts:
    """What a checkout that was started here adds."""

    back = checkout(events=[(CheckoutEvent.RETURNED, 30)], known=("sub_old",))

    def test_back_from_stripe_is_confirming_until_a_service_says_so(self) -> None:
        found = customer_status("", "silent", self.back)

        assert (found.current.state, found.current.plan_id) == (State.CONFIRMING, "premium")
        assert not found.current.access
        assert (found.current.amount, found.current.interval) == (2900, "month")
        late = checkout(events=[(CheckoutEvent.RETURNED, 90)])
        assert customer_status("", "silent", late).current.amount is None
        assert found.confirming == self.back
        assert found.wait == "confirming"

    @pytest.mark.parametrize(("since", "wait"), [(59, "confirming"), (61, "delayed"), (599, "delayed"), (601, "lost")])
    def test_the_wait_has_three_words(self, since: int, wait: str) -> None:
        late = checkout(started=700, events=[(CheckoutEvent.RETURNED, since)])

        assert customer_status("", "silent", late).wait == wait

    def test_a_failed_first_payment_is_told_at_once(self) -> None:
        assert customer_status("premium=incomplete", "silent", self.back).current.state is State.INCOMPLETE

    def test_the_accounts_word_ends_the_waiting_though_billing_lags(self) -> None:
        current = customer_status("", "premium active", self.back).current

        assert (current.state, current.reason, current.access) == (State.ACTIVE, Reason.BILLING_LAGS, True)

    def test_what_billing_never_lists_is_the_accounts_word_for_good(self) -> None:
        """A service that drops the news of new subscriptions would else leave every customer with a conflict."""
        old = checkout(started=9e6, events=[(CheckoutEvent.RETURNED, 8.9e6), (CheckoutEvent.ACCESS_ON, 8.8e6)])

        current = customer_status("", "premium active", old).current

        assert (current.state, current.reason, current.access) == (State.ACTIVE, Reason.BILLING_LACKS, True)

    def test_what_billing_had_and_has_no_more_is_a_conflict(self) -> None:
        events = [(event, 89_000.0) for event in (CheckoutEvent.BILLING_HAS_IT, CheckoutEvent.ACCESS_ON)]

        current = customer_status("", "premium active", checkout(started=90_000, events=events)).current

        assert (current.state, current.reason, current.access) == (State.CONFLICT, Reason.ACCOUNT_DIFFERS, True)

    def test_a_record_that_moved_to_another_plan_is_no_change_that_the_account_knows(self) -> None:
        events = [(event, 89_000.0) for event in (CheckoutEvent.BILLING_HAS_IT, CheckoutEvent.ACCESS_ON)]
        bought = checkout(started=90_000, events=events)

        current = customer_status("basic=?#sub_1", "premium active", bought).current

        assert (current.state, current.reason, current.access) == (State.CONFLICT, Reason.PLAN_DIFFERS, True)

    def test_a_purchase_that_billing_had_and_that_is_another_plan_by_now_is_waited_for_no_more(self) -> None:
        events = [(CheckoutEvent.RETURNED, 3_600.0), (CheckoutEvent.BILLING_HAS_IT, 3_590.0)]
        bought = checkout("backup", started=3_700, events=events)

        moved = customer_status("premium=?#sub_1", "silent", bought)
        gone = customer_status("", "silent", bought)

        assert (moved.current.plan_id, moved.in_group("addons").state) == ("premium", State.NONE)
        assert gone.in_group("addons").state is State.CONFIRMING

    def test_a_plan_bought_beside_an_old_record_is_not_that_one_changed(self) -> None:
        events = [(CheckoutEvent.RETURNED, 89_000.0), (CheckoutEvent.ACCESS_ON, 88_000.0)]
        bought = checkout(started=90_000, events=events, known=("sub_1",))

        found = customer_status("basic=?#sub_1", "premium active", bought)

        assert (found.current.state, found.current.reason) == (State.ACTIVE, Reason.BILLING_LACKS)
        assert [(one.plan_id, one.state) for one in found.others] == [("basic", State.ON_RECORD)]

    def test_a_changed_subscription_is_one_and_says_none_of_its_former_dates(self) -> None:
        for word in ("?", "active"):
            found = customer_status(f"basic={word}@+20#sub_1", "premium active")

            assert found.others == ()
            assert found.duplicates == ()
            assert (found.current.subscription_id, found.current.until, found.current.amount) == ("sub_1", None, None)

    def test_a_plan_that_was_bought_here_and_changed_in_the_portal_is_not_called_a_gift(self) -> None:
        """Billing never heard of it; the account names the plan it was changed to."""
        untold = checkout(started=9e5, events=[(CheckoutEvent.RETURNED, 8.9e5), (CheckoutEvent.ACCESS_ON, 8.8e5)])
        told = checkout(started=9e5, events=[(CheckoutEvent.BILLING_HAS_IT, 8.9e5), (CheckoutEvent.ACCESS_ON, 8.8e5)])

        assert customer_status("", "basic active", untold).current.reason is Reason.BILLING_LACKS
        assert customer_status("premium=canceled@-5", "basic active", told).current.state is State.ON_ACCOUNT

    def test_an_old_ended_record_of_the_same_plan_is_lag_after_subscribing_again(self) -> None:
        for ended in ("premium=?@-9#sub_old", "premium=canceled@-9#sub_old"):
            current = customer_status(ended, "premium active", self.back).current
            assert (current.state, current.reason) == (State.ACTIVE, Reason.BILLING_LAGS), ended

    def test_an_open_checkout_is_named_and_changes_nothing(self) -> None:
        started = checkout()
        found = customer_status("", "silent", started)

        assert found.open == started
        assert found.current.state is State.NONE

    def test_where_no_account_speaks_billings_new_record_ends_the_waiting(self) -> None:
        found = customer_status("premium=?#sub_new", "silent", self.back)

        assert found.current.state is State.ON_RECORD
        assert found.confirming is None
        assert found.unconfirmed is None

    def test_an_old_record_does_not_end_the_waiting(self) -> None:
        found = customer_status("premium=?#sub_old", "silent", self.back)

        assert found.current.state is State.CONFIRMING

    def test_an_accounts_word_of_an_end_is_about_an_earlier_subscription_while_a_new_one_is_unsettled(self) -> None:
        """Subscribed again; billing has the new one, the account was not told yet. It must not be sold once more."""
        never_back = checkout(known=("sub_old",))

        for bought in (self.back, never_back):
            found = customer_status("premium=?#sub_new", "premium canceled", bought)
            assert found.current.state in (State.CONFIRMING, State.ON_RECORD)
        assert customer_status("premium=?#sub_old", "premium canceled", never_back).current.state is State.CANCELED

    def test_a_checkout_abandoned_before_the_one_that_was_bought_unsettles_nothing(self) -> None:
        abandoned = checkout(started=9_000, name="abandoned")
        bought = checkout(started=8_000, events=[(CheckoutEvent.RETURNED, 7_000), (CheckoutEvent.ACCESS_ON, 6_000)])

        found = customer_status("premium=?#sub_new", "premium canceled", abandoned, bought)

        assert found.current.state is State.CANCELED

    def test_news_that_may_be_of_a_disclaimed_purchase_does_not_end_the_waiting(self) -> None:
        """Paid and canceled before anybody heard of it, called "not charged", and bought anew within the hour."""
        disclaimed = checkout(
            started=6e5, events=[(CheckoutEvent.RETURNED, 5.9e5), (CheckoutEvent.REPLACED, 60)], name="disclaimed"
        )
        ended, alive = "premium=canceled@-1#sub_new", "premium=active#sub_new"

        assert customer_status(ended, "silent", disclaimed, self.back).current.state is State.CONFIRMING
        assert customer_status(alive, "silent", disclaimed, self.back).current.state is State.ACTIVE
        confirmed = checkout(events=[(CheckoutEvent.RETURNED, 30), (CheckoutEvent.ACCESS_ON, 20)])
        assert customer_status(ended, "silent", disclaimed, confirmed).unconfirmed == confirmed
        assert customer_status(alive, "silent", disclaimed, confirmed).unconfirmed is None
        assert customer_status(ended, "silent", confirmed).unconfirmed is None

    def test_what_billing_calls_ended_is_waited_for_no_more(self) -> None:
        found = customer_status("premium=canceled@-1#sub_new", "silent", self.back)

        assert found.current.state is State.CANCELED
        assert found.confirming is None

    def test_the_amount_is_that_of_the_confirmed_checkout(self) -> None:
        bought = checkout(events=[(CheckoutEvent.RETURNED, 30), (CheckoutEvent.ACCESS_ON, 20)])

        current = customer_status("premium=active@+30", "premium active", bought).current

        assert (current.amount, current.currency, current.interval) == (2900, "usd", "month")

    def test_no_amount_is_shown_where_the_period_contradicts_it(self) -> None:
        monthly = checkout(started=9_000, events=[(CheckoutEvent.RETURNED, 8_000), (CheckoutEvent.ACCESS_ON, 7_000)])

        assert customer_status("premium=active@+300", "premium active", monthly).current.amount is None

    def test_nothing_is_charged_for_what_is_given(self) -> None:
        bought = checkout(started=9e6, events=[(CheckoutEvent.RETURNED, 9e6), (CheckoutEvent.ACCESS_ON, 9e6)])

        assert customer_status("basic=canceled@-9", "basic canceled", bought).current.amount is None

    def test_a_checkout_never_confirmed_is_remembered_after_its_day(self) -> None:
        old = checkout(started=90_000, events=[(CheckoutEvent.RETURNED, 89_000)])

        found = customer_status("", "silent", old)

        assert found.confirming is None
        assert found.unconfirmed == old
        assert (found.current.state, found.current.wait) == (State.CONFIRMING, ConfirmationWait.UNCONFIRMED)
        assert found.current.reference == old.session_id
        assert found.groups["addons"].state is State.NONE

    @pytest.mark.parametrize("billing", ["premium=canceled@-400", "basic=canceled@-400", "premium=incomplete_expired"])
    def test_what_ended_before_does_not_hide_a_purchase_that_was_never_confirmed(self, billing: str) -> None:
        old = checkout(started=90_000, events=[(CheckoutEvent.RETURNED, 89_000)], known=("sub_premium",))

        assert customer_status(billing, "silent", old).current.wait is ConfirmationWait.UNCONFIRMED

    @pytest.mark.parametrize("account", ["premium active", "premium past_due", "premium active!"])
    def test_nothing_is_asked_of_a_purchase_beside_what_is_in_force(self, account: str) -> None:
        old = checkout(started=90_000, events=[(CheckoutEvent.RETURNED, 89_000)])

        assert customer_status("", account, old).current.wait is None

    def test_the_answer_that_it_was_not_charged_ends_it(self) -> None:
        answered = checkout(started=9e4, events=[(CheckoutEvent.RETURNED, 8.9e4), (CheckoutEvent.REPLACED, 60)])

        assert customer_status("", "silent", answered).current.state is State.NONE

    @pytest.mark.parametrize("billing", ["premium=?#sub_new", "premium=active#sub_new"])
    def test_a_record_that_the_account_does_not_know_yet_is_said_to_have_arrived(self, billing: str) -> None:
        for since in (5, 61, 3_000):
            back = checkout(started=since + 30, events=[(CheckoutEvent.RETURNED, since)], known=("sub_old",))
            found = customer_status(billing, "- none", back)

            assert (found.current.state, found.wait) == (State.CONFIRMING, ConfirmationWait.ARRIVED)
            assert found.confirming == back
        assert customer_status("premium=?#sub_old", "- none", self.back).wait is ConfirmationWait.CONFIRMING


def test_a_reader_sees_no_difference_in_age_alone() -> None:
    young, old = (
        customer_status("premium=active", "premium active"),
        customer_status("premium=active", "premium active", ago=30),
    )
    lost = [customer_status("premium=active !", "premium active!", ago=ago) for ago in (130, 190)]

    assert young.same_as(old)
    assert lost[0].same_as(lost[1])
    assert not young.same_as(None)
    assert not young.same_as(customer_status("premium=active !", "premium active"))
    assert not lost[0].same_as(customer_status("basic=active !", "basic active!", ago=130))


def test_what_is_known_survives_the_store() -> None:
    found = customer_status("basic=active premium=past_due !", "premium past_due", checkout(), ago=30)

    assert CustomerStatus.model_validate_json(found.model_dump_json()) == found
    assert found.as_of < NOW


@pytest.mark.parametrize(
    ("billing", "account", "source"),
    [
        ("premium=active", "premium active", Source.BOTH),
        ("premium=past_due", "premium active", Source.BOTH),
        ("premium=canceled@+5", "premium active", Source.BOTH),
        ("premium=active", "silent", Source.BILLING),
        ("!", "premium active", Source.ACCOUNT),
        ("", "premium active", Source.ACCOUNT),
        ("", "unasked", Source.MEMORY),
    ],
)
def test_who_said_so_is_named(billing: str, account: str, source: Source) -> None:
    assert customer_status(billing, account).current.source is source


def test_a_trial_that_only_the_account_tells_of_ends_with_the_trial() -> None:
    told = Lifecycle(trial_end=in_days(7))

    assert customer_status("!", "premium trialing@+20", account_life=told).current.until == in_days(7)
    assert customer_status("!", "premium active@+20", account_life=told).current.until == in_days(20)
    assert customer_status("!", "premium trialing@+20").current.until == in_days(20)


def test_access_that_names_no_plan_is_that_of_the_purchase_waited_for() -> None:
    bought = checkout(events=[(CheckoutEvent.RETURNED, 5)])

    assert access_on(bought, customer_status("", "- active"))
    assert not access_on(bought, customer_status("", "legacy active"))
    assert not access_on(bought, customer_status("", "- none"))


@pytest.mark.parametrize(("ago", "access"), [(600, True), (601, False)])
def test_access_is_believed_for_ten_minutes_to_the_second(ago: float, access: bool) -> None:
    assert customer_status("!", "premium active!", ago=ago).current.access is access


def test_a_state_stays_for_two_minutes_after_the_last_service_has_spoken() -> None:
    billing = snapshot("premium=active !", "premium active!", ago=300)
    account = snapshot("", "premium active", ago=30).account
    heard = billing.model_copy(update={"account": account})

    assert reconcile("user-1", heard, (), CATALOG, NOW).current.state is State.ACTIVE
    assert reconcile("user-1", billing, (), CATALOG, NOW).current.state is State.UNAVAILABLE


class TestPlansThatWereHad:
    """Whoever had a plan is no new customer; whoever only looked at it is one."""

    @pytest.mark.parametrize("event", [e for e in CheckoutEvent if e.name in ("RETURNED", "ACCESS_ON")])
    @pytest.mark.parametrize("billing", ["", "basic=canceled@-9"])
    def test_a_purchase_that_came_back_or_arrived_counts(self, billing: str, event: CheckoutEvent) -> None:
        found = customer_status(billing, "silent", checkout(started=9, events=[(event, 5)]))

        assert found.had_plans == (("basic", "premium") if billing else ("premium",))

    @pytest.mark.parametrize("events", [[], [(CheckoutEvent.CANCELED, 5)], [(CheckoutEvent.HANDED_OUT, 5)]])
    def test_a_checkout_that_was_only_looked_at_does_not(self, events: list[tuple[CheckoutEvent, float]]) -> None:
        assert customer_status("", "silent", checkout(events=events)).had_plans == ()

    def test_a_purchase_that_was_not_charged_does_not(self) -> None:
        given_up = checkout(events=[(CheckoutEvent.RETURNED, 9), (CheckoutEvent.REPLACED, 5)])

        assert customer_status("", "silent", given_up).had_plans == ()

    @pytest.mark.parametrize(
        ("account", "had"),
        [("premium active", ("premium",)), ("premium canceled@-9", ("premium",)), ("premium none", ()), ("silent", ())],
    )
    def test_the_accounts_word_counts(self, account: str, had: tuple[str, ...]) -> None:
        assert customer_status("", account).had_plans == had


def test_what_billing_runs_has_the_access_that_the_headline_gives_its_plan() -> None:
    """The account's name for its plan is nobody's: it may be its name for this one, and for no other."""
    found = customer_status("premium=active basic=active", "legacy active")

    assert (found.current.state, found.current.access, found.current.plan_id) == (S.CONFLICT, True, "basic")
    assert {one.plan_id: one.access for one in found.others} == {"basic": True, "premium": False}
