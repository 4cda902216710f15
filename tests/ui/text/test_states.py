"""The table of states: complete, in step with its documentation, and saying only what is known."""

from datetime import UTC, datetime, timedelta

import pytest

from catalog import Text
from services.checkout.guards import guard_subscription
from services.claims import ClaimKind
from services.claims.rules import RULES
from services.errors import AlreadySubscribed, FrontendError, SubscriptionOnRecord
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Action, ConfirmationWait, Reason, Source, State, Subscription
from tests.ui.billing_world import CATALOG
from ui.text.claim_words import SENTENCES as CLAIM_SENTENCES
from ui.text.claim_words import STATE_WORDS
from ui.text.state_words import StateWords, describe
from ui.text.states import ACTION_WORDS, STATES, Cards, Shown, action_label, shown_as
from ui.theme.icons import IN_USE

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = datetime(2026, 12, 21, 12, tzinfo=UTC)
EARLIER = datetime(2026, 11, 21, 12, tzinfo=UTC)


def subscription(state: State, **more: object) -> Subscription:
    base = {"reason": Reason.BILLING_SAYS, "source": Source.BILLING, "as_of": NOW, "plan_id": "premium"}
    return Subscription.model_validate({"state": state, **base, **more})


def said(found: Subscription, locale: str = "en", timezone: str = "UTC") -> StateWords:
    return describe(found, CATALOG, locale, timezone, now=NOW)


WAITS = {Shown(wait) for wait in ConfirmationWait}
PRICED = {"amount": 2900, "currency": "usd", "interval": "month"}
LAST = subscription(State.ACTIVE, as_of=NOW - timedelta(minutes=3))
ENDED = subscription(State.CANCELED)
UNTOLD = "Paid until December 21. Unless it's canceled or paused, it renews then."

SENTENCES = [
    (
        subscription(State.NONE, plan_id=None, group="main", reason=Reason.NO_SUBSCRIPTION),
        "none", "Free", "No subscription yet", "You're on the free plan.",
    ),
    (
        subscription(State.NONE, plan_id=None, group="main", reason=Reason.ACCOUNT_SILENT),
        "none_found", "No plan", "No subscription yet", "Billing has no subscription for you here.",
    ),
    (
        subscription(State.CONFIRMING, wait="confirming"),
        "confirming", "Confirming", "Setting up Premium", "Waiting for Stripe's confirmation, usually a few seconds.",
    ),
    (
        subscription(State.CONFIRMING, wait="delayed", charges_alone=True),
        "delayed", "Still confirming", "Still setting up Premium",
        "This takes longer than usual. You won't be charged twice, and you can close this page.",
    ),
    (
        subscription(State.CONFIRMING, wait="delayed"),
        "delayed", "Still confirming", "Still setting up Premium",
        "This takes longer than usual. You can close this page.",
    ),
    (
        subscription(State.CONFIRMING, wait="lost"),
        "lost", "Not confirmed", "We haven't heard from Stripe yet",
        "If you were charged, contact us and quote the reference.",
    ),
    (
        subscription(State.CONFIRMING, wait="lost", charges_alone=True),
        "lost", "Not confirmed", "We haven't heard from Stripe yet",
        "If you paid, you won't be charged again. Quote the reference when you contact us.",
    ),
    (
        subscription(State.CONFIRMING, wait="arrived"),
        "arrived", "Confirming", "Setting up Premium",
        "Billing has your subscription, but it isn't on your account yet. Don't buy it again.",
    ),
    (
        subscription(State.CONFIRMING, wait="unconfirmed", since=EARLIER),
        "unconfirmed", "Not confirmed", "Premium isn't confirmed",
        "Your checkout was never confirmed. If you were charged, contact us and quote the reference.",
    ),
    (
        subscription(State.CONFIRMING, wait="unconfirmed", since=EARLIER, seen_back=True),
        "unconfirmed", "Not confirmed", "Premium isn't confirmed",
        "You came back from checkout on November 21. If you were charged, contact us and quote the reference.",
    ),
    (
        subscription(State.TRIALING, until=LATER, **PRICED),
        "trialing", "Trial", "You're trying Premium", "Free until December 21.",
    ),
    (subscription(State.TRIALING), "trialing", "Trial", "You're trying Premium", "Your trial is running."),
    (subscription(State.ACTIVE, until=LATER, **PRICED), "active", "Active", "You're on Premium", UNTOLD),
    (
        subscription(State.ACTIVE, until=LATER, goes_on=True),
        "active", "Active", "You're on Premium", "Renews on December 21.",
    ),
    (
        subscription(State.ACTIVE, until=LATER, held=True),
        "active", "Active", "You're on Premium", "Paid until December 21. Payments are paused.",
    ),
    (subscription(State.ACTIVE), "active", "Active", "You're on Premium", "Your subscription is active."),
    (
        subscription(State.ACTIVE, until=LATER, source=Source.ACCOUNT),
        "active", "Active", "You're on Premium", "On your account until December 21.",
    ),
    (
        subscription(State.ACTIVE, until=LATER, ends=True),
        "ending", "Canceled", "Premium ends on December 21", "You keep Premium until December 21. It won't renew.",
    ),
    (
        subscription(State.ACTIVE, ends=True),
        "ending", "Canceled", "Premium is canceled",
        "You keep Premium until its paid time is over. It won't renew.",
    ),
    (
        subscription(State.PAST_DUE, until=LATER),
        "past_due", "Payment failed", "Your last payment for Premium failed", "Update your card to keep Premium.",
    ),
    (
        subscription(State.PAST_DUE, until=LATER, reason=Reason.PLAN_CHANGED),
        "past_due", "Payment failed", "Your last payment failed", "Update your card to keep your plan.",
    ),
    (
        subscription(State.UNPAID),
        "unpaid", "Unpaid", "You have an unpaid invoice", "Premium is paused until it's paid.",
    ),
    (
        subscription(State.UNPAID, access=True),
        "unpaid", "Unpaid", "You have an unpaid invoice", "Pay it to keep Premium.",
    ),
    (
        subscription(State.INCOMPLETE),
        "incomplete", "Not finished", "One more step for Premium", "Your first payment needs one more step.",
    ),
    (
        subscription(State.INCOMPLETE_EXPIRED),
        "incomplete_expired", "Expired", "Premium wasn't started",
        "The payment wasn't completed in time. Nothing was charged for it.",
    ),
    (subscription(State.PAUSED), "paused", "Paused", "Premium is paused", ""),
    (
        subscription(State.CANCELED, until=EARLIER),
        "canceled", "Ended", "Premium has ended", "It ended on November 21.",
    ),
    (subscription(State.CANCELED), "canceled", "Ended", "Premium has ended", ""),
    (
        subscription(State.CANCELED, until=LATER, access=True),
        "paid_until", "Canceled", "Premium ends on December 21",
        "You keep Premium until December 21. It won't renew.",
    ),
    (
        subscription(State.ON_RECORD, until=LATER),
        "on_record", "Status unknown", "We found a Premium subscription",
        "It's paid until December 21. Its current status isn't known right now; the billing portal shows it.",
    ),
    (
        subscription(State.ON_RECORD),
        "on_record", "Status unknown", "We found a Premium subscription",
        "Its current status isn't known right now; the billing portal shows it.",
    ),
    (
        subscription(State.ON_RECORD, until=EARLIER),
        "outdated", "Status unknown", "We can't tell if Premium is still running",
        "Paid until November 21. We don't know what came after that; the billing portal shows it.",
    ),
    (
        subscription(State.ON_RECORD, until=EARLIER, source=Source.ACCOUNT),
        "outdated", "Status unknown", "We can't tell if Premium is still running",
        "On your account until November 21. We don't know what came after that.",
    ),
    (
        subscription(State.ON_RECORD, word="on_hold"),
        "unknown_word", "On hold", "We found a Premium subscription",
        "Status: On hold. The billing portal shows the details.",
    ),
    (
        subscription(State.CONFLICT, access=True),
        "conflict", "Please check", "We're checking your plan",
        "You have Premium access, but billing shows no subscription for it. You keep access meanwhile.",
    ),
    (
        subscription(State.CONFLICT, access=True, last_known=ENDED),
        "conflict", "Please check", "We're checking your plan",
        "You have Premium access, but billing shows it as ended. You keep access meanwhile.",
    ),
    (
        subscription(
            State.CONFLICT,
            access=True,
            reason=Reason.PLAN_DIFFERS,
            last_known=subscription(State.ACTIVE, plan_id="basic"),
        ),
        "conflict", "Please check", "We're checking your plan",
        "You have Premium access, but billing shows Basic. You keep access meanwhile.",
    ),
    (
        subscription(State.CONFLICT, last_known=LAST),
        "conflict", "Please check", "We're checking your plan",
        "Billing shows Premium as “Active”, but it isn't on your account.",
    ),
    (
        subscription(State.ON_ACCOUNT, access=True),
        "on_account", "On your account", "Premium is on your account", "Billing has no subscription for it here.",
    ),
    (
        subscription(State.ON_ACCOUNT, access=True, plan_id=None, account_plan="gold-2023"),
        "on_account", "On your account", "gold-2023 is on your account",
        "It's no longer one of our plans. Contact us about it.",
    ),
    (subscription(State.COMPED), "comped", "Included", "Premium is on us", "You won't be charged."),
    (
        subscription(State.UNAVAILABLE, last_known=LAST),
        "unavailable", "Can't check", "We can't check right now", "Last known: Active, 3 minutes ago.",
    ),
    (subscription(State.UNAVAILABLE), "unavailable", "Can't check", "We can't check right now", ""),
    (
        subscription(State.UNAVAILABLE, reason=Reason.ID_REFUSED),
        "id_refused", "Can't check", "We can't look up your billing",
        "Billing can't use your account's ID, and trying again won't help. Contact us.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("found", "shown", "badge", "headline", "sentence"), SENTENCES)
def test_each_state_says_what_is_known_and_no_more(
    found: Subscription, shown: str, badge: str, headline: str, sentence: str
) -> None:
    words = said(found)

    assert (words.shown, words.badge, words.headline, words.sentence) == (shown, badge, headline, sentence)


SPECIAL: dict[Shown, tuple[State, dict[str, object]]] = {
    Shown.NONE: (State.NONE, {"reason": Reason.NO_SUBSCRIPTION, "group": "main"}),
    Shown.NONE_FOUND: (State.NONE, {"reason": Reason.ACCOUNT_SILENT, "group": "main"}),
    Shown.ENDING: (State.ACTIVE, {"ends": True, "access": True}),
    Shown.PAID_UNTIL: (State.CANCELED, {"access": True, "until": LATER}),
    Shown.PERHAPS_KEPT: (State.CANCELED, {"access": True, "until": LATER, "portal_open": True}),
    Shown.OUTDATED: (State.ON_RECORD, {"until": EARLIER}),
    Shown.UNKNOWN_WORD: (State.ON_RECORD, {"word": "frozen"}),
    Shown.ID_REFUSED: (State.UNAVAILABLE, {"reason": Reason.ID_REFUSED}),
    **{Shown(wait): (State.CONFIRMING, {"wait": wait}) for wait in ConfirmationWait},
}


def shown_by(shown: Shown, **more: object) -> Subscription:
    """Return a subscription that is shown by that row."""
    state, special = SPECIAL.get(shown) or (State(shown), {})
    return subscription(state, **{**special, **more})


def test_every_state_of_the_model_has_a_row() -> None:
    rows = {shown_as(subscription(state)) for state in State} | {said(shown_by(shown)).shown for shown in SPECIAL}

    assert rows == set(Shown)
    assert set(STATES) == set(Shown)


@pytest.mark.parametrize("shown", Shown)
def test_every_row_can_speak_without_any_fact(shown: Shown) -> None:
    words = said(shown_by(shown, plan_id=None, **({} if shown is Shown.OUTDATED else {"until": None})))

    assert words.shown == shown
    assert words.headline
    assert words.claims
    assert "{" not in words.headline + words.sentence + words.badge


def test_every_icon_of_the_table_can_be_drawn() -> None:
    assert {row.icon for row in STATES.values()} <= IN_USE.keys()


def test_every_action_has_words() -> None:
    assert set(ACTION_WORDS) == set(Action)
    assert action_label(Action.CHECK_AGAIN) == "Check again"
    assert action_label(Action.CHECK_AGAIN, Shown.UNAVAILABLE) == "Try again"


def test_a_date_that_has_passed_without_news_is_not_promised() -> None:
    words = said(subscription(State.ACTIVE, until=EARLIER, **PRICED))

    assert words.sentence == "Your subscription is active."
    assert words.date_verb == ""


def test_an_end_that_lies_ahead_is_not_said_to_have_been() -> None:
    assert "December 21" not in said(subscription(State.CANCELED, until=LATER)).sentence


def test_the_date_is_the_readers_own_day() -> None:
    midnight = datetime(2026, 12, 21, 2, tzinfo=UTC)
    found = subscription(State.ACTIVE, until=midnight)

    assert said(found, timezone="America/New_York").date_text == "December 20"
    assert said(found, timezone="Asia/Tokyo").date_text == "December 21"


def test_an_amount_is_called_the_list_price_and_comes_with_its_interval() -> None:
    after = "; discounts and tax are on your invoice"

    assert said(subscription(State.ACTIVE, **PRICED)).price == f"$29.00 a month{after}"
    assert said(subscription(State.ACTIVE, **{**PRICED, "interval": "year"})).price == f"$29.00 a year{after}"


def test_what_the_portal_may_have_changed_is_said_to_be_due() -> None:
    words = said(subscription(State.ACTIVE, until=LATER, goes_on=True, portal_open=True))

    assert words.sentence == UNTOLD
    assert words.news_due == "Changes in the billing portal can take a while to show here."


def test_an_end_that_the_portal_may_have_taken_back_is_said_with_that() -> None:
    unless = "unless you changed that in the billing portal."

    for state, badge, headline in (
        (State.ACTIVE, "Active", "You're on Premium"),
        (State.CANCELED, "Status unknown", "Premium is on your account"),  # which is who calls it canceled
    ):
        words = said(subscription(state, until=LATER, ends=state is State.ACTIVE, access=True, portal_open=True))
        undated = said(subscription(state, until=None, ends=state is State.ACTIVE, access=True, portal_open=True))

        assert (words.badge, words.headline, words.date_verb) == (badge, headline, "")
        assert words.sentence == f"It was canceled and ends on December 21, {unless}"
        assert undated.sentence == f"It was canceled and ends when its paid time is over, {unless}"


def test_a_plan_that_the_account_alone_names_is_not_called_active_after_a_visit() -> None:
    changed = {"reason": Reason.PLAN_CHANGED, "until": LATER, "ends": True, "access": True}

    assert said(subscription(State.ACTIVE, **changed)).shown is Shown.ENDING
    assert said(subscription(State.ACTIVE, **changed, portal_open=True)).headline == "Premium is on your account"
    assert said(subscription(State.PAST_DUE, **changed, portal_open=True)).shown is Shown.PAST_DUE


def test_payments_that_the_portal_may_have_resumed_are_not_called_paused() -> None:
    words = said(subscription(State.ACTIVE, until=LATER, held=True, portal_open=True))

    assert words.sentence == UNTOLD


def test_a_renewal_that_a_service_promises_has_its_verb() -> None:
    assert said(subscription(State.ACTIVE, until=LATER, goes_on=True)).date_verb == "Renews"
    assert said(subscription(State.ACTIVE, until=LATER)).date_verb == "Paid until"


def test_a_plan_that_is_no_longer_sold_is_spoken_of_by_the_name_it_had() -> None:
    gone = subscription(State.PAST_DUE, plan_id="vanished")

    assert said(gone).sentence == "Update your card to keep your plan."
    named = gone.model_copy(update={"former_name": Text("Vanished")})
    assert said(named).sentence == "Update your card to keep Vanished."
    assert said(named).headline == "Your last payment for Vanished failed"


def test_a_word_of_a_service_that_looks_like_a_placeholder_stays_text() -> None:
    words = said(subscription(State.ON_RECORD, word="{plan} <b>"))

    assert words.badge == "{plan} <b>"
    assert "{plan} <b>" in words.sentence


def test_every_claim_has_words_a_rule_and_a_state_word() -> None:
    by_themselves = {
        ClaimKind.DUE_TODAY,
        ClaimKind.THEN_EACH,
        ClaimKind.TRIAL_OFFERED,
        ClaimKind.PROMISED,
        ClaimKind.PAYING_TWICE,
        ClaimKind.MORE_THAN_ONE,
    }

    assert set(CLAIM_SENTENCES) | by_themselves == set(ClaimKind)
    assert set(RULES) == set(ClaimKind)
    assert set(STATE_WORDS) == {state.value for state in State}


@pytest.mark.parametrize("shown", [shown for shown in Shown if shown not in WAITS])
def test_what_the_cards_offer_is_what_the_guard_allows(shown: Shown) -> None:
    """The table and the guard say the same: a Subscribe button where it sells, and none where it refuses."""
    plan = CATALOG.plan("basic" if shown is Shown.COMPED else "premium")
    found = shown_by(shown, product_id="prod_sandbox_premium", group="main")
    customer_status = CustomerStatus(customer="c", current=found, as_of=NOW)

    try:
        guard_subscription(customer_status, plan, CATALOG)
        refusal: FrontendError | None = None
    except FrontendError as error:
        refusal = error

    cards = STATES[shown].cards
    assert (cards is Cards.SUBSCRIBE) == (refusal is None)
    assert (cards is Cards.QUESTION) == isinstance(refusal, SubscriptionOnRecord)
    if cards is Cards.SWITCH:
        assert isinstance(refusal, AlreadySubscribed)
