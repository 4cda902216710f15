"""The page views that NiceGUI keeps on the server: what they weigh, and who must let one go where they are too many.

A view keeps its elements until its socket connects or a minute has passed, and a crawler never connects. Nobody is
refused for that: an owner (an account, a visitor's browser, else an address) has a share, past which its own oldest
view goes, and where all together are too many, the oldest of whoever has most. A browser whose view went before its
socket came loads the page again.

Written against NiceGUI 3.18: `Client.instances` (the oldest first), `storage`, `elements`, `has_socket_connection`.
"""

from collections import defaultdict, deque
from typing import Final

from nicegui import Client

from services.observability.metrics import GaugeReading

ORDINARY_ELEMENTS: Final = 150
"""Elements of a page that counts as one view."""

SHARE: Final = 8
"""Which part of all an owner may keep is one divided by this: a window with many tabs that opens again has room."""

_OWNER: Final = "view_of"


def is_closed(client: Client) -> bool:
    """Whether a page view is gone; releases before 3.13 have no word of their own for it."""
    return client.id not in Client.instances


def weight_of(client: Client) -> float:
    """Return what a view weighs, in ordinary ones: a large page counts as several, since the bound is for memory."""
    return max(1.0, len(client.elements) / ORDINARY_ELEMENTS)


def unconnected_views() -> float:
    """Return what the views without a socket weigh."""
    return sum(weight_of(client) for client in tuple(Client.instances.values()) if not client.has_socket_connection)


def enter(client: Client, owner: str, most: float) -> None:
    """Keep a view that is answered as its owner's, and let go of others until all weigh no more than `most`."""
    client.storage[_OWNER] = owner
    waiting: dict[str, deque[Client]] = defaultdict(deque)
    for kept in tuple(Client.instances.values()):
        if not kept.has_socket_connection and _OWNER in kept.storage:
            waiting[kept.storage[_OWNER]].append(kept)
    weights = {name: sum(map(weight_of, views)) for name, views in waiting.items()}

    def let_go(name: str) -> None:
        gone = waiting[name].popleft()
        weights[name] -= weight_of(gone)
        gone.delete()

    while weights[owner] > most / SHARE and waiting[owner][0] is not client:
        let_go(owner)
    while sum(weights.values()) > most:
        heaviest = max(weights, key=lambda name: weights[name])
        if waiting[heaviest][0] is client:
            return
        let_go(heaviest)


PAGE_GAUGES: Final = (
    GaugeReading("billing_unconnected_views", "What page views without a socket weigh.", unconnected_views),
    GaugeReading("billing_page_views", "Page views kept on the server.", lambda: len(Client.instances)),
)
