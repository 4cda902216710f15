"""Subscriptions that our checkout has not made: by sales in Stripe's dashboard, or in an older front end."""

from datetime import timedelta

from sandbox.settings import Reach
from sandbox.state import SandboxState
from sandbox.stripe.objects import LineItem, Origin, StripeSubscription
from sandbox.stripe.webhooks import DeliveryOptions


def subscribe_elsewhere(
    state: SandboxState,
    user_id: str,
    email: str,
    line: LineItem,
    origin: Origin,
    *,
    ago: timedelta = timedelta(),
    new_customer: bool = True,
    reach: Reach | None = None,
) -> StripeSubscription:
    """A paid subscription of a user that does not carry their user id.

    One made by sales carries none, so the services can't tell whose it is; an older front end's carries the e-mail.
    With `ago` it began in the past, and its period is the one that is running.
    """
    known = state.customers.of(user_id)
    customer = state.customers.create(user_id, email) if new_customer or not known else known[-1]
    known_as = {Origin.SALES: "", Origin.OLDER_FRONT_END: email.lower(), Origin.CHECKOUT: None}[origin]
    with state.database.transaction():
        made = state.subscriptions.begin(line, customer, origin=origin, known_as=known_as)
        if ago:
            made = _as_if_begun(made, ago)
            invoice = state.invoices.get(made.latest_invoice)
            if invoice:
                dates = {"created": made.created, "paid_at": made.created}
                state.invoices.keep(invoice.model_copy(update=dates))
            state.subscriptions.store(made)
        state.webhooks.emit([state.subscriptions.event(made, "created")], DeliveryOptions(reach=reach))
    state.renewals.run_due()
    return state.subscriptions.get(made.id) or made


def _as_if_begun(made: StripeSubscription, ago: timedelta) -> StripeSubscription:
    moments = {name: getattr(made, name) - ago for name in ("created", "billing_cycle_anchor", "period_start")}
    end = made.period_end - ago if made.trial_end else made.period_after(moments["period_start"])
    trial_end = made.trial_end - ago if made.trial_end else None
    return made.model_copy(update={**moments, "period_end": end, "trial_end": trial_end})
