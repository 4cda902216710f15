"""The rules: which facts make a statement of each kind true. They know the sandbox's books, and nothing of the app.

Each stands in the module of what it judges; here is the table, and which kinds are judged otherwise than by now.
"""

from collections.abc import Mapping
from typing import Final

from truth.access_rules import access, access_until, no_access
from truth.checkout_rules import (
    any_confirmed,
    awaited,
    came_back,
    changed_since,
    checkout_ended,
    confirmed,
    not_charged_then,
    nothing_charged,
    ordered,
    plan_unchanged,
    started,
    submitted,
)
from truth.facts import Facts
from truth.price_rules import (
    amount,
    card_price,
    due_today,
    free_plan_sold,
    has_price,
    invoice_is,
    invoiced,
    item_price,
    no_invoices,
    promised,
    purchase,
    saving,
    taxed,
    trial_offer,
)
from truth.rule import CatalogFacts, ReadersDay, Rule
from truth.said_rules import (
    account_said,
    account_said_none,
    account_silent,
    billing_said,
    billing_said_none,
    last_known,
)
from truth.several_rules import more_than_one, once, one_changed, one_ended, twice
from truth.state_rules import (
    account_has,
    account_lacks,
    account_until,
    billing_has,
    billing_lacks,
    billing_lacks_it,
    called,
    changes,
    charged_then,
    current,
    ended,
    ends,
    ends_unless,
    free,
    given,
    held,
    keeps,
    nothing_runs,
    on_record,
    paid_until,
    renews,
    renews_unless,
    trial_ends,
    was_to_end,
    word,
    would_go_on,
)
from truth.statements import Kind, Statement


def _always(said: Statement, facts: Facts, sold: CatalogFacts, reader: ReadersDay) -> bool:
    return True


RULES: Final[Mapping[Kind, Rule]] = {
    Kind.ACTIVE: word("active"),
    Kind.TRIALING: word("trialing"),
    Kind.TRIAL_ENDS: trial_ends,
    Kind.WILL_BE_CHARGED_THEN: charged_then,
    Kind.RENEWS: renews,
    Kind.RENEWS_UNLESS: renews_unless,
    Kind.ACCOUNT_UNTIL: account_until,
    Kind.HELD: held,
    Kind.CHANGES: changes,
    Kind.NOTHING_RUNS: nothing_runs,
    Kind.ENDS: ends,
    Kind.PAST_DUE: word("past_due"),
    Kind.UNPAID: word("unpaid"),
    Kind.INCOMPLETE: word("incomplete"),
    Kind.NEVER_STARTED: word("incomplete_expired"),
    Kind.PAUSED: word("paused"),
    Kind.ENDED: ended,
    Kind.KEEPS: keeps,
    Kind.ENDS_UNLESS: ends_unless,
    Kind.WAS_TO_END: was_to_end,
    Kind.PAID_UNTIL: paid_until,
    Kind.ON_RECORD: on_record,
    Kind.CALLED: called,
    Kind.WOULD_GO_ON: would_go_on,
    Kind.ACCOUNT_HAS: account_has,
    Kind.ACCOUNT_LACKS: account_lacks,
    Kind.BILLING_HAS: billing_has,
    Kind.BILLING_LACKS: billing_lacks,
    Kind.BILLING_LACKS_IT: billing_lacks_it,
    Kind.BILLING_SAID: billing_said,
    Kind.BILLING_SAID_NONE: billing_said_none,
    Kind.ACCOUNT_SAID: account_said,
    Kind.ACCOUNT_SAID_NONE: account_said_none,
    Kind.ACCOUNT_SILENT: account_silent,
    Kind.LAST_KNOWN: last_known,
    Kind.GIVEN: given,
    Kind.FREE: free,
    Kind.ONCE: once,
    Kind.ACCESS: access,
    Kind.NO_ACCESS: no_access,
    Kind.ACCESS_UNTIL: access_until,
    Kind.TWICE: twice,
    Kind.MORE_THAN_ONE: more_than_one,
    Kind.ONE_ENDED: one_ended,
    Kind.ONE_CHANGED: one_changed,
    Kind.NOTHING_CHARGED: nothing_charged,
    Kind.PLAN_UNCHANGED: plan_unchanged,
    Kind.NOT_CHARGED_THEN: not_charged_then,
    Kind.CHECKOUT_ENDED: checkout_ended,
    Kind.STARTED: started,
    Kind.CAME_BACK: came_back,
    Kind.CONFIRMING: _always,
    Kind.SUBMITTED: submitted,
    Kind.ORDERED: ordered,
    Kind.CONFIRMED: confirmed,
    Kind.BOUGHT: any_confirmed,
    Kind.CHANGED_SINCE: changed_since,
    Kind.HAS_PRICE: has_price,
    Kind.PURCHASE: purchase,
    Kind.INVOICED: invoiced,
    Kind.INVOICE_IS: invoice_is,
    Kind.NO_INVOICES: no_invoices,
    Kind.AWAITED: awaited,
    Kind.CARD_PRICE: card_price,
    Kind.ITEM_PRICE: item_price,
    Kind.AMOUNT: amount,
    Kind.TAXED: taxed,
    Kind.DUE_TODAY: due_today,
    Kind.TRIAL_OFFER: trial_offer,
    Kind.SAVING: saving,
    Kind.FREE_PLAN_SOLD: free_plan_sold,
    Kind.CANCEL_ANY_TIME: promised,
    Kind.CURRENT: current,
    Kind.MAY_SWITCH: _always,
    Kind.NO_MONEY_MOVES: _always,
    Kind.CAN_CHOOSE: _always,
}

ABOUT_THE_PAST: Final = frozenset({Kind.NOTHING_CHARGED, Kind.PLAN_UNCHANGED})
"""What is said of what happened before the page was drawn: what came between is no news that is on its way."""

SAID_OF_THEN: Final = frozenset({Kind.NOT_CHARGED_THEN})
"""What is said of the moment at which the page was opened: nothing that comes later makes it false, or true."""

TELLABLE: Final = frozenset(RULES) - {
    Kind.RENEWS, Kind.HAS_PRICE, Kind.WILL_BE_CHARGED_THEN, Kind.NOTHING_CHARGED, Kind.PLAN_UNCHANGED, Kind.SUBMITTED,
    Kind.ORDERED, Kind.CONFIRMED, Kind.BOUGHT, Kind.CHANGES, Kind.CHECKOUT_ENDED, Kind.NOT_CHARGED_THEN, Kind.INVOICED,
    Kind.ONCE, Kind.INVOICE_IS, Kind.NO_INVOICES,
}  # fmt: skip
"""What a service says in words of its own, so that its word may be repeated. None of the first version names an amount
that will be charged, says that a subscription renews, or tells what became of a checkout."""

NOT_AFTER_A_VISIT: Final = frozenset({Kind.KEEPS, Kind.ENDS, Kind.HELD})
"""What nobody repeats of somebody who has been in the portal since: it may have been taken back there."""

TOLD_IN_FULL: Final = frozenset({Kind.RENEWS, Kind.HAS_PRICE, Kind.CHANGES})
"""What a service of the second version says besides."""
