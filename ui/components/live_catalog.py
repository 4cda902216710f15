"""What is sold, on open pages: a part that shows prices is drawn anew when another catalog comes into force.

    await live_catalog(visit, lambda: draw_items(visit))
    await live_plans(visit, Interval.MONTH)

`services/catalog_file.py` announces the change; pages listen from when their socket is connected until they are gone.
A price that changed says so to assistive technology too.
"""

import inspect
from collections.abc import Awaitable, Callable

import structlog
from nicegui import Client, background_tasks, context

from catalog import Interval
from services.announcements import Listener, Topic
from services.catalog_file import EVERYBODY
from services.errors import FrontendError
from ui.components.plan_grid import PlanGrid
from ui.html import Tag
from ui.i18n import _
from ui.offers import offers_for
from ui.visit import Visit

Draw = Callable[[], Awaitable[None] | None]

_log = structlog.get_logger(__name__)


class _Follower:
    """One page's connection to the catalog."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._client: Client = context.client
        self._version = visit.site.catalog.version
        self._listener: Listener | None = None
        self.callbacks: list[Draw] = []
        self._client.on_connect(self._connected)
        self._client.on_delete(self._close)

    def _connected(self) -> None:
        announcements = self._visit.site.announcements
        if announcements is not None and self._listener is None and not self._client.is_deleted:
            self._listener = announcements.listen(Topic.CATALOG, EVERYBODY, lambda _text: self._heard())
        self._heard()

    def _heard(self) -> None:
        if self._client.is_deleted or self._version == self._visit.site.catalog.version:
            return
        self._version = self._visit.site.catalog.version
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
            self._visit.announce(_("The prices on this page have been updated."))

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


def on_catalog_change(visit: Visit, callback: Draw) -> None:
    """Call `callback` in the page's context whenever another catalog is in force than the page shows."""
    made = visit.extras.get("live_catalog")
    if not isinstance(made, _Follower):
        made = visit.extras["live_catalog"] = _Follower(visit)
    made.callbacks.append(callback)


async def live_catalog(visit: Visit, draw: Draw, *, classes: str = "") -> Tag:
    """Draw a part of the page now, and again with each new catalog. Returns the box around it."""
    box = Tag("div", classes=classes)

    async def show() -> None:
        box.clear()
        with box:
            result = draw()
            if inspect.isawaitable(result):
                await result

    await show()
    on_catalog_change(visit, show)
    return box


async def live_plans(visit: Visit, interval: Interval, *, heading: str = "h2") -> None:
    """Draw the public plan cards, and again with each new catalog, at the interval that was chosen last."""
    box, chosen = Tag("div"), interval

    def choose(interval: Interval) -> None:
        nonlocal chosen
        chosen = interval

    async def show() -> None:
        offers = await offers_for(visit)
        box.clear()
        with box:
            PlanGrid(visit, offers, chosen, heading=heading, on_interval=choose)

    await show()
    on_catalog_change(visit, show)
