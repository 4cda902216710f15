"""Who lives in a story: people with browsers, and the tabs in them."""

from dataclasses import dataclass, field
from datetime import datetime

from nicegui import Client

from sandbox.auth.accounts import AuthUser
from truth.oracle import History
from truth.reading import Reading


@dataclass
class BrowserTab:
    """One tab: on a page of the site (`client`), or at Stripe (`session`)."""

    browser: "PersonalBrowser"
    address: str = ""
    client: Client | None = None
    replica: int = 0
    live: bool = True
    """Whether its socket is connected. Without, it shows what it showed when it was opened or cut off."""
    reading: Reading | None = None
    drawn_at: datetime | None = None
    session: str = ""
    answered: bool = False
    """Whether its user has answered a question about another purchase on this page."""

    @property
    def path(self) -> str:
        """The path that it is on."""
        return self.address.partition("?")[0]


@dataclass
class PersonalBrowser:
    """A browser with cookies of its own, behind one replica."""

    person: "Person"
    replica: int
    cookies: dict[str, str] = field(default_factory=dict)
    tabs: list[BrowserTab] = field(default_factory=list)


@dataclass
class Person:
    """Somebody."""

    user: AuthUser
    history: History
    browsers: list[PersonalBrowser] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    """Sessions at Stripe that they started after a plain question about another purchase of theirs."""
    sent: list[str] = field(default_factory=list)
    """Sessions that the app sent them to, in order."""
    dead: dict[str, int] = field(default_factory=dict)
    """How often they were sent to a session that no longer takes money."""

    @property
    def tabs(self) -> list[BrowserTab]:
        """All their tabs."""
        return [tab for browser in self.browsers for tab in browser.tabs]
