"""Since when this process has seen what became of a subscription: an event that came before that has nothing to tell.

A purchase has four events or more, which come together; after an outage Stripe sends days of them.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

_MOST: Final = 10_000
_TURNS: Final = 1024
"""So many that two subscriptions hardly ever have the same."""


@dataclass(frozen=True, slots=True)
class SeenSubscription:
    """Whose a subscription is, and when (`time.monotonic`) the last look at it, and at its next charge, began."""

    user_id: str
    product_id: str
    began: float
    charge_began: float


class StripeLooks:
    """The newest look at each of the subscriptions that were looked at last."""

    def __init__(self) -> None:
        self._looks: OrderedDict[str, SeenSubscription] = OrderedDict()
        self._changing = threading.Lock()
        self._turns = tuple(threading.Lock() for _ in range(_TURNS))

    def turn(self, subscription_id: str) -> threading.Lock:
        """Return what to hold while a subscription is looked at: who waits for it finds what was seen meanwhile."""
        return self._turns[hash(subscription_id) % _TURNS]

    def note(self, subscription_id: str, user_id: str, product_id: str, began: float, *, charge_asked: bool) -> None:
        """Keep a look whose outcome is written; without a question for its next charge that is as old as it was."""
        with self._changing:
            before = self._looks.pop(subscription_id, None)
            known = before.charge_began if before is not None else 0.0
            look = SeenSubscription(user_id, product_id, began, began if charge_asked else known)
            self._looks[subscription_id] = look
            if len(self._looks) > _MOST:
                self._looks.popitem(last=False)

    def since(self, subscription_id: str, came: float, *, with_charge: bool) -> SeenSubscription | None:
        """Return a look that began after something had come; None where there was none."""
        look = self._looks.get(subscription_id)
        if look is None:
            return None
        return look if came <= (look.charge_began if with_charge else look.began) else None
