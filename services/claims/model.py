"""A claim: what is said, of what, with which amount and date, on which evidence, how old."""

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypeAliasType

Tax = TypeAliasType("Tax", Literal["included", "added", "none"])
"""What the operator says of tax in the catalog's prices. A name of its own in the OpenAPI document."""


class ClaimKind(StrEnum):
    """What can be said. `date`, `amount` and the like name the fields of the claim that go with it."""

    HAS_ACCESS = "has_access"
    """The plan's features are on; until `date`, if a service says when that ends."""

    FREE_PLAN = "free_plan"
    NO_SUBSCRIPTION = "no_subscription"
    NONE_IN_BILLING = "none_in_billing"
    """Billing was asked and has none; the account says nothing of plans."""

    CONFIRMING = "confirming"
    CONFIRMING_LONG = "confirming_long"
    NOT_HEARD = "not_heard"
    """Waited for, and it can't be charged twice: there is no other session of its group that can charge."""
    CONFIRMING_LONG_UNSURE = "confirming_long_unsure"
    NOT_HEARD_UNSURE = "not_heard_unsure"
    """The same, and another session of its group can still be paid, or may have been."""
    ARRIVED = "arrived"
    """Billing has what was bought, and the account does not have it yet."""
    UNCONFIRMED = "unconfirmed"
    """The user came back from a checkout at `date`, and no service ever confirmed it."""
    NEVER_CONFIRMED = "never_confirmed"
    """The same of a checkout that nobody was seen to come back from: at `date` a service said that it went through."""

    ON_TRIAL = "on_trial"
    FREE_UNTIL = "free_until"
    """A trial runs until `date`. What follows is not said."""
    ACTIVE = "active"
    PAID_UNTIL = "paid_until"
    RENEWS_ON = "renews_on"
    RENEWS_UNLESS_CANCELED = "renews_unless_canceled"
    """It renews at the end of the period, unless it is canceled or paused, of which nothing was heard."""
    ON_ACCOUNT_UNTIL = "on_account_until"
    """The account has it until `date`; of payments nothing is known."""
    CHARGED_THEN = "charged_then"
    """At the end of the trial `amount` will be charged, by billing's word."""
    CHANGES_ON = "changes_on"
    """A change is booked for `date`: to `other_plan`, at the list price `amount` an `interval`."""
    COLLECTION_PAUSED = "collection_paused"
    """Payments are paused; until `date`, if billing says when they go on."""
    ENDS_ON = "ends_on"
    """Access ends on `date`, and it will not renew."""
    ENDS = "ends"
    """The same, nobody says when."""
    ENDS_UNLESS_CHANGED = "ends_unless_changed"
    """A service says that it ends, on `date` if it says when, and the user was in the portal since."""
    WAS_TO_END = "was_to_end"
    """A service says that it ends, and the day, `date`, has passed without news of the end."""
    CHANGE_RESUMES = "change_resumes"
    """A change of plan may take the cancellation back, so that it renews: what the portal does no service tells."""
    CHANGE_MAY_RESUME = "change_may_resume"
    """The same, if it is still canceled."""

    PAYMENT_FAILED = "payment_failed"
    INVOICE_OPEN = "invoice_open"
    INVOICE_OPEN_NO_ACCESS = "invoice_open_no_access"
    PAYMENT_UNFINISHED = "payment_unfinished"
    PAYMENT_EXPIRED = "payment_expired"
    """Its first payment was not completed in time, and so it was not charged."""
    PAUSED = "paused"
    ENDED = "ended"
    ENDED_ON = "ended_on"

    FOUND_PAID_UNTIL = "found_paid_until"
    """On record and paid until `date`; its status is not known."""
    FOUND = "found"
    WAS_PAID_UNTIL = "was_paid_until"
    """On record and paid until `date`, which has passed; what became of it is not known."""
    WAS_ON_ACCOUNT_UNTIL = "was_on_account_until"
    """The account had it until `date`, which has passed; what became of it is not known."""
    STATUS_WORD = "status_word"
    """Billing calls its status `word`, which this app does not know."""

    ACCESS_BILLING_DIFFERS = "access_billing_differs"
    """The user has access to the plan, and billing calls the subscription `word`."""
    ACCESS_BILLING_NONE = "access_billing_none"
    ACCESS_BILLING_OTHER_PLAN = "access_billing_other_plan"
    """The same, and billing has `other_plan`."""
    BILLING_WITHOUT_ACCESS = "billing_without_access"
    SERVICES_DIFFER = "services_differ"

    ON_ACCOUNT_UNKNOWN = "on_account_unknown"
    """A plan that the catalog does not know is on the account: billing can't be asked about it."""
    ON_ACCOUNT = "on_account"
    """The plan is on the account, and billing has no subscription for it here."""
    GIFT = "gift"
    CANT_CHECK = "cant_check"
    LAST_KNOWN = "last_known"
    """What was known at `date` (`word` is the state)."""
    ID_REFUSED = "id_refused"

    LIST_PRICE = "list_price"
    """What the catalog asks for `amount` an `interval`, before discounts and tax. Never what will be charged."""
    PAYING_TWICE = "paying_twice"
    """More than one subscription of a group is active: how many there are is not said, for no service tells of all."""
    MORE_THAN_ONE = "more_than_one"
    """More than one subscription of a group can charge; that two of them do is not known."""
    PORTAL_NEWS_DUE = "portal_news_due"
    """The portal was opened and no service has said anything new since: what was changed there may not show yet."""
    PLAN_CHANGED = "plan_changed"
    """Since the user went to the portal the plan has become this one."""
    ACTIVE_AGAIN = "active_again"
    PAUSED_SINCE = "paused_since"
    """It was not paused when the user went to the portal, and is now."""
    STATE_CHANGED = "state_changed"
    """What there is now is not what there was then: its own claims say what it is."""
    ONE_ENDED = "one_ended"
    """One of several subscriptions of a group has ended since."""
    ONE_CHANGED = "one_changed"
    """One of several is not told of any more: it may have ended, or have become one of another plan."""

    DUE_TODAY = "due_today"
    """A press leads to a checkout over `amount`, with `tax` as the operator says; a promotion code can lower it."""
    THEN_EACH = "then_each"
    """After that once an `interval`."""
    TRIAL_OFFERED = "trial_offered"
    """The first `days` are free, for new customers where nobody is signed in; then the list price."""
    TRIAL_FOR_NEW = "trial_for_new"
    """A trial is for new customers; what is due today is shown at Stripe."""
    PROMISED = "promised"
    """What the operator promises, in the catalog; `word` names it there."""

    NOTHING_CHARGED = "nothing_charged"
    NOTHING_CHARGED_HERE = "nothing_charged_here"
    """Nothing was charged, unless it was paid in another tab."""
    NOT_CHARGED_THEN = "not_charged_then"
    """At `as_of` its session was open and unpaid, by billing's word. That stays so, whatever is paid afterwards."""
    CHECKOUT_ENDED = "checkout_ended"
    """Its session ended unpaid, by billing's word: nothing was charged for it."""
    INVOICE = "invoice"
    """Billing tells of an invoice of `date` over `amount`; `word` is Stripe's word for its state."""
    NO_INVOICES = "no_invoices"
    """Billing was asked for invoices and has none. That there will be one is not said."""
    NO_WORD_YET = "no_word_yet"
    """A checkout of which no service has said what became of it: neither that it was paid, nor that it was not."""
    STARTED = "started"
    """A checkout was started at `date`."""
    ORDERED_BEFORE = "ordered_before"
    """Items were ordered at `date`, by a browser that came back; whether they were paid nobody says."""
    NOT_CONFIRMED_YET = "not_confirmed_yet"
    """The browser came back from a checkout of a plan at `date`, and no service has spoken of it."""
    PAYMENT_POSSIBLE = "payment_possible"
    """A checkout may have been paid: its news can be on its way."""
    PAYMENT_UNHEARD = "payment_unheard"
    """A checkout may have been paid, and nobody is to be expected to say so any more."""
    STILL_PAYABLE = "still_payable"
    """The page of a checkout can still take money, wherever it is open."""
    CHARGED_ON_TOP = "charged_on_top"
    """A new subscription is charged on top of one that may still run."""
    CHANGED_SINCE = "changed_since"
    """What a checkout sold was confirmed, and is not what the user has now."""
    ORDER_PLACED = "order_placed"
    PURCHASE_ARRIVED = "purchase_arrived"
    """A service has what was bought here."""
    RECEIPT = "receipt"
    """What was bought here was paid, so there is a receipt, and where it is."""
    BACK_FROM_CHECKOUT = "back_from_checkout"


DATED: Final = frozenset(
    {
        ClaimKind.FREE_UNTIL,
        ClaimKind.PAID_UNTIL,
        ClaimKind.RENEWS_ON,
        ClaimKind.ON_ACCOUNT_UNTIL,
        ClaimKind.ENDS_ON,
        ClaimKind.ENDED_ON,
        ClaimKind.FOUND_PAID_UNTIL,
        ClaimKind.WAS_PAID_UNTIL,
        ClaimKind.WAS_ON_ACCOUNT_UNTIL,
        ClaimKind.STATUS_WORD,
        ClaimKind.CONFIRMING,
        ClaimKind.CONFIRMING_LONG,
        ClaimKind.NOT_HEARD,
        ClaimKind.CONFIRMING_LONG_UNSURE,
        ClaimKind.NOT_HEARD_UNSURE,
        ClaimKind.ARRIVED,
        ClaimKind.UNCONFIRMED,
        ClaimKind.NEVER_CONFIRMED,
    }
)
"""Claims whose date is the one that a state turns on."""


class Evidence(StrEnum):
    """On what a claim rests."""

    BILLING = "billing"
    ACCOUNT = "account"
    BOTH = "both"
    CHECKOUT = "checkout"
    """The browser's return from a checkout that was opened here: proves nothing about money."""
    BOUGHT_HERE = "bought_here"
    """A purchase here that was confirmed, and whose dates still fit."""
    MEMORY = "memory"
    CATALOG = "catalog"
    OPERATOR = "operator"
    STOPPED_HERE = "stopped_here"
    """We stopped before the browser was sent to Stripe."""
    LOOKED_NOW = "looked_now"
    """Both services were asked just now, and nobody else can have paid."""
    ASKED_NOBODY = "asked_nobody"


class Claim(BaseModel):
    """One statement. Amounts are minor units of `currency`, dates aware UTC, `as_of` is how old the evidence is.

    `tax_amount` and `percent_off` are what is in an amount that will be charged. `plan` is the catalog's id,
    `account_plan` a name that the catalog does not know.
    """

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)

    says: ClaimKind
    evidence: Evidence
    as_of: datetime
    group: str | None = None
    plan: str | None = None
    account_plan: str | None = None
    other_plan: str | None = None
    product_id: str | None = None
    subscription_id: str | None = None
    checkout_id: str | None = None
    date: datetime | None = None
    amount: int | None = None
    currency: str | None = None
    interval: str | None = None
    tax: Tax | None = None
    tax_amount: int | None = None
    percent_off: int | None = None
    days: int | None = None
    word: str | None = None

    @property
    def wire(self) -> dict[str, object]:
        """The claim as JSON, without what it does not hold: what `data-claims` and the API carry."""
        return self.model_dump(mode="json", exclude_none=True)
