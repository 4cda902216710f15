"""The one centred card of a page that says one thing: an icon in the state's colour, what is true now, what to do.

    with card_page("success", "check-circle", _("Premium is active")):
        Tag("p", …)

The headline is the page's `h1`. `CardPage.show` changes icon, colour and headline in place.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ui.nicegui_ext.html import Tag
from ui.theme.tones import Tone


class CardPage:
    """The drawn card. `box` is the element that carries `data-state`."""

    def __init__(self, tone: Tone, icon_name: str, headline: str, *, testid: str = "") -> None:
        with Tag("section", classes="card card-page", testid=testid, aria_labelledby="headline") as self.box:
            with Tag("span", aria_hidden="true") as self._mark:
                self._icon = Tag("span", classes="icon")
            self._headline = Tag("h1", headline, id="headline", classes="card-title center")
        self.show(tone, icon_name, headline)

    def show(self, tone: Tone, icon_name: str, headline: str) -> None:
        """Show another state."""
        self._mark.classes(replace=f"card-icon card-icon-{tone}")
        self._icon.classes(replace=f"icon icon-{icon_name}")
        self._headline.set_text(headline)


@contextmanager
def card_page(tone: Tone, icon_name: str, headline: str, *, testid: str = "") -> Iterator[CardPage]:
    """Draw the card; what is drawn inside the block stands below its headline."""
    card = CardPage(tone, icon_name, headline, testid=testid)
    with card.box:
        yield card
