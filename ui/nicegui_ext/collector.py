"""Keeps Python's cyclic collector from stopping all users at once.

A full run of it looks at every object of the process, 2 s with a thousand tabs open, and Python starts one whenever the
heap has grown by a quarter: whoever's status changed just then saw it 2 s late. Here what has outlived a full run is
set aside (`gc.freeze`), so that each run looks only at what came since the one before, for a tenth of a second at most.

What is set aside still goes with its last reference, as pages do when their tab is closed. Only rings of references
that break later stay; a closed page's are cut here, and what is left is looked for while few pages are open.

Written against NiceGUI 3.18, whose closed clients still refer to their elements through handlers and unsent messages.
"""

import asyncio
import gc
from typing import Final

import structlog
from nicegui import Client, app

from ui.nicegui_ext.drawn_page import page_of

THRESHOLDS: Final = (5_000, 10, 5)
"""Python's own are (700, 10, 10): a page makes more objects than that, and a full run came every 70,000."""

CUT_AFTER: Final = 60.0
"""Seconds after which nothing that a closed page had begun needs it any more."""

FEW_OPEN: Final = 50
SOME_CLOSED: Final = 200
MOST_CLOSED: Final = 2_000
"""Everything is looked at after `SOME_CLOSED` pages if at most `FEW_OPEN` are open, which takes 0.2 s, else then."""

_log = structlog.get_logger(__name__)


class PacedCollector:
    """Paces the collector of this process. One a process; `stop` gives it back to Python."""

    def __init__(self) -> None:
        self._closed = 0

    def start(self) -> None:
        """Set aside what there is, and look at what comes from now on."""
        gc.callbacks.append(_set_aside)
        gc.set_threshold(*THRESHOLDS)
        gc.freeze()
        gc.enable()
        app.on_delete(self.page_closed)

    def stop(self) -> None:
        """Leave the collector as Python starts it."""
        gc.callbacks.remove(_set_aside)
        gc.set_threshold(700, 10, 10)
        gc.unfreeze()

    def page_closed(self, client: Client) -> None:
        """Have the page's rings cut, and now and then everything looked at."""
        asyncio.get_running_loop().call_later(CUT_AFTER, cut_rings, client)
        self._closed += 1
        enough = SOME_CLOSED if len(Client.instances) <= FEW_OPEN else MOST_CLOSED
        if self._closed >= enough:
            self._closed = 0
            self.look_at_all()

    def look_at_all(self) -> None:
        """Look at every object once: for rings that broke after they had been set aside."""
        gc.unfreeze()
        _log.debug("looked_at_all_objects", found=gc.collect())


def cut_rings(client: Client) -> None:
    """Let go what a deleted page refers to, so that most of it goes without the collector."""
    page = page_of(client)
    if page is not None:
        page.release()
    client.storage.clear()
    for handlers in (client.connect_handlers, client.disconnect_handlers, client.delete_handlers):
        handlers.clear()
    outbox = client.outbox
    for unsent in (outbox.updates, outbox.messages, outbox.message_history):
        unsent.clear()


def _set_aside(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()
