"""Every state of a subscription in words and deeds: the one table from which all pages speak.

A row has the badge, the headline and what is offered. The sentence below the headline is made of claims
(`services/claims/`), each with its evidence, by `ui/text/claim_words.py`. A headline comes in several forms, the most
telling first: a page says the first of which every fact is known. Nothing here decides what a user has
(`services/subscription/reconcile.py`) or may do (`services/subscription/model.py`). `docs/states.md` shows the same
table to people, and `tests/ui/text/test_states.py` holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from services.subscription.model import Action, Reason, State, Subscription
from ui.text.i18n import N_, _
from ui.theme.tones import Tone


class Shown(StrEnum):
    """What a page shows: the model's states, and those that need words of their own."""

    NONE = "none"
    NONE_FOUND = "none_found"
    """No subscription as far as billing knows; the account says nothing of plans, or the catalog has no free one."""
    CONFIRMING = "confirming"
    DELAYED = "delayed"
    """Confirming for more than a minute."""
    LOST = "lost"
    """Confirming for more than ten minutes."""
    ARRIVED = "arrived"
    """Bought, and billing has it; the account does not yet."""
    UNCONFIRMED = "unconfirmed"
    """Back from a checkout a day ago or longer, and never confirmed."""
    TRIALING = "trialing"
    ACTIVE = "active"
    ENDING = "ending"
    """Active or on trial, and will not renew, as far as is known; after a visit to the portal that is not said."""
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    PAUSED = "paused"
    CANCELED = "canceled"
    PAID_UNTIL = "paid_until"
    """Canceled, with access until the paid period ends."""
    PERHAPS_KEPT = "perhaps_kept"
    """The same by the account's word, and the user was in the portal since, where it can be taken back."""
    ON_RECORD = "on_record"
    OUTDATED = "outdated"
    """On record or on the account until a date that has passed; what became of it is not known."""
    UNKNOWN_WORD = "unknown_word"
    """A service used a status word that this app does not know; it is shown as it came."""
    CONFLICT = "conflict"
    ON_ACCOUNT = "on_account"
    COMPED = "comped"
    UNAVAILABLE = "unavailable"
    ID_REFUSED = "id_refused"
    """Unavailable for good: billing can't take the user's id."""


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
    cards: Cards
    date_verb: str = ""
    labels: Mapping[Action, str] = field(default_factory=dict)
    why_not: str = ""


ACTION_WORDS: Final[Mapping[Action, str]] = {
    Action.CHOOSE_PLAN: N_("Choose a plan"),
    Action.MANAGE: N_("Manage subscription"),
    Action.CHANGE_PLAN: N_("Change plan"),
    # Translators: button: take a cancellation back
    Action.KEEP_PLAN: N_("Keep my plan"),
    Action.UPDATE_PAYMENT_METHOD: N_("Update payment method"),
    Action.PAY_INVOICE: N_("Pay invoice"),
    Action.FINISH_PAYMENT: N_("Finish payment"),
    Action.CONTINUE_CHECKOUT: N_("Continue your checkout"),
    Action.TRY_AGAIN: N_("Try again"),
    # Translators: button: a paused subscription shall go on
    Action.RESUME: N_("Resume"),
    # Translators: button: start a plan again that has ended
    Action.SUBSCRIBE_AGAIN: N_("Resubscribe"),
    Action.SEE_PLANS: N_("See plans"),
    Action.CHECK_AGAIN: N_("Check again"),
    Action.CONTACT: N_("Contact us"),
    Action.HAS_ENDED: N_("Has it ended?"),
}

# fmt: off
_CONFIRM_FIRST: Final = N_("You can choose a plan again once your purchase is confirmed.")
_PAY_FIRST: Final = N_("You can change plans once the open payment is settled.")
_ANSWER_FIRST: Final = N_("Answer the question above to choose a plan.")
CHECK_FIRST: Final = N_("You can choose a plan again once we can check what you have.")

# Translators: label before a date: then the next period begins and is paid
RENEWS: Final = N_("Renews")
"""The verb of an active subscription's date where a service says that it goes on."""

_ENDS: Final = (
    N_("{plan} ends on {date}"), N_("Your plan ends on {date}"), N_("{plan} is canceled"), N_("Your plan is canceled")
)

STATES: Final[Mapping[Shown, StateRow]] = {
    Shown.NONE: StateRow(
        # Translators: badge: no subscription, and there is a free plan
        N_("Free"), "neutral", "user-circle", (N_("No subscription yet"),), Cards.SUBSCRIBE,
    ),
    Shown.NONE_FOUND: StateRow(
        # Translators: badge: no subscription, as far as is known
        N_("No plan"), "neutral", "user-circle", (N_("No subscription yet"),), Cards.SUBSCRIBE,
    ),
    Shown.CONFIRMING: StateRow(
        N_("Confirming"), "info", "clock",
        (N_("Setting up {plan}"), N_("Setting up your plan")),
        Cards.NOTHING,
        # Translators: label before a date: when the purchase began
        N_("Started"), why_not=_CONFIRM_FIRST,
    ),
    Shown.DELAYED: StateRow(
        # Translators: badge: we wait for the confirmation of a payment for longer than usual
        N_("Still confirming"), "warning", "clock",
        (N_("Still setting up {plan}"), N_("Still setting up your plan")),
        Cards.NOTHING, N_("Started"), why_not=_CONFIRM_FIRST,
    ),
    Shown.LOST: StateRow(
        N_("Not confirmed"), "warning", "exclamation-triangle",
        (N_("We haven't heard from Stripe yet"),),
        Cards.NOTHING, N_("Started"), why_not=_CONFIRM_FIRST,
    ),
    Shown.ARRIVED: StateRow(
        N_("Confirming"), "info", "clock",
        (N_("Setting up {plan}"), N_("Setting up your plan")),
        Cards.NOTHING, N_("Started"), why_not=N_("You can choose a plan again once your purchase is confirmed."),
    ),
    Shown.UNCONFIRMED: StateRow(
        N_("Not confirmed"), "warning", "exclamation-triangle",
        (N_("{plan} isn't confirmed"), N_("Your purchase isn't confirmed")),
        Cards.QUESTION, why_not=_ANSWER_FIRST,
    ),
    Shown.TRIALING: StateRow(
        # Translators: badge: a free trial is running
        N_("Trial"), "info", "sparkles",
        # Translators: headline: a free trial runs
        (N_("You're trying {plan}"), N_("Your trial is running")),
        Cards.SWITCH,
        # Translators: label before a date: a trial is free until then
        N_("Free until"),
    ),
    Shown.ACTIVE: StateRow(
        N_("Active"), "success", "check-circle",
        # Translators: headline: the customer has the plan
        (N_("You're on {plan}"), N_("Your subscription is active")),
        Cards.SWITCH,
        # Translators: label before a date: a subscription is paid until then
        N_("Paid until"),
    ),
    Shown.ENDING: StateRow(
        # Translators: badge of a subscription that will not renew
        N_("Canceled"), "warning", "clock", _ENDS, Cards.SWITCH,
        # Translators: label before a date: a subscription ends then; a verb
        N_("Ends"),
    ),
    Shown.PAST_DUE: StateRow(
        # Translators: badge: a payment for the next period failed
        N_("Payment failed"), "danger", "exclamation-triangle",
        (N_("Your last payment for {plan} failed"), N_("Your last payment failed")),
        Cards.NOTHING, why_not=_PAY_FIRST,
    ),
    Shown.UNPAID: StateRow(
        # Translators: badge: an invoice was not paid
        N_("Unpaid"), "danger", "exclamation-circle",
        # Translators: headline
        (N_("You have an unpaid invoice"),),
        Cards.NOTHING, why_not=_PAY_FIRST,
    ),
    Shown.INCOMPLETE: StateRow(
        # Translators: badge: the first payment needs one more step
        N_("Not finished"), "warning", "exclamation-circle",
        (N_("One more step for {plan}"), N_("One more step for your plan")),
        Cards.NOTHING, why_not=_PAY_FIRST,
    ),
    Shown.INCOMPLETE_EXPIRED: StateRow(
        # Translators: badge: the first payment was not made in time
        N_("Expired"), "neutral", "x-circle",
        # Translators: headline: the first payment was not made in time
        (N_("{plan} wasn't started"), N_("Your plan wasn't started")),
        Cards.SUBSCRIBE,
    ),
    Shown.PAUSED: StateRow(
        # Translators: badge of a subscription
        N_("Paused"), "neutral", "pause-circle",
        (N_("{plan} is paused"), N_("Your plan is paused")),
        Cards.NOTHING, why_not=N_("You can change plans once this one is resumed."),
    ),
    Shown.CANCELED: StateRow(
        # Translators: badge of a subscription that is over
        N_("Ended"), "neutral", "x-circle",
        (N_("{plan} has ended"), N_("Your subscription has ended")),
        Cards.SUBSCRIBE, N_("Ended"),
    ),
    Shown.PAID_UNTIL: StateRow(
        N_("Canceled"), "warning", "clock", _ENDS,
        Cards.NOTHING, N_("Ends"), why_not=N_("You can choose a plan again when your paid time is over."),
    ),
    Shown.PERHAPS_KEPT: StateRow(
        N_("Status unknown"), "info", "question-mark-circle",
        (N_("{plan} is on your account"), N_("A plan is on your account")),
        Cards.NOTHING, why_not=CHECK_FIRST,
    ),
    Shown.ON_RECORD: StateRow(
        # Translators: badge: there is a subscription, and no service says what it is worth
        N_("Status unknown"), "info", "question-mark-circle",
        (N_("We found a {plan} subscription"), N_("We found a subscription")),
        Cards.QUESTION, N_("Paid until"), why_not=_ANSWER_FIRST,
    ),
    Shown.OUTDATED: StateRow(
        N_("Status unknown"), "info", "question-mark-circle",
        (N_("We can't tell if {plan} is still running"), N_("We can't tell if your plan is still running")),
        Cards.QUESTION, why_not=_ANSWER_FIRST,
    ),
    Shown.UNKNOWN_WORD: StateRow(
        "{word}", "info", "question-mark-circle",
        (N_("We found a {plan} subscription"), N_("We found a subscription")),
        Cards.QUESTION, N_("Paid until"), why_not=_ANSWER_FIRST,
    ),
    Shown.CONFLICT: StateRow(
        # Translators: badge: two services say different things
        N_("Please check"), "warning", "exclamation-triangle",
        (N_("We're checking your plan"),),
        Cards.NOTHING, why_not=CHECK_FIRST,
    ),
    Shown.ON_ACCOUNT: StateRow(
        # Translators: badge: the account has the plan, billing has no subscription for it
        N_("On your account"), "info", "user-circle",
        (N_("{plan} is on your account"), N_("A plan is on your account")),
        Cards.QUESTION,
        # Translators: label before a date: the account has the plan until then
        N_("Until"), why_not=_ANSWER_FIRST,
    ),
    Shown.COMPED: StateRow(
        # Translators: badge of a plan that was given and costs nothing
        N_("Included"), "success", "gift",
        # Translators: headline: it was given to the customer, who pays nothing for it
        (N_("{plan} is on us"), N_("Your plan is on us")),
        Cards.SUBSCRIBE, N_("Until"),
    ),
    Shown.UNAVAILABLE: StateRow(
        # Translators: badge: no service could be asked
        N_("Can't check"), "neutral", "question-mark-circle",
        (N_("We can't check right now"),),
        Cards.NOTHING,
        labels={Action.CHECK_AGAIN: N_("Try again")},
        why_not=CHECK_FIRST,
    ),
    Shown.ID_REFUSED: StateRow(
        N_("Can't check"), "danger", "exclamation-triangle",
        (N_("We can't look up your billing"),),
        Cards.NOTHING, why_not=N_("You can choose a plan once your account's ID is fixed. Contact us."),
    ),
}
# fmt: on


def shown_as(subscription: Subscription) -> Shown:
    """Return the row of the table that a subscription is shown by."""
    state = subscription.state
    if state is State.CONFIRMING:
        return Shown(subscription.wait or Shown.CONFIRMING)
    if state is State.ON_RECORD and subscription.word:
        return Shown.UNKNOWN_WORD
    if state is State.CANCELED and subscription.access:
        return Shown.PERHAPS_KEPT if subscription.portal_open else Shown.PAID_UNTIL
    if subscription.ends and state in (State.ACTIVE, State.TRIALING):
        if subscription.surely_ends:
            return Shown.ENDING
        if subscription.reason is Reason.PLAN_CHANGED:  # the account's word is all that there is for it
            return Shown.PERHAPS_KEPT
    if subscription.reason is Reason.ID_REFUSED:
        return Shown.ID_REFUSED
    return Shown(state)


def action_label(action: Action, shown: Shown | None = None) -> str:
    """Return the words on an action's button in a state."""
    renamed = STATES[shown].labels.get(action) if shown is not None else None
    return _(renamed or ACTION_WORDS[action])
