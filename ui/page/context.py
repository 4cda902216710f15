"""One view of one page: who looks at it, in which language, and what its head says. Built by `ui/page/document.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from nicegui import Client, context
from starlette.requests import Request

from catalog import Text
from ui.page.site import BrowserSession, SignedInUser, Site
from ui.text import i18n

if TYPE_CHECKING:
    from ui.page.frame import Frame

Theme = Literal["light", "dark", "system"]
THEMES: Final[tuple[Theme, ...]] = ("system", "light", "dark")

LOCALE_COOKIE: Final = "locale"
THEME_COOKIE: Final = "theme"
TIMEZONE_COOKIE: Final = "timezone"


@dataclass(slots=True)
class Head:
    """What search engines and browser tabs read. A page may change it while it is built.

    `title` and `description` are message ids, or texts in the page's language. `canonical` defaults to the page's own
    path under PUBLIC_URL. A page that strangers can open and search
    engines should not list has `robots="noindex"`.
    """

    title: str
    description: str = ""
    robots: str = "index,follow"
    canonical: str = ""
    json_ld: tuple[Mapping[str, Any], ...] = ()


@dataclass(slots=True)
class PageContext:
    """A browser's view of one page. `user` is None for a visitor.

    `plan_label`, `cart_count` and `banners` are what the frame shows beside a page; `site.on_arrival` fills them. A
    banner is a function that draws a notice. `frame` is set once the frame is drawn.
    """

    request: Request
    site: Site
    session: BrowserSession | None
    locale: str
    timezone: str
    theme: Theme
    head: Head
    status: int = 200
    plan_label: str = ""
    cart_count: int = 0
    banners: list[Callable[[], object]] = field(default_factory=list)
    frame: "Frame | None" = None
    extras: dict[str, Any] = field(default_factory=dict)

    @property
    def user(self) -> SignedInUser | None:
        """The person signed in, or None."""
        return self.session.user if self.session is not None else None

    @property
    def path(self) -> str:
        """The path of this page, without the query."""
        return self.request.url.path

    @property
    def here(self) -> str:
        """The address of this page within the site, with its query: what `next` should lead back to."""
        return f"{self.path}?{self.request.url.query}" if self.request.url.query else self.path

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters, each with its last value."""
        return self.request.query_params

    @property
    def direction(self) -> str:
        """`rtl` or `ltr`."""
        return i18n.direction(self.locale)

    def text(self, text: Text | None) -> str:
        """Return a text of the catalog in this visit's language; nothing for None."""
        return text.in_(self.locale) if text is not None else ""

    def announce(self, text: str) -> None:
        """Have assistive technology say `text` without moving the focus."""
        if self.frame is not None:
            self.frame.announce(text)


def current_page(client: Client | None = None) -> PageContext:
    """Return the visit of the page at work (or of `client`). Raises KeyError on a page of NiceGUI's own."""
    return cast(PageContext, (client or context.client).storage["visit"])
