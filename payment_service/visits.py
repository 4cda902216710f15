"""Visits to Stripe: while somebody may be paying there, or be at its portal, a question about them looks there first.

Its webhook comes seconds later, or is lost, and who comes back asks before it. The look is waited for `PATIENCE`
seconds; after them, and while Stripe is out of reach, the answer is what is on record.
"""

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import structlog
from stripe import StripeError

from payment_service.customers import Customers
from payment_service.stripe_api import StripeAPI
from payment_service.sync import Sync

PATIENCE: Final = 1.0
AT_ONCE: Final = 8

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class StripeVisits:
    """Looks at Stripe for those who were sent there. `executor` has `AT_ONCE` threads."""

    customers: Customers
    stripe: StripeAPI
    sync: Sync
    executor: Executor

    def look(self, user_id: str) -> None:
        """Bring on record what a user has who may be at Stripe, as far as that can be had soon. Never raises."""
        customer = self.customers.at_stripe(user_id)
        if customer is None or self.stripe.http.problem:
            return
        try:
            self.executor.submit(self.sync.customer, customer, look_again=False).result(PATIENCE)
        except TimeoutError:
            pass  # it goes on, and the next question finds what it wrote
        except Exception as error:
            unexpected = not isinstance(error, StripeError)
            _log.warning("task_failed", task="visit", reason=type(error).__name__, exc_info=unexpected)
