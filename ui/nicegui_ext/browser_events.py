"""What `app.js` sends of its own accord, beside the events of elements.

Written against NiceGUI 3.18, whose own `ui.on` wants a Vue component at the root of the page; ours is a plain element.
"""

from collections.abc import Awaitable, Callable, Mapping

from nicegui import ui
from nicegui.events import GenericEventArguments

Payload = Mapping[str, object]
Receiver = Callable[[Payload], Awaitable[None] | None]


def on_browser_event(name: str, handler: Receiver) -> None:
    """Call `handler` with what `app.js` sends with `emitEvent(name, {...})`; it comes from the browser: check it."""

    def receive(event: GenericEventArguments) -> Awaitable[None] | None:
        detail = event.args.get("detail") if isinstance(event.args, dict) else None
        return handler(detail if isinstance(detail, dict) else {})

    ui.context.client.layout.on(name, receive, args=["detail"])
