"""The runtime settings as the control panel shows them: in groups, each with a label and a sentence of help."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sandbox.settings import RuntimeSettings


@dataclass(frozen=True)
class Field:
    name: str
    label: str
    help: str

    @property
    def kind(self) -> str:
        """``switch``, ``choice``, ``number`` or ``text``."""
        annotation = RuntimeSettings.model_fields[self.name].annotation
        if annotation is bool:
            return "switch"
        if isinstance(annotation, type) and issubclass(annotation, StrEnum):
            return "choice"
        return "text" if annotation is str else "number"

    @property
    def choices(self) -> list[str]:
        annotation = RuntimeSettings.model_fields[self.name].annotation
        return [str(word) for word in annotation] if isinstance(annotation, type) and self.kind == "choice" else []


@dataclass(frozen=True)
class Group:
    name: str
    title: str
    fields: tuple[Field, ...]


GROUPS: Final = (
    Group(
        "news",
        "How news is delivered",
        (
            Field("webhook_delay", "Webhook delay, seconds", "From Stripe to the Payment MS, by sandbox time."),
            Field("webhook_mode", "Webhooks are", "Out of order, the events of one change arrive in reverse."),
            Field("webhook_reach", "They reach", "Both services, or one of them alone."),
            Field("stale_events", "Older events are", "What the Payment MS does with an event older than what it has."),
        ),
    ),
    Group(
        "money",
        "Money at Stripe",
        (
            Field("coupon_duration", "WELCOME20 and HALF hold", "For the first payment, for some months, or for good."),
            Field("coupon_months", "Months, when repeating", "Counted from the purchase."),
            Field("tax", "Tax is", "For checkouts opened from now on, and their renewals."),
            Field("tax_percent", "Tax, percent", "Of the price after a promotion code."),
            Field("presentment_currency", "Charged in", "A currency such as eur; empty for the price's own."),
            Field("exchange_rate", "Exchange rate", "So much of it for one of the price's, at each invoice anew."),
            Field("proration", "A change of plan costs its share", "Never, with the next invoice, or at once."),
            Field("unknown_prices", "Prices not in the catalog", "Accepted at $10.00, or refused by Stripe."),
        ),
    ),
    Group(
        "checkout",
        "Checkout and trials",
        (
            Field("session_hours", "A checkout can be paid for, hours", "Stripe allows half an hour to a day."),
            Field(
                "delayed_payment_days", "A bank debit takes, days", "Then it arrives or fails; see the test accounts."
            ),
            Field("delayed_status", "Meanwhile a plan is", "Stripe's word while the first debit is under way."),
            Field(
                "trials",
                "Trials come from",
                "A field of the call that the real service lacks, the catalog, or nowhere.",
            ),
            Field("trial_needs_card", "Trials need a card", "Off: the card can be left empty at the checkout."),
            Field("trial_end_without_card", "A trial without a card then", "Ends, pauses, or gets an invoice."),
            Field(
                "customer_per_checkout", "A new customer at each checkout", "The portal then shows the newest one's."
            ),
        ),
    ),
    Group(
        "renewals",
        "Renewals and the portal",
        (
            Field("renewals", "Renewals", "Whether cards pay when a period or a trial ends."),
            Field("dunning_ends", "After the last retry", "What three failed attempts lead to."),
            Field("portal_cancel", "The portal offers to cancel", "Many don't."),
            Field("portal_plan_change", "The portal offers other plans", "Many don't."),
            Field("plan_changes", "A change of plan comes", "At once, or booked for the end of the period."),
            Field("cancellation_form", "Cancel sets", "The flag with its date, or the date alone."),
        ),
    ),
    Group(
        "answers",
        "What the services answer",
        (
            Field("contract", "Version of the contract", "The second tells charges, sessions and invoices."),
            Field("status_shape", "Status answers", "Running has no status; detailed has Stripe's own fields."),
            Field("portal_shape", "Portal answers", "The name of the address in it."),
            Field("auth_shape", "Session answers", "Flat is what an older Auth MS answers to a refresh."),
            Field("plan_place", "The plan stands", "Beside the name, under projects, or nowhere."),
            Field("cancellation_word", "Ending plans are called", "By the Auth MS, while they still run."),
            Field("latency", "Answer after, seconds", "Both services, each call."),
            Field("date_offset", "Their clock is off by, seconds", "In the Date header of each answer."),
        ),
    ),
    Group(
        "quirks",
        "Quirks of the running Payment MS",
        (
            Field("one_connection", "Overlapping calls break it", "Until it is restarted, every call answers 401."),
            Field("webhooks_share_connection", "Webhooks count as calls", "One that meets a call breaks it as well."),
            Field("failed_writes_answer_200", "Failed writes answer 200", "So Stripe never sends the event again."),
            Field("first_checkout_fails", "A new user's first checkout fails", "The second one works."),
            Field("never_creates_customers", "It never creates customers", "Who has none at Stripe can't buy at all."),
            Field("drops_customer_created", "New subscriptions never appear", "It can't read the customer as text."),
            Field("record_stays_under_old_product", "Records keep their product", "Also after a change of plan."),
            Field("tells_nobody", "It tells nobody", "Neither the Auth MS nor the app hears of a change."),
            Field("mixes_modes", "Two of Stripe's modes", "It says that subscriptions are of real money."),
            Field("accepts_unsigned_webhooks", "Unsigned webhooks pass", "Anybody can forge an event."),
            Field("strict_ids", "Ids of over 200 characters fail", "As Stripe refuses them."),
            Field("accepts_incomplete_bodies", "Incomplete calls pass", "No product id, or a quantity of 0."),
        ),
    ),
)


def values_of(form: dict[str, str]) -> dict[str, object]:
    """The settings in a posted form. In one of `all` settings a switch that is off is absent."""
    fields = [field for group in GROUPS for field in group.fields]
    given: dict[str, object] = {field.name: form[field.name] for field in fields if field.name in form}
    if "all" in form:
        given |= {field.name: field.name in form for field in fields if field.kind == "switch"}
    return given
