"""What can be said of money, dates, access and what happened: a kind, and of what."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


class Kind(StrEnum):
    """What a sentence claims."""

    ACTIVE = "is active"
    TRIALING = "is on trial"
    TRIAL_ENDS = "trial ends"
    WILL_BE_CHARGED_THEN = "will be charged then"
    RENEWS = "renews"
    RENEWS_UNLESS = "renews unless it is canceled"
    ACCOUNT_UNTIL = "is on the account until"
    HELD = "payments are paused"
    CHANGES = "changes to another plan on a day"
    NOTHING_RUNS = "nothing is running"
    ENDS = "ends and won't renew"
    PAST_DUE = "needs a payment"
    UNPAID = "an invoice is open"
    INCOMPLETE = "has not started yet"
    NEVER_STARTED = "was never started"
    PAUSED = "is paused"
    ENDED = "has ended"
    KEEPS = "is kept until"
    ENDS_UNLESS = "ends unless that was changed"
    WAS_TO_END = "was to end on"
    PAID_UNTIL = "is paid until"
    ON_RECORD = "is on record"
    CALLED = "has the status"
    WOULD_GO_ON = "would go on after a change of plan"
    ACCOUNT_HAS = "the account has"
    ACCOUNT_LACKS = "the account lacks"
    BILLING_HAS = "billing has"
    BILLING_LACKS = "billing lacks"
    BILLING_LACKS_IT = "billing lacks what the account has"
    BILLING_SAID = "billing said"
    BILLING_SAID_NONE = "billing said that there is none"
    ACCOUNT_SAID = "the account said"
    ACCOUNT_SAID_NONE = "the account said that there is none"
    ACCOUNT_SILENT = "the account said nothing"
    LAST_KNOWN = "was known last"
    GIVEN = "was given for nothing"
    FREE = "is on the free plan"
    ACCESS = "has access to"
    ONCE = "is not charged twice"
    NO_ACCESS = "has no access"
    ACCESS_UNTIL = "has access until"
    TWICE = "is paying twice"
    MORE_THAN_ONE = "has more than one"
    ONE_ENDED = "one of them has ended"
    ONE_CHANGED = "one of them has ended or changed"
    NOTHING_CHARGED = "nothing was charged"
    NOT_CHARGED_THEN = "nothing had been charged when the page was opened"
    CHECKOUT_ENDED = "a checkout ended unpaid"
    PLAN_UNCHANGED = "the plan is unchanged"
    STARTED = "a checkout was started"
    CAME_BACK = "a checkout was come back from"
    CONFIRMING = "a purchase is being confirmed"
    SUBMITTED = "an order is submitted"
    ORDERED = "something was ordered"
    CONFIRMED = "a purchase was confirmed"
    BOUGHT = "one of the purchases was confirmed"
    CHANGED_SINCE = "what was bought has changed since"
    HAS_PRICE = "the list price of what is had"
    INVOICED = "an invoice was over"
    INVOICE_IS = "an invoice is paid, open, void or given up"
    NO_INVOICES = "there is no invoice"
    AWAITED = "no service has confirmed a checkout"
    PURCHASE = "a purchase was over"
    CARD_PRICE = "a plan costs"
    ITEM_PRICE = "an item costs"
    AMOUNT = "a sum"
    TAXED = "prices are with tax or without"
    DUE_TODAY = "is due today"
    TRIAL_OFFER = "a trial is offered"
    SAVING = "a year saves"
    FREE_PLAN_SOLD = "there is a free plan"
    CANCEL_ANY_TIME = "can be canceled any time"
    CURRENT = "is the current plan"
    MAY_SWITCH = "can be changed in the portal"
    NO_MONEY_MOVES = "no money moves here"
    CAN_CHOOSE = "a plan can be chosen"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount as it was read: minor units and currency."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that was said. What is None was not said. `day` is as it was written; `count` counts months, days, …"""

    kind: Kind
    text: str
    plan: str | None = None
    day: str | None = None
    money: Money | None = None
    interval: str | None = None
    count: int | None = None
    card: str | None = None
    """The plan on whose card it stands."""
    where: str = ""
    """The page's path."""
    subject: str = ""
    """The checkout that it is about, where the page is about one."""
    visitor: bool = False
    """Whether the page was drawn for somebody unknown."""
    items: tuple[str, ...] = ()
    """What may be ids of items in whose entry it stands."""
    group: str | None = None
    """The group of plans that it is about."""
    box: str | None = None
    """The very card in which it stands."""
    off: int | None = None
    """The discount that is named beside a sum, in hundredths."""
    tax: Money | None = None
    word: str | None = None
    """A status as it was written: "On hold"."""
    ago: str | None = None
    """How long ago it was, as it was written: "4 minutes ago"."""
    refusal: bool = False
    """Whether a press that led nowhere is what it is about."""

    def __str__(self) -> str:
        card = f"on the card of {self.card}" if self.card else None
        parts = (
            self.plan,
            card,
            self.day,
            self.money and f"{self.money.amount} {self.money.currency}",
            self.interval,
            self.word,
        )
        return f"{self.where}: “{self.text}” ({self.kind}: {', '.join(str(x) for x in parts if x) or '–'})"
