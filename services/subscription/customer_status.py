"""What one customer has: the subscription their pages speak of, further ones on record, and the checkouts that matter.

Made by `services/subscription/reconcile.py` from both services' answers; kept, shared between replicas and compared by
`services/live_status/service.py`.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.checkout_record import Checkout
from services.subscription.model import State, Subscription

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ConfirmationWait(StrEnum):
    """How long a confirmation has been awaited, in the words that people get."""

    CONFIRMING = "confirming"
    DELAYED = "delayed"
    LOST = "lost"


class CustomerStatus(BaseModel):
    """What one customer has. `current` is the headline; `others` are further subscriptions on record.

    `stale` says that a service could not be asked last time, so parts are memory of `as_of`. `confirming` and `open`
    are the checkouts that wait for confirmation and that the user may be in the middle of; `unconfirmed` one that the
    user came back from and that was never confirmed in its life. `subscription_ids` are all those on record, also the
    ended ones that no headline speaks of.
    """

    model_config = ConfigDict(frozen=True)

    customer: str
    current: Subscription
    others: tuple[Subscription, ...] = ()
    as_of: AwareDatetime
    billing_failed: str | None = None
    account_failed: str | None = None
    confirming: Checkout | None = None
    wait: ConfirmationWait | None = None
    open: Checkout | None = None
    unconfirmed: Checkout | None = None
    subscription_ids: tuple[str, ...] = ()

    @property
    def stale(self) -> bool:
        """Whether a service could not be asked the last time."""
        return self.billing_failed is not None or self.account_failed is not None

    @property
    def all(self) -> tuple[Subscription, ...]:
        """The current subscription and the others."""
        return (self.current, *self.others)

    @property
    def duplicates(self) -> tuple[Subscription, ...]:
        """The subscriptions that can all charge, when there is more than one; else nothing."""
        charging = tuple(s for s in self.all if s.live and s.state is not State.ON_RECORD)
        distinct = {s.subscription_id or s.product_id for s in charging}
        return charging if len(distinct) > 1 else ()

    def same_as(self, other: "CustomerStatus | None") -> bool:
        """Whether a reader would see no difference but in the age."""
        return other is not None and _without_age(self) == _without_age(other)


def _without_age(customer_status: CustomerStatus) -> CustomerStatus:
    plain = tuple(_undated(subscription) for subscription in customer_status.all)
    return customer_status.model_copy(update={"as_of": _NEVER, "current": plain[0], "others": plain[1:]})


def _undated(subscription: Subscription) -> Subscription:
    known = subscription.last_known
    return subscription.model_copy(update={"as_of": _NEVER, "last_known": _undated(known) if known else None})
