"""What one customer has: the subscription their pages speak of, further ones on record, and the checkouts that matter.

Made by `services/subscription/reconcile.py` from both services' answers; kept, shared between replicas and compared by
`services/live_status/service.py`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.checkout_record import Checkout
from services.subscription.model import ConfirmationWait, State, Subscription

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class CustomerStatus(BaseModel):
    """What one customer has. `current` is that of the catalog's first group of plans, the headline; `groups` holds
    the current one of every group, also where there is none; `others` are further subscriptions on record.

    `stale` says that a service could not be asked last time, so parts are memory of `as_of`. `confirming` and `open`
    are the checkouts that wait for confirmation and that the user may be in the middle of; `unconfirmed` one that the
    user came back from and that was never confirmed in its life. `subscription_ids` are all those on record, also the
    ended ones that no headline speaks of; `had_plans` those plans of which a trial or a subscription is on record.
    """

    model_config = ConfigDict(frozen=True)

    customer: str
    current: Subscription
    groups: Mapping[str, Subscription] = {}
    others: tuple[Subscription, ...] = ()
    as_of: AwareDatetime
    billing_failed: str | None = None
    account_failed: str | None = None
    confirming: Checkout | None = None
    wait: ConfirmationWait | None = None
    open: Checkout | None = None
    unconfirmed: Checkout | None = None
    subscription_ids: tuple[str, ...] = ()
    had_plans: tuple[str, ...] = ()

    @property
    def stale(self) -> bool:
        """Whether a service could not be asked the last time."""
        return self.billing_failed is not None or self.account_failed is not None

    @property
    def beside(self) -> tuple[Subscription, ...]:
        """What the user has in the other groups of plans: nothing for a group in which there is nothing."""
        rest = (one for one in self.groups.values() if one != self.current)
        return tuple(one for one in rest if one.state not in (State.NONE, State.UNAVAILABLE))

    @property
    def all(self) -> tuple[Subscription, ...]:
        """The current subscription of each group, and the others."""
        return (self.current, *self.beside, *self.others)

    def in_group(self, group: str) -> Subscription:
        """Return the current subscription of a group of plans; the headline for a group that is not in the catalog."""
        return self.groups.get(group, self.current)

    @property
    def duplicates(self) -> tuple[Subscription, ...]:
        """The subscriptions of one group that can all charge, when there is more than one; else nothing.

        There may be more: one question for each product tells of one of it.
        """
        charging = [s for s in self.all if s.live and s.state is not State.ON_RECORD and not _runs_out(s)]
        for group in dict.fromkeys(s.group for s in charging):
            mine = tuple(s for s in charging if s.group == group)
            if len({s.subscription_id or s.product_id for s in mine}) > 1:
                return mine
        return ()

    def same_as(self, other: "CustomerStatus | None") -> bool:
        """Whether a reader would see no difference but in the age."""
        return other is not None and _without_age(self) == _without_age(other)


def _runs_out(one: Subscription) -> bool:
    """Whether it runs until its end and charges no more."""
    return one.ends and one.state in (State.ACTIVE, State.TRIALING)


def _without_age(customer_status: CustomerStatus) -> CustomerStatus:
    update = {
        "as_of": _NEVER,
        "current": _undated(customer_status.current),
        "groups": {group: _undated(one) for group, one in customer_status.groups.items()},
        "others": tuple(_undated(one) for one in customer_status.others),
    }
    return customer_status.model_copy(update=update)


def _undated(subscription: Subscription) -> Subscription:
    known = subscription.last_known
    return subscription.model_copy(update={"as_of": _NEVER, "last_known": _undated(known) if known else None})
