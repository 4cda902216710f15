"""Whether a subscription may be sold to a customer now. Pages ask first, so that no button ends in a refusal.

The rules follow from one: never a second subscription that can charge, in one group of plans.
"""

from collections.abc import Collection

from catalog import Catalog, Plan
from services.errors import (
    AlreadySubscribed,
    BillingNotSetUp,
    BillingUnavailable,
    CheckoutInProgress,
    FrontendError,
    InvalidIdentifier,
    KeyRejected,
    PortalNewsDue,
    PurchaseUnconfirmed,
    StatusUnclear,
    StatusUnknown,
    SubscriptionOnRecord,
)
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import ConfirmationWait, State, Subscription


def guard_subscription(
    customer_status: CustomerStatus, plan: Plan, catalog: Catalog, *, has_ended: bool = False
) -> None:
    """Raise the reason why `plan` can't be sold to a customer with this status; return if it can.

    `has_ended` is the user's answer to a plain question: that the subscription on record has ended, or that an earlier
    unconfirmed checkout was not charged. Raises StatusUnknown, AlreadySubscribed, SubscriptionOnRecord,
    StatusUnclear, CheckoutInProgress or PurchaseUnconfirmed.
    """
    current = customer_status.in_group(plan.group)
    if customer_status.stale or current.state is State.UNAVAILABLE:
        raise _unknown(customer_status)
    group_products = catalog.group_products(plan)
    in_group = [s for s in customer_status.all if _concerns(s, plan, group_products)]
    live = [s for s in in_group if s.live]
    if any(s.state is not State.ON_RECORD for s in live):
        raise AlreadySubscribed(f"{len(live)} live in the group")
    if current.state is State.CONFLICT:
        raise StatusUnclear(current.reason)
    if any(s.state is State.CANCELED and s.access for s in in_group):
        raise AlreadySubscribed("canceled, and paid until later")
    if current.state is State.COMPED and current.plan_id in (None, plan.id):
        raise AlreadySubscribed("included without a subscription")
    if customer_status.confirming is not None and customer_status.confirming.group == plan.group:
        raise CheckoutInProgress(customer_status.confirming, "back from a checkout that is not confirmed yet")
    if current.state is State.CONFIRMING and current.wait is not ConfirmationWait.UNCONFIRMED:
        raise CheckoutInProgress(None, "back from a checkout of this group that is not confirmed yet")
    if live and not has_ended:
        raise SubscriptionOnRecord("on record, worth unknown")
    if current.state is State.ON_ACCOUNT and not has_ended:
        raise SubscriptionOnRecord("on the account, and unknown to billing")
    if customer_status.unconfirmed is not None and customer_status.unconfirmed.group == plan.group and not has_ended:
        raise PurchaseUnconfirmed(customer_status.unconfirmed, "an earlier checkout was never confirmed")


def guard_portal_news(customer_status: CustomerStatus, plan: Plan) -> None:
    """Raise PortalNewsDue where the portal was opened and a subscription of another group may be in this one by now:
    one that is on record, or a purchase of which no service has spoken.

    The portal changes a subscription to any plan that it lists. What nobody has said since is asked at the press alone:
    a page offers the plan, for it may well be that nothing was changed.
    """
    others = (one for one in customer_status.all if one.group != plan.group)
    if any(one.portal_open and (one.live or one.state is State.CONFIRMING) for one in others):
        raise PortalNewsDue("the portal was open, and no service has said anything new since")


def _unknown(customer_status: CustomerStatus) -> StatusUnknown | InvalidIdentifier:
    """Return why no service can say what the user has, in the words for the service that failed."""
    detail = f"billing: {customer_status.billing_failed}, account: {customer_status.account_failed}"
    if customer_status.billing_failed == InvalidIdentifier.code:
        return InvalidIdentifier(detail)
    if customer_status.billing_failed is None:
        return StatusUnknown(detail)
    return BillingNotSetUp(detail) if customer_status.billing_failed == KeyRejected.code else BillingUnavailable(detail)


def _concerns(subscription: Subscription, plan: Plan, group_products: Collection[str]) -> bool:
    """Whether it counts in the plan's group. One of a plan that is neither known nor remembered counts in each."""
    if subscription.plan_id is None or subscription.group == plan.group:
        return True
    return subscription.product_id in group_products


def refusal(
    customer_status: CustomerStatus, plan: Plan, catalog: Catalog, *, has_ended: bool = False
) -> FrontendError | None:
    """Return why `plan` can't be sold, or None: for pages that choose what a button says."""
    try:
        guard_subscription(customer_status, plan, catalog, has_ended=has_ended)
    except FrontendError as error:
        return error
    return None
