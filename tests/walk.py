"""Follows a purchase, or what is said of one, through the code: which rooms it enters, in which order.

A purchase is what a function is called with: the `Purchase`, a mapping of its fields, or the JSON that is sent. What
only looks something up by an id is no room on the way, and neither is the module of the value itself. A status is what
a function is called with or returns, from the service's JSON to the words on a page.
"""

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from services.payment_ms import SubscriptionRecord
from services.purchase import Purchase
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import State, Subscription
from services.subscription.snapshot import UpstreamSnapshot
from ui.text.state_words import StateWords

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[1]
OUTSIDE: Final = ("tests", ".venv", "harness", "sandbox")
ITS_OWN: Final = "services/purchase.py"
SENT: Final = "services/upstream/transport.py"
OF_A_STATUS: Final = frozenset({
    "services/subscription/snapshot.py", "services/subscription/model.py", "services/subscription/customer_status.py",
})  # fmt: skip
"""The modules of the values that a status is, one after the other."""


class Walk:
    """The rooms entered so far, each as its path. One that is entered again from elsewhere stands there twice."""

    def __init__(self, price_id: str) -> None:
        self.rooms: list[str] = []
        self._price_id = price_id
        self._seen: dict[int, FrameType] = {}

    def note(self, frame: FrameType, event: str, _arg: object) -> None:
        """Take note of a call, for `sys.setprofile`, until it is sent."""
        if event != "call" or id(frame) in self._seen or SENT in self.rooms:
            return
        room = room_of(frame)
        if room is None or room == ITS_OWN or not any(self._is_it(value) for value in _arguments(frame)):
            return
        self._seen[id(frame)] = frame  # a coroutine that goes on is not called again
        caller = _caller(frame)
        if not self.rooms and caller is not None:
            self.rooms.append(caller)
        goes_on = caller is None and room in self.rooms  # a task of the room that it is in
        if room != caller and not goes_on and self.rooms[-1:] != [room]:
            self.rooms.append(room)

    def _is_it(self, value: object) -> bool:
        if isinstance(value, Purchase):
            return value.price_id == self._price_id
        if isinstance(value, Mapping):
            return value.get("price_id") == self._price_id
        return isinstance(value, bytes) and value.startswith(b"{") and self._price_id.encode() in value


class StatusWalk:
    """The rooms that a new status has entered so far, each once, and how often a function was called with it."""

    def __init__(self, state: State) -> None:
        self.rooms: list[str] = []
        self.calls: Counter[str] = Counter()
        self._state = state

    def note(self, frame: FrameType, event: str, arg: object) -> None:
        """Take note of a call or its end, for `sys.setprofile`."""
        room = room_of(frame)
        if room is None or event not in ("call", "return"):
            return
        values = _arguments(frame) if event == "call" else [arg]
        if not any(self._is_it(value) for value in values):
            return
        if event == "call":
            self.calls[frame.f_code.co_name] += 1
        if room not in self.rooms and room not in OF_A_STATUS:
            self.rooms.append(room)

    def _is_it(self, value: object) -> bool:
        match value:
            case bytes():
                return value.startswith(b"{") and f'"{self._state}"'.encode() in value
            case SubscriptionRecord():
                return value.status == self._state
            case UpstreamSnapshot():
                return any(one.record.status == self._state for one in value.records.values())
            case CustomerStatus():
                return value.current.state is self._state
            case Subscription() | StateWords():
                return value.state is self._state
        return False


def room_of(frame: FrameType) -> str | None:
    """Return the file that a frame is in, from the root on; None for one that is not the product's."""
    return _room(frame.f_code.co_filename)


@cache
def _room(file: str) -> str | None:
    path = Path(file)
    if not path.is_relative_to(ROOT):
        return None
    room = path.relative_to(ROOT)
    return None if room.parts[0] in OUTSIDE else room.as_posix()


def _arguments(frame: FrameType) -> list[object]:
    """Return what a function was called with. A coroutine that goes on has its other variables beside them."""
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return [frame.f_locals[name] for name in names if name in frame.f_locals]


def _caller(frame: FrameType) -> str | None:
    """Return the room of the nearest caller in the product; None for a task of its own, which nothing calls."""
    back = frame.f_back
    while back is not None:
        room = room_of(back)
        if room is not None and room != ITS_OWN:
            return room
        back = back.f_back
    return None


@contextmanager
def walk(price_id: str) -> "Iterator[Walk]":
    """Follow the purchases of a price that are made in the block."""
    found = Walk(price_id)
    with _watching(found.note):
        yield found


@contextmanager
def status_walk(state: State) -> "Iterator[StatusWalk]":
    """Follow what is said in the block of a subscription that is newly in this state."""
    found = StatusWalk(state)
    with _watching(found.note):
        yield found


@contextmanager
def _watching(note: Callable[[FrameType, str, object], None]) -> "Iterator[None]":
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)


def drawn(heading: str) -> list[str]:
    """Return the rooms that `docs/architecture.md` lists under a heading."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.split(f"### {heading}\n")[1].split("\n#")[0]
    return [line.split("`")[1] for line in section.splitlines() if line[:1].isdigit()]
