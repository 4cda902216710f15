"""Makes every part once, in the order in which they need each other."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from api.lifespan import RunningApp
from api.operations.gauges import gauges
from catalog import Catalog
from services.alarms.alarm import AlarmKey
from services.alarms.recorder import AlarmRecorder
from services.cart import CartService
from services.catalog_file import CatalogFile
from services.checkout.earlier_records import EarlierRecords
from services.checkout.service import CheckoutService
from services.checkout_record import CheckoutRepository
from services.container import Container, Policies
from services.entitlements.service import Entitlements
from services.entitlements.without_session import EntitlementLookup
from services.live_status.confirmations import Confirmations, ConfirmationWatch
from services.live_status.refresher import StatusRefresher
from services.live_status.service import StatusService
from services.observability.logs import UserHashes
from services.observability.loop_lag import LoopLag
from services.observability.metrics import Metrics
from services.payment_contract.features import ContractFeature, PaymentContract
from services.payment_contract.watch import ContractWatch
from services.people.own_data import OwnData
from services.people.personal_data import PersonalData
from services.people.reconciled import LastReconcile
from services.people.record import PeopleRepository
from services.people.shown import ShownRecord
from services.portal import INVOICE_HOSTS, InvoiceService, PortalService
from services.rate_limits import RateLimits
from services.sessions.service import Sessions, customer_by
from services.site_notice.file import NoticeFile
from services.storage.factory import open_store
from services.storage.marks import Marks
from services.storage.port import Store
from services.storage.pubsub import PubSub
from services.stripe_mode import StripeModeService
from services.subscription.grant_rules import GrantRules
from services.upstream.clock_skew import ClockSkew
from services.upstream.transport import Transport
from services.web.safe_urls import Redirects
from services.webhooks.absent import AbsentCustomers
from services.webhooks.deliverer import WebhookDeliverer
from services.webhooks.outbox import Outbox
from services.webhooks.sender import WebhookSender
from settings import Settings
from ui.nicegui_ext.optimizations import OPTIMIZATION_GAUGES
from ui.nicegui_ext.page_views import PAGE_GAUGES
from wiring import systems
from wiring.labels import LABELS

_log = structlog.get_logger(__name__)


def build(
    settings: Settings,
    *,
    store: Store | None = None,
    payment_transport: Transport | None = None,
    auth_transport: Transport | None = None,
    now: Callable[[], datetime] | None = None,
) -> RunningApp:
    """Return the parts, put together as the settings say; the named ones may be given instead.

    Raises CatalogError, StoreInUse, and SettingsError for a key that can't sign or traces that can't be sent.
    """
    now = now or (lambda: datetime.now(UTC))
    key = systems.signing_key(settings)
    tracing = systems.tracing(settings)
    store = store or open_store(settings)
    pubsub = PubSub(store)
    catalog_file = CatalogFile(
        settings.catalog_path, pubsub, trials=bool(settings.payment_ms_gives_trials), shop=settings.shop, now=now
    )

    def current_catalog() -> Catalog:
        return catalog_file.current

    metrics, policies = Metrics(LABELS), Policies.of(settings)
    slots = systems.shared_slots(settings, store)
    clock_skew = ClockSkew(now)
    alarms = AlarmRecorder(
        store, expects_events=settings.payment_ms_webhook_secret is not None,
        accepted=(AlarmKey.ACCOUNT_SILENT,) if settings.grant_by_record else (), now=now,
    )  # fmt: skip
    payment_ms = systems.payment_ms(
        settings, metrics, tracing, slots, payment_transport, clock_skew, store=store, watch=alarms
    )
    auth_ms = systems.auth_ms(settings, metrics, tracing, auth_transport, clock_skew)
    storage_secret = systems.given(settings.storage_secret, "STORAGE_SECRET")
    stripe_mode = StripeModeService(store, public_url=settings.public_url, sandbox=settings.sandbox_enabled)
    endpoints = systems.endpoints(settings)
    outbox = Outbox(store, endpoints, catalog=current_catalog, now=now)
    confirmations = Confirmations(store, metrics.count_confirmation)
    checkouts = CheckoutRepository(
        store, now, opened=stripe_mode.note, changed=outbox.checkouts_changed if outbox.on else None,
        marked=confirmations.marked,
    )  # fmt: skip
    limits = RateLimits(settings.redis_url.get_secret_value() if settings.redis_url else None)
    sessions = Sessions(
        store, auth_ms, pubsub, secret=storage_secret, earlier_secrets=settings.earlier_storage_secrets,
        public_url=settings.public_url, max_age=timedelta(days=settings.session_max_age_days),
        idle=timedelta(days=settings.session_idle_days), now=now,
    )  # fmt: skip
    marks, users = Marks(store), UserHashes(storage_secret, settings.earlier_storage_secrets)
    refresher = StatusRefresher(
        store=store, payment_ms=payment_ms, sessions=sessions, checkouts=checkouts,
        catalog=current_catalog, customer_of=customer_by(settings.customer_id), marks=marks,
        grants=GrantRules.of(settings.gift_words, by_record=settings.grant_by_record),
        hash_of=users.of, alarms=alarms, observer=outbox if outbox.on else None,
        stripe_mode=stripe_mode, disagreed=metrics.count_disagreement, now=now,
    )  # fmt: skip
    status = StatusService(refresher, pubsub, leases=systems.leases(store), now=now)
    earlier = EarlierRecords(payment_ms, marks, settings.public_url) if settings.customer_id == "user_id" else None
    checkout = CheckoutService(
        store=store, checkouts=checkouts, refresher=refresher, status=status, payment_ms=payment_ms,
        earlier_records=earlier,
        alarms=alarms, catalog=current_catalog, limits=limits, policy=policies.checkouts,
        redirects=Redirects(settings.public_url, settings.checkout_hosts, bool(settings.http_hosts)),
        selling=settings.selling, not_sold_because=settings.selling_off_text,
        observe=metrics.count_checkout, session_life=timedelta(hours=settings.checkout_session_hours), now=now,
    )  # fmt: skip
    portal = PortalService(
        store=store, refresher=refresher, status=status, payment_ms=payment_ms, limits=limits,
        redirects=Redirects(settings.public_url, settings.portal_hosts, bool(settings.http_hosts)), now=now,
    )  # fmt: skip
    invoices = InvoiceService(
        payment_ms, refresher,
        Redirects(settings.public_url, (*settings.portal_hosts, *INVOICE_HOSTS), bool(settings.http_hosts)),
    )  # fmt: skip
    cart = CartService(store, pubsub, current_catalog)
    entitlements = Entitlements(
        refresher, key, issuer=settings.public_url, audience=settings.entitlements_audience,
        catalog=current_catalog, now=now, clock_skew=clock_skew,
    )  # fmt: skip
    customer_of_user = systems.customer_of_user(settings, sessions)
    people = PeopleRepository(store, customer_of_user, now)
    own_data = OwnData(
        store, people, PersonalData(store, pubsub, now), refresher, sessions,
        by_email=settings.customer_id == "email", now=now,
    )  # fmt: skip
    entitlement_lookup = EntitlementLookup(
        refresher, catalog=current_catalog, customer_of=customer_of_user, now=now,
        alone=settings.redis_url is None, answered=partial(metrics.count_cache, "entitlements"),
    )  # fmt: skip

    async def contract_told(contract: PaymentContract) -> None:
        given, bound = settings.payment_ms_gives_trials, settings.payment_ms_max_in_flight
        await catalog_file.give_trials(contract.has(ContractFeature.TRIAL_DAYS) if given is None else given)
        if not settings.sandbox_enabled and not contract.bears(bound):
            _log.warning("payment_ms_bound_too_high", bound=bound)

    absent = AbsentCustomers(outbox, refresher, checkouts)
    webhooks = WebhookDeliverer(
        store, outbox, [WebhookSender(endpoint) for endpoint in endpoints],
        look=absent.look, settle=absent.settle, now=now,
    )  # fmt: skip
    container = Container(
        settings=settings, catalogs=catalog_file, store=store, pubsub=pubsub, sessions=sessions, checkouts=checkouts,
        refresher=refresher, status=status, checkout=checkout, portal=portal, invoices=invoices, cart=cart,
        entitlements=entitlements,
        entitlement_lookup=entitlement_lookup, outbox=outbox, webhooks=webhooks, shown=ShownRecord(store, now),
        people=people, own_data=own_data, reconciled=LastReconcile(store),
        notice=NoticeFile(settings.notice_file, now=now), stripe_mode=stripe_mode,
        alarms=alarms, limits=limits, policies=policies,
        payment_upstream=payment_ms.upstream, auth_upstream=auth_ms.upstream, metrics=metrics, users=users,
    )  # fmt: skip
    watch = ConfirmationWatch(store, confirmations, refresher, checkouts, now=now)
    readings = (*gauges(container, watch), *PAGE_GAUGES, *OPTIMIZATION_GAUGES)
    metrics.observe((payment_ms.upstream, auth_ms.upstream), readings)
    return RunningApp(
        container=container, catalog_file=catalog_file, contract_watch=ContractWatch(payment_ms, contract_told),
        shared_limit=slots, tracing=tracing, confirmations=watch, loop_lag=LoopLag(metrics.observe_lag),
    )  # fmt: skip
