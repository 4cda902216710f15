"""The two services: are their names known, do they answer, do they take our key, what time do they have.

One request at a time, none repeated, none cut off. No checkout is opened here.
"""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from pydantic import SecretStr

from catalog import Catalog
from cli.check_catalog import look_at_trials
from cli.check_clock import DatedTransport
from cli.check_openapi import look_at_openapi
from cli.explain import explain
from cli.findings import Finding, error, ok, skipped, warning
from services.errors import FrontendError, NotSignedIn, UpstreamError
from services.observability.metrics import Metrics
from services.observability.tracing import NoTracing
from services.payment_contract.features import PaymentContract
from services.payment_ms import PaymentMS
from services.storage.redis_store import RedisStore
from services.upstream.outcomes import CallOutcome
from settings import Settings
from wiring import systems


@asynccontextmanager
async def payment_ms(
    settings: Settings, redis: RedisStore | None, *, deadline: float = 0.0
) -> AsyncIterator[tuple[PaymentMS, DatedTransport]]:
    """Give a client that asks one thing at a time, together with all replicas where they share a Redis.

    ``deadline`` (seconds) is for calls that wait on Stripe, when it is longer than the setting.
    """
    connect = settings.payment_ms_connect_timeout
    transport = DatedTransport(settings.payment_ms_url, connect_timeout=connect, max_connections=1)
    slots = systems.shared_slots(settings, redis) if redis is not None else None
    careful = settings.model_copy(
        update={
            "payment_ms_max_in_flight": 1,
            "payment_ms_checkout_deadline": max(deadline, settings.payment_ms_checkout_deadline),
        }
    )
    client = systems.payment_ms(careful, Metrics(), NoTracing(), slots, transport, store=redis)
    try:
        yield client, transport
    finally:
        await client.upstream.aclose(grace=30.0)


async def look_at_payment_ms(
    settings: Settings, catalog: Catalog | None, client: PaymentMS, clock: DatedTransport, unasked: Finding | None
) -> list[Finding]:
    """Return name, health, description and key; ``unasked`` says why the key must not be tried now."""
    if unresolved := await look_up("payment_ms", settings.payment_ms_url, "PAYMENT_MS_URL"):
        return [unresolved, *look_at_trials(settings, catalog, None)]
    try:
        health = await client.health()
    except FrontendError as problem:
        unreachable = _unreachable(settings, problem, "payment_ms", "Payment MS", "PAYMENT_MS_URL")
        return [unreachable, *look_at_trials(settings, catalog, None)]
    if health.timestamp is not None:
        clock.compare(health.timestamp, health.timestamp)
    where = f"The Payment MS at {settings.payment_ms_url} answers"
    findings = [ok("payment_ms", f"{where} and calls itself healthy.")]
    if not health.healthy:
        findings = [error("payment_ms", f"{where}, but does not call itself healthy.", "Look at its log.")]
    try:
        findings.append(look_at_openapi(await client.openapi()))
    except FrontendError as problem:
        what, _ = explain(problem, "Payment MS", "PAYMENT_MS_URL")
        cure = "Run python -m contract against it instead."
        findings.append(warning("payment_ms_openapi", f"/openapi.json can't be read. {what}", cure))
    findings.append(unasked or await _key(client, catalog))
    return [*findings, *_bound(settings, health.contract), *look_at_trials(settings, catalog, health.contract)]


def _bound(settings: Settings, contract: PaymentContract) -> list[Finding]:
    """Return that the service was not said to bear as many requests at once as the app may send."""
    bound = settings.payment_ms_max_in_flight
    if settings.sandbox_enabled or contract.bears(bound):
        return []
    detail = f"PAYMENT_MS_MAX_IN_FLIGHT is {bound}; the documented Payment MS breaks under two requests at once."
    cure = "Set it to 1, unless its owners say otherwise; one that says concurrency in /health is known to bear it."
    return [warning("payment_ms_bound", detail, cure)]


async def _key(client: PaymentMS, catalog: Catalog | None) -> Finding:
    """Ask for the status of somebody who does not exist: that needs the key, and changes nothing."""
    products = catalog.products if catalog else ()
    try:
        record = await client.subscription(f"check-{secrets.token_hex(6)}", products[0] if products else "prod_check")
    except FrontendError as problem:
        return error("payment_ms_key", *explain(problem, "Payment MS", "PAYMENT_MS_URL"))
    if record.exists:
        cure = "Run python -m contract against it: it names what differs."
        return error("payment_ms_key", "Payment MS: it has a subscription of somebody who does not exist.", cure)
    if (in_use := client.upstream.key_in_use) != "PAYMENT_MS_API_KEY":
        detail = f"The Payment MS refuses PAYMENT_MS_API_KEY and takes {in_use}."
        return warning("payment_ms_key", detail, f"Let it take the new key, or compare that; then remove {in_use}.")
    return ok("payment_ms_key", "The Payment MS takes our key, and answers a status question as it should.")


async def look_at_auth_ms(settings: Settings) -> tuple[list[Finding], float | None]:
    """Return whether the Auth MS answers, and how far its clock is ahead. A made-up session is asked for."""
    if unresolved := await look_up("auth_ms", settings.auth_ms_url, "AUTH_MS_URL"):
        return [unresolved], None
    connect = settings.payment_ms_connect_timeout
    transport = DatedTransport(settings.auth_ms_url, connect_timeout=connect, max_connections=1)
    client = systems.auth_ms(settings, Metrics(), NoTracing(), transport)
    try:
        await client.refresh(SecretStr(f"check-{secrets.token_hex(16)}"))
    except NotSignedIn:
        finding = ok("auth_ms", f"The Auth MS at {settings.auth_ms_url} answers, and refuses a session it never gave.")
    except FrontendError as problem:
        finding = _unreachable(settings, problem, "auth_ms", "Auth MS", "AUTH_MS_URL")
    else:
        cure = "Something other than the Auth MS answers there: correct AUTH_MS_URL."
        finding = error("auth_ms", "Auth MS: it says that a made-up session is somebody's.", cure)
    finally:
        await client.upstream.aclose()
    return [finding], transport.ahead


async def look_up(check: str, url: str, setting: str) -> Finding | None:
    """Return an error if the host of an address can't be resolved."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(10):
            await asyncio.get_running_loop().getaddrinfo(
                parts.hostname, parts.port or parts.scheme, type=socket.SOCK_STREAM
            )
    except (OSError, UnicodeError) as problem:  # TimeoutError is an OSError
        reason = getattr(problem, "strerror", None) or type(problem).__name__
        cure = f"Correct {setting}, or the name service."
        return error(check, f"The host name {parts.hostname} can't be resolved ({reason}).", cure)
    return None


def _unreachable(settings: Settings, problem: FrontendError, check: str, service: str, setting: str) -> Finding:
    cause = problem if isinstance(problem, UpstreamError) else problem.__cause__
    refused = isinstance(cause, UpstreamError) and cause.reason == CallOutcome.REFUSED
    if settings.sandbox_enabled and settings.sandbox_start and refused:
        return skipped(check, "The sandbox is not running now; python app.py starts it with the app.")
    what, cure = explain(problem, service, setting)
    return error(check, f"{what[:-1]} at {_host(settings, setting)}.", cure)


def _host(settings: Settings, setting: str) -> str:
    address: str = getattr(settings, setting.lower())
    return address
