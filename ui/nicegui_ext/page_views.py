"""What the page views that NiceGUI keeps on the server weigh, for the bound on them and for `/metrics`.

Written against NiceGUI 3.18: `Client.instances`, its `elements` and `has_socket_connection`.
"""

from typing import Final

from nicegui import Client

from services.observability.metrics import GaugeReading

ORDINARY_ELEMENTS: Final = 150
"""Elements of a page that counts as one view."""


def is_closed(client: Client) -> bool:
    """Whether a page view is gone; releases before 3.13 have no word of their own for it."""
    return client.id not in Client.instances


def unconnected_views() -> float:
    """Return what the views without a socket weigh, in ordinary ones: a large page counts as several.

    So the bound holds for memory, whichever page a crawler likes best.
    """
    waiting = (client for client in tuple(Client.instances.values()) if not client.has_socket_connection)
    return sum(max(1.0, len(client.elements) / ORDINARY_ELEMENTS) for client in waiting)


PAGE_GAUGES: Final = (
    GaugeReading("billing_unconnected_views", "What page views without a socket weigh.", unconnected_views),
    GaugeReading("billing_page_views", "Page views kept on the server.", lambda: len(Client.instances)),
)
