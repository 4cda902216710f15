"""The alarms: what is so, what customers see meanwhile, and what cures it. For operators, so in English only.

Each stands for a fault of the services behind this app that was really seen, and for nothing else: an alarm is raised
by what was observed here, and ended by the contrary being observed.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

REMEMBERED: Final = timedelta(days=30)
"""How old evidence may be to count: what was so a month ago, and was not seen since, is no alarm."""


class AlarmKey(StrEnum):
    """The causes, as the log and the metric name them."""

    SERVICE_LOST = "service_lost"
    SERVICE_CAME_BACK = "service_came_back"
    NEW_CUSTOMERS_REFUSED = "new_customers_refused"
    PURCHASES_NOT_RECORDED = "purchases_not_recorded"
    ACCOUNT_SILENT = "account_silent"
    RECORDS_UNDER_OLD_PRODUCT = "records_under_old_product"
    NO_EVENTS = "no_events"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One cause. `needed` different cases raise it; `needed_again` once the contrary has been seen here."""

    key: AlarmKey
    what_is_so: str
    customers_see: str
    cure: str
    needed: int = 1
    needed_again: int = 3
    counts_for: timedelta = REMEMBERED
    """How long a case counts after it happened."""


ALARMS: Final = (
    Alarm(
        AlarmKey.SERVICE_LOST,
        "The Payment MS refuses a key that worked: it has lost its database connection and answers 401 to everything.",
        "Prices stay readable. A press ends with “payments are unavailable, nothing was charged”; a purchase "
        "under way waits for its confirmation.",
        "Restart the Payment MS; its /health stays healthy. deploy/payment-ms-probe.service does it by itself. No"
        " other client may ask that service, and its owners should give it a pool of connections.",
        needed_again=1,
    ),
    Alarm(
        AlarmKey.SERVICE_CAME_BACK,
        "The Payment MS was lost and works again. What Stripe sent meanwhile may not be written down; where it was "
        "answered 200 all the same, Stripe does not repeat it.",
        "Purchases, renewals, cancellations and plan changes of that time may be missing: “paid? not confirmed”, "
        "or a period that seems over. Nothing is sold a second time without a question.",
        "Send the events of that time again from Stripe's dashboard (Developers, Events, Resend). A supervisor "
        "that restarts the service at once keeps the gap small.",
        needed_again=1,
        counts_for=timedelta(days=3),
    ),
    Alarm(
        AlarmKey.NEW_CUSTOMERS_REFUSED,
        "Every checkout of customers who never bought here fails with STRIPE_ERROR.",
        "They can't buy: each press ends with “could not do this, nothing was charged”, and whom to ask. "
        "Customers who bought before are not concerned.",
        "Likely the Payment MS creates no customer at Stripe (the public version of November 2025 does not): its "
        "owners have to, at the first checkout. `upstream_description` lines in the log hold Stripe's own words; "
        "`python -m contract` shows it with one call.",
        needed=2,
    ),
    Alarm(
        AlarmKey.PURCHASES_NOT_RECORDED,
        "Purchases that were completed at Stripe don't appear in billing's records.",
        "Who paid reads “paid? not confirmed” with a reference, for good, and gets nothing from the record. The "
        "same plan is not sold again without a question.",
        "Look at Stripe's dashboard (Developers, Webhooks). If events reach the Payment MS and are answered 200, "
        "it drops `customer.subscription.created` whose `customer` is text, as Stripe sends it: its owners have "
        "to read it as text. Then send the events again.",
    ),
    Alarm(
        AlarmKey.ACCOUNT_SILENT,
        "The Auth MS says nothing of plans about users who bought one.",
        "A purchase ends with “on record” at best: no page can say that it is active, past due or canceled, and "
        "what goes by the account's word grants nothing.",
        "Have the Auth MS answer `subscription_status`, `subscription_plan` and `expires_at`, and have something "
        "tell it of purchases: the public Payment MS tells nobody. Until then GRANT_BY_RECORD=true lets billing's "
        "record grant its plan until its end.",
    ),
    Alarm(
        AlarmKey.RECORDS_UNDER_OLD_PRODUCT,
        "After a change of plan in the portal, billing's record stays under the product that was bought first.",
        "Pages follow the plan that the account names; where it names none they show the old one.",
        "The Payment MS has to take the product from the subscription's items at `customer.subscription.updated`."
        " Until then plan changes can be switched off in the portal's settings at Stripe.",
    ),
    Alarm(
        AlarmKey.NO_EVENTS,
        "PAYMENT_MS_WEBHOOK_SECRET is set and purchases were found by asking, but no event reaches this app.",
        "Nothing false: changes appear when the app asks, within seconds after a return from Stripe, else within "
        "a minute.",
        "Have something call POST /api/payment/events, signed with that secret; the public Payment MS never does."
        " Or unset PAYMENT_MS_WEBHOOK_SECRET.",
    ),
)
"""All of them, the gravest first."""

BY_KEY: Final = {alarm.key: alarm for alarm in ALARMS}
BY_NAME: Final = {alarm.key.value: alarm.key for alarm in ALARMS}
"""The keys by how the store spells them: another release may know more, which are nothing to this one."""
