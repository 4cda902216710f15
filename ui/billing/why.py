"""Below the subscription card, folded: why it says what it says. Which service said what, and when.

For the user, in their language: what was heard, and what is heard from nobody. No ids, no names of our parts.
"""

from datetime import UTC, datetime

from services.people.heard import heard_of
from services.subscription.customer_status import CustomerStatus
from ui.billing.live import Part
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.text.claim_words import Reader
from ui.text.heard_words import heard_sentence
from ui.text.i18n import _
from ui.theme.icons import icon


class WhyItSays:
    """The fold below a card. It stands there from the start, so that nothing moves when the answers come."""

    def __init__(self, context: PageContext) -> None:
        self._context = context
        with Tag("details", classes="question-box why-box", testid="why"):
            with Tag("summary"):
                # Translators: below what the page says of the subscription; unfolds to who said so, and when
                Tag("span", _("Why does it say this?"))
                icon("chevron-down")
            self._lines = Part(self._draw, classes="question-body")
            self._lines.show(())

    def show(self, customer_status: CustomerStatus) -> None:
        """Show on what a status rests."""
        context = self._context
        snapshot = context.container.refresher.last_heard(customer_status.customer)
        if snapshot is None:
            return
        reader = Reader.at(context.catalog, context.locale, context.timezone)
        heard = heard_of(customer_status, snapshot, context.catalog, datetime.now(UTC))
        self._lines.show(tuple(heard_sentence(one, reader) for one in heard))

    def _draw(self, sentences: tuple[str, ...]) -> None:
        if not sentences:
            # Translators: while both services are asked for the first time
            Tag("p", _("Nothing has been heard yet."), classes="small")
            return
        with Tag("ul", classes="why-lines small"):
            for sentence in sentences:
                Tag("li", sentence)
