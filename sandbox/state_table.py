"""Every subscription state as a person meets it: badge, sentence, actions. For the page ``/states``."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class State:
    """`name` is the app's word for it; `how` says how to get there when no button can do it."""

    name: str
    badge: str
    kind: str
    sentence: str
    first: str = ""
    second: str = ""
    how: str = ""


STATES: Final = (
    State("none", "Free", "neutral", "You're on the free plan.", "Choose a plan"),
    State(
        "confirming",
        "Confirming",
        "info",
        "Stripe has your payment. We're waiting for confirmation; this page updates by itself.",
        second="Leave and come back",
        how="Set the webhook's delay to 60 seconds, then buy a plan.",
    ),
    State(
        "delayed",
        "Still confirming",
        "warning",
        "This takes longer than usual. You will not be charged twice, and it's safe to close this page.",
        "Check again",
        "Contact us, with the reference",
        how="Let the webhook get lost, then buy a plan.",
    ),
    State(
        "trialing",
        "Trial",
        "info",
        "Your trial ends on 5 January. You'll be charged $29.00 then unless you cancel.",
        "Manage",
        "Change plan",
    ),
    State("active", "Active", "success", "Renews on 21 December for $29.00.", "Manage", "Change plan"),
    State(
        "ending",
        "Ends soon",
        "warning",
        "Your plan stays active until 21 December and won't renew.",
        "Keep my plan",
        how="The Auth MS says canceled, paid until then; needs a status shape with a status.",
    ),
    State(
        "past_due",
        "Payment failed",
        "danger",
        "Your last payment failed. Update your card to keep Premium.",
        "Update payment method",
    ),
    State("unpaid", "Unpaid", "danger", "Premium is paused until the open invoice is paid.", "Pay invoice"),
    State(
        "incomplete",
        "Not finished",
        "warning",
        "Your first payment needs one more step.",
        "Finish payment",
        "Start over",
    ),
    State(
        "incomplete_expired",
        "Expired",
        "neutral",
        "The payment wasn't completed in time. Nothing was charged.",
        "Try again",
    ),
    State("paused", "Paused", "neutral", "Your subscription is paused.", "Resume"),
    State("canceled", "Ended", "neutral", "Premium ended on 21 November.", "Subscribe again", "See plans"),
    State(
        "on_record",
        "On record",
        "info",
        "We have a subscription on record, paid until 21 December. Its current status isn't known right now.",
        "Manage",
        how="The Auth MS says nothing about the plan; needs the running status shape.",
    ),
    State(
        "conflict",
        "Please check",
        "warning",
        "Your account says Premium, our billing says no subscription. You keep access while we sort this out.",
        "Check again",
        "Contact us",
        how="Billing's subscription ended ten days ago; the Auth MS still grants the plan.",
    ),
    State("comped", "Included", "success", "Premium was given to you; there is nothing to pay."),
    State(
        "unavailable",
        "Can't check",
        "danger",
        "We can't check your subscription right now. Last known: Active, 3 minutes ago.",
        "Try again",
        how="The Payment MS answers 503 about this person until they are put in another state.",
    ),
    State(
        "two_live",
        "Two plans",
        "warning",
        "Two subscriptions are running. End one of them in the portal.",
        "Manage",
    ),
    State("unknown", "On hold", "neutral", "A status word that nobody knows is shown as itself.", "Manage"),
)
REACHABLE: Final = frozenset(state.name for state in STATES) - {"confirming", "delayed"}
