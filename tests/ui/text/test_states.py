"""The table of states: complete, in step with its documentation, and saying only what is known."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.checkout.guards import guard_subscription
from services.errors import AlreadySubscribed, FrontendError, SubscriptionOnRecord
from services.subscription.customer_status import ConfirmationWait, CustomerStatus
from services.subscription.model import Action, Reason, Source, State, Subscription
from tests.ui.billing_world import CATALOG
from ui.text.state_words import StateWords, describe
from ui.text.states import ACTION_WORDS, STATES, Cards, Shown, action_label, shown_as
from ui.theme.icons import IN_USE

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = datetime(2026, 12, 21, 12, tzinfo=UTC)
EARLIER = datetime(2026, 11, 21, 12, tzinfo=UTC)
DOCS = Path(__file__).parents[3] / "docs" / "states.md"


def subscription(state: State, **more: object) -> Subscription:
    base = {"reason": Reason.BILLING_SAYS, "source": Source.BILLING, "as_of": NOW, "plan_id": "premium"}
    return Subscription.model_validate({"state": state, **base, **more})


def said(
    found: Subscription, wait: ConfirmationWait | None = None, locale: str = "en", timezone: str = "UTC"
) -> StateWords:
    return describe(found, CATALOG, locale, timezone, wait=wait, now=NOW)


WAITS = {Shown(wait) for wait in ConfirmationWait}
PRICED = {"amount": 2900, "currency": "usd", "interval": "month"}
LAST = subscription(State.ACTIVE, as_of=NOW - timedelta(minutes=3))
ENDED = subscription(State.CANCELED)

SENTENCES = [
    (subscription(State.NONE, plan_id=None), None, "none", "Free", "You're on the free plan."),
    (
        subscription(State.CONFIRMING),
        ConfirmationWait.CONFIRMING,
        "confirming",
        "Confirming",
        "You're back from Stripe. We're waiting for confirmation; this page updates by itself.",
    ),
    (
        subscription(State.CONFIRMING),
        ConfirmationWait.DELAYED,
        "delayed",
        "Still confirming",
        "This takes longer than usual. You will not be charged twice, and it's safe to close this page.",
    ),
    (
        subscription(State.CONFIRMING),
        ConfirmationWait.LOST,
        "lost",
        "Not confirmed",
        "No confirmation has reached us in ten minutes. You will not be charged twice. Check again later, or contact "
        "us with the reference.",
    ),
    (
        subscription(State.TRIALING, until=LATER, **PRICED),
        None,
        "trialing",
        "Trial",
        "Your trial ends on 21 December. You'll be charged $29.00 then unless you cancel.",
    ),
    (
        subscription(State.TRIALING, until=LATER),
        None,
        "trialing",
        "Trial",
        "Your trial ends on 21 December. You'll be charged then unless you cancel.",
    ),
    (subscription(State.ACTIVE, until=LATER, **PRICED), None, "active", "Active", "Renews on 21 December for $29.00."),
    (subscription(State.ACTIVE, until=LATER), None, "active", "Active", "Renews on 21 December."),
    (subscription(State.ACTIVE), None, "active", "Active", "Your subscription is active."),
    (
        subscription(State.ACTIVE, until=LATER, ends=True),
        None,
        "ending",
        "Ends soon",
        "Your plan stays active until 21 December and won't renew.",
    ),
    (
        subscription(State.PAST_DUE, until=LATER),
        None,
        "past_due",
        "Payment failed",
        "Your last payment failed. Update your card to keep Premium.",
    ),
    (
        subscription(State.UNPAID),
        None,
        "unpaid",
        "Unpaid",
        "Premium is paused until the open invoice is paid.",
    ),
    (subscription(State.INCOMPLETE), None, "incomplete", "Not finished", "Your first payment needs one more step."),
    (
        subscription(State.INCOMPLETE_EXPIRED),
        None,
        "incomplete_expired",
        "Expired",
        "The payment wasn't completed in time. Nothing was charged.",
    ),
    (subscription(State.PAUSED), None, "paused", "Paused", "Your subscription is paused."),
    (subscription(State.CANCELED, until=EARLIER), None, "canceled", "Ended", "Premium ended on 21 November."),
    (subscription(State.CANCELED), None, "canceled", "Ended", "You're on the free plan again."),
    (
        subscription(State.CANCELED, until=LATER, access=True),
        None,
        "paid_until",
        "Canceled",
        "You keep Premium until 21 December. You can subscribe again after that.",
    ),
    (
        subscription(State.ON_RECORD, until=LATER),
        None,
        "on_record",
        "On record",
        "We have a subscription on record, paid until 21 December. Its current status isn't known right now.",
    ),
    (
        subscription(State.ON_RECORD, word="frozen"),
        None,
        "unknown_word",
        "frozen",
        "Our billing calls its status “frozen”. The billing portal shows what that means.",
    ),
    (
        subscription(State.CONFLICT, access=True),
        None,
        "conflict",
        "Please check",
        "Your account says Premium, our billing says no subscription. You keep access while we sort this out.",
    ),
    (
        subscription(State.CONFLICT, access=True, last_known=ENDED),
        None,
        "conflict",
        "Please check",
        "Your account says Premium, our billing says “Ended”. You keep access while we sort this out.",
    ),
    (
        subscription(
            State.CONFLICT,
            access=True,
            reason=Reason.PLAN_DIFFERS,
            last_known=subscription(State.ACTIVE, plan_id="basic"),
        ),
        None,
        "conflict",
        "Please check",
        "Your account says Premium, our billing says Basic. You keep access while we sort this out.",
    ),
    (
        subscription(State.CONFLICT, last_known=LAST),
        None,
        "conflict",
        "Please check",
        "Our billing has Premium as “Active”, your account doesn't have it. We're sorting this out.",
    ),
    (subscription(State.COMPED), None, "comped", "Included", "Premium was given to you; there is nothing to pay."),
    (
        subscription(State.UNAVAILABLE, last_known=LAST),
        None,
        "unavailable",
        "Can't check",
        "We can't check your subscription right now. Last known: Active, 3 minutes ago.",
    ),
    (
        subscription(State.UNAVAILABLE),
        None,
        "unavailable",
        "Can't check",
        "We can't check your subscription right now.",
    ),
]


@pytest.mark.parametrize(("found", "wait", "shown", "badge", "sentence"), SENTENCES)
def test_each_state_says_what_is_known_and_no_more(
    found: Subscription, wait: ConfirmationWait | None, shown: str, badge: str, sentence: str
) -> None:
    words = said(found, wait)

    assert (words.shown, words.badge, words.sentence) == (shown, badge, sentence)


def test_every_state_of_the_model_has_a_row() -> None:
    rows = {shown_as(subscription(state)) for state in State} | {Shown(wait) for wait in ConfirmationWait}

    assert rows | {Shown.ENDING, Shown.PAID_UNTIL, Shown.UNKNOWN_WORD} == set(Shown)
    assert set(STATES) == set(Shown)


@pytest.mark.parametrize("shown", Shown)
def test_every_row_can_speak_without_any_fact(shown: Shown) -> None:
    wait = ConfirmationWait(shown) if shown in WAITS else None
    bare = {
        Shown.ENDING: subscription(State.ACTIVE, plan_id=None, ends=True),
        Shown.PAID_UNTIL: subscription(State.CANCELED, plan_id=None, access=True),
        Shown.UNKNOWN_WORD: subscription(State.ON_RECORD, plan_id=None, word="x"),
    }
    state = State.CONFIRMING if wait is not None else State.NONE
    found = bare.get(shown) or subscription(state if wait is not None else State(shown), plan_id=None)

    words = said(found, wait)

    assert words.shown == shown
    assert words.headline
    assert words.sentence
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
    assert "21 December" not in said(subscription(State.CANCELED, until=LATER)).sentence


def test_the_date_is_the_readers_own_day() -> None:
    midnight = datetime(2026, 12, 21, 2, tzinfo=UTC)
    found = subscription(State.ACTIVE, until=midnight)

    assert said(found, timezone="America/New_York").sentence == "Renews on 20 December."
    assert said(found, timezone="Asia/Tokyo").sentence == "Renews on 21 December."


def test_the_amount_comes_with_its_interval() -> None:
    assert said(subscription(State.ACTIVE, **PRICED)).price == "$29.00 a month"
    assert said(subscription(State.ACTIVE, **{**PRICED, "interval": "year"})).price == "$29.00 a year"


def test_a_plan_that_is_no_longer_sold_is_spoken_of_without_a_name() -> None:
    words = said(subscription(State.PAST_DUE, plan_id="vanished"))

    assert words.sentence == "Your last payment failed. Update your card to keep your plan."


def test_a_word_of_a_service_that_looks_like_a_placeholder_stays_text() -> None:
    words = said(subscription(State.ON_RECORD, word="{plan} <b>"))

    assert words.badge == "{plan} <b>"
    assert "“{plan} <b>”" in words.sentence


@pytest.mark.parametrize("shown", [shown for shown in Shown if shown not in WAITS])
def test_what_the_cards_offer_is_what_the_guard_allows(shown: Shown) -> None:
    """The table and the guard say the same: a Subscribe button where it sells, and none where it refuses."""
    plan = CATALOG.plan("basic" if shown is Shown.COMPED else "premium")
    special: dict[Shown, tuple[State, dict[str, object]]] = {
        Shown.ENDING: (State.ACTIVE, {"ends": True, "access": True}),
        Shown.PAID_UNTIL: (State.CANCELED, {"access": True, "until": LATER}),
        Shown.UNKNOWN_WORD: (State.ON_RECORD, {"word": "frozen"}),
    }
    state, more = special.get(shown) or (State(shown), {})
    found = subscription(state, product_id="prod_sandbox_premium", **more)
    customer_status = CustomerStatus(customer="c", current=found, as_of=NOW)
    group = tuple(p.product_id for p in CATALOG.group(plan) if p.product_id)

    try:
        guard_subscription(customer_status, plan, group)
        refusal: FrontendError | None = None
    except FrontendError as error:
        refusal = error

    cards = STATES[shown].cards
    assert (cards is Cards.SUBSCRIBE) == (refusal is None)
    assert (cards is Cards.QUESTION) == isinstance(refusal, SubscriptionOnRecord)
    if cards is Cards.SWITCH:
        assert isinstance(refusal, AlreadySubscribed)


@pytest.mark.parametrize("shown", Shown)
def test_the_table_in_the_docs_is_the_table_in_the_code(shown: Shown) -> None:
    row = STATES[shown]
    rows = [line.strip("|").split("|") for line in DOCS.read_text(encoding="utf-8").splitlines()]
    found = [[cell.strip() for cell in cells] for cells in rows if cells[0].strip() == f"`{shown}`" and len(cells) == 8]

    assert len(found) == 1
    badge, tone, icon, headline, sentence, verb, cards = found[0][1:]
    assert (badge.strip("`"), tone, icon.strip("`")) == (row.badge, row.tone, row.icon)
    assert (headline, sentence) == (row.headlines[0], row.sentences[0])
    assert verb == (row.date_verb or "–")
    assert cards == row.cards


def test_the_docs_name_the_actions_of_each_state() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for state in State:
        actions = subscription(state).actions
        wanted = ", ".join(ACTION_WORDS[action] for action in actions) or "–"
        assert f"| `{state}` | {wanted} |" in text
