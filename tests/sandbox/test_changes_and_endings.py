"""Changes of plan, now and booked; ends by flag, by date, at once; pauses that leave the word as it is."""

from datetime import datetime

import pytest

from tests.sandbox.local import BASIC, MONTHLY, TRIAL, YEARLY, LocalShop


def day(moment: str) -> str:
    return datetime.fromisoformat(moment).date().isoformat()


def test_change_of_plan_can_be_booked_for_the_periods_end(local: LocalShop) -> None:
    local.set(plan_changes="period_end", status_shape="documented")
    local.subscribe()
    local.act("switch", price_id=BASIC)
    booked = local.running_truth()

    local.days(32)

    assert (booked["price_id"], booked["scheduled_change"]["line"]["price_id"]) == (MONTHLY, BASIC)
    assert (booked["next_charge"]["amount"], booked["next_charge"]["price_id"]) == (900, BASIC)
    after = local.running_truth()
    assert (after["price_id"], after["scheduled_change"], local.amounts()) == (BASIC, None, [2900, 900])


def test_booked_change_is_taken_back_by_choosing_the_old_plan(local: LocalShop) -> None:
    local.set(plan_changes="period_end")
    local.subscribe()
    local.act("switch", price_id=BASIC)

    local.act("switch", price_id=MONTHLY)
    local.days(32)

    assert local.amounts() == [2900, 2900]


def test_yearly_to_monthly_at_the_periods_end_pays_by_the_month_from_then(local: LocalShop) -> None:
    local.set(plan_changes="period_end")
    local.subscribe(YEARLY)
    local.act("switch", price_id=MONTHLY)

    local.days(366 + 62)

    assert local.amounts() == [29000, 2900, 2900, 2900]


@pytest.mark.parametrize(
    ("proration", "charged", "next_amount"),
    [("none", [2900], 9900), ("next_invoice", [2900], 9900 + 3500), ("now", [2900, 3500], 9900)],
)
def test_dearer_plan_in_the_middle_of_a_period(
    local: LocalShop, proration: str, charged: list[int], next_amount: int
) -> None:
    local.set(proration=proration)
    local.control("POST", "clock/advance", {"days": 17})  # the first of February: a month of 28 days
    local.subscribe()
    local.days(14)

    local.act("switch", price_id=TRIAL)

    assert local.amounts() == charged
    assert local.running_truth()["next_charge"]["amount"] == next_amount
    local.days(14.1)
    assert local.amounts() == [*charged, next_amount]
    assert local.running_truth()["next_charge"]["amount"] == 9900


def test_cheaper_plan_leaves_a_credit_that_later_invoices_use_up(local: LocalShop) -> None:
    local.set(proration="now")
    local.subscribe(YEARLY)

    local.act("switch", price_id=BASIC)
    local.days(62)
    early = local.amounts()
    local.days(3 * 365)

    assert early == [29000, 0, 0]
    months = len(local.amounts()) - 1  # the one that began with the change is the first that the credit pays
    assert sum(local.amounts()) == (months + 1) * 900


def test_trial_moved_to_the_year_is_charged_by_the_year(local: LocalShop) -> None:
    local.subscribe(TRIAL)

    local.act("switch", price_id="price_sandbox_enterprise_year")

    assert local.running_truth()["next_charge"]["amount"] == 99000
    local.days(15)
    assert local.amounts() == [0, 99000]


@pytest.mark.parametrize(("form", "flag"), [("flag", True), ("cancel_at", False)])
def test_cancellation_is_a_flag_or_a_date_alone(local: LocalShop, form: str, flag: bool) -> None:
    local.set(cancellation_form=form, status_shape="detailed")
    local.subscribe()
    local.act("cancel-at-period-end")
    local.settle()

    status = local.status("user_ada", "prod_sandbox_premium")
    truth = local.running_truth()
    local.days(32)

    assert (status["cancel_at_period_end"], status["cancel_at"]) == (flag, status["current_period_end"])
    assert (truth["renews"], truth["next_charge"], truth["ends_at"]) == (False, None, truth["period_end"])
    assert (local.running_truth()["status"], local.amounts()) == ("canceled", [2900])


def test_end_on_a_date_within_the_period_comes_on_that_date(local: LocalShop) -> None:
    local.subscribe()
    local.act("cancel-at", days=10)
    end = local.running_truth()["ends_at"]

    local.days(11)

    ended = local.running_truth()
    assert (ended["status"], day(ended["ended_at"])) == ("canceled", day(end))
    assert datetime.fromisoformat(ended["period_end"]) > datetime.fromisoformat(ended["ended_at"])


def test_end_on_a_date_in_a_later_period_cuts_that_one_short(local: LocalShop) -> None:
    local.subscribe()
    local.act("cancel-at", days=45)
    told = local.running_truth()

    local.days(46)

    assert (told["renews"], told["next_charge"]["amount"]) == (True, 1450)
    assert (local.running_truth()["status"], local.amounts()) == ("canceled", [2900, 1450])


def test_canceled_for_the_end_and_then_now(local: LocalShop) -> None:
    local.subscribe()
    local.act("cancel-at-period-end")
    local.days(3)

    local.act("cancel")

    ended = local.running_truth()
    assert (ended["status"], ended["cancel_at_period_end"], ended["cancel_at"]) == ("canceled", False, None)
    assert ended["period_end"] > ended["ended_at"]
    assert (ended["renews"], ended["ends_at"], ended["next_charge"]) == (False, None, None)


@pytest.mark.parametrize("action", ["resume", "switch"])
def test_booked_end_is_taken_back(local: LocalShop, action: str) -> None:
    local.subscribe()
    local.act("cancel-at", days=10)

    local.act(action, price_id=BASIC)
    local.days(32)

    assert local.running_truth()["status"] == "active"
    assert len(local.amounts()) == 2


@pytest.mark.parametrize(
    ("behavior", "invoice"),
    [("void", "void"), ("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible")],
)
def test_pause_leaves_the_word_active_and_takes_nothing(local: LocalShop, behavior: str, invoice: str) -> None:
    local.set(status_shape="detailed")
    local.subscribe()

    local.act("pause", behavior=behavior)
    paused = local.running_truth()
    local.days(62)

    assert (paused["status"], paused["renews"], paused["next_charge"]) == ("active", True, None)
    assert local.amounts() == [2900]
    assert [charge["status"] for charge in local.truth()["charges"][1:]] == [invoice] * 2
    status = local.status("user_ada", "prod_sandbox_premium")
    assert (status["status"], status["pause_collection"]["behavior"]) == ("active", behavior)


@pytest.mark.parametrize("by", ["date", "hand"])
def test_pause_ends_by_date_or_by_hand(local: LocalShop, by: str) -> None:
    local.subscribe()
    local.act("pause", days=40 if by == "date" else None)
    local.days(41)
    if by == "hand":
        local.act("resume")

    local.days(30)

    assert local.amounts() == [2900, 2900]
    assert local.running_truth()["pause_collection"] is None


def test_action_on_an_ended_subscription_is_refused(local: LocalShop) -> None:
    local.subscribe()
    local.act("cancel")
    subscription = local.subscription("user_ada")["id"]

    answers = [
        local.http.post(f"{local.place.control_url}/subscriptions/{subscription}/{action}").status_code
        for action in ("pause", "resume", "cancel-at", "switch", "card")
    ]

    assert answers == [409] * 5


def test_subscription_of_the_31st_renews_on_the_last_day_of_each_month(local: LocalShop) -> None:
    local.days(16)  # 31 January

    local.subscribe()
    local.days(120)

    starts = [day(charge["period_start"]) for charge in local.truth()["charges"]]
    assert starts == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]
