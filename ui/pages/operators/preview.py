"""`/preview`: the plan cards of a draft beside today's, in every language, with a list of what changes for whom.

Only `python app.py preview` serves it, on this machine; nothing can be bought there. What stands around the cards is in
English; the cards are in the language that was chosen, as customers would see them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from catalog import Catalog, Interval
from services.container import Container
from ui.nicegui_ext.html import Tag
from ui.page.frame import frame
from ui.plans.card import PlanCard
from ui.plans.catalog_words import in_groups
from ui.plans.grid import list_of
from ui.plans.offers import public_offers
from ui.serving.document import PageContext, page
from ui.text.i18n import language_name, offered
from ui.theme.style_sheet import page_style

PATH: Final = "/preview"
TITLE: Final = "Preview of the catalog"
DRAFT: Final = "Draft"
TODAY: Final = "Today"
CHANGES: Final = "What changes, for whom"


@dataclass(frozen=True, slots=True)
class UnchangingCatalog:
    """A catalog that stays as it is: of a draft, or of today."""

    current: Catalog
    problem: str | None = None


def register(container: Container, today: Catalog, draft: Catalog, changes: Sequence[str]) -> None:
    """Add the page."""

    @page(container, PATH, title=TITLE, robots="noindex")
    def preview(context: PageContext) -> None:
        interval = Interval.YEAR if context.query.get("interval") == Interval.YEAR else Interval.MONTH
        context.head.style = page_style("ops")
        with frame(context), Tag("div", classes="ops"):
            with Tag("div", classes="ops-head", lang="en", dir="ltr"):
                Tag("h1", TITLE)
                _links(context, interval)
            with Tag("section", classes="ops-section", lang="en", dir="ltr"):
                Tag("h2", CHANGES, classes="ops-heading")
                with Tag("ul", classes="card ops-dead person-lines", testid="preview-changes"):
                    for change in changes:
                        Tag("li", change)
            for title, catalog in ((DRAFT, draft), (TODAY, today)):
                with Tag("section", classes="ops-section", testid=f"preview-{title.lower()}"):
                    Tag("h2", title, classes="ops-heading", lang="en")
                    _cards(replace(context, container=_with_catalog(container, catalog)), interval)


def _with_catalog(container: Container, catalog: Catalog) -> Container:
    return replace(container, catalogs=UnchangingCatalog(catalog))


def _links(context: PageContext, interval: Interval) -> None:
    """Lead to the other languages and to the other interval."""
    with Tag("p", classes="person-badges"):
        for locale in offered(context.settings).locales:
            query = urlencode({"lang": locale, "interval": interval})
            Tag("a", language_name(locale), href=f"{PATH}?{query}", lang=locale)
        for other in Interval:
            Tag("a", f"by the {other}", href=f"{PATH}?{urlencode({'lang': context.locale, 'interval': other})}")


def _cards(context: PageContext, interval: Interval) -> None:
    """Draw all cards with a price, group by group, as the pricing page has them."""
    offers = {offer.plan.id: offer for offer in public_offers(context) if offer.plan.kind != "contact"}
    with Tag("div", classes="plans"):
        for group in in_groups([offer.plan for offer in offers.values()]):
            with list_of(group, context.catalog.version):
                for plan in group:
                    PlanCard(context, offers[plan.id], interval, heading="h3")
