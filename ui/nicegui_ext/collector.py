"""Keeps Python's cyclic collector from stopping all users at once.

A full run of it looks at every object of the process, 2 s with a thousand tabs open, and Python starts one whenever the
heap has grown by a quarter: whoever's status changed just then saw it 2 s late. Here what has outlived a full run is
set aside (`gc.freeze`), so that each run looks only at what came since the one before, for a tenth of a second at most.

What is set aside still goes with its last reference, as pages do when their tab is closed (`drawn_page.py`). Only rings
of references that break later stay. So everything is looked at when closed pages may have left a quarter as much as
there is: not for what is open, however much that grows.

Written against NiceGUI 3.18, whose own elements have three rings each, their classes, styles and properties; and
engine.io makes a class for each socket.
"""

import gc
from typing import Final

import structlog
from nicegui import Client, app

from ui.nicegui_ext.packed_element import PackedElement

THRESHOLDS: Final = (5_000, 10, 5)
"""Python's own are (700, 10, 10): a page makes more objects than that, and a full run came every 70,000."""

LEFT_BY_PAGE: Final = 25
LEFT_BY_ELEMENT: Final = 18
"""Objects in rings that a closed page leaves, and each of its elements that is not packed."""

PART: Final = 4
"""Everything is looked at for one part in so many: Python's own rule."""

_log = structlog.get_logger(__name__)


class PacedCollector:
    """Paces the collector of this process. One a process; `stop` gives it back to Python."""

    def __init__(self) -> None:
        self._left = 0
        self._all = 0

    def start(self) -> None:
        """Set aside what there is, and look at what comes from now on."""
        gc.callbacks.append(_set_aside)
        gc.set_threshold(*THRESHOLDS)
        gc.freeze()
        self._all = gc.get_freeze_count()
        gc.enable()
        app.on_delete(self.page_closed)

    def stop(self) -> None:
        """Leave the collector as Python starts it."""
        gc.callbacks.remove(_set_aside)
        gc.set_threshold(700, 10, 10)
        gc.unfreeze()

    def page_closed(self, client: Client) -> None:
        """Have everything looked at, when that is worth it."""
        unpacked = sum(not isinstance(one, PackedElement) or bool(one.unpacked) for one in client.elements.values())
        self._left += LEFT_BY_PAGE + LEFT_BY_ELEMENT * unpacked
        if self._left * PART > self._all:
            self.look_at_all()

    def look_at_all(self) -> None:
        """Look at every object once: for rings that broke after they had been set aside."""
        gc.unfreeze()
        _log.debug("looked_at_all_objects", found=gc.collect())
        self._left, self._all = 0, gc.get_freeze_count()


def _set_aside(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()
