"""What is new of customers who are not here: billing's word of now, the account's last one, their checkouts."""

from datetime import timedelta
from typing import Final

from services.checkout_record import CheckoutRepository
from services.live_status.refresher import StatusRefresher
from services.webhooks.model import OutboxRow
from services.webhooks.outbox import Outbox

_YOUNGER: Final = timedelta(seconds=1)


class AbsentCustomers:
    """Looks at customers without their sessions, for the outbox."""

    def __init__(
        self,
        outbox: Outbox,
        refresher: StatusRefresher,
        checkouts: CheckoutRepository,
    ) -> None:
        self._outbox = outbox
        self._refresher = refresher
        self._checkouts = checkouts

    async def look(self, customer: str, row: OutboxRow) -> None:
        """Ask billing, and note what is new. Raises StoreUnavailable."""
        await self._refresher.ask_billing(customer, unless_younger_than=_YOUNGER)
        word, checkouts = await self._refresher.last_word(customer), await self._checkouts.of(customer)
        if word.status is None:
            await self._outbox.note_checkouts(customer, checkouts)
        else:
            await self._outbox.note_absent(customer, row.user_id, word, checkouts)

    async def settle(self, customer: str) -> None:
        """Note what the record of their checkouts says. Raises StoreUnavailable."""
        await self._outbox.note_checkouts(customer, await self._checkouts.of(customer))
