"""What every page gets to work with: the settings, the catalog and the use cases, put together once in `app.py`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from catalog import Catalog
from settings import Settings

if TYPE_CHECKING:
    from ui.page.context import PageContext
    from ui.plans.card import PlanOffer


class SignedInUser(Protocol):
    """The signed-in person, as far as pages show it."""

    @property
    def user_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...


class BrowserSession(Protocol):
    """A browser's session: of somebody signed in, or of a visitor (`user` is None)."""

    @property
    def id(self) -> str: ...
    @property
    def visitor_id(self) -> str: ...
    @property
    def user(self) -> SignedInUser | None: ...


class SessionFinder(Protocol):
    """What pages need of `services/sessions/service.py`. `find` raises StoreUnavailable or SignInUnavailable."""

    @property
    def cookie_name(self) -> str: ...
    @property
    def cookie_attributes(self) -> Mapping[str, Any]: ...

    async def find(self, cookie_value: str) -> BrowserSession | None: ...

    def new_cookie(self) -> str: ...


class CatalogHolder(Protocol):
    """The catalog in force now; it may be another one after a reload of the file."""

    @property
    def current(self) -> Catalog: ...


@dataclass(slots=True)
class Site:
    """The collaborators of all pages.

    `on_arrival` runs before a page is built: it may look up what the frame shows (plan, cart, banners) and write it to
    the visit. `offers_for` says what the plan cards offer to somebody signed in.
    """

    settings: Settings
    catalogs: CatalogHolder
    sessions: SessionFinder
    status: Any = None
    checkout: Any = None
    portal: Any = None
    cart: Any = None
    limits: Any = None
    pubsub: Any = None
    stripe_mode: Any = None
    on_arrival: "Callable[[PageContext], Awaitable[None]] | None" = None
    offers_for: "Callable[[PageContext], Awaitable[tuple[PlanOffer, ...]]] | None" = None

    @property
    def catalog(self) -> Catalog:
        """The catalog in force now. Read it once for a page, so that all its prices are of one version."""
        return self.catalogs.current
