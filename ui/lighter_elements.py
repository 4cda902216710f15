"""Makes NiceGUI's elements lighter, and such that they go with their page, without waiting for the cyclic collector.

NiceGUI's own elements have three observable collections (classes, style, props), and so has each of ours that somebody
asked for them (`ui/packed_element.py`). Each keeps its own change handler in a list, as a bound method: a cycle, so
that only the collector can find the elements of closed pages. Its full runs look at all open pages too, and stop the
process meanwhile. Here a collection remembers the function alone, and has lists of handlers and observers only if it
has any. Nothing else is changed; without this module all works, heavier.
"""

from collections.abc import Callable, Collection
from types import FunctionType, MethodType
from typing import Any, Final

from nicegui import helpers
from nicegui.observables import ObservableCollection

Handler = tuple[Callable[..., Any], bool]

_NONE: Final = ()
_init = ObservableCollection.__init__


def _init_lighter(
    self: Any,
    *,
    factory: Callable[..., Any],
    data: Collection[Any] | None,
    on_change: Callable[..., Any] | None,
    _parent: ObservableCollection | None,
) -> None:
    own = on_change.__func__ if isinstance(on_change, MethodType) and on_change.__self__ is self else None
    _init(self, factory=factory, data=data, on_change=on_change if own is None else None, _parent=_parent)
    if own is not None:
        self._own_handler = own
        self._change_handlers = _NONE
        self._observer_refs = _NONE


def _all_handlers(self: Any) -> list[Handler]:
    """Return what NiceGUI's property returns: a collection's own handlers, its observers' and its parents'."""
    own: FunctionType | None = self._own_handler
    methods = [] if own is None else [MethodType(own, self)]
    handlers: list[Handler] = [(method, helpers.expects_arguments(method)) for method in methods]
    handlers += self._change_handlers
    observers = [ref() for ref in self._observer_refs]
    handlers += [(observer._handle_change, False) for observer in observers if observer is not None]
    if self._parent is not None:
        handlers += self._parent._change_handlers_with_args
    return handlers


def _on_change(self: Any, handler: Callable[..., Any]) -> None:
    """Register a handler to be called when the collection changes."""
    if handler != self._handle_change:
        self._change_handlers = [*self._change_handlers, (handler, helpers.expects_arguments(handler))]


_PROPERTY: Final = property(_all_handlers)


def install() -> None:
    """Put the functions in the place of NiceGUI's. Calling it twice changes nothing."""
    collection: Any = ObservableCollection
    collection._own_handler = None
    collection.__init__ = _init_lighter
    collection._change_handlers_with_args = _PROPERTY
    collection.on_change = _on_change
