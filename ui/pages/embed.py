"""`/embed/pricing`: the plan cards alone, for a frame on a marketing site. `docs/embedding.md` says how.

Everything leads to the top window: nobody signs in or pays inside a frame. Which sites may show it is EMBED_ORIGINS,
as `frame-ancestors` of `api/security.py`. A frame on another site gets no cookies, so `?theme=` and `?lang=` say what
cookies say elsewhere, and visitors are strangers here.
"""

from nicegui import context
from nicegui.element import Element

from catalog import Interval
from ui.components.live_catalog import live_catalog
from ui.components.plan_grid import PlanGrid
from ui.document import Visit, page
from ui.html import Tag
from ui.i18n import LOCALES, N_, _
from ui.offers import public_offers
from ui.pages.pricing import chosen_interval, trust_line
from ui.site import Site
from ui.visit import THEMES


def register(site: Site) -> None:
    """Add the page."""

    @page(site, "/embed/pricing", title=N_("Pricing"), robots="noindex")
    async def embedded_pricing(visit: Visit) -> None:
        _look_as_asked(visit)
        with Tag("div", classes="container embedded", testid="embedded-pricing"):
            Tag("h1", _("Plans and prices"), classes="visually-hidden")
            await EmbeddedPlans(visit).draw()
            trust_line()


class EmbeddedPlans:
    """The plan cards, with every link and form leading out of the frame."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._interval = chosen_interval(visit)
        self._box: Tag | None = None

    async def draw(self) -> None:
        """Draw the cards, and again when the catalog changes."""
        self._box = await live_catalog(self._visit, self._draw_plans)
        lead_to_top(self._box)

    def _draw_plans(self) -> None:
        PlanGrid(self._visit, public_offers(self._visit), self._interval, on_interval=self._interval_chosen)
        if self._box is not None:
            lead_to_top(self._box)

    def _interval_chosen(self, interval: Interval) -> None:
        self._interval = interval
        if self._box is not None:
            lead_to_top(self._box)  # a button that was drawn anew is among them


def lead_to_top(root: Element) -> None:
    """Have every link and form below an element open in the top window; the choice of interval stays in the frame."""
    for element in root.descendants():
        leads_away = element.tag == "a" or (element.tag == "form" and element.props.get("method") == "post")
        if leads_away and isinstance(element, Tag):
            element.set(target="_top")


def _look_as_asked(visit: Visit) -> None:
    """Take theme and language from the address: a frame on another site has no cookies to say so."""
    theme, language = visit.query.get("theme"), visit.query.get("lang")
    visit.theme = next((known for known in THEMES if known == theme), visit.theme)
    if language is not None and language in LOCALES:
        visit.locale = context.client.storage["locale"] = language
    visit.head.canonical = f"{visit.site.settings.public_url}/pricing"
