"""For those who run the app: is it alive, is it ready, what does it count; and the key that signs entitlements."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from services.container import Container
from services.readiness import readiness
from services.web.operator_token import shows_token
from settings_rules import is_loopback_address
from version import VERSION

METRICS_TYPE: Final = "text/plain; version=1.0.0; charset=utf-8"


def operations_routes(container: Container) -> APIRouter:
    """Return the routes for load balancers, Prometheus and sibling services."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> Response:
        """The process serves; nothing else is asked."""
        return JSONResponse({"status": "ok", "version": VERSION})

    @router.get("/readyz")
    async def readyz() -> Response:
        """Whether to send users here: `failing` (503) when no page can be drawn, else `degraded` or `ready` (200).

        Without the store pages still open, prices among them, and it is away for all replicas at once: no reason to
        send nobody anywhere.
        """
        checks = await readiness(container)
        failing = checks["pages"]["status"] == "failing"
        degraded = any(check["status"] != "ok" for check in checks.values())
        status = "failing" if failing else "degraded" if degraded else "ready"
        return JSONResponse({"status": status, "checks": checks}, 503 if failing else 200)

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        """Everything that is counted; for this machine itself, or with OPS_TOKEN as `/ops` takes it."""
        token = container.settings.ops_token
        authorization = request.headers.get("authorization", "")
        is_operator = token is not None and shows_token(authorization, token)
        if not is_operator and not is_from_this_machine(request, container):
            return PlainTextResponse("This needs OPS_TOKEN: as a bearer token, or as the password of any user.", 403)
        await asyncio.gather(readiness(container), container.reconciled.look())
        return Response(container.metrics.text(), headers={"Content-Type": METRICS_TYPE})

    @router.get("/.well-known/jwks.json")
    async def jwks() -> Response:
        """The public keys of `/api/entitlements` (RFC 7517). Kept for a while, also while we can't be asked."""
        life = round(container.entitlements.key_set_life.total_seconds())
        cache = f"public, max-age={life}, stale-if-error={12 * life}" if life else "no-cache"
        return JSONResponse(container.entitlements.key_set(), headers={"Cache-Control": cache})

    return router


def is_from_this_machine(request: Request, container: Container) -> bool:
    """Whether the request comes from this machine, by a name of it and through no proxy.

    By a name of it: a page elsewhere whose own name leads to this machine (DNS rebinding) could read the answer.
    """
    if (
        request.client is None
        or getattr(request.state, "forwarded", True)
        or not _names_this_machine(request, container)
    ):
        return False
    try:
        return is_loopback_address(request.client.host)
    except ValueError:
        return False


def _names_this_machine(request: Request, container: Container) -> bool:
    try:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname
        if host in (None, "localhost", container.settings.host, urlsplit(container.settings.public_url).hostname):
            return True
        return is_loopback_address(host or "")
    except ValueError:
        return False
