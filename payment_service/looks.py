"""Until when this process has seen what became of a subscription: an event from before then has nothing to tell.

After an outage, or where many people buy together, Stripe sends many events about what was fetched since they happened.
Both times are Stripe's: an event's, and the `Date` of the answer that the subscription was in.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from stripe import StripeObject

SURE_AFTER: Final = 2.0
"""Seconds by which Stripe's own clocks may differ."""
_MOST: Final = 10_000
_TURNS: Final = 1024
"""So many that two subscriptions hardly ever have the same."""


@dataclass(frozen=True, slots=True)
class SeenSubscription:
    """Whose a subscription is, and up to when (Stripe's seconds since 1970) it and its next charge are known."""

    user_id: str
    product_id: str
    until: float
    charge_until: float


class StripeLooks:
    """The newest look at each of the subscriptions that were looked at last."""

    def __init__(self) -> None:
        self._looks: OrderedDict[str, SeenSubscription] = OrderedDict()
        self._turn = threading.Lock()
        self._turns = tuple(threading.Lock() for _ in range(_TURNS))

    def turn(self, subscription_id: str) -> threading.Lock:
        """Return what to hold while a subscription is looked at: who waits for it finds what was seen meanwhile."""
        return self._turns[hash(subscription_id) % _TURNS]

    def note(self, subscription_id: str, look: SeenSubscription, *, charge_asked: bool) -> None:
        """Keep a look whose outcome is written; without a question for its next charge that is as old as it was."""
        with self._turn:
            before = self._looks.pop(subscription_id, None)
            known = before.charge_until if before is not None else 0.0
            charge = look.charge_until if charge_asked else known
            self._looks[subscription_id] = SeenSubscription(look.user_id, look.product_id, look.until, charge)
            if len(self._looks) > _MOST:
                self._looks.popitem(last=False)

    def after(self, subscription_id: str, happened: float, *, with_charge: bool) -> SeenSubscription | None:
        """Return a look that came after something happened at Stripe, and after its whole second; None for none."""
        look = self._looks.get(subscription_id)
        if look is None:
            return None
        return look if happened + 1 <= (look.charge_until if with_charge else look.until) else None


def seen_until(found: StripeObject, took: float) -> float:
    """Return up to when Stripe had surely told all in an answer that took so long; 0 where it does not say.

    That is before the question's ticket was taken: what is written over it, under a later one, tells all of that too.
    """
    response = found.last_response
    date = {name.lower(): value for name, value in response.headers.items()}.get("date") if response else None
    try:
        return parsedate_to_datetime(date).timestamp() - took - SURE_AFTER if date else 0.0
    except ValueError:
        return 0.0
