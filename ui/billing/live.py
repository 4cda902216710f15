"""A page that stays true: what its user has is pushed to it, and its parts redraw themselves where they differ.

One `Live` a page, one watch a `Live`. The watch opens when the browser's socket is connected, so that a crawler or a
preloaded page costs nothing, and closes when NiceGUI deletes the client. There is no timer here: the pace is set by
`services/live_status/service.py` for all tabs of a user together.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog
from nicegui import Client, background_tasks, ui

from services.errors import FrontendError, NotSignedIn
from services.live_status.service import StatusWatch
from services.sessions.service import Session
from services.subscription.customer_status import CustomerStatus
from services.web.timezones import is_timezone
from ui.nicegui_ext.browser_events import Payload, on_browser_event
from ui.nicegui_ext.html import Tag
from ui.nicegui_ext.page_views import is_closed
from ui.page.context import PageContext
from ui.page.current_user import known_status, session_now, signed_in, words_for

Key = TypeVar("Key")
Changed = Callable[[CustomerStatus], Awaitable[None] | None]

_log = structlog.get_logger(__name__)


class Live:
    """One page's connection to what its user has."""

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._session: Session = signed_in(context)
        self._client: Client = ui.context.client
        self._watch: StatusWatch | None = None
        self._opening = False
        self._callbacks: list[Changed] = []
        self._client.on_connect(self._connected)
        self._client.on_delete(self._close)
        on_browser_event("visit", self._visited)

    @property
    def customer_status(self) -> CustomerStatus | None:
        """What the page shows now; None while no service has said anything yet."""
        return known_status(self._context)

    def on_change(self, callback: Changed) -> None:
        """Call `callback` with each new status, in the page's context."""
        self._callbacks.append(callback)

    def look_now(self) -> None:
        """Ask both services now."""
        if self._watch is not None:
            self._watch.look_now()

    async def _connected(self) -> None:
        if self._watch is not None or self._opening:
            return
        self._opening = True
        try:
            self._session = await session_now(self._context)
        except NotSignedIn:
            self._signed_out()
            return
        except FrontendError as error:
            _log.warning("watch_with_old_session", code=error.code)
        finally:
            self._opening = False
        if is_closed(self._client):
            return
        self._watch = self._context.container.status.watch(
            self._session, self._changed, self._signed_out, self._aged, shown=self.customer_status
        )
        known = self._watch.customer_status
        if known is not None and not known.same_as(self.customer_status):
            self._changed(known)

    def _close(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        self._callbacks.clear()

    def _changed(self, customer_status: CustomerStatus) -> None:
        before = self.customer_status
        self._context.customer_status = customer_status
        self._tell(customer_status)
        with self._client:
            words = words_for(self._context, customer_status)
            if before is None or words_for(self._context, before) != words:
                self._context.announce(". ".join(text for text in (words.headline, words.sentence) if text))

    def _aged(self, customer_status: CustomerStatus) -> None:
        """Nothing is new but the time: what the page says of ages moves on, and is not announced."""
        self._context.customer_status = customer_status
        self._tell(customer_status)

    def _tell(self, customer_status: CustomerStatus) -> None:
        with self._client:
            for callback in self._callbacks:
                result = callback(customer_status)
                if inspect.isawaitable(result):
                    _task = background_tasks.create(self._finish(result), name="live page part")

    async def _finish(self, part: Awaitable[None]) -> None:
        with self._client:
            try:
                await part
            except FrontendError as error:
                _log.warning("live_part_failed", code=error.code, cause=str(error))

    def _signed_out(self) -> None:
        """Load the page again: a private one leads to sign-in and back here, a public one opens for a visitor."""
        if not is_closed(self._client):
            with self._client:
                ui.navigate.to(self._context.here)

    def _visited(self, detail: Payload) -> None:
        """The tab became visible, the network or the socket came back: say how old the news is by now, and look."""
        zone = detail.get("timezone")
        if isinstance(zone, str) and is_timezone(zone):
            self._context.timezone = zone
        if self.customer_status is not None:
            self._tell(self.customer_status)
        self.look_now()


class Part(Generic[Key]):
    """A part of a page that is drawn anew when what it is drawn from differs, and left alone otherwise.

    It takes no room before it is first drawn.
    """

    def __init__(self, draw: Callable[[Key], object], *, classes: str = "") -> None:
        self._draw = draw
        self._box = Tag("div", classes=f"part {classes}", hidden=True)
        self._key: Key | None = None
        self._drawn = False
        ui.context.client.on_delete(self._let_go)

    def show(self, key: Key) -> None:
        """Draw from `key`, unless that is what is on the page. A part that draws nothing takes no room."""
        if self._drawn and key == self._key:
            return
        self._key, self._drawn = key, True
        self._box.clear()
        with self._box:
            self._draw(key)
        self._box.set(hidden=not self._box.default_slot.children)

    def _let_go(self) -> None:
        """The page is gone: what draws the part refers to it, and both would wait for the collector."""
        self._draw = _draw_nothing


def _draw_nothing(_key: object) -> None:
    """Stands for what drew a part of a page that is gone."""


def live(context: PageContext) -> Live:
    """Return this page's `Live`, made at the first call. Raises NotSignedIn for a visitor."""
    return context.part(Live, lambda: Live(context))
