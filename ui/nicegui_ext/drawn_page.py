"""What the code that leans on NiceGUI may know of the page that a client shows, kept with that client.

A closed page goes with its last reference: page and client hold each other only for as long as it is open.

Written against NiceGUI 3.18: `Client.storage` is a dictionary of the page view, and goes with it. A deleted client
keeps its handlers, which are methods of what a page is made of. What a tab stores is kept for a month after the tab is
closed, even where that is nothing.
"""

import asyncio
from abc import ABC, abstractmethod

from nicegui import Client, app

_KEY = "page"
_TAB = "tab"


class DrawnPage(ABC):
    """One view of one page of ours."""

    __slots__ = ()

    @abstractmethod
    def is_of_browser(self, cookies: dict[str, str]) -> bool:
        """Whether a browser with these cookies is the one that the page was drawn for."""

    @abstractmethod
    def release(self) -> None:
        """Let go what the page holds: it was closed."""


def keep_with_client(client: Client, page: DrawnPage) -> None:
    """Remember which page the client shows, until it is closed."""
    client.storage[_KEY] = page
    client.on_connect(_note_tab)
    client.on_delete(_when_deleted)


def page_of(client: Client) -> DrawnPage | None:
    """Return the page that a client shows; None for a page of NiceGUI's own, or of another kind."""
    page = client.storage.get(_KEY)
    return page if isinstance(page, DrawnPage) else None


def _note_tab(client: Client) -> None:
    client.storage[_TAB] = client.tab_id


def _when_deleted(client: Client) -> None:
    """Let go once all who want to hear of the end have heard."""
    asyncio.get_running_loop().call_soon(_let_go, client)


def _let_go(client: Client) -> None:
    page = page_of(client)
    if page is not None:
        page.release()
    for handlers in (client.connect_handlers, client.disconnect_handlers, client.delete_handlers):
        handlers.clear()
    _forget_tab(client)


def _forget_tab(client: Client) -> None:
    """Forget a tab that has stored nothing and shows no page any more."""
    tab, tabs = client.storage.get(_TAB), app.storage._tabs
    if tab in tabs and not tabs[tab] and all(other.tab_id != tab for other in Client.instances.values()):
        del tabs[tab]
