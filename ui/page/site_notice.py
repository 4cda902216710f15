"""What the operator has to say on every page: a notice from a file, and that nothing is for sale just now.

Our frame draws it between header and banners; in another site's it stands over the cards. An open page follows the
file (`services/site_notice/file.py`).
"""

from nicegui import Client, ui

from services.site_notice.model import SiteNotice
from settings import Settings
from ui.components.notice import notice
from ui.nicegui_ext.html import Tag
from ui.nicegui_ext.page_views import is_closed
from ui.page.context import PageContext
from ui.text.i18n import N_, _

NOT_FOR_SALE = N_("Nothing can be bought here right now. What you already have isn't affected.")


def not_sold(settings: Settings) -> str:
    """Return why nothing is sold, in the operator's words or ours; nothing while things are."""
    return "" if settings.selling else settings.selling_off_text or _(NOT_FOR_SALE)


class SiteNotices:
    """The place for them on one page; it takes no room while there is nothing to say."""

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._file = context.container.notice
        self._client: Client = ui.context.client
        # Translators: name of the place for what the operator has to say to everybody, for screen readers
        self.box = Tag("section", classes="site-notices", aria_label=_("Announcements"), testid="site-notices")
        self._draw()
        if not context.shared:
            self._client.on_connect(self._connected)
            self._client.on_delete(lambda: self._file.forget(self._heard))

    def _draw(self) -> None:
        self._shown, current = self._file.mark, self._file.current
        with self.box:
            if current is not None:
                draw_notice(self._context, current)
            if words := not_sold(self._context.settings):
                with notice("info", words) as box:
                    box.set(data_code="selling_off")
        self.box.set(hidden=not self.box.default_slot.children)

    def _connected(self) -> None:
        self._file.listen(self._heard)
        self._heard()

    def _heard(self) -> None:
        """Show what is in force now; what comes while somebody looks stands over the page's lower edge."""
        if is_closed(self._client) or self._shown == self._file.mark:
            return
        with self._client:
            self.box.clear()
            self._draw()
            self.box.set(data_arrived="" if self._file.current is not None else None)
            if self._file.current is not None:
                self._context.announce(self._context.text(self._file.current.text))


def draw_notice(context: PageContext, shown: SiteNotice) -> None:
    """Draw the operator's notice in the reader's language."""
    with notice(shown.kind, context.text(shown.text), title=context.text(shown.title)) as box:
        box.set(data_code="site_notice")
        if shown.link is not None:
            # Out of the frame, where the page is in one.
            Tag("a", context.text(shown.link.label), href=shown.link.url, target="_top")
