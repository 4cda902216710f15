"""How a subscription goes on or ends: by flag, by date alone, by the account, or untold; one date, that of access."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.lifecycle import Lifecycle
from services.payment_contract.details import NextCharge, SubscriptionDetails
from services.subscription.model import Action, State, Subscription
from services.subscription.portal_trace import trace_of
from services.subscription.snapshot import UpstreamSnapshot
from tests.unit.services.subscription.snapshot_tables import NOW, customer_status, in_days, snapshot, telling

GOES_ON = Lifecycle(cancel_at_period_end=False, paused=False, told=True)


def test_untold_is_neither_ending_nor_going_on() -> None:
    for billing in ("premium=active", "premium=?"):
        current = customer_status(billing, "premium active").current
        assert (current.ends, current.goes_on) == (False, False)


def test_it_goes_on_only_by_a_word_and_every_field() -> None:
    assert customer_status("premium=active", "premium active", life=GOES_ON).current.goes_on
    assert customer_status("premium=active", "silent", life=GOES_ON).current.goes_on
    assert not customer_status("premium=?", "premium active", life=GOES_ON).current.goes_on
    assert customer_status("premium=?", "premium active", account_life=GOES_ON).current.goes_on


@pytest.mark.parametrize("account", [Lifecycle(cancel_at_period_end=True), Lifecycle(cancel_at=in_days(9))])
def test_one_service_that_says_it_ends_is_enough(account: Lifecycle) -> None:
    current = customer_status("premium=active", "premium active", life=GOES_ON, account_life=account).current

    assert current.ends
    assert not current.goes_on


def test_a_date_without_the_flag_ends_it_on_that_date() -> None:
    current = customer_status("premium=active@+20", "premium active", life=Lifecycle(cancel_at=in_days(9))).current

    assert (current.ends, current.until) == (True, in_days(9))


def test_an_end_that_the_account_dates_is_shown_by_the_date_that_access_follows() -> None:
    ending = customer_status("premium=active@+20", "premium canceled@+9").current
    over = customer_status("premium=canceled@+20", "premium canceled@+9").current

    assert (ending.ends, ending.until, ending.access) == (True, in_days(9), True)
    assert (over.state, over.until, over.access) == (State.CANCELED, in_days(9), True)


def test_what_is_over_at_stripe_has_nothing_to_keep() -> None:
    over = customer_status("premium=canceled@+20", "premium canceled@+9").current
    untold = customer_status("premium=?@+20", "premium canceled@+9").current

    assert Action.KEEP_PLAN not in over.actions
    assert untold.actions == (Action.KEEP_PLAN,)


def test_a_subscription_that_ended_before_its_period_did_ended_then() -> None:
    ended = Lifecycle(cancel_at_period_end=False, ended_at=in_days(-3))
    current = customer_status("premium=canceled@+20", "premium none", life=ended).current

    assert (current.state, current.access, current.until) == (State.CANCELED, False, in_days(-3))


def test_payments_on_hold_leave_the_word_and_promise_nothing() -> None:
    held = customer_status("premium=active", "premium active", life=Lifecycle(paused=True)).current

    assert (held.state, held.held, held.goes_on) == (State.ACTIVE, True, False)


def test_a_trials_end_is_the_one_that_is_named() -> None:
    life = Lifecycle(trial_end=in_days(5))

    assert customer_status("premium=trialing@+35", "premium trialing", life=life).current.until == in_days(5)


def test_a_trial_that_the_account_alone_calls_one_ends_on_the_accounts_day() -> None:
    assert customer_status("premium=?@+365", "premium trialing@+5").current.until == in_days(5)
    assert customer_status("premium=?@+5", "premium trialing").current.until == in_days(5)
    assert customer_status("premium=trialing@+5", "premium trialing@+365").current.until == in_days(5)


class TestPortal:
    """What is done in the portal reaches us late or never."""

    def test_a_visit_makes_everything_open_until_a_service_says_something_new(self) -> None:
        trace = trace_of(telling(snapshot("premium=active", "premium active"), GOES_ON), NOW - timedelta(hours=9))

        same = customer_status("premium=active", "premium active", portal=trace, life=GOES_ON)
        renewed = customer_status("premium=active@+50", "premium active", portal=trace, life=GOES_ON)
        told = customer_status("premium=active", "premium active@+20", portal=trace, life=GOES_ON)

        assert same.current.portal_open
        assert not renewed.current.portal_open
        assert not told.current.portal_open

    def test_news_of_another_product_answers_nothing(self) -> None:
        trace = trace_of(snapshot("premium=active backup=active", "premium active"), NOW)

        found = customer_status("premium=active backup=active@+50", "premium active", portal=trace)

        assert found.current.portal_open
        assert not found.in_group("addons").portal_open

    def test_an_add_on_may_have_become_the_plan_that_the_account_names_since_and_billing_lacks(self) -> None:
        trace = trace_of(snapshot("backup=active", "- none"), NOW)

        moved = customer_status("backup=active@+50", "premium active", portal=trace)
        beside = customer_status("backup=active@+50 premium=active", "premium active", portal=trace)
        unchanged = customer_status("backup=active@+50", "- none", portal=trace)

        assert moved.in_group("addons").portal_open
        assert not beside.in_group("addons").portal_open
        assert not unchanged.in_group("addons").portal_open

    def test_what_an_account_says_of_another_group_answers_nothing(self) -> None:
        trace = trace_of(snapshot("premium=active backup=active", "premium active"), NOW)

        found = customer_status("premium=active backup=active", "premium canceled@+9", portal=trace)

        assert not found.current.portal_open
        assert found.in_group("addons").portal_open

    def test_what_is_no_longer_told_of_the_next_charge_answers_nothing(self) -> None:
        ends = Lifecycle(cancel_at_period_end=True)

        def billing_tells(details: SubscriptionDetails) -> UpstreamSnapshot:
            said = telling(snapshot("premium=active", "premium active"), ends)
            answer = said.records["prod_premium"]
            record = replace(answer.record, details=details)
            records = {**said.records, "prod_premium": answer.model_copy(update={"record": record})}
            return said.model_copy(update={"records": records})

        charge = NextCharge(NOW, 1450, "usd", None, None)
        nothing, unsaid, something = (
            billing_tells(SubscriptionDetails(nothing_next=True)),
            billing_tells(SubscriptionDetails()),
            billing_tells(SubscriptionDetails(next_charge=charge)),
        )
        trace = trace_of(nothing, NOW)

        assert trace.unanswered("prod_premium", nothing)
        assert trace.unanswered("prod_premium", unsaid)
        assert not trace.unanswered("prod_premium", something)
        assert not trace_of(unsaid, NOW).unanswered("prod_premium", nothing)

    def test_what_ends_does_so_surely_only_until_the_portal_is_opened(self) -> None:
        ends = Lifecycle(cancel_at_period_end=True)
        trace = trace_of(telling(snapshot("premium=active", "premium active"), ends), NOW)

        before = customer_status("premium=active", "premium active", life=ends).current
        after = customer_status("premium=active", "premium active", life=ends, portal=trace).current

        assert [(one.ends, one.surely_ends) for one in (before, after)] == [(True, True), (True, False)]

    def test_what_ends_may_be_kept_after_all_but_not_what_is_over_at_stripe(self) -> None:
        def after_a_visit(billing: str, account: str) -> Subscription:
            return customer_status(billing, account, portal=trace_of(snapshot(billing, account), NOW)).current

        kept = after_a_visit("premium=?", "premium canceled@+9")
        over = after_a_visit("premium=canceled", "premium canceled@+9")

        assert (kept.state, kept.access, kept.portal_open) == (State.CANCELED, True, True)
        assert (over.state, over.access, over.portal_open) == (State.CANCELED, True, False)

    def test_without_a_visit_nothing_is_open(self) -> None:
        assert not customer_status("premium=active", "premium active").current.portal_open

    def test_there_is_nothing_to_change_of_what_has_ended(self) -> None:
        trace = trace_of(snapshot("premium=canceled@-9", "silent"), NOW)

        assert not customer_status("premium=canceled@-9", "silent", portal=trace).current.portal_open
