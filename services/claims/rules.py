"""The rules of evidence as a table: each kind of claim, what it takes to make it, and what is said without that.

`docs/states.md` shows it with the words (`make generate`); `tests/unit/services/claims/` has a test for each row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.claims.model import ClaimKind


@dataclass(frozen=True, slots=True)
class Rule:
    """The evidence that a claim takes, and what is said where it is missing ("–": nothing)."""

    only_on: str
    otherwise: str = "–"


_WORD: Final = "a service's own word for this state"

RULES: Final[Mapping[ClaimKind, Rule]] = {
    ClaimKind.HAS_ACCESS: Rule(
        "the account's word, at most ten minutes old; billing's where the account says nothing of plans. The date is "
        "the one that access follows, and only where access ends or was granted until then"
    ),
    ClaimKind.FREE_PLAN: Rule(
        "both services were asked and say that there is none, and the catalog offers a free plan", "`none_in_billing`"
    ),
    ClaimKind.NO_SUBSCRIPTION: Rule("the same, and the catalog offers no free plan", "`none_in_billing`"),
    ClaimKind.NONE_IN_BILLING: Rule(
        "billing was asked about all plans: when the billing page opens, and then once a minute where the account says "
        "nothing of plans",
        "`cant_check`",
    ),
    ClaimKind.CONFIRMING: Rule(
        "the browser is back, or a service says that the session went through (`complete`), and no service has spoken "
        "of what it sold, for less than a minute"
    ),
    ClaimKind.CONFIRMING_LONG: Rule(
        "the same, for one to ten minutes; nothing else of its group can charge: each other session ended unpaid by a "
        "service's word, or what it sold had arrived before, and billing tells of no other subscription that may run",
        "`confirming_long_unsure`",
    ),
    ClaimKind.NOT_HEARD: Rule("as `confirming_long`, for longer, within the session's day", "`not_heard_unsure`"),
    ClaimKind.CONFIRMING_LONG_UNSURE: Rule("as `confirming`, for one to ten minutes"),
    ClaimKind.NOT_HEARD_UNSURE: Rule("the same, for longer, within the session's day"),
    ClaimKind.ARRIVED: Rule(
        "the browser is back, billing has a subscription to that product that was not there before, and the account "
        "speaks of plans and does not grant it",
        "`confirming`",
    ),
    ClaimKind.UNCONFIRMED: Rule(
        "the browser came back by itself, the session's day is over, no service has spoken of it, and the user has not "
        "said that it was not charged",
        "`never_confirmed`",
    ),
    ClaimKind.NEVER_CONFIRMED: Rule(
        "the same, where a service alone says that the session went through (`complete`): nobody may have come back"
    ),
    ClaimKind.ON_TRIAL: Rule("a service's word that a trial runs"),
    ClaimKind.FREE_UNTIL: Rule(
        "the same, with an end that lies ahead and, after a visit to the portal, was told since. What follows is not "
        "said",
        "`on_trial`",
    ),
    ClaimKind.ACTIVE: Rule(_WORD),
    ClaimKind.PAID_UNTIL: Rule(
        "billing has a period's end that lies ahead and, after a visit to the portal, was told since; the word is "
        "active",
        "`active`",
    ),
    ClaimKind.RENEWS_ON: Rule(
        "a service says in words of its own that it is alive, and names `cancel_at_period_end`, `cancel_at`, "
        "`canceled_at`, `ended_at` and a pause, each as no; neither says otherwise; the date lies ahead; "
        "no visit to the portal since about which nothing was heard. The amount: billing's `next_charge` names it for "
        "that day; what is off and the tax in it, where `list_amount` and the sums prove it",
        "`paid_until` and `renews_unless_canceled`",
    ),
    ClaimKind.RENEWS_UNLESS_CANCELED: Rule(
        "as `paid_until`, and no service says that it ends or that payments are paused"
    ),
    ClaimKind.ON_ACCOUNT_UNTIL: Rule(
        "the account alone calls it active, with an end that lies ahead and, after a visit to the portal, was told "
        "since",
        "`active`",
    ),
    ClaimKind.CHARGED_THEN: Rule(
        "as `renews_on` with an amount, in a trial: billing's `next_charge` is at its end", "nothing"
    ),
    ClaimKind.CHANGES_ON: Rule(
        "billing's `scheduled_change`, ahead; nothing ends it; no visit to the portal since about which nothing was "
        "heard. The plan's name where the catalog has its product, the price where it is told",
        "nothing",
    ),
    ClaimKind.COLLECTION_PAUSED: Rule(
        "a service names a pause (`pause_collection`, `pause`), and no visit to the portal since about which nothing "
        "was heard; until when only with `resumes_at`",
        "`renews_unless_canceled`",
    ),
    ClaimKind.ENDS_ON: Rule(
        "a service says that it ends (`cancel_at_period_end`, `cancel_at`, the word canceled) and there is access "
        "until then; of two dates the one that access follows",
        "`ends`, where the date is unknown; `was_to_end`, where it is past; `ends_unless_changed`, after a visit to "
        "the portal about which nothing was heard",
    ),
    ClaimKind.ENDS: Rule("the same, and no service names a date", "`ends_unless_changed`, as above"),
    ClaimKind.ENDS_UNLESS_CHANGED: Rule(
        "as `ends_on` or `ends`, and the portal was opened since: that it is kept after all reaches us late or never"
    ),
    ClaimKind.WAS_TO_END: Rule(
        "as `ends_on`, with a date that is past: news of the end, or of its being taken back, can be late or lost"
    ),
    ClaimKind.CHANGE_RESUMES: Rule(
        "as `ends_on` or `ends`, beside a change in the portal. That it does is never said: no service tells",
        "`change_may_resume`, after a visit to the portal",
    ),
    ClaimKind.CHANGE_MAY_RESUME: Rule("as `ends_unless_changed`, beside a change in the portal"),
    ClaimKind.PAYMENT_FAILED: Rule(_WORD),
    ClaimKind.INVOICE_OPEN: Rule("a service's word `unpaid`, with access"),
    ClaimKind.INVOICE_OPEN_NO_ACCESS: Rule("a service's word `unpaid`, without access"),
    ClaimKind.PAYMENT_UNFINISHED: Rule(_WORD),
    ClaimKind.PAYMENT_EXPIRED: Rule("a service's word `incomplete_expired`: Stripe has voided that payment"),
    ClaimKind.PAUSED: Rule(_WORD),
    ClaimKind.ENDED_ON: Rule(
        "a service names the day on which it ended (`ended_at`, the account's date), and it is past. The end of its "
        "period is no such day",
        "`ended`",
    ),
    ClaimKind.ENDED: Rule("the same without such a date"),
    ClaimKind.FOUND_PAID_UNTIL: Rule(
        "billing's record ends ahead, told since a visit to the portal; no service says what it is worth", "`found`"
    ),
    ClaimKind.FOUND: Rule("the same without a date"),
    ClaimKind.WAS_PAID_UNTIL: Rule(
        "billing's record has ended and no service says what it is worth: a period that is over proves nothing, since "
        "news of a renewal can be lost",
        "`found`",
    ),
    ClaimKind.WAS_ON_ACCOUNT_UNTIL: Rule(
        "the account granted it until a date that is three days past, says neither that it was given nor that it would "
        "not renew, and billing has no record of it",
        "`found`",
    ),
    ClaimKind.STATUS_WORD: Rule("a service's word that this app does not know"),
    ClaimKind.ACCESS_BILLING_DIFFERS: Rule(
        "the account grants it; billing says in a word of its own that it has ended"
    ),
    ClaimKind.ACCESS_BILLING_NONE: Rule("the account grants it, and billing has had it and has none any more"),
    ClaimKind.ACCESS_BILLING_OTHER_PLAN: Rule(
        "the account grants it; billing has another plan of the group alive, and not as the one subscription that was "
        "changed to this one"
    ),
    ClaimKind.BILLING_WITHOUT_ACCESS: Rule("billing's own word for alive; the account speaks and does not grant it"),
    ClaimKind.SERVICES_DIFFER: Rule("the two contradict each other in another way"),
    ClaimKind.ON_ACCOUNT: Rule(
        "the account grants it; billing, asked about all plans, has none; not bought here", "`on_account_unknown`"
    ),
    ClaimKind.ON_ACCOUNT_UNKNOWN: Rule("the account grants a plan that the catalog does not know"),
    ClaimKind.GIFT: Rule("the account says so in a word that the operator lists (`GIFT_WORDS`)", "`on_account`"),
    ClaimKind.CANT_CHECK: Rule("no service that knows could be asked for two minutes"),
    ClaimKind.LAST_KNOWN: Rule("what was known before, with its age"),
    ClaimKind.ID_REFUSED: Rule("billing can't be asked about this id at all"),
    ClaimKind.LIST_PRICE: Rule(
        "billing tells `list_amount`, and no visit to the portal since about which nothing was heard. Else: bought "
        "here and confirmed, said to run by a service, the plan unchanged; the period's end is within three days of "
        "the purchase plus whole intervals and no further off than one; no visit to the portal since. For a trial: "
        "the end it was sold with, and a browser that came back. Beside a purchase in a list: what that checkout "
        "asked for",
        "the plan's name alone",
    ),
    ClaimKind.PAYING_TWICE: Rule(
        "two subscriptions of one group that are active by a service's word, and neither ends nor has its payments "
        "paused. How many there are is not said: asked by product, billing tells of one of each",
        "`more_than_one`",
    ),
    ClaimKind.MORE_THAN_ONE: Rule(
        "two subscriptions of one group that are alive by a service's word, and not both known to run out"
    ),
    ClaimKind.PORTAL_NEWS_DUE: Rule("the portal was opened, and neither service has said anything new of it since"),
    ClaimKind.PLAN_CHANGED: Rule(
        "back from the portal: a service says another plan than before, and a state in which the user has it", "nothing"
    ),
    ClaimKind.ACTIVE_AGAIN: Rule("back from the portal: a service's word is active, and was not, of the same plan"),
    ClaimKind.PAUSED_SINCE: Rule("back from the portal: a service's word is paused, and was not"),
    ClaimKind.STATE_CHANGED: Rule(
        "back from the portal: it ends, or goes on again, or owes, or its date is another. What is said is what its "
        "own claims say"
    ),
    ClaimKind.ONE_ENDED: Rule(
        "back from the portal: of several of a group one is told of as ended; or not at all, by a service that tells "
        "of all",
        "`one_changed`",
    ),
    ClaimKind.ONE_CHANGED: Rule("back from the portal: of several of a group one is not told of as alive any more"),
    ClaimKind.DUE_TODAY: Rule("the catalog's price, what the operator says of `tax`, and that a code can lower it"),
    ClaimKind.THEN_EACH: Rule("the price's interval; no amount"),
    ClaimKind.TRIAL_OFFERED: Rule(
        "the Payment MS gives trials (`PAYMENT_MS_GIVES_TRIALS`), and no trial or subscription of that plan is on "
        "record for the user",
        "`trial_for_new`",
    ),
    ClaimKind.TRIAL_FOR_NEW: Rule("there is a trial, and one is on record"),
    ClaimKind.PROMISED: Rule("the operator states it (`promises` in the catalog)"),
    ClaimKind.NOTHING_CHARGED: Rule(
        "we stopped before the browser was sent to Stripe; or both services were asked just now, know of no payment, "
        "and nobody else can have paid",
        "`nothing_charged_here`",
    ),
    ClaimKind.NOTHING_CHARGED_HERE: Rule("the browser came back through Stripe's back link"),
    ClaimKind.NOT_CHARGED_THEN: Rule(
        "billing said, when the page was opened, that the session was open and unpaid", "`nothing_charged_here`"
    ),
    ClaimKind.CHECKOUT_ENDED: Rule(
        "billing says that the session has expired, and no browser ever came back from it", "`nothing_charged_here`"
    ),
    ClaimKind.INVOICE: Rule("billing lists it (`invoices`); its badge is Stripe's own word for its state"),
    ClaimKind.NO_INVOICES: Rule("billing was asked for invoices just now, and its list is empty"),
    ClaimKind.NO_WORD_YET: Rule(
        "a checkout here that the browser was sent to or came back from, and no service has spoken of it. That it is "
        "not paid is never said of it"
    ),
    ClaimKind.STARTED: Rule("this app opened the checkout and sent the browser to it"),
    ClaimKind.ORDERED_BEFORE: Rule(
        "the browser came back from a checkout of items, its address carried what only Stripe knows, and the last try "
        "of a webhook is not past",
        "`started`",
    ),
    ClaimKind.NOT_CONFIRMED_YET: Rule(
        "a checkout of a plan that the browser came back from, or that a service calls complete, and none has spoken "
        "of what it sold"
    ),
    ClaimKind.PAYMENT_POSSIBLE: Rule(
        "Stripe's back link was pressed, or the session is over, and no service has said that it ended unpaid"
    ),
    ClaimKind.PAYMENT_UNHEARD: Rule("the same, and the last try of a webhook is past"),
    ClaimKind.STILL_PAYABLE: Rule("its session's life is not over, and no service has said that it ended"),
    ClaimKind.CHARGED_ON_TOP: Rule("something is on record of which no service says that it has ended"),
    ClaimKind.CHANGED_SINCE: Rule(
        "the purchase was confirmed once; a service's word of now is of another plan, or of a state that is no "
        "purchase's, and nothing that the user has is of the plan that was bought"
    ),
    ClaimKind.ORDER_PLACED: Rule(
        "the return carries what only Stripe knows, or a service says so", "`back_from_checkout`"
    ),
    ClaimKind.PURCHASE_ARRIVED: Rule(
        "billing has a subscription of this purchase, or the browser came back from it and the account grants its plan"
    ),
    ClaimKind.RECEIPT: Rule(
        "a purchase of a plan here, without a trial, that the browser came back from or billing has, and that a "
        "service confirms and calls active; or an order whose session billing says is paid"
    ),
    ClaimKind.BACK_FROM_CHECKOUT: Rule("the browser came back, and its address proves nothing"),
}
