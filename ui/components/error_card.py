"""What an error looks like as a page: what happened, whether money moved, what to do."""

from services.errors import FrontendError
from ui.html import Tag
from ui.i18n import _
from ui.visit import Visit


def error_page(visit: Visit, error: FrontendError) -> None:
    """Draw the whole page for an error."""
    Tag("h1", _(error.title))
    Tag("p", _(error.sentence))
