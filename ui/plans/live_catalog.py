"""What is sold, on open pages: a part that shows prices is drawn anew when another catalog comes into force.

    await live_catalog(context, lambda: draw_items(context))
    await live_plans(context)

`services/catalog_file.py` announces the change; pages listen from when their socket is connected until they are gone.
That something changed, a price or words, is said to assistive technology too.
"""

import inspect
from collections.abc import Awaitable, Callable

import structlog
from nicegui import Client, background_tasks, ui

from catalog import Interval
from services.catalog_file import ALL_USERS
from services.errors import FrontendError
from services.storage.pubsub import Subscriber, Topic
from services.subscription.customer_status import CustomerStatus
from ui.billing.live import live
from ui.nicegui_ext.html import Tag
from ui.nicegui_ext.page_views import is_closed
from ui.page.context import PageContext
from ui.plans.card import PlanOffer
from ui.plans.choices import offers_for, plan_choices
from ui.plans.grid import PlanGrid
from ui.plans.interval_switch import first_interval
from ui.text.i18n import _

Draw = Callable[[], Awaitable[None] | None]

_log = structlog.get_logger(__name__)


class _Follower:
    """One page's connection to the catalog."""

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._client: Client = ui.context.client
        self._version = context.catalog.version
        self._listener: Subscriber | None = None
        self.callbacks: list[Draw] = []
        self._client.on_connect(self._connected)
        self._client.on_delete(self._close)

    def _connected(self) -> None:
        pubsub = self._context.container.pubsub
        if self._listener is None and not is_closed(self._client):
            self._listener = pubsub.listen(Topic.CATALOG, ALL_USERS, lambda _text: self._heard())
        self._heard()

    def _heard(self) -> None:
        if is_closed(self._client) or self._version == self._context.catalog.version:
            return
        self._version = self._context.catalog.version
        _task = background_tasks.create(self._redraw(), name="live catalog")

    async def _redraw(self) -> None:
        with self._client:
            for callback in self.callbacks:
                try:
                    result = callback()
                    if inspect.isawaitable(result):
                        await result
                except FrontendError as error:
                    _log.warning("catalog_part_failed", code=error.code, cause=str(error))
            self._context.announce(_("This page has been updated."))

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


def on_catalog_change(context: PageContext, callback: Draw) -> None:
    """Call `callback` in the page's context whenever another catalog is in force than the page shows."""
    context.part(_Follower, lambda: _Follower(context)).callbacks.append(callback)


async def live_catalog(context: PageContext, draw: Draw, *, classes: str = "") -> Tag:
    """Draw a part of the page now, and again with each new catalog. Returns the box around it."""
    box = Tag("div", classes=classes)

    async def show() -> None:
        box.clear()
        with box:
            result = draw()
            if inspect.isawaitable(result):
                await result

    await show()
    on_catalog_change(context, show)
    return box


class LivePlans:
    """The public plan cards of a page, drawn anew with each new catalog and each change of what the user has, at the
    interval that was chosen last. `on_change` tells whoever shows the same offers elsewhere on the page."""

    def __init__(self, context: PageContext, heading: str) -> None:
        self._context = context
        self._heading = heading
        self._box = Tag("div")
        self.offers: tuple[PlanOffer, ...] = ()
        self.interval = Interval.MONTH
        self.on_change: Callable[[], None] | None = None
        ui.context.client.on_delete(self._let_go)

    def _let_go(self) -> None:
        """The page is gone: who follows refers to what is followed, and both would wait for the collector."""
        self.on_change = None

    async def draw(self) -> None:
        """Draw the cards for the first time."""
        self.offers = await offers_for(self._context)
        self.interval = first_interval(self._context)
        self._redraw()
        on_catalog_change(self._context, self._catalog_changed)
        if self._context.user is not None:
            live(self._context).on_change(self._follow)

    async def _catalog_changed(self) -> None:
        self.offers = await offers_for(self._context)
        self._redraw()

    def _follow(self, customer_status: CustomerStatus) -> None:
        offers = plan_choices(self._context, customer_status)
        if offers != self.offers:
            self.offers = offers
            self._redraw()
            self._tell()

    def _redraw(self) -> None:
        self._box.clear()
        with self._box:
            PlanGrid(
                self._context, self.offers, self.interval, heading=self._heading, on_interval=self._interval_chosen
            )

    def _interval_chosen(self, interval: Interval) -> None:
        self.interval = interval
        self._tell()

    def _tell(self) -> None:
        if self.on_change is not None:
            self.on_change()


async def live_plans(context: PageContext, *, heading: str = "h2") -> LivePlans:
    """Draw the public plan cards, which follow the catalog and what the user has."""
    plans = LivePlans(context, heading)
    await plans.draw()
    return plans
