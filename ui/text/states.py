"""Every state of a subscription in words and deeds: the one table from which all pages speak.

A row has several sentences, the most telling first: a page says the first of which every fact is known
(`ui/text/state_words.py`). Nothing here decides what somebody has (`services/subscription/reconcile.py`) or may do
(`services/subscription/model.py`). `docs/states.md` shows the same table to people, and `tests/ui/text/test_states.py`
holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from services.subscription.customer_status import ConfirmationWait
from services.subscription.model import Action, State, Subscription
from ui.text.i18n import N_, _
from ui.theme.tones import Tone


class Shown(StrEnum):
    """What a page shows: the model's states, and those that need words of their own."""

    NONE = "none"
    CONFIRMING = "confirming"
    DELAYED = "delayed"
    """Confirming for more than a minute."""
    LOST = "lost"
    """Confirming for more than ten minutes."""
    TRIALING = "trialing"
    ACTIVE = "active"
    ENDING = "ending"
    """Active or on trial, and will not renew."""
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    PAUSED = "paused"
    CANCELED = "canceled"
    PAID_UNTIL = "paid_until"
    """Canceled, with access until the paid period ends."""
    ON_RECORD = "on_record"
    UNKNOWN_WORD = "unknown_word"
    """A service used a status word that this app does not know; it is shown as it came."""
    CONFLICT = "conflict"
    COMPED = "comped"
    UNAVAILABLE = "unavailable"


class Cards(StrEnum):
    """What the plan cards offer beside a state."""

    SUBSCRIBE = "subscribe"
    """A button for each plan that starts its checkout."""
    SWITCH = "switch"
    """"Current plan" on one, and on the others a change in the portal."""
    NOTHING = "nothing"
    """No button: what is under way or in doubt comes first."""
    QUESTION = "question"
    """No button until a plain question is answered."""


@dataclass(frozen=True, slots=True)
class StateRow:
    """The words of one state. `date_verb` says what happens on its date; `labels` renames actions.

    `why_not` says over the plan cards why they offer nothing now, and what would change that.
    """

    badge: str
    tone: Tone
    icon: str
    headlines: tuple[str, ...]
    sentences: tuple[str, ...]
    cards: Cards
    date_verb: str = ""
    labels: Mapping[Action, str] = field(default_factory=dict)
    why_not: str = ""


ACTION_WORDS: Final[Mapping[Action, str]] = {
    Action.CHOOSE_PLAN: N_("Choose a plan"),
    Action.MANAGE: N_("Manage"),
    Action.CHANGE_PLAN: N_("Change plan"),
    Action.KEEP_PLAN: N_("Keep my plan"),
    Action.UPDATE_PAYMENT_METHOD: N_("Update payment method"),
    Action.PAY_INVOICE: N_("Pay invoice"),
    Action.FINISH_PAYMENT: N_("Finish payment"),
    Action.CONTINUE_CHECKOUT: N_("Continue your checkout"),
    Action.START_OVER: N_("Start over"),
    Action.TRY_AGAIN: N_("Try again"),
    Action.RESUME: N_("Resume"),
    Action.SUBSCRIBE_AGAIN: N_("Subscribe again"),
    Action.SEE_PLANS: N_("See plans"),
    Action.CHECK_AGAIN: N_("Check again"),
    Action.CONTACT: N_("Contact us"),
    Action.HAS_ENDED: N_("Has this subscription ended?"),
}

# fmt: off
_CONFIRM_FIRST: Final = N_("You can choose a plan again once your purchase is confirmed.")
_PAY_FIRST: Final = N_("You can change plans once the open payment is settled.")
_ANSWER_FIRST: Final = N_("You can choose a plan after the question above.")
CHECK_FIRST: Final = N_("You can choose a plan again once we can check what you have.")

STATES: Final[Mapping[Shown, StateRow]] = {
    Shown.NONE: StateRow(
        N_("Free"), "neutral", "user-circle",
        (N_("No subscription yet"),),
        (N_("You're on the free plan."),),
        Cards.SUBSCRIBE,
    ),
    Shown.CONFIRMING: StateRow(
        N_("Confirming"), "info", "clock",
        (N_("Confirming {plan}"), N_("Confirming your purchase")),
        (N_("You're back from Stripe. We're waiting for confirmation; this page updates by itself."),),
        Cards.NOTHING, N_("Started"), why_not=_CONFIRM_FIRST,
    ),
    Shown.DELAYED: StateRow(
        N_("Still confirming"), "warning", "clock",
        (N_("Still confirming {plan}"), N_("Still confirming your purchase")),
        (N_("This takes longer than usual. You will not be charged twice, and it's safe to close this page."),),
        Cards.NOTHING, N_("Started"), why_not=_CONFIRM_FIRST,
    ),
    Shown.LOST: StateRow(
        N_("Not confirmed"), "warning", "exclamation-triangle",
        (N_("{plan} isn't confirmed yet"), N_("Your purchase isn't confirmed yet")),
        (
            N_(
                "No confirmation has reached us in ten minutes. You will not be charged twice. Check again later, or "
                "contact us with the reference."
            ),
        ),
        Cards.NOTHING, N_("Started"), why_not=_CONFIRM_FIRST,
    ),
    Shown.TRIALING: StateRow(
        N_("Trial"), "info", "sparkles",
        (N_("You're trying {plan}"), N_("Your trial is running")),
        (
            N_("Your trial ends on {date}. You'll be charged {amount} then unless you cancel."),
            N_("Your trial ends on {date}. You'll be charged then unless you cancel."),
            N_("Your trial is running. You'll be charged when it ends unless you cancel."),
        ),
        Cards.SWITCH, N_("Trial ends"),
    ),
    Shown.ACTIVE: StateRow(
        N_("Active"), "success", "check-circle",
        (N_("You're on {plan}"), N_("Your subscription is active")),
        (N_("Renews on {date} for {amount}."), N_("Renews on {date}."), N_("Your subscription is active.")),
        Cards.SWITCH, N_("Renews"),
    ),
    Shown.ENDING: StateRow(
        N_("Ends soon"), "warning", "clock",
        (N_("{plan} won't renew"), N_("Your plan won't renew")),
        (
            N_("Your plan stays active until {date} and won't renew."),
            N_("Your plan stays active until its paid time is over and won't renew."),
        ),
        Cards.SWITCH, N_("Ends"),
    ),
    Shown.PAST_DUE: StateRow(
        N_("Payment failed"), "danger", "exclamation-triangle",
        (N_("{plan} needs a payment"), N_("Your plan needs a payment")),
        (
            N_("Your last payment failed. Update your card to keep {plan}."),
            N_("Your last payment failed. Update your card to keep your plan."),
        ),
        Cards.NOTHING, why_not=_PAY_FIRST,
    ),
    Shown.UNPAID: StateRow(
        N_("Unpaid"), "danger", "exclamation-circle",
        (N_("An invoice for {plan} is open"), N_("An invoice is open")),
        (
            N_("{plan} is paused until the open invoice is paid."),
            N_("Your plan is paused until the open invoice is paid."),
        ),
        Cards.NOTHING, why_not=_PAY_FIRST,
    ),
    Shown.INCOMPLETE: StateRow(
        N_("Not finished"), "warning", "exclamation-circle",
        (N_("{plan} hasn't started yet"), N_("Your plan hasn't started yet")),
        (N_("Your first payment needs one more step."),),
        Cards.NOTHING, why_not=_PAY_FIRST,
    ),
    Shown.INCOMPLETE_EXPIRED: StateRow(
        N_("Expired"), "neutral", "x-circle",
        (N_("{plan} wasn't started"), N_("Your plan wasn't started")),
        (N_("The payment wasn't completed in time. Nothing was charged."),),
        Cards.SUBSCRIBE,
    ),
    Shown.PAUSED: StateRow(
        N_("Paused"), "neutral", "pause-circle",
        (N_("{plan} is on hold"), N_("Your plan is on hold")),
        (N_("Your subscription is paused."),),
        Cards.NOTHING, why_not=N_("You can change plans once this one is resumed."),
    ),
    Shown.CANCELED: StateRow(
        N_("Ended"), "neutral", "x-circle",
        (N_("{plan} has ended"), N_("Your subscription has ended")),
        (N_("{plan} ended on {date}."), N_("Your subscription ended on {date}."), N_("You're on the free plan again.")),
        Cards.SUBSCRIBE, N_("Ended"),
    ),
    Shown.PAID_UNTIL: StateRow(
        N_("Canceled"), "warning", "clock",
        (N_("{plan} is canceled"), N_("Your subscription is canceled")),
        (
            N_("You keep {plan} until {date}. You can subscribe again after that."),
            N_("You keep your plan until {date}. You can subscribe again after that."),
            N_("You keep your plan until its paid time is over."),
        ),
        Cards.NOTHING, N_("Ends"), why_not=N_("You can choose a plan again when your paid time is over."),
    ),
    Shown.ON_RECORD: StateRow(
        N_("On record"), "info", "question-mark-circle",
        (N_("{plan} is on record"), N_("A subscription is on record")),
        (
            N_("We have a subscription on record, paid until {date}. Its current status isn't known right now."),
            N_("We have a subscription on record. Its current status isn't known right now."),
        ),
        Cards.QUESTION, N_("Paid until"), why_not=_ANSWER_FIRST,
    ),
    Shown.UNKNOWN_WORD: StateRow(
        "{word}", "info", "question-mark-circle",
        (N_("{plan} is on record"), N_("A subscription is on record")),
        (
            N_("Our billing calls its status “{word}”, paid until {date}. The billing portal shows what that means."),
            N_("Our billing calls its status “{word}”. The billing portal shows what that means."),
        ),
        Cards.QUESTION, N_("Paid until"), why_not=_ANSWER_FIRST,
    ),
    Shown.CONFLICT: StateRow(
        N_("Please check"), "warning", "exclamation-triangle",
        (N_("Your plan needs a look"),),
        (
            N_(
                "Your account says {account_plan}, our billing says {billing_plan}. "
                "You keep access while we sort this out."
            ),
            N_(
                "Your account says {account_plan}, our billing says “{billing_word}”. "
                "You keep access while we sort this out."
            ),
            N_(
                "Your account says {account_plan}, our billing says no subscription. "
                "You keep access while we sort this out."
            ),
            N_("Our billing has {plan} as “{billing_word}”, your account doesn't have it. We're sorting this out."),
            N_("Your account and our billing disagree about your plan. We're sorting this out."),
        ),
        Cards.NOTHING, why_not=CHECK_FIRST,
    ),
    Shown.COMPED: StateRow(
        N_("Included"), "success", "gift",
        (N_("{plan} is included"), N_("Your plan is included")),
        (N_("{plan} was given to you; there is nothing to pay."), N_("It was given to you; there is nothing to pay.")),
        Cards.SUBSCRIBE, N_("Ends"),
    ),
    Shown.UNAVAILABLE: StateRow(
        N_("Can't check"), "neutral", "question-mark-circle",
        (N_("We can't check right now"),),
        (
            N_("We can't check your subscription right now. Last known: {known}, {age}."),
            N_("We can't check your subscription right now."),
        ),
        Cards.NOTHING,
        labels={Action.CHECK_AGAIN: N_("Try again")},
        why_not=CHECK_FIRST,
    ),
}
# fmt: on


def shown_as(subscription: Subscription, wait: ConfirmationWait | None = None) -> Shown:
    """Return the row of the table that a subscription is shown by; `wait` is how long its confirmation takes."""
    state = subscription.state
    if state is State.CONFIRMING and wait is not None:
        return Shown(wait)
    if state is State.ON_RECORD and subscription.word:
        return Shown.UNKNOWN_WORD
    if state is State.CANCELED and subscription.access:
        return Shown.PAID_UNTIL
    if subscription.ends and state in (State.ACTIVE, State.TRIALING):
        return Shown.ENDING
    return Shown(state)


def action_label(action: Action, shown: Shown | None = None) -> str:
    """Return the words on an action's button in a state."""
    renamed = STATES[shown].labels.get(action) if shown is not None else None
    return _(renamed or ACTION_WORDS[action])
