"""One view of one page: who looks at it, in which language, what its head says. Made by `ui/serving/document.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar
from urllib.parse import parse_qsl, urlencode

from nicegui import Client, ui
from starlette.requests import Request

from catalog import Catalog, Text
from services.auth_ms import User
from services.cart import Cart
from services.container import Container
from services.sessions.service import Session, Visitor
from services.subscription.customer_status import CustomerStatus
from settings import Settings, Theme
from ui.nicegui_ext.drawn_page import DrawnPage, page_of
from ui.page.shown_frame import ShownFrame
from ui.text import i18n

P = TypeVar("P")
JsonLd = Mapping[str, object]

Elements = Literal["light", "all"]
"""What a page may be drawn with: plain elements alone (`Tag`), or all that NiceGUI has."""

THEMES: Final[tuple[Theme, ...]] = ("system", "light", "dark")

LOCALE_IN_ADDRESS: Final = "lang"
THEME_IN_ADDRESS: Final = "theme"
LOCALE_COOKIE: Final = "locale"
THEME_COOKIE: Final = "theme"
TIMEZONE_COOKIE: Final = "timezone"
INTERVAL_COOKIE: Final = "interval"


def locale_for(settings: Settings, query: Mapping[str, str], cookies: Mapping[str, str], accept_language: str) -> str:
    """Return the language of a page: the address's, else the reader's choice, else the best that the browser wants."""
    offered = i18n.offered(settings)
    named = offered.named(query.get(LOCALE_IN_ADDRESS))
    return named or offered.choose(cookies.get(LOCALE_COOKIE), accept_language)


def theme_for(settings: Settings, query: Mapping[str, str], cookies: Mapping[str, str]) -> Theme:
    """Return the theme of a page: the operator's where there is no choice, else the address's, else the reader's."""
    if settings.fixed_theme is not None:
        return settings.fixed_theme
    named = (query.get(THEME_IN_ADDRESS), cookies.get(THEME_COOKIE), settings.theme)
    return next((theme for name in named for theme in THEMES if theme == name), "system")


@dataclass(slots=True)
class Head:
    """What search engines and browser tabs read. A page may change it while it is built.

    `title` and `description` are message ids, or texts in the page's language. `canonical` defaults to the page's own
    path under PUBLIC_URL; `text_version` is where the same stands as Markdown. A page that strangers can open and
    search engines should not list has `robots="noindex"`. One that waits for news loads itself again each `reload_each`
    seconds in a browser without scripts. `style` are the rules that this page alone needs.
    """

    title: str
    description: str = ""
    robots: str = "index,follow"
    canonical: str = ""
    text_version: str = ""
    json_ld: tuple[JsonLd, ...] = ()
    reload_each: int = 0
    style: str = ""


@dataclass(slots=True)
class PageContext(DrawnPage):
    """A browser's view of one page. `user` is None for a visitor.

    `shared` says that the page is drawn for whoever is not known here, and is kept (`ui/serving/shared_documents.py`).
    `plan_label`, `cart_count` and `banners` are what the frame shows beside a page; `ui/serving/arrivals.py` fills
    them. A banner is a function that draws a notice, or nothing; it and the label say what is known as the frame is
    drawn, of the context that they are given: one that held its own would keep a closed page. `frame` is set once the
    frame is drawn. `customer_status` and `cart` are what the page is drawn from, None while nothing is known; `leaving`
    says that a press is sending the browser away.
    """

    request: Request
    container: Container
    session: Session | Visitor | None
    locale: str
    timezone: str
    theme: Theme
    head: Head
    elements: Elements = "light"
    status: int = 200
    shared: bool = False
    plan_label: "Callable[[PageContext], str]" = lambda context: ""
    cart_count: int = 0
    banners: "list[Callable[[PageContext], object]]" = field(default_factory=list)
    frame: ShownFrame | None = None
    customer_status: CustomerStatus | None = None
    status_asked: bool = False
    cart: Cart | None = None
    leaving: bool = False
    stripe_mode_banner_on: str = ""
    _parts: dict[type[object], object] = field(default_factory=dict)

    @property
    def user(self) -> User | None:
        """The user who is signed in, or None."""
        return self.session.user if isinstance(self.session, Session) else None

    @property
    def settings(self) -> Settings:
        """The app's settings."""
        return self.container.settings

    @property
    def catalog(self) -> Catalog:
        """The catalog in force now. Read it once for a part, so that all its prices are of one version."""
        return self.container.catalog

    @property
    def path(self) -> str:
        """The path of this page, without the query."""
        return self.request.url.path

    @property
    def here(self) -> str:
        """The address of this page within the site, with its query: what `next` should lead back to.

        Empty on the page for unknown addresses where it is one document for all of them.
        """
        if self.shared and self.status == 404:
            return ""
        return f"{self.path}?{self.request.url.query}" if self.request.url.query else self.path

    def here_without(self, name: str) -> str:
        """Return the address of this page without that parameter: what it says is about to be chosen anew."""
        path, mark, query = self.here.partition("?")
        left = urlencode([(key, value) for key, value in parse_qsl(query, keep_blank_values=True) if key != name])
        return f"{path}?{left}" if mark and left else path

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters, each with its last value."""
        return self.request.query_params

    @property
    def direction(self) -> str:
        """`rtl` or `ltr`."""
        return i18n.direction(self.locale)

    def text(self, text: Text | None) -> str:
        """Return a text of the catalog in this page's language; nothing for None."""
        return text.in_(self.locale) if text is not None else ""

    def part(self, kind: type[P], make: Callable[[], P]) -> P:
        """Return this page's one part of that class, made at the first call."""
        found = self._parts.get(kind)
        if not isinstance(found, kind):
            found = self._parts[kind] = make()
        return found

    def is_of_browser(self, cookies: dict[str, str]) -> bool:
        """Whether a browser with these cookies is the one that the page was drawn for. Without a session, any is."""
        name = self.container.sessions.cookie_name
        return self.session is None or cookies.get(name) == self.request.cookies.get(name)

    def release(self) -> None:
        """Let go of the parts: the page was closed."""
        self._parts.clear()

    def announce(self, text: str) -> None:
        """Have assistive technology say `text` without moving the focus."""
        if self.frame is not None:
            self.frame.announce(text)


def current_page(client: Client | None = None) -> PageContext:
    """Return the page at work (or of `client`). Raises LookupError on a page that is not ours."""
    page = page_of(client or ui.context.client)
    if not isinstance(page, PageContext):
        raise LookupError("a page of NiceGUI's own")
    return page
