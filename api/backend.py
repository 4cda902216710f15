"""What the routes get to work with: the settings and the use cases, put together once in `wiring/house.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.responses import Response

from api.metrics import Metrics
from catalog import Catalog
from services.cart import CartService
from services.checkout.service import CheckoutService
from services.entitlements import Entitlements
from services.live_status.refresher import StatusRefresher
from services.live_status.service import StatusService
from services.observability.logs import UserHashes
from services.portal import PortalService
from services.rate_limits import STATUS, Policy, RateLimits
from services.sessions.service import Sessions
from services.storage.port import Store
from services.stripe_mode import StripeModeService
from services.upstream.client import Upstream
from settings import Settings


class Catalogs(Protocol):
    """The catalog in force now, and what is wrong with its file if it is not the file's."""

    @property
    def current(self) -> Catalog: ...
    @property
    def problem(self) -> str | None: ...


class BusyPage(Protocol):
    """Makes the page for 429, which must cost next to nothing."""

    def __call__(self, accept_language: str, retry_after: float) -> Response:
        """Return the page in the language asked for; `retry_after` in seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Policies:
    """How often what may be asked for, as the settings say."""

    sign_ins: Policy
    checkouts: Policy
    checkouts_by_address: Policy
    portal_by_address: Policy
    carts_by_address: Policy
    page_views: Policy
    status: Policy = STATUS

    @classmethod
    def of(cls, settings: Settings) -> "Policies":
        """Return the policies that the settings ask for."""
        return cls(
            sign_ins=Policy("sign_in", settings.limit_sign_ins),
            checkouts=Policy("checkout", settings.limit_checkouts),
            checkouts_by_address=Policy("checkout_address", settings.limit_checkouts),
            portal_by_address=Policy("portal_address", settings.limit_checkouts),
            carts_by_address=Policy("cart_address", settings.limit_page_views),
            page_views=Policy("pages", settings.limit_page_views),
        )


@dataclass(frozen=True, slots=True)
class Backend:
    """The collaborators of all routes. `unconnected` weighs page views without a socket."""

    settings: Settings
    catalogs: Catalogs
    store: Store
    sessions: Sessions
    refresher: StatusRefresher
    status: StatusService
    checkout: CheckoutService
    portal: PortalService
    cart: CartService
    limits: RateLimits
    policies: Policies
    payment_upstream: Upstream
    auth_upstream: Upstream
    entitlements: Entitlements
    stripe_mode: StripeModeService
    metrics: Metrics
    users: UserHashes
    unconnected: Callable[[], float]
    busy_page: BusyPage
