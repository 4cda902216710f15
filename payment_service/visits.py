"""Visits to Stripe: while somebody may be paying there, or be at its portal, a question about them looks there first.

Its webhook comes seconds later, or is lost, and who comes back asks before it. The look is waited for `PATIENCE`
seconds; after them, and while Stripe is out of reach, the answer is what is on record.
"""

from concurrent.futures import Executor, wait
from typing import Final

import structlog
from stripe import StripeError

from payment_service.customers import Customers
from payment_service.stripe_api import StripeAPI
from payment_service.sync import Sync

PATIENCE: Final = 1.0
AT_ONCE: Final = 8

_log = structlog.get_logger(__name__)


class StripeVisits:
    """Looks at Stripe for those who were sent there. `executor` has `AT_ONCE` threads."""

    def __init__(self, customers: Customers, stripe: StripeAPI, sync: Sync, executor: Executor) -> None:
        self._customers = customers
        self._stripe = stripe
        self._sync = sync
        self._executor = executor

    def look(self, user_id: str) -> None:
        """Bring on record what a user has who may be at Stripe, as far as that can be had soon. Never raises."""
        customer = self._customers.at_stripe(user_id)
        if customer is not None and not self._stripe.http.problem:
            wait([self._executor.submit(self._bring_up_to_date, customer)], PATIENCE)

    def close(self) -> None:
        """End after what is under way."""
        self._executor.shutdown(cancel_futures=True)

    def _bring_up_to_date(self, customer: str) -> None:
        try:
            self._sync.customer(customer, look_again=False)
        except StripeError as error:
            _log.warning("task_failed", task="visit", reason=type(error).__name__)
        except Exception:
            _log.exception("task_failed", task="visit")
