"""The other systems as the settings name them: both services, and what replicas share."""

import secrets
from collections.abc import Awaitable, Callable

from pydantic import SecretStr

from services.auth_ms import AuthMS
from services.entitlements.signing import SigningKey
from services.errors import KeyUnusable, TracingNotInstalled, WebhooksUnusable
from services.live_status.service import Leases
from services.observability.metrics import Metrics
from services.observability.tracing import Tracing, both, open_tracing
from services.payment_ms import PaymentMS
from services.sessions.service import Sessions
from services.storage.key_proof import StoredKeyProof
from services.storage.lease import Lease
from services.storage.port import Store
from services.storage.redis_concurrency import PAYMENT_MS, RedisConcurrencyLimit
from services.storage.redis_store import RedisStore
from services.upstream.api_keys import PreviousKey
from services.upstream.client import Upstream
from services.upstream.clock_skew import ClockSkew
from services.upstream.key_standing import KeyWatch
from services.upstream.transport import Transport
from services.webhooks.endpoints import Endpoint, read_endpoints
from settings import Settings, SettingsError


def payment_ms(
    settings: Settings,
    metrics: Metrics,
    tracing: Tracing,
    slots: RedisConcurrencyLimit | None,
    transport: Transport | None = None,
    clock_skew: ClockSkew | None = None,
    *,
    store: Store | None = None,
    watch: KeyWatch | None = None,
) -> PaymentMS:
    """Return the client of the Payment MS: the app's, and that of the commands.

    `store` remembers that the key worked, `watch` is told when the service is lost and when it is back.
    """
    key = given(settings.payment_ms_api_key, "PAYMENT_MS_API_KEY")
    upstream = Upstream(
        "payment_ms",
        settings.payment_ms_url,
        max_in_flight=settings.payment_ms_max_in_flight,
        max_wait=settings.payment_ms_max_wait,
        slots=slots,
        transport=transport,
        connect_timeout=settings.payment_ms_connect_timeout,
        key_setting="PAYMENT_MS_API_KEY",
        key_proof=StoredKeyProof(store, settings.payment_ms_url, key) if store is not None else None,
        key_watch=watch,
        previous_key=_previous_key(settings.payment_ms_api_key_previous),
        observer=both(metrics.count_call, tracing.note_call),
        trace_headers=tracing.headers,
        clock_skew=clock_skew,
    )
    return PaymentMS(
        upstream,
        key,
        status_deadline=settings.payment_ms_status_deadline,
        checkout_deadline=settings.payment_ms_checkout_deadline,
        idempotent=settings.payment_ms_idempotent,
        at_once=settings.payment_ms_max_in_flight,
    )


def _previous_key(key: SecretStr | None) -> PreviousKey | None:
    return None if key is None else PreviousKey(key, "PAYMENT_MS_API_KEY_PREVIOUS")


def auth_ms(
    settings: Settings,
    metrics: Metrics,
    tracing: Tracing,
    transport: Transport | None = None,
    clock_skew: ClockSkew | None = None,
) -> AuthMS:
    """Return the client of the Auth MS: the app's, and that of the commands."""
    upstream = Upstream(
        "auth_ms",
        settings.auth_ms_url,
        max_in_flight=settings.auth_ms_max_in_flight,
        max_wait=settings.payment_ms_max_wait,
        transport=transport,
        connect_timeout=settings.payment_ms_connect_timeout,
        observer=both(metrics.count_call, tracing.note_call),
        trace_headers=tracing.headers,
        clock_skew=clock_skew,
    )
    return AuthMS(
        upstream,
        settings.auth_ms_project,
        providers=settings.auth_ms_providers,
        deadline=settings.auth_ms_deadline,
        public_url=settings.sign_in_base,
    )


def tracing(settings: Settings) -> Tracing:
    """Return what sends traces, if any; raises SettingsError when it is asked for and not installed."""
    try:
        return open_tracing(settings.otel_exporter_url)
    except TracingNotInstalled as error:
        raise SettingsError((str(error),)) from None


def shared_slots(settings: Settings, store: Store) -> RedisConcurrencyLimit | None:
    """Return the bound on requests to the Payment MS over all replicas, when they share a store."""
    if not isinstance(store, RedisStore):
        return None
    return RedisConcurrencyLimit(store, PAYMENT_MS, settings.payment_ms_max_in_flight)


def leases(store: Store) -> Leases | None:
    """Return what decides which replica asks about a customer; a process alone need not ask."""
    if not isinstance(store, RedisStore):
        return None
    replica = secrets.token_hex(8)

    def lease(customer: str) -> Lease:
        return Lease(store, f"watch:{customer}", replica)

    return lease


def signing_key(settings: Settings) -> SigningKey:
    """Return the key that signs entitlements, with those published beside it; raises SettingsError if one can't."""
    beside = {
        "ENTITLEMENTS_KEY_PREVIOUS": settings.entitlements_key_previous,
        "ENTITLEMENTS_KEY_NEXT": settings.entitlements_key_next,
    }
    try:
        return SigningKey(settings.entitlements_key, ((name, pem) for name, pem in beside.items() if pem is not None))
    except KeyUnusable as error:
        raise SettingsError((str(error),)) from None


def endpoints(settings: Settings) -> tuple[Endpoint, ...]:
    """Return who is told of changes; raises SettingsError for a file that can't be used."""
    try:
        return read_endpoints(settings.webhooks_path)
    except WebhooksUnusable as error:
        raise SettingsError((str(error),)) from None


def customer_of_user(settings: Settings, sessions: Sessions) -> Callable[[str], Awaitable[str | None]]:
    """Return what tells by which id billing knows a user whose session is not at hand."""
    if settings.customer_id == "email":
        return sessions.first_email_of

    async def by_user_id(user_id: str) -> str | None:
        return user_id

    return by_user_id


def given(secret: SecretStr | None, name: str) -> SecretStr:
    """Return a secret that `load_settings` has seen to; raises SettingsError for settings made otherwise without it."""
    if secret is None:
        raise SettingsError((f"{name} is not set.",))
    return secret
