"""`/embed/pricing`: the plan cards alone, for a frame on a marketing site. `docs/embedding.md` says how.

Everything leads to the top window: no sign-in and no payment inside a frame. Which sites may show it is EMBED_ORIGINS,
as `frame-ancestors` of `api/security.py`. A frame on another site gets no cookies, so `?theme=` and `?lang=` say what
cookies say elsewhere, and visitors are strangers here.
"""

from nicegui import ui
from nicegui.element import Element

from catalog import Interval
from services.container import Container
from ui.nicegui_ext.html import Tag
from ui.page.site_notice import SiteNotices
from ui.pages.pricing import trust_line
from ui.plans import catalog_words
from ui.plans.grid import PlanGrid
from ui.plans.interval_switch import interval_of
from ui.plans.live_catalog import live_catalog
from ui.plans.offers import public_offers
from ui.serving.document import PageContext, page
from ui.text.i18n import N_, _


def register(container: Container) -> None:
    """Add the page."""

    @page(container, "/embed/pricing", title=N_("Pricing"), robots="noindex")
    async def embedded_pricing(context: PageContext) -> None:
        context.head.description = catalog_words.description(container.catalog)
        client = ui.context.client
        before_main = client.layout.default_slot.children.index(client.page_container)
        SiteNotices(context).box.move(client.layout, target_index=before_main)
        with Tag("div", classes="container embedded", testid="embedded-pricing"):
            Tag("h1", _("Plans and prices"), classes="visually-hidden")
            await EmbeddedPlans(context).draw()
            trust_line(context, alone=True)


class EmbeddedPlans:
    """The plan cards, with every link and form leading out of the frame."""

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._interval = interval_of(context.query)
        self._box: Tag | None = None

    async def draw(self) -> None:
        """Draw the cards, and again when the catalog changes."""
        self._box = await live_catalog(self._context, self._draw_plans)
        lead_to_top(self._box)

    def _draw_plans(self) -> None:
        PlanGrid(self._context, public_offers(self._context), self._interval, on_interval=self._interval_chosen)
        if self._box is not None:
            lead_to_top(self._box)

    def _interval_chosen(self, interval: Interval) -> None:
        self._interval = interval
        if self._box is not None:
            lead_to_top(self._box)  # a button that was drawn anew is among them


def lead_to_top(root: Element) -> None:
    """Have every link and form below an element open in the top window; the choice of interval stays in the frame."""
    for element in root.descendants():
        leads_away = (element.tag == "a" and not str(element.props.get("href")).startswith("?")) or (
            element.tag == "form" and element.props.get("method") == "post"
        )
        if leads_away and isinstance(element, Tag):
            element.set(target="_top")
