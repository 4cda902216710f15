"""Whether billing knows somebody by another id: their e-mail address, which another front end sent as the user's id.

Asked before the first plan that a customer buys here. Else every subscriber from before would be a new customer, and be
sold a second subscription.
"""

from collections.abc import Iterable
from typing import Final

import structlog

from services.concurrency.limit import Priority
from services.errors import CustomerUnknown, FrontendError, InvalidIdentifier, SubscriptionUnderEmail
from services.payment_ms import PaymentMS
from services.storage.marks import Mark, Marks
from services.subscription.checkout_matching import ENDED
from services.subscription.customer_status import CustomerStatus
from services.subscription.normalize import status_word

_CURE: Final = "if another front end sent e-mail addresses as user ids, set CUSTOMER_ID=email (docs/migration.md)"

_log = structlog.get_logger(__name__)


class EarlierRecords:
    """Asks the Payment MS by e-mail address. For an installation whose customers are known by user id.

    The one call that speaks of a customer and not of a product is the portal's: it refuses who never bought anything.
    So one question is enough for who is new, and only who is known is asked about plan by plan. `return_url` is where
    such a portal would lead back to; nobody is ever sent to it.
    """

    def __init__(self, payment_ms: PaymentMS, marks: Marks, return_url: str) -> None:
        self._payment_ms = payment_ms
        self._marks = marks
        self._return_url = return_url

    async def guard(self, customer_status: CustomerStatus, email: str, products: Iterable[str]) -> None:
        """Raise SubscriptionUnderEmail where billing has one of these products under the address, not known to be over.

        Who has, or had, a plan here is known by the user id, and nobody is asked. Raises what the Payment MS raises:
        nothing is sold without its answer.
        """
        if not email or email == customer_status.customer or customer_status.subscription_ids:
            return
        if customer_status.had_plans or not await self._may_know(email):
            return
        for product in products:
            record = await self._payment_ms.subscription(email, product, priority=Priority.PRESS)
            if record.exists and status_word(record.status)[0] not in ENDED:
                await self._marks.set(Mark.RECORD_UNDER_EMAIL)
                _log.error("record_under_email", cure=_CURE)
                raise SubscriptionUnderEmail("on record under the e-mail address")

    async def _may_know(self, email: str) -> bool:
        """Whether billing may know a customer by that address. A portal that fails says nothing."""
        try:
            await self._payment_ms.create_portal_session(email, self._return_url)
        except (CustomerUnknown, InvalidIdentifier):  # an address that can't be an id has never been one
            return False
        except FrontendError:
            return True
        return True
