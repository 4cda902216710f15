"""A customer's invoices for the billing page: of a Payment MS that tells them, with links that browsers may follow."""

from dataclasses import replace
from typing import Final

from services.errors import UnsafePortal
from services.live_status.refresher import StatusRefresher
from services.payment_contract.features import ContractFeature
from services.payment_contract.invoices import Invoice
from services.payment_ms import PaymentMS
from services.sessions.service import Session
from services.web.safe_urls import Redirects

INVOICE_HOSTS: Final = ("invoice.stripe.com",)
"""Where Stripe shows invoices, besides the hosts of the portal."""


class InvoiceService:
    """Asks for a customer's invoices. `redirects` knows the hosts that their pages may be on."""

    def __init__(self, payment_ms: PaymentMS, refresher: StatusRefresher, redirects: Redirects) -> None:
        self._payment_ms = payment_ms
        self._refresher = refresher
        self._redirects = redirects

    @property
    def told(self) -> bool:
        """Whether the Payment MS says that it tells invoices."""
        return self._payment_ms.contract.has(ContractFeature.INVOICES)

    async def of(self, session: Session) -> tuple[Invoice, ...] | None:
        """Return the user's invoices, newest first; None where the service does not tell them.

        A link to a host that browsers may not be sent to is left out. Raises the UpstreamErrors and InvalidIdentifier.
        """
        if not self.told:
            return None
        found = await self._payment_ms.invoices(self._refresher.customer_of(session))
        return tuple(self._with_safe_page(invoice) for invoice in found) if found is not None else None

    def _with_safe_page(self, invoice: Invoice) -> Invoice:
        if invoice.url is None:
            return invoice
        try:
            return replace(invoice, url=self._redirects.checked(invoice.url, refusal=UnsafePortal))
        except UnsafePortal:  # logged
            return replace(invoice, url=None)
