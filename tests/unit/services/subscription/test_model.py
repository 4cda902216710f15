"""What each state offers."""

import pytest

from services.subscription.model import ACTIONS, GRANTING, LIVE, Action, Reason, Source, State, Subscription
from tests.fakes import START


def subscription(state: State, **more: object) -> Subscription:
    """Return a subscription in a state."""
    fields = {"state": state, "reason": Reason.AGREED, "source": Source.BOTH, "as_of": START, **more}
    return Subscription.model_validate(fields)


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_actions(state: State) -> None:
    assert subscription(state).actions == ACTIONS[state]
    assert len(set(ACTIONS[state])) == len(ACTIONS[state])


@pytest.mark.parametrize(
    ("state", "actions"),
    [
        (State.NONE, ["choose_plan"]),
        (State.CONFIRMING, ["check_again", "continue_checkout"]),
        (State.TRIALING, ["manage", "change_plan"]),
        (State.ACTIVE, ["manage", "change_plan"]),
        (State.PAST_DUE, ["update_payment_method", "manage"]),
        (State.UNPAID, ["pay_invoice", "update_payment_method"]),
        (State.INCOMPLETE, ["finish_payment", "check_again"]),
        (State.INCOMPLETE_EXPIRED, ["try_again", "see_plans"]),
        (State.PAUSED, ["resume"]),
        (State.CANCELED, ["subscribe_again", "see_plans"]),
        (State.ON_RECORD, ["manage", "has_ended"]),
        (State.CONFLICT, ["check_again", "contact"]),
        (State.ON_ACCOUNT, ["contact", "has_ended"]),
        (State.COMPED, []),
        (State.UNAVAILABLE, ["check_again"]),
    ],
)
def test_what_can_be_done_about_each_state(state: State, actions: list[str]) -> None:
    assert list(subscription(state).actions) == actions


def test_an_action_that_only_stripe_can_do_opens_the_portal() -> None:
    assert {action.value for action in Action if action.opens_portal} == {
        "manage", "change_plan", "keep_plan", "update_payment_method", "pay_invoice", "finish_payment", "resume",
    }  # fmt: skip


def test_an_id_that_billing_refuses_leaves_only_support() -> None:
    assert subscription(State.UNAVAILABLE, reason=Reason.ID_REFUSED).actions == (Action.CONTACT,)


def test_a_conflict_with_a_record_in_billing_leads_to_the_portal_as_well() -> None:
    known = subscription(State.ACTIVE)

    assert subscription(State.CONFLICT, last_known=known).actions == (*ACTIONS[State.CONFLICT], Action.MANAGE)
    assert subscription(State.UNAVAILABLE, last_known=known).actions == ACTIONS[State.UNAVAILABLE]


def test_nothing_is_said_of_a_subscription_that_was_not_told() -> None:
    one = subscription(State.ACTIVE)

    assert (one.access, one.ends, one.goes_on, one.held, one.over_at_stripe, one.portal_open) == (False,) * 6


@pytest.mark.parametrize("state", [State.PAST_DUE, State.UNPAID, State.INCOMPLETE, State.PAUSED, State.ON_RECORD])
def test_whoever_has_to_pay_or_to_look_gets_to_the_portal_first(state: State) -> None:
    assert ACTIONS[state][0].opens_portal


@pytest.mark.parametrize("state", [State.NONE, State.CANCELED, State.INCOMPLETE_EXPIRED])
def test_whoever_has_nothing_can_begin(state: State) -> None:
    assert ACTIONS[state][0] in (Action.CHOOSE_PLAN, Action.SUBSCRIBE_AGAIN, Action.TRY_AGAIN)
    assert state not in LIVE


def test_what_will_not_renew_can_be_kept() -> None:
    assert subscription(State.ACTIVE, ends=True).actions == (Action.KEEP_PLAN,)
    assert subscription(State.TRIALING, ends=True).actions == (Action.KEEP_PLAN,)
    assert subscription(State.CANCELED, access=True).actions == (Action.KEEP_PLAN,)
    assert subscription(State.CANCELED, access=True, over_at_stripe=True).actions == ()
    assert subscription(State.PAST_DUE, ends=True).actions == ACTIONS[State.PAST_DUE]


def test_access_is_to_one_plan() -> None:
    one = subscription(State.ACTIVE, access=True, plan_id="premium")

    assert one.grants("premium")
    assert not one.grants("basic")
    assert not subscription(State.ACTIVE, plan_id="premium").grants("premium")


def test_what_grants_access_can_charge_or_was_given() -> None:
    assert {State.ON_ACCOUNT, State.COMPED} == GRANTING - LIVE
    assert subscription(State.UNPAID).live
    assert not subscription(State.CONFLICT).live
