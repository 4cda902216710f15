"""The way to invoices, cards and receipts: one row with the button that opens the billing portal."""

from ui.components.portal_button import portal_button
from ui.components.problem import ProblemPlace
from ui.html import Tag
from ui.i18n import _
from ui.visit import Visit


def portal_row(visit: Visit) -> None:
    """Draw the row. A problem with opening the portal is said in it."""
    with Tag("section", classes="card portal-row", aria_labelledby="portal-title"):
        with Tag("div", classes="portal-words"):
            Tag("h2", _("Invoices and payment methods"), id="portal-title", classes="portal-title")
            Tag("p", _("Billing is handled by Stripe. We never see your card."), classes="muted")
        problems = ProblemPlace(visit)
        portal_button(visit, _("Open billing portal"), problems=problems, testid="open-portal")
