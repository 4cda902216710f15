"""What one subscription is worth: its state, what it grants, what can be done about it.

This is the one model that pages, routes and guards see. The words, dates and shapes of the two services end in
`services/subscription/normalize.py`; the rules that make a state from them are in `services/subscription/reconcile.py`.
"""

from datetime import timedelta
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from catalog import Text
from services.subscription.told_terms import ToldTerms


class State(StrEnum):
    """The states of a subscription. Stripe's words where Stripe has one; the others are explained beside them."""

    NONE = "none"
    CONFIRMING = "confirming"
    """The user is back from Checkout and no service has confirmed it yet."""
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    PAUSED = "paused"
    CANCELED = "canceled"
    ON_RECORD = "on_record"
    """Billing has a subscription on record, and no service says what it is worth."""
    CONFLICT = "conflict"
    """The two services disagree in a way that matters: on access, or on the plan."""
    ON_ACCOUNT = "on_account"
    """The account grants a plan that billing knows nothing of and that was not bought here, and does not say why."""
    COMPED = "comped"
    """The same, and the account says in a word that the operator lists (`GIFT_WORDS`) that it was given."""
    UNAVAILABLE = "unavailable"
    """No service could be asked."""


class Source(StrEnum):
    """Who said so."""

    BILLING = "billing"
    ACCOUNT = "account"
    BOTH = "both"
    CHECKOUT = "checkout"
    MEMORY = "memory"


class Reason(StrEnum):
    """Why the state is what it is: one word for logs and `/api/entitlements`, a sentence in the user interface."""

    NO_SUBSCRIPTION = "no_subscription"
    AGREED = "agreed"
    BILLING_SAYS = "billing_says"
    ACCOUNT_SAYS = "account_says"
    ACCOUNT_SILENT = "account_silent"
    ACCOUNT_DIFFERS = "account_differs"
    ACCOUNT_UNREACHABLE = "account_unreachable"
    BILLING_LAGS = "billing_lags"
    BILLING_UNREACHABLE = "billing_unreachable"
    NO_SERVICE_REACHABLE = "nobody_reachable"
    PLAN_DIFFERS = "plan_differs"
    PERIOD_OVER = "period_over"
    """What was known to be paid for, or granted, is over, and no service says what became of it."""
    PLAN_CHANGED = "plan_changed"
    """The account's plan is that of a subscription which billing still lists under another plan of its group."""
    BILLING_LACKS = "billing_lacks"
    """The account grants what was bought here, and billing never listed it."""
    UNKNOWN_WORD = "unknown_word"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    GRANTED = "granted"
    GRANTED_BY_RECORD = "granted_by_record"
    """The account says nothing of plans, and the operator lets billing's record grant until its end."""
    UNKNOWN_PLAN = "unknown_plan"
    """The account names a plan that the catalog does not know."""
    ID_REFUSED = "id_refused"
    """Billing can't be asked about a user with this id; asking again changes nothing."""


DISAGREEMENTS = (Reason.ACCOUNT_DIFFERS, Reason.PLAN_DIFFERS)
"""Why a state can be `conflict`."""


class ConfirmationWait(StrEnum):
    """How long a confirmation has been awaited, in the words that people get."""

    CONFIRMING = "confirming"
    DELAYED = "delayed"
    LOST = "lost"
    ARRIVED = "arrived"
    """Billing has it, and the account does not yet: nothing more is waited for from Stripe."""
    UNCONFIRMED = "unconfirmed"
    """The session's life is over, or the user went back after all, and no service ever spoke of it."""


class Action(StrEnum):
    """What a user can do about a state. The user interface words it; `services/checkout/service.py` guards it."""

    CHOOSE_PLAN = "choose_plan"
    MANAGE = "manage"
    CHANGE_PLAN = "change_plan"
    KEEP_PLAN = "keep_plan"
    UPDATE_PAYMENT_METHOD = "update_payment_method"
    PAY_INVOICE = "pay_invoice"
    FINISH_PAYMENT = "finish_payment"
    CONTINUE_CHECKOUT = "continue_checkout"
    TRY_AGAIN = "try_again"
    RESUME = "resume"
    SUBSCRIBE_AGAIN = "subscribe_again"
    SEE_PLANS = "see_plans"
    CHECK_AGAIN = "check_again"
    CONTACT = "contact"
    HAS_ENDED = "has_ended"
    """Answer the question whether a subscription on record has ended, and so be able to subscribe again."""

    @property
    def opens_portal(self) -> bool:
        """Whether the action is done in Stripe's customer portal."""
        return self in _PORTAL_ACTIONS


_PORTAL_ACTIONS = frozenset(
    {
        Action.MANAGE,
        Action.CHANGE_PLAN,
        Action.KEEP_PLAN,
        Action.UPDATE_PAYMENT_METHOD,
        Action.PAY_INVOICE,
        Action.FINISH_PAYMENT,
        Action.RESUME,
    }
)

LIVE = frozenset(
    {State.TRIALING, State.ACTIVE, State.PAST_DUE, State.UNPAID, State.INCOMPLETE, State.PAUSED, State.ON_RECORD}
)
"""States in which billing has, or may have, a subscription that can charge: a second one beside it is never sold."""

GRANTING = frozenset({State.TRIALING, State.ACTIVE, State.PAST_DUE, State.ON_ACCOUNT, State.COMPED})
"""States whose word grants access. `past_due` does: Stripe retries the payment meanwhile. `on_account` and
`comped` are our own words."""

GRACE = timedelta(days=3)
"""How long after its period's end a subscription without a status word still counts as running."""

DELAYED_AFTER = timedelta(seconds=60)
"""How long a confirmation may take before the words change to "this takes longer than usual"."""

LOST_AFTER = timedelta(minutes=10)
"""When waiting for a confirmation ends in words that say what to do."""


class Subscription(BaseModel):
    """One subscription, or its absence, as far as it is known at `as_of`.

    Times are aware UTC. `until` is the end of the paid or trial period, or that of access where it ends; None where no
    service says it. `ends` says that it will not renew, `goes_on` that a service says in words of its own that it
    will: with neither, nobody knows. `held` says that payments are paused though the word is another. `over_at_stripe`
    says that billing's own word is an end, so there is nothing left to keep. `portal_open` says that the user opened
    the billing portal since and no service has said anything new, `date_of_before` that `until`, too, was told before
    that visit and not since. `amount` is the list price in minor units, known
    only as long as the evidence for it holds (`services/subscription/list_price.py`). `word` is the upstream's own
    status word when this app does not know it. `told` is what billing tells of its money, where it
    does. `group` is the plan's; `former_name` is what the plan was called, where the catalog has it no more.
    `last_known` is what was known before (`unavailable`) or billing's side
    (`conflict`). `reference` is what to quote of a checkout that is not confirmed, `charges_alone` says that
    nothing else of its group can charge (`services/subscription/checkout_matching.py`), `seen_back` that the browser
    came back from it by itself.
    """

    model_config = ConfigDict(frozen=True)

    state: State
    reason: Reason
    source: Source
    as_of: AwareDatetime
    access: bool = False
    plan_id: str | None = None
    group: str | None = None
    former_name: Text | None = None
    product_id: str | None = None
    subscription_id: str | None = None
    until: AwareDatetime | None = None
    ends: bool = False
    goes_on: bool = False
    held: bool = False
    over_at_stripe: bool = False
    portal_open: bool = False
    date_of_before: bool = False
    word: str | None = None
    account_plan: str | None = None
    amount: int | None = None
    currency: str | None = None
    interval: str | None = None
    told: ToldTerms | None = None
    since: AwareDatetime | None = None
    wait: ConfirmationWait | None = None
    reference: str = ""
    charges_alone: bool = False
    seen_back: bool = False
    last_known: "Subscription | None" = None

    @property
    def live(self) -> bool:
        """Whether billing has, or may have, a subscription here that can charge."""
        return self.state in LIVE

    @property
    def surely_ends(self) -> bool:
        """Whether it will not renew, and cannot have been taken back in the portal since that was told."""
        return self.ends and not self.portal_open

    @property
    def actions(self) -> tuple[Action, ...]:
        """What is offered, the most useful first."""
        if self.ends and self.state in (State.ACTIVE, State.TRIALING):
            return (Action.KEEP_PLAN,)
        if self.state is State.CANCELED and self.access:
            return () if self.over_at_stripe else (Action.KEEP_PLAN,)
        if self.wait is ConfirmationWait.UNCONFIRMED:
            return (Action.CHECK_AGAIN,)
        if self.reason is Reason.ID_REFUSED:
            return (Action.CONTACT,)
        if self.state is State.CONFLICT and self.last_known is not None:
            return (*ACTIONS[self.state], Action.MANAGE)
        return ACTIONS[self.state]

    def grants(self, plan_id: str) -> bool:
        """Whether this subscription grants access to that plan. Other plans than its own are not implied."""
        return self.access and self.plan_id == plan_id


ACTIONS: dict[State, tuple[Action, ...]] = {
    State.NONE: (Action.CHOOSE_PLAN,),
    State.CONFIRMING: (Action.CHECK_AGAIN, Action.CONTINUE_CHECKOUT),
    State.TRIALING: (Action.MANAGE, Action.CHANGE_PLAN),
    State.ACTIVE: (Action.MANAGE, Action.CHANGE_PLAN),
    State.PAST_DUE: (Action.UPDATE_PAYMENT_METHOD, Action.MANAGE),
    State.UNPAID: (Action.PAY_INVOICE, Action.UPDATE_PAYMENT_METHOD),
    State.INCOMPLETE: (Action.FINISH_PAYMENT, Action.CHECK_AGAIN),
    State.INCOMPLETE_EXPIRED: (Action.TRY_AGAIN, Action.SEE_PLANS),
    State.PAUSED: (Action.RESUME,),
    State.CANCELED: (Action.SUBSCRIBE_AGAIN, Action.SEE_PLANS),
    State.ON_RECORD: (Action.MANAGE, Action.HAS_ENDED),
    State.CONFLICT: (Action.CHECK_AGAIN, Action.CONTACT),
    State.ON_ACCOUNT: (Action.CONTACT, Action.HAS_ENDED),
    State.COMPED: (),
    State.UNAVAILABLE: (Action.CHECK_AGAIN,),
}
"""What each state offers, in order; `Subscription.actions` knows the exceptions."""
