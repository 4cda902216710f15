"""What one customer has: the subscription their pages speak of, further ones on record, and the checkouts that matter.

Made by `services/rules.py` from both services' answers; kept, shared between replicas and compared by
`services/status.py`.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from services.checkouts import Checkout
from services.subscription import State, Subscription


class Wait(StrEnum):
    """How long a confirmation has been awaited, in the words that people get."""

    CONFIRMING = "confirming"
    DELAYED = "delayed"
    LOST = "lost"


class Standing(BaseModel):
    """What one customer has. `current` is the headline; `others` are further subscriptions on record.

    `stale` says that a service could not be asked last time, so parts are memory of `as_of`. `confirming` and `open`
    are the checkouts that wait for confirmation and that the user may be in the middle of; `unconfirmed` one that the
    user came back from and that was never confirmed in its life.
    """

    model_config = ConfigDict(frozen=True)

    customer: str
    current: Subscription
    others: tuple[Subscription, ...] = ()
    as_of: datetime
    billing_failed: str | None = None
    account_failed: str | None = None
    confirming: Checkout | None = None
    wait: Wait | None = None
    open: Checkout | None = None
    unconfirmed: Checkout | None = None

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

    def same_as(self, other: "Standing | None") -> bool:
        """Whether a reader would see no difference but in the age."""
        return other is not None and _ageless(self) == _ageless(other)


def _ageless(standing: Standing) -> Standing:
    fixed = standing.as_of
    plain = tuple(s.model_copy(update={"as_of": fixed, "last_known": None}) for s in standing.all)
    return standing.model_copy(update={"current": plain[0], "others": plain[1:]})
