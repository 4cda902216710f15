"""What the code that leans on NiceGUI may know of the page that a client shows, kept with that client.

Written against NiceGUI 3.18: `Client.storage` is a dictionary of the page view, and goes with it.
"""

from abc import ABC, abstractmethod

from nicegui import Client

_KEY = "page"


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
    """Remember which page the client shows."""
    client.storage[_KEY] = page


def page_of(client: Client) -> DrawnPage | None:
    """Return the page that a client shows; None for a page of NiceGUI's own, or of another kind."""
    page = client.storage.get(_KEY)
    return page if isinstance(page, DrawnPage) else None
