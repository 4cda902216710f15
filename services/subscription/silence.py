"""What is still said of a customer while nobody can be asked: the last state for two minutes, access for ten.

After that a page says that it can't check, and what it knew last with its age. The same holds whoever is away: a
service, both, or the store of which the checkouts are read.
"""

from datetime import datetime, timedelta
from typing import Final

from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Reason, Source, State, Subscription
from services.subscription.record_status import BELIEVED_FOR

SILENCE_SHOWN_AFTER: Final = timedelta(minutes=2)
"""How long the last known state stays the headline while no service that knows can be asked."""


def unavailable(reason: Reason, as_of: datetime) -> Subscription:
    """Return what stands for a subscription about which nobody can be asked."""
    return Subscription(state=State.UNAVAILABLE, reason=reason, source=Source.MEMORY, as_of=as_of)


def last_known(known: Subscription, reason: Reason) -> Subscription:
    """Return the headline that can't be checked in place of the one that was known, which it keeps."""
    if known.state is State.UNAVAILABLE:
        return known
    kept = {
        "access": known.access,
        "plan_id": known.plan_id,
        "product_id": known.product_id,
        "group": known.group,
        "account_plan": known.account_plan,
    }
    return unavailable(reason, known.as_of).model_copy(update={**kept, "last_known": known})


def unchecked(status: CustomerStatus, failure: str, now: datetime) -> CustomerStatus:
    """Return what is said of a status that could not be looked at again; `failure` is the error's code."""
    age = now - status.as_of

    def still_said(one: Subscription) -> Subscription:
        one = one.model_copy(update={"access": one.access and age <= BELIEVED_FOR})
        return one if age <= SILENCE_SHOWN_AFTER else last_known(one, Reason.NO_SERVICE_REACHABLE)

    groups = {group: still_said(one) for group, one in status.groups.items()}
    current = next(iter(groups.values()), still_said(status.current))
    return status.model_copy(update={"account_failed": failure, "current": current, "groups": groups})
