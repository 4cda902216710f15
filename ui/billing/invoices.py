"""The invoices on the billing page: number, day, sum, state, and a link to Stripe's page of each.

Drawn only for a Payment MS that tells them. A service that fails is said so, with the portal as the way to them: the
rest of the page stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.claims import invoice_claim, no_invoices_claim
from services.errors import FrontendError
from services.payment_contract.invoices import Invoice, InvoiceStatus
from ui.billing.portal_button import portal_button
from ui.billing.problem import ProblemPlace
from ui.components.badge import badge
from ui.components.button import button
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.page.current_user import signed_in
from ui.text.amounts import money
from ui.text.claim_words import INVOICE_WORDS, SENTENCES, claims_attribute
from ui.text.formats import exact, full_date
from ui.text.i18n import _
from ui.theme.tones import Tone

TONES: Final[dict[InvoiceStatus, Tone]] = {
    InvoiceStatus.PAID: "success", InvoiceStatus.OPEN: "warning", InvoiceStatus.VOID: "neutral",
    InvoiceStatus.UNCOLLECTIBLE: "neutral",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class InvoiceList:
    """What there is to show: the invoices, or that they can't be had now."""

    invoices: tuple[Invoice, ...] = ()
    failed: bool = False


async def invoices_of(context: PageContext) -> InvoiceList | None:
    """Return the user's invoices; None where the service tells none, and nothing is shown."""
    try:
        found = await context.container.invoices.of(signed_in(context))
    except FrontendError:  # logged where it happened
        return InvoiceList(failed=True)
    return InvoiceList(found) if found is not None else None


def draw_invoices(context: PageContext, shown: InvoiceList | None) -> None:
    """Draw the card of invoices; nothing for a service that tells none."""
    if shown is None:
        return
    with Tag("section", classes="card orders", aria_labelledby="invoices-title", testid="invoices"):
        # Translators: headline over a list of invoices
        Tag("h2", _("Invoices"), id="invoices-title", classes="card-heading")
        if shown.failed:
            Tag("p", _("We can't show your invoices right now. The billing portal has them."), classes="muted")
            portal_button(context, _("Open billing portal"), problems=ProblemPlace(context), testid="invoices-portal")
        elif not shown.invoices:
            none = no_invoices_claim(datetime.now(UTC))
            Tag("p", _(SENTENCES[none.says][0]), classes="muted", data_claims=claims_attribute([none]))
        else:
            _draw_list(context, shown.invoices)


def _draw_list(context: PageContext, invoices: Sequence[Invoice]) -> None:
    with Tag("ul", classes="purchases"):
        for invoice in invoices:
            claims = claims_attribute([invoice_claim(invoice, datetime.now(UTC))])
            with Tag("li", classes="purchase", testid="invoice", data_claims=claims):
                _draw_invoice(context, invoice)


def _draw_invoice(context: PageContext, invoice: Invoice) -> None:
    day = full_date(invoice.created, context.locale, context.timezone)
    # Translators: name of an invoice without a number
    name = _("Invoice")
    if invoice.number:
        name = _("Invoice {number}").format(number=invoice.number)
    with Tag("div", classes="purchase-words"):
        Tag("p", name, classes="purchase-name", translate="no")
        with Tag("p", classes="muted small"):
            instant = exact(invoice.created, context.locale, context.timezone)
            Tag("time", day, datetime=invoice.created.isoformat(), title=instant)
            Tag("span", f" · {money(invoice.amount, invoice.currency, context.locale)}")
    badge(_(INVOICE_WORDS[invoice.status]), TONES[invoice.status])
    if invoice.url is not None:
        # Translators: link to the page of one invoice
        link = button(_("View"), "quiet", href=invoice.url, spoken=_("View {invoice}").format(invoice=name))
        link.set(rel="noopener noreferrer", referrerpolicy="no-referrer")
