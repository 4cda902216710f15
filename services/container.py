"""Everything that pages and routes work with: made once in `wiring/`, handed around, never changed."""

from dataclasses import dataclass, field
from typing import Final, Protocol

from catalog import Catalog
from services.alarms.recorder import AlarmRecorder
from services.cart import CartService
from services.checkout.service import CheckoutService
from services.checkout_record import CheckoutRepository
from services.entitlements.service import Entitlements
from services.entitlements.without_session import EntitlementLookup
from services.live_status.refresher import StatusRefresher
from services.live_status.service import StatusService
from services.observability.logs import UserHashes
from services.observability.metrics import Metrics
from services.observability.page_health import PageHealth
from services.people.own_data import OwnData
from services.people.reconciled import LastReconcile
from services.people.record import PeopleRepository
from services.people.shown import ShownRecord
from services.portal import InvoiceService, PortalService
from services.rate_limits import REFUSED_SERVICES, STATUS, Policy, RateLimits
from services.sessions.service import Sessions
from services.site_notice.file import NoticeFile
from services.storage.port import Store
from services.storage.pubsub import PubSub
from services.stripe_mode import StripeModeService
from services.upstream.client import Upstream
from services.webhooks.deliverer import WebhookDeliverer
from services.webhooks.outbox import Outbox
from settings import Settings


class CatalogSource(Protocol):
    """The catalog in force now, and what is wrong with its file if it is not the file's."""

    @property
    def current(self) -> Catalog: ...
    @property
    def problem(self) -> str | None: ...


NEIGHBOURS: Final = 4
"""How many users behind one address may press as often as each of them may."""


@dataclass(frozen=True, slots=True)
class Policies:
    """How often what may be asked for, as the settings say."""

    sign_ins: Policy
    checkouts: Policy
    presses: Policy
    presses_by_address: Policy
    carts_by_address: Policy
    page_views: Policy
    services: Policy
    refused_services: Policy
    status: Policy = STATUS

    @classmethod
    def of(cls, settings: Settings) -> "Policies":
        """Return the policies that the settings ask for."""
        return cls(
            sign_ins=Policy("sign_in", settings.limit_sign_ins),
            checkouts=Policy("checkout", settings.limit_checkouts),
            presses=Policy("press", settings.limit_checkouts),
            presses_by_address=Policy("press_address", settings.limit_checkouts).times(NEIGHBOURS),
            carts_by_address=Policy("cart_address", settings.limit_page_views),
            page_views=Policy("pages", settings.limit_page_views),
            services=Policy("service", settings.limit_service_queries),
            refused_services=REFUSED_SERVICES,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The settings, the catalog, the use cases and what is below them."""

    settings: Settings
    catalogs: CatalogSource
    store: Store
    pubsub: PubSub
    sessions: Sessions
    checkouts: CheckoutRepository
    refresher: StatusRefresher
    status: StatusService
    checkout: CheckoutService
    portal: PortalService
    invoices: InvoiceService
    cart: CartService
    entitlements: Entitlements
    entitlement_lookup: EntitlementLookup
    outbox: Outbox
    shown: ShownRecord
    people: PeopleRepository
    own_data: OwnData
    reconciled: LastReconcile
    webhooks: WebhookDeliverer
    stripe_mode: StripeModeService
    notice: NoticeFile
    alarms: AlarmRecorder
    limits: RateLimits
    policies: Policies
    payment_upstream: Upstream
    auth_upstream: Upstream
    metrics: Metrics
    users: UserHashes
    page_health: PageHealth = field(default_factory=PageHealth)

    @property
    def catalog(self) -> Catalog:
        """The catalog in force now. Read it once for a page, so that all its prices are of one version."""
        return self.catalogs.current
