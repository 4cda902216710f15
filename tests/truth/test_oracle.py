"""The oracle: what is true, late, as told, or false, against the books of a sandbox."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.auth.accounts import AccountPlan
from sandbox.control.scenarios import set_status
from sandbox.stripe.amounts import COUPONS
from sandbox.stripe.objects import StripeCheckoutSession, StripeSubscription
from sandbox.stripe.payment_methods import BANK_DEBITS
from tests.truth.books import ADA, Books
from truth.catalogs import BASE
from truth.facts import facts_of
from truth.oracle import History, Verdict
from truth.rule import sold_in
from truth.statements import Kind, Money, Statement
from truth.told_claims import TOKEN


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(tmp_path)
    yield made
    made.sandbox.close()


def day_of(subscription: StripeSubscription) -> str:
    return f"{subscription.period_end:%-d %B %Y}"


def test_a_renewal_is_true_on_its_day_over_its_amount(books: Books) -> None:
    subscription = books.subscribe()

    assert books.judge(Kind.RENEWS, day=day_of(subscription), money=Money(2900, "usd")) is Verdict.TRUE
    assert books.judge(Kind.RENEWS, day=day_of(subscription), money=Money(29000, "usd")) is Verdict.FALSE
    assert books.judge(Kind.RENEWS, day="2 March 2031") is Verdict.FALSE


def test_a_renewal_over_the_list_price_is_false_with_a_coupon(books: Books) -> None:
    line = next(line for line in books.state.prices.plans() if line.plan == "premium")
    lines = [line]
    session = books.state.checkout.open(
        "subscription", ADA.user_id, ADA.email, lines, "http://a.test/?{CHECKOUT_SESSION_ID}", "http://a.test/"
    )
    session = books.state.checkout.apply_promotion(session, COUPONS["HALF"].code)
    books.state.checkout.pay(session, "4242424242424242")
    books.observe()

    assert books.judge(Kind.RENEWS, money=Money(1450, "usd")) is Verdict.TRUE
    assert books.judge(Kind.RENEWS, money=Money(2900, "usd")) is Verdict.FALSE


def test_a_renewal_is_over_its_own_sum_while_the_first_debit_is_under_way(books: Books) -> None:
    books.state.runtime_settings.change({"coupon_duration": "once"})
    line = next(line for line in books.state.prices.plans() if line.plan == "premium")
    session = books.state.checkout.open(
        "subscription", ADA.user_id, ADA.email, [line], "http://a.test/?{CHECKOUT_SESSION_ID}", "http://a.test/"
    )
    books.state.checkout.pay(books.state.checkout.apply_promotion(session, "HALF"), BANK_DEBITS[0].number)
    books.observe()

    assert books.judge(Kind.RENEWS, money=Money(2900, "usd")) is Verdict.TRUE
    assert books.judge(Kind.RENEWS, money=Money(1450, "usd")) is Verdict.FALSE


def test_a_promise_that_the_operator_took_back_is_late_on_an_open_page_and_then_false(books: Books) -> None:
    now = books.state.clock.now
    truth = facts_of(books.state, ADA.user_id, now())
    books.history = History("UTC")
    books.history.observe(truth, None, sold_in({**BASE, "promises": {"cancel_any_time": True}}))
    opened = now()
    books.sandbox.scheduler.advance(timedelta(hours=1))
    books.history.observe(facts_of(books.state, ADA.user_id, now()), None, sold_in({**BASE, "promises": {}}))
    said = Statement(Kind.CANCEL_ANY_TIME, "Cancel any time.")

    assert books.history.judge(said, now(), opened) is Verdict.LATE
    books.sandbox.scheduler.advance(timedelta(minutes=3))
    assert books.history.judge(said, now(), opened) is Verdict.FALSE


def test_what_was_canceled_a_moment_ago_renews_late_and_then_falsely(books: Books) -> None:
    subscription = books.subscribe()
    books.passes(timedelta(hours=1))
    books.state.subscriptions.cancel_at_period_end(subscription)
    books.passes(timedelta(seconds=5))

    assert books.judge(Kind.RENEWS) is Verdict.LATE
    books.passes(timedelta(minutes=3))
    assert books.judge(Kind.RENEWS) is Verdict.FALSE
    assert books.judge(Kind.ENDS, day=day_of(subscription)) is Verdict.TRUE


def test_only_a_page_that_was_open_before_the_services_knew_is_late(books: Books) -> None:
    subscription = books.subscribe()
    books.passes(timedelta(hours=1))
    opened = books.state.clock.now()
    books.state.subscriptions.cancel_at_period_end(subscription)
    for _second in range(10):  # the news takes two seconds
        books.passes(timedelta(seconds=1))
    assert books.history.known[-1][1] is None
    said, now = Statement(Kind.RENEWS, "…"), books.state.clock.now()

    assert books.history.judge(said, now, opened) is Verdict.LATE
    assert books.history.judge(said, now, now - timedelta(seconds=1)) is Verdict.FALSE


def test_a_page_that_is_opened_before_the_news_arrives_is_late(books: Books) -> None:
    subscription = books.subscribe()
    books.passes(timedelta(hours=1))
    books.state.runtime_settings.change({"webhook_delay": 40})
    books.state.subscriptions.cancel_at_period_end(subscription)
    books.passes(timedelta(seconds=20))
    opened = books.state.clock.now()
    said = Statement(Kind.RENEWS, "…")

    assert books.history.judge(said, opened, opened) is Verdict.LATE
    for _second in range(30):
        books.passes(timedelta(seconds=1))
    assert books.history.judge(said, books.state.clock.now(), opened) is Verdict.LATE
    assert books.judge(Kind.RENEWS) is Verdict.FALSE


def test_what_billing_was_told_may_be_repeated_but_not_that_it_renews(books: Books) -> None:
    books.state.runtime_settings.change({"status_shape": "documented"})
    subscription = books.subscribe()
    books.state.accounts.set_grant(ADA.user_id, AccountPlan(silent=True))
    books.state.runtime_settings.change({"webhook_mode": "lose"})
    books.state.subscriptions.cancel_now(subscription)
    books.passes(timedelta(hours=1))

    assert books.judge(Kind.ACTIVE) is Verdict.AS_TOLD
    assert books.judge(Kind.RENEWS) is Verdict.FALSE


def test_a_service_without_words_that_has_one_has_not_been_told_of_none(books: Books) -> None:
    books.state.runtime_settings.change({"status_shape": "running"})
    books.state.accounts.set_grant(ADA.user_id, AccountPlan(silent=True))
    subscription = books.subscribe()
    books.state.runtime_settings.change({"webhook_mode": "lose"})
    books.state.subscriptions.cancel_at_period_end(subscription)
    books.passes(timedelta(hours=1))

    assert books.history.known[-1][1] is not None  # it was told otherwise than is so
    for none in (Kind.NOTHING_RUNS, Kind.BILLING_LACKS, Kind.BILLING_LACKS_IT):
        assert books.judge(none) is Verdict.FALSE


def test_what_billing_lists_under_the_plan_before_is_told_of_that_plans_group(books: Books) -> None:
    books.state.runtime_settings.change({"record_stays_under_old_product": True, "status_shape": "openapi"})
    subscription = books.subscribe("price_sandbox_backup_month")
    premium = next(line for line in books.state.prices.plans() if line.plan == "premium")
    books.state.subscriptions.switch(subscription, premium, at_once=True)
    books.passes(timedelta(hours=1))
    books.passes(timedelta(minutes=3))

    assert books.judge(Kind.ACTIVE, plan="Premium", group="main") is Verdict.TRUE
    assert books.judge(Kind.ACTIVE, plan="Backup", group="addons") is Verdict.AS_TOLD
    assert books.judge(Kind.ACTIVE, plan="Backup", group="main") is Verdict.FALSE


def test_a_plan_that_nobody_sells_or_has_is_of_the_first_group_alone(books: Books) -> None:
    books.grant(status="active", plan="gold-2023")

    assert books.judge(Kind.NOTHING_RUNS, group="addons") is Verdict.TRUE
    assert books.judge(Kind.NOTHING_RUNS, group="main") is Verdict.FALSE
    books.subscribe("price_sandbox_backup_month")
    books.grant(status="active", plan="gold-2023")
    assert books.judge(Kind.NOTHING_RUNS, group="addons") is Verdict.FALSE


def test_who_is_granted_one_plan_has_no_access_to_another(books: Books) -> None:
    books.grant(status="active", plan="premium")

    assert books.judge(Kind.NO_ACCESS, plan="Basic", group="main") is Verdict.TRUE
    assert books.judge(Kind.NO_ACCESS, plan="Premium", group="main") is Verdict.FALSE
    assert books.judge(Kind.NO_ACCESS, group="main") is Verdict.FALSE
    books.grant(status="active", plan="gold-2023")
    assert books.judge(Kind.NO_ACCESS, plan="Basic", group="main") is Verdict.FALSE


def test_nobody_is_on_the_free_plan_by_an_account_that_says_nothing(books: Books) -> None:
    assert books.judge(Kind.FREE) is Verdict.TRUE
    books.state.accounts.set_grant(ADA.user_id, AccountPlan(silent=True))
    books.passes(timedelta(hours=1))

    assert books.judge(Kind.FREE) is Verdict.FALSE
    assert books.judge(Kind.NOTHING_RUNS) is Verdict.TRUE


def test_no_second_charge_is_ruled_out_while_another_session_of_the_group_can_be_paid(books: Books) -> None:
    def opened(plan: str) -> StripeCheckoutSession:
        line = next(line for line in books.state.prices.plans() if line.plan == plan)
        return books.state.checkout.open(
            "subscription", ADA.user_id, ADA.email, [line], "http://a.test/?{CHECKOUT_SESSION_ID}", "http://a.test/"
        )

    books.state.checkout.pay(opened("premium"), "4242424242424242")
    opened("backup")
    books.observe()
    assert books.judge(Kind.ONCE, group="main") is Verdict.TRUE

    second = opened("basic")
    books.passes(timedelta(minutes=3))
    assert books.judge(Kind.ONCE, group="main") is Verdict.FALSE

    books.state.checkout.pay(second, "4242424242424242")
    books.passes(timedelta(minutes=3))
    assert books.judge(Kind.ONCE, group="main") is Verdict.FALSE


def test_an_add_on_beside_a_plan_is_paid_once(books: Books) -> None:
    books.subscribe()
    books.subscribe("price_sandbox_backup_month")

    assert books.judge(Kind.TWICE) is Verdict.FALSE
    books.subscribe("price_sandbox_basic_month")
    assert books.judge(Kind.TWICE) is Verdict.TRUE


def test_what_is_said_on_an_add_ons_card_is_judged_by_the_add_on(books: Books) -> None:
    plan = books.subscribe()
    books.passes(timedelta(days=8))
    add_on = books.subscribe("price_sandbox_backup_month")
    books.grant(status="past_due", plan="premium")
    group = books.history.known[-1][0].subs[-1].group

    assert books.judge(Kind.PAID_UNTIL, group=group, day=day_of(add_on)) is Verdict.TRUE
    assert books.judge(Kind.PAID_UNTIL, group=group, day=day_of(plan)) is Verdict.FALSE
    assert books.judge(Kind.HAS_PRICE, group=group, money=Money(2900, "usd"), interval="month") is Verdict.FALSE
    assert books.judge(Kind.PAST_DUE, group=group) is Verdict.FALSE  # the account says it of the plan
    assert books.judge(Kind.PAST_DUE, group="main") is not Verdict.FALSE


def test_a_trial_beside_a_plan_is_not_paid_for(books: Books) -> None:
    books.subscribe()
    books.subscribe("price_sandbox_enterprise_month")

    assert books.judge(Kind.MORE_THAN_ONE) is Verdict.TRUE
    assert books.judge(Kind.TWICE) is Verdict.FALSE


def test_an_account_that_names_a_plan_has_given_nothing(books: Books) -> None:
    books.state.accounts.set_grant(ADA.user_id, AccountPlan(status="active", plan="premium"))
    books.passes(timedelta(hours=1))

    assert books.judge(Kind.GIVEN, plan="Premium") is Verdict.FALSE
    assert books.judge(Kind.ACCOUNT_HAS, plan="Premium") is Verdict.TRUE


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("active", Kind.ACTIVE), ("trialing", Kind.TRIALING), ("unpaid", Kind.UNPAID), ("paused", Kind.PAUSED),
        ("canceled", Kind.ENDED), ("canceled", Kind.ENDS),
    ],
)  # fmt: skip
def test_a_state_that_only_the_account_tells_is_as_told(books: Books, status: str, kind: Kind) -> None:
    set_status(books.state, books.subscribe(), "past_due")
    books.passes_hour()  # so that the account has heard of it before it says otherwise
    books.grant(status=status, plan="premium")

    assert books.judge(kind) is Verdict.AS_TOLD
    assert books.judge(kind, plan="Basic") is Verdict.FALSE
    assert books.judge(Kind.PAST_DUE) is Verdict.TRUE


def test_access_is_the_accounts_to_give_and_of_another_group_billings(books: Books) -> None:
    books.subscribe()
    books.subscribe("price_sandbox_backup_month")
    books.grant(status="none", plan="free")
    assert books.judge(Kind.ACCESS, plan="Premium") is Verdict.FALSE
    assert books.judge(Kind.ACCESS, plan="Backup") is Verdict.TRUE  # the free plan is of the first group
    books.grant(status="active", plan="premium")
    assert books.judge(Kind.ACCESS, plan="Premium") is Verdict.TRUE
    assert books.judge(Kind.ACCESS, plan="Backup") is Verdict.TRUE
    assert books.judge(Kind.ACCESS, plan="Enterprise") is Verdict.FALSE
    books.grant(status="active", plan="premium", expires_at=books.state.clock.now().isoformat())
    assert books.judge(Kind.ACCESS, plan="Premium") is Verdict.AS_TOLD  # it may not know of a renewal yet


def test_what_renews_by_billings_word_is_had_until_a_day_only_where_the_account_says_that_it_is_over(
    books: Books,
) -> None:
    books.state.runtime_settings.change({"contract": 2})
    until = books.subscribe().period_end
    books.grant(status="active", plan="premium", expires_at=until.isoformat())
    assert books.judge(Kind.ACCESS_UNTIL, plan="Premium", day=f"{until:%-d %B %Y}") is Verdict.FALSE

    sooner = until - timedelta(days=9)
    books.grant(status="canceled", plan="premium", expires_at=sooner.isoformat())
    assert books.judge(Kind.ACCESS_UNTIL, plan="Premium", day=f"{sooner:%-d %B %Y}") is not Verdict.FALSE
    assert books.judge(Kind.ACCESS_UNTIL, plan="Premium", day=f"{until:%-d %B %Y}") is Verdict.FALSE


def test_what_is_of_no_plan_of_the_catalog_is_in_its_first_group(books: Books) -> None:
    books.subscribe("price_sandbox_backup_month")
    books.grant(status="active", plan="backup")
    assert books.judge(Kind.ACTIVE, plan="backup", group="main") is Verdict.FALSE

    without_backup = {**BASE, "plans": [plan for plan in BASE["plans"] if plan["id"] != "backup"]}
    truth = facts_of(books.state, ADA.user_id, books.state.clock.now())
    books.history.observe(truth, None, sold_in(without_backup))

    assert books.judge(Kind.ACTIVE, plan="backup", group="main") is Verdict.TRUE
    assert books.judge(Kind.ACTIVE, plan="Premium", group="main") is Verdict.FALSE


def test_a_day_without_a_year_is_the_last_such_day(books: Books) -> None:
    subscription = books.subscribe()
    books.state.subscriptions.cancel_now(subscription)
    books.passes(timedelta(days=60))
    ended = books.state.subscriptions.of(ADA.user_id)[0].ended_at
    assert ended is not None

    assert books.judge(Kind.ENDED, day=f"{ended:%B %-d}") is Verdict.TRUE
    assert books.judge(Kind.ENDED, day=f"{ended + timedelta(days=1):%B %-d}") is Verdict.FALSE
    books.passes(timedelta(days=330))
    assert books.judge(Kind.ENDED, day=f"{ended:%B %-d}") is Verdict.FALSE


def test_a_plan_of_a_name_that_nobody_knows_may_be_what_runs_at_stripe(books: Books) -> None:
    books.subscribe()
    books.passes_hour()
    books.grant(status="active", plan="gold-2023")

    assert books.judge(Kind.ACCESS, plan="Premium") is Verdict.AS_TOLD
    assert books.judge(Kind.ACCESS, plan="Enterprise") is Verdict.FALSE


def test_what_stripe_renews_is_kept_until_a_day_by_the_accounts_word_alone(books: Books) -> None:
    subscription = books.subscribe()
    books.grant(status="canceled", plan="premium", expires_at=subscription.period_end.isoformat())

    assert books.judge(Kind.KEEPS, day=day_of(subscription)) is Verdict.AS_TOLD
    books.state.subscriptions.cancel_at_period_end(books.state.subscriptions.of(ADA.user_id)[0])
    books.grant(status="canceled", plan="premium", expires_at=subscription.period_end.isoformat())
    assert books.judge(Kind.KEEPS, day=day_of(subscription)) is Verdict.TRUE


def test_a_word_that_nobody_knows_is_no_end(books: Books) -> None:
    set_status(books.state, books.subscribe(), "on_hold")
    books.passes(timedelta(hours=1))

    assert books.judge(Kind.CALLED, word="On hold") is Verdict.TRUE
    assert books.judge(Kind.CALLED, word="Frozen") is Verdict.FALSE
    assert books.judge(Kind.CURRENT, card="premium") is Verdict.TRUE
    assert books.judge(Kind.NOTHING_RUNS) is Verdict.FALSE


def test_a_list_price_may_stand_beside_a_lost_end_but_not_beside_another_price(books: Books) -> None:
    books.state.runtime_settings.change({"status_shape": "documented"})
    subscription = books.subscribe()
    books.state.runtime_settings.change({"webhook_mode": "lose"})
    books.state.subscriptions.cancel_now(subscription)
    books.passes(timedelta(hours=1))

    assert books.judge(Kind.HAS_PRICE, money=Money(2900, "usd"), interval="month") is Verdict.AS_TOLD
    assert books.judge(Kind.HAS_PRICE, money=Money(900, "usd"), interval="month") is Verdict.FALSE


def test_a_price_that_the_portal_changed_is_false_though_billing_was_told_another(books: Books) -> None:
    subscription = books.subscribe()
    books.state.runtime_settings.change({"webhook_mode": "lose"})
    line = next(line for line in books.state.prices.plans() if line.price_id == "price_sandbox_premium_year")
    books.state.subscriptions.switch(subscription, line)
    books.passes(timedelta(hours=1))

    assert books.judge(Kind.HAS_PRICE, money=Money(2900, "usd"), interval="month") is Verdict.FALSE
    assert books.judge(Kind.HAS_PRICE, money=Money(29000, "usd"), interval="year") is Verdict.TRUE


def test_the_product_under_which_billing_lists_a_changed_plan_is_its_own_word(books: Books) -> None:
    books.state.runtime_settings.change({"record_stays_under_old_product": True, "status_shape": "documented"})
    subscription = books.subscribe()
    books.passes(timedelta(minutes=1))
    line = next(line for line in books.state.prices.plans() if line.price_id == "price_sandbox_basic_month")
    books.state.subscriptions.switch(subscription, line)
    books.state.accounts.set_grant(ADA.user_id, AccountPlan(silent=True))
    books.passes(timedelta(hours=1))
    books.passes(timedelta(minutes=5))

    assert books.judge(Kind.ACTIVE, plan="Premium") is Verdict.AS_TOLD
    assert books.judge(Kind.ACTIVE, plan="Basic") is Verdict.TRUE
    assert books.judge(Kind.ACTIVE, plan="Enterprise") is Verdict.FALSE


def test_what_the_account_calls_canceled_is_current_until_its_day(books: Books) -> None:
    later = (books.state.clock.now() + timedelta(days=5)).isoformat()
    books.state.accounts.set_grant(ADA.user_id, AccountPlan(status="canceled", plan="premium", expires_at=later))
    books.passes(timedelta(hours=1))

    assert books.judge(Kind.CURRENT, card="premium") is Verdict.TRUE
    books.passes(timedelta(days=6))
    assert books.judge(Kind.CURRENT, card="premium") is Verdict.FALSE


def test_nothing_was_ordered_before_something_was_paid(books: Books) -> None:
    line = next(line for line in books.state.prices.plans() if line.plan == "premium")
    session = books.state.checkout.open(
        "subscription", ADA.user_id, ADA.email, [line], "http://a.test/?{CHECKOUT_SESSION_ID}", "http://a.test/"
    )
    books.observe()
    assert books.judge(Kind.BOUGHT) is Verdict.FALSE

    books.state.checkout.pay(session, "4242424242424242")
    books.observe()
    assert books.judge(Kind.BOUGHT) is Verdict.TRUE
    assert books.judge(Kind.ORDERED) is Verdict.FALSE


def test_a_sum_is_true_only_as_it_is_made_up(books: Books) -> None:
    books.state.runtime_settings.change({"tax": "added"})
    line = next(line for line in books.state.prices.plans() if line.plan == "premium")
    session = books.state.checkout.open("subscription", ADA.user_id, ADA.email, [line], "http://a/", "http://a/")
    books.state.checkout.pay(books.state.checkout.apply_promotion(session, "HALF"), "4242424242424242")
    books.observe()
    whole = {"money": Money(1726, "usd"), "off": 50, "tax": Money(276, "usd")}

    assert books.judge(Kind.RENEWS, **whole) is Verdict.TRUE
    for wrong in ({"off": 20}, {"tax": Money(200, "usd")}, {"money": Money(1450, "usd")}):
        assert books.judge(Kind.RENEWS, **(whole | wrong)) is Verdict.FALSE


def test_what_a_second_version_was_told_may_be_repeated_but_no_sum_that_is_not_in_the_books(books: Books) -> None:
    books.state.runtime_settings.change({"contract": 2})
    subscription = books.subscribe()
    books.passes(timedelta(hours=1))
    books.state.runtime_settings.change({"webhook_mode": "lose"})
    books.state.subscriptions.cancel_at_period_end(subscription)
    books.passes(timedelta(hours=1))

    assert books.judge(Kind.RENEWS, day=day_of(subscription)) is Verdict.AS_TOLD
    assert books.judge(Kind.RENEWS, day=day_of(subscription), money=Money(2900, "usd")) is Verdict.FALSE


def test_what_billing_is_said_to_have_said(books: Books) -> None:
    books.state.runtime_settings.change({"status_shape": "documented"})
    assert books.judge(Kind.BILLING_SAID_NONE) is Verdict.TRUE
    subscription = books.subscribe()
    books.passes(timedelta(hours=1))
    books.state.runtime_settings.change({"webhook_mode": "lose"})
    books.state.subscriptions.cancel_now(subscription)
    books.passes(timedelta(hours=1))

    assert books.judge(Kind.BILLING_SAID, plan="Premium", word="Active", day=day_of(subscription)) is Verdict.AS_TOLD
    assert books.judge(Kind.BILLING_SAID, plan="Premium", word="Unpaid") is Verdict.FALSE
    assert books.judge(Kind.BILLING_SAID, plan="Premium", word="Active", day="2 March 2031") is Verdict.FALSE
    assert books.judge(Kind.BILLING_SAID, plan="Basic") is Verdict.FALSE


def test_what_the_account_is_said_to_have_said(books: Books) -> None:
    assert books.judge(Kind.ACCOUNT_SAID_NONE) is Verdict.TRUE
    later = (books.state.clock.now() + timedelta(days=5)).isoformat()
    books.state.accounts.set_grant(ADA.user_id, AccountPlan(status="past_due", plan="premium", expires_at=later))
    books.passes(timedelta(hours=1))

    assert books.judge(Kind.ACCOUNT_SAID, plan="Premium", word="Payment failed") is Verdict.TRUE
    assert books.judge(Kind.ACCOUNT_SAID, plan="Premium", word="Active") is Verdict.FALSE
    assert books.judge(Kind.ACCOUNT_SAID, plan="Premium", word="Payment failed", day="2 March 2031") is Verdict.FALSE
    assert books.judge(Kind.LAST_KNOWN, word="Payment failed") is Verdict.TRUE
    assert books.judge(Kind.LAST_KNOWN, word="Paused") is Verdict.FALSE
    for none in (Kind.ACCOUNT_SAID_NONE, Kind.ACCOUNT_SILENT):
        assert books.judge(none) is Verdict.FALSE


@pytest.mark.parametrize(
    ("kind", "text", "cents", "true"),
    [
        (Kind.ITEM_PRICE, "$49.00 each", 4900, True),
        (Kind.ITEM_PRICE, "$98.00 each", 9800, False),
        (Kind.ITEM_PRICE, "$98.00 once.", 9800, True),
        (Kind.ITEM_PRICE, "$196.00 once.", 4 * 4900, False),  # more than are sold at once
        (Kind.ITEM_PRICE, "$50.00 once.", 5000, False),
        (Kind.AMOUNT, "$147.00", 3 * 4900, True),
        (Kind.AMOUNT, "$5.00", 500, False),  # another item's
    ],
)
def test_what_an_items_entry_asks_for(books: Books, kind: Kind, text: str, cents: int, true: bool) -> None:
    said = Statement(kind, text, money=Money(cents, "usd"), items=("course", "form"))

    assert (books.history.judge(said, books.state.clock.now()) is Verdict.TRUE) is true


@pytest.mark.parametrize("tax", [None, "none", "included", "added"])
def test_a_price_is_without_tax_only_if_the_operator_says_so(books: Books, tax: str | None) -> None:
    truth = facts_of(books.state, ADA.user_id, books.state.clock.now())
    books.history = History("UTC")
    books.history.observe(truth, None, sold_in({**BASE, "tax": tax}))
    due = {"money": Money(900, "usd"), "interval": "month", "card": "basic"}

    assert (books.judge(Kind.DUE_TODAY, word="plus tax", **due) is Verdict.TRUE) is (tax == "added")
    assert (books.judge(Kind.DUE_TODAY, **due) is Verdict.TRUE) is (tax != "added")
    assert (books.judge(Kind.TAXED, word="Prices include tax") is Verdict.TRUE) is (tax == "included")
    assert (books.judge(Kind.TAXED, word="Prices are without tax") is Verdict.TRUE) is (tax == "added")


def test_a_booked_change_is_true_on_its_day_at_its_list_price(books: Books) -> None:
    books.state.runtime_settings.change({"plan_changes": "period_end"})
    subscription = books.subscribe()
    basic = next(line for line in books.state.prices.plans() if line.plan == "basic" and line.interval == "month")
    books.state.subscriptions.switch(subscription, basic)
    books.observe()
    said = {"plan": "Basic", "day": day_of(subscription), "interval": "month"}

    assert books.judge(Kind.CHANGES, money=Money(basic.amount, "usd"), **said) is Verdict.TRUE
    assert books.judge(Kind.CHANGES, money=Money(2900, "usd"), **said) is Verdict.FALSE
    assert books.judge(Kind.CHANGES, **(said | {"plan": "Enterprise"})) is Verdict.FALSE


def test_what_is_said_of_the_moment_a_page_was_opened_stays_as_true_or_false_as_it_was(books: Books) -> None:
    line = next(line for line in books.state.prices.plans() if line.price_id == "price_sandbox_premium_month")
    opened = books.state.checkout.open(
        "subscription", ADA.user_id, ADA.email, [line], "https://app.test/ok", "https://app.test/no"
    )
    books.observe()
    before = books.state.clock.now()
    books.passes(timedelta(seconds=5))
    books.state.checkout.pay(opened, "4242424242424242")
    books.observe()
    books.passes(timedelta(seconds=5))
    after = books.state.clock.now()
    books.passes(timedelta(days=2))

    verdicts = [books.judge_of_then(opened.id, moment) for moment in (before, after)]
    assert verdicts == [Verdict.TRUE, Verdict.FALSE]
    assert books.judge_of_then("cs_test_of_nobody", before) is Verdict.FALSE


def test_an_add_on_is_of_the_plans_group_from_the_moment_the_portal_made_it_a_plan(books: Books) -> None:
    plans = {line.price_id: line for line in books.state.prices.plans()}
    add_on = books.subscribe(next(price_id for price_id, line in plans.items() if line.group != "main"))
    books.passes(timedelta(minutes=5))
    before = books.state.clock.now()
    books.passes(timedelta(minutes=5))
    books.state.subscriptions.switch(add_on, plans["price_sandbox_premium_month"])
    books.observe()

    assert not books.history.in_group_at(add_on.id, "main", before)
    assert books.history.in_group_at(add_on.id, "main", books.state.clock.now())


def test_of_what_was_changed_by_stripes_own_link_nobody_can_know_before_billing_is_told(books: Books) -> None:
    plans = {line.price_id: line for line in books.state.prices.plans()}
    add_on = books.subscribe(next(price_id for price_id, line in plans.items() if line.group != "main"))
    books.passes(timedelta(minutes=5))
    books.state.subscriptions.switch(add_on, plans["price_sandbox_premium_month"])
    books.observe()
    switched = books.state.clock.now()
    assert books.history.in_group_at(add_on.id, "main", switched)

    books.history.moved_elsewhere.add(add_on.id)
    assert not books.history.in_group_at(add_on.id, "main", switched)
    books.passes(timedelta(minutes=5))
    assert books.history.in_group_at(add_on.id, "main", books.state.clock.now())


def test_an_end_that_was_taken_back_unheard_is_not_repeated_to_who_was_in_the_portal(books: Books) -> None:
    books.state.runtime_settings.change({"status_shape": "detailed"})
    subscription = books.subscribe()
    subscription = books.state.subscriptions.cancel_at_period_end(subscription)
    books.passes_hour()
    books.state.runtime_settings.change({"webhook_mode": "lose"})
    day, before = day_of(subscription), books.state.clock.now()
    untouched = replace(books.history, known=[*books.history.known])
    books.history.visit(before)
    books.state.subscriptions.resume(subscription)
    books.passes(timedelta(seconds=30))
    untouched.known = books.history.known

    said = Statement(Kind.ENDS, "…")
    assert untouched.judge(said, books.state.clock.now()) is Verdict.AS_TOLD
    assert books.history.judge(said, books.state.clock.now(), before) is Verdict.LATE
    books.passes_hour()
    assert books.history.judge(said, books.state.clock.now(), before) is Verdict.FALSE
    assert books.judge(Kind.KEEPS, day=day) is books.judge(Kind.ENDS) is Verdict.FALSE
    assert books.judge(Kind.ENDS, where=TOKEN) is Verdict.AS_TOLD
    assert books.judge(Kind.ENDS_UNLESS, day=day) is Verdict.TRUE
    assert books.judge(Kind.ENDS_UNLESS, day="2 March 2031") is Verdict.FALSE
    books.grant(status="active", plan="premium")
    assert books.judge(Kind.ENDS) is Verdict.AS_TOLD


def opened(books: Books) -> StripeCheckoutSession:
    """Open a checkout of Premium by the month."""
    line = next(line for line in books.state.prices.plans() if line.plan == "premium")
    urls = ("http://a.test/?{CHECKOUT_SESSION_ID}", "http://a.test/")
    return books.state.checkout.open("subscription", ADA.user_id, ADA.email, [line], *urls)


def bought(books: Books) -> StripeCheckoutSession:
    """Pay such a checkout."""
    session = books.state.checkout.pay(opened(books), "4242424242424242")
    books.observe()
    return session


def test_a_checkout_is_as_old_as_it_is_said_to_be_or_older(books: Books) -> None:
    session = opened(books)
    books.passes(timedelta(minutes=4))

    assert books.judge(Kind.STARTED, plan="Premium", ago="4 minutes ago") is Verdict.TRUE
    assert books.judge(Kind.STARTED, plan="Premium", ago="3 minutes ago") is Verdict.TRUE
    assert books.judge(Kind.STARTED, plan="Premium", ago="1 day ago") is Verdict.FALSE
    assert books.judge(Kind.STARTED, plan="Basic", ago="4 minutes ago") is Verdict.FALSE
    assert books.judge(Kind.CAME_BACK, plan="Premium") is Verdict.FALSE

    books.state.checkout.pay(session, "4242424242424242")
    books.observe()

    paid = books.state.clock.now()
    assert books.judge(Kind.CAME_BACK, plan="Premium", day=f"{paid:%-d %B %Y}") is Verdict.TRUE
    assert books.judge(Kind.CAME_BACK, day=f"{paid - timedelta(days=1):%-d %B %Y}") is Verdict.FALSE


def test_what_was_bought_has_changed_once_it_does_not_run_any_more(books: Books) -> None:
    session = bought(books)

    assert books.judge(Kind.CHANGED_SINCE, subject=session.id) is Verdict.FALSE

    subscription = books.state.subscriptions.get(session.subscription_id)
    assert subscription is not None
    set_status(books.state, subscription, "past_due")
    books.observe()

    assert books.judge(Kind.CHANGED_SINCE, subject=session.id) is Verdict.TRUE


def test_a_badge_is_of_the_purchase_in_its_row(books: Books) -> None:
    day = f"{bought(books).created:%-d %B %Y}"

    assert books.judge(Kind.BOUGHT, money=Money(2900, "usd"), day=day) is Verdict.TRUE
    assert books.judge(Kind.BOUGHT, money=Money(900, "usd"), day=day) is Verdict.FALSE


def test_that_nothing_was_charged_is_of_a_checkout_or_of_a_refused_press(books: Books) -> None:
    bought(books)
    books.passes_hour()

    assert books.judge(Kind.NOTHING_CHARGED, refusal=True) is Verdict.TRUE
    assert books.judge(Kind.NOTHING_CHARGED) is Verdict.FALSE
