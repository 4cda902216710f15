"""The way to invoices, cards and receipts where no card of a subscription leads there: one row with one button."""

from ui.billing.portal_button import portal_button
from ui.billing.problem import ProblemPlace
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.text.i18n import _


def portal_row(context: PageContext) -> None:
    """Draw the row. A problem with opening the portal is said in it."""
    with Tag("section", classes="card portal-row", aria_labelledby="portal-title"):
        with Tag("div", classes="portal-words"):
            Tag("h2", _("Invoices and payment methods"), id="portal-title", classes="portal-title")
            Tag("p", _("Billing is handled by Stripe. We never see your card."), classes="muted")
        problems = ProblemPlace(context)
        portal_button(context, _("Open billing portal"), problems=problems, testid="open-portal")
