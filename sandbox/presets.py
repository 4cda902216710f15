"""Sets of runtime settings that make one story: what a customer then meets, and what to do to see it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Preset:
    """`values` are over the settings of the start; everything else is as at the start. `about` is its group."""

    name: str
    about: str
    title: str
    help: str
    values: dict[str, object]


PRESETS: Final = (
    Preset("tour", "Start here", "As in the tour", "Everything works, and webhooks take two seconds.", {}),
    Preset(
        "second_version",
        "Start here",
        "A Payment MS of the contract's second version",
        "It tells what will be charged and when, a session's state and the invoices, and leads straight to Stripe's "
        "page for canceling, in the reader's language.",
        {"contract": 2},
    ),
    Preset(
        "webhook_lost",
        "News of a purchase",
        "Webhook lost",
        "Buy a plan: Stripe has the money, and neither service ever hears of it. Send the events again below.",
        {"webhook_mode": "lose"},
    ),
    Preset(
        "webhook_late",
        "News of a purchase",
        "Webhook late by 90 s",
        "Buy a plan: the confirmation takes a minute and a half.",
        {"webhook_delay": 90.0},
    ),
    Preset(
        "webhook_disorder",
        "News of a purchase",
        "Webhooks in the wrong order, stale ones applied",
        "Buy a plan: the services end with an older state than Stripe's.",
        {"webhook_mode": "out_of_order", "stale_events": "apply"},
    ),
    Preset(
        "renewal_fails",
        "Renewals and endings",
        "Card fails at renewal",
        "Buy a plan, then move time by a month: past due, three more attempts, the end.",
        {"renewals": "fail"},
    ),
    Preset(
        "cancel_in_30_days",
        "Renewals and endings",
        "Cancel in 30 days, by a date alone",
        "Cancel in the portal: Stripe sets an end date and no flag, and the status answer names both.",
        {"cancellation_form": "cancel_at", "status_shape": "detailed"},
    ),
    Preset(
        "coupon_once",
        "Prices",
        "Coupon for the first payment",
        "Use the code HALF: half price now, the full price at the renewal.",
        {"coupon_duration": "once"},
    ),
    Preset(
        "coupon_forever",
        "Prices",
        "Coupon forever",
        "Use the code HALF: every payment is half the list price.",
        {"coupon_duration": "forever"},
    ),
    Preset("tax_added", "Prices", "Tax on top", "Buy a plan: 19% is added to the list price.", {"tax": "added"}),
    Preset(
        "other_currency",
        "Prices",
        "Charged in euros",
        "Buy a plan: the hosted page shows and charges euros for a price in dollars.",
        {"presentment_currency": "eur"},
    ),
    Preset(
        "delayed_payment",
        "Checkout",
        "Bank debit, three days",
        "Pay with a test account of the checkout page: complete at once, paid or failed three days later.",
        {"delayed_status": "incomplete"},
    ),
    Preset(
        "short_sessions",
        "Checkout",
        "Checkouts end after 30 minutes",
        "Open a checkout, leave it, move time by an hour and go on.",
        {"session_hours": 0.5},
    ),
    Preset(
        "change_at_period_end",
        "Renewals and endings",
        "Plan changes at the period's end",
        "Change the plan in the portal: it is booked, and comes with the next renewal.",
        {"plan_changes": "period_end"},
    ),
    Preset(
        "trial_without_card",
        "Checkout",
        "Trial without a card",
        "Start a trial and leave the card empty; at its end the subscription ends.",
        {"trial_needs_card": False},
    ),
    Preset(
        "bare_portal",
        "Portal and account",
        "Portal without cancel and plan change",
        "Open billing: only the card and the address can be changed there.",
        {"portal_cancel": False, "portal_plan_change": False},
    ),
    Preset(
        "two_customers",
        "Portal and account",
        "A new Stripe customer at each checkout",
        "Buy two things: the portal shows only what the newest customer has.",
        {"customer_per_checkout": True},
    ),
    Preset(
        "silent_account",
        "Portal and account",
        "An account that says nothing of plans",
        "Buy a plan: the Auth MS never confirms it.",
        {"plan_place": "silent"},
    ),
    Preset(
        "public_service_november_2025",
        "All at once",
        "The public service of November 2025",
        "The newest public Payment MS with a silent Auth MS: who has no Stripe customer can't buy, who bought never "
        "appears, overlaps and webhooks break it, trials are charged at once (so start the app without trials). The "
        "app's /ops raises its alarms; python -m contract names each cause.",
        {
            "status_shape": "running",
            "plan_place": "silent",
            "one_connection": True,
            "webhooks_share_connection": True,
            "failed_writes_answer_200": True,
            "never_creates_customers": True,
            "drops_customer_created": True,
            "record_stays_under_old_product": True,
            "tells_nobody": True,
            "accepts_unsigned_webhooks": True,
            "trials": "none",
            "strict_ids": True,
            "accepts_incomplete_bodies": True,
        },
    ),
)
PRESETS_BY_NAME: Final = {preset.name: preset for preset in PRESETS}
