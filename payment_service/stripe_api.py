"""Stripe's API by its official library: one client for the process, at a version that the library pins.

No call is made inside a transaction of the database, and only so many at the same time.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeVar
from urllib.parse import urlsplit

import requests
from stripe import APIConnectionError, InvalidRequestError, RequestsClient, StripeClient

from payment_service.database import in_transaction
from payment_service.errors import WrongMode
from payment_service.metrics import ServiceMetrics
from payment_service.settings import ServiceSettings

RETRIES: Final = 1
"""How often the library repeats a call whose answer was lost; it sends the same idempotency key with both."""
CONNECTING: Final = 3.0

_WORDS: Final = (
    "balance", "billing_portal", "checkout", "create_preview", "customers", "events", "expire", "invoice_payments",
    "invoices", "prices", "products", "promotion_codes", "refunds", "search", "sessions", "subscriptions",
)  # fmt: skip
"""What stands in the paths that are called; anything else there is an id."""


class HasLivemode(Protocol):
    """An object of Stripe's that says which money it is about."""

    @property
    def livemode(self) -> bool: ...


Fetched = TypeVar("Fetched", bound=HasLivemode)


class BoundedClient(RequestsClient):
    """The library's own HTTP client, so many calls at once, counted, and never under a transaction."""

    def __init__(self, settings: ServiceSettings, metrics: ServiceMetrics, session: requests.Session | None) -> None:
        super().__init__(timeout=(CONNECTING, settings.stripe_timeout), session=session)
        self._places = threading.BoundedSemaphore(settings.stripe_at_once)
        self._wait = settings.stripe_timeout
        self._metrics = metrics
        self.answered_at = 0.0
        """When Stripe last answered anything (seconds since 1970); 0 is never."""
        self.problem = "not asked yet"
        """Why Stripe can't be used at present; empty if it can."""

    def request(  # type: ignore[override]
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: object = None
    ) -> tuple[object, int, Mapping[str, str] | None]:
        """Send one request, as the library asks. Raises APIConnectionError, also where there is no place in time."""
        if in_transaction():
            raise RuntimeError("Stripe is asked inside a transaction of the database")
        operation = f"{method.upper()} {_operation(url)}"
        if not self._places.acquire(timeout=self._wait):
            raise APIConnectionError("Too many calls to Stripe at once")  # type: ignore[no-untyped-call]
        began = time.monotonic()
        try:
            answer: tuple[object, int, Mapping[str, str] | None] = super().request(method, url, headers, post_data)
        except APIConnectionError:
            self.problem = "it can't be reached"
            self._metrics.stripe_calls.labels(operation, "unreachable").inc()
            raise
        finally:
            self._places.release()
            self._metrics.stripe_seconds.labels(operation).observe(time.monotonic() - began)
        status = answer[1]
        self._metrics.stripe_calls.labels(operation, f"{status // 100}xx").inc()
        self.answered_at = time.time()
        refused, failed = status in (401, 403), status >= 500
        self.problem = "it refuses the key" if refused else "it answers with errors" if failed else ""
        return answer


class StripeAPI:
    """The client, and which of Stripe's modes its key is of."""

    def __init__(
        self, settings: ServiceSettings, metrics: ServiceMetrics, session: requests.Session | None = None
    ) -> None:
        """`session` takes the place of the network to Stripe."""
        self.http = BoundedClient(settings, metrics, session)
        self.livemode = settings.livemode
        client = StripeClient(
            settings.stripe_key,
            http_client=self.http,
            max_network_retries=RETRIES,
            base_addresses={"api": settings.stripe_api_base.rstrip("/")},
        )
        self.v1 = client.v1
        self.construct_event = client.construct_event

    def same_mode(self, found: HasLivemode) -> None:
        """Raise WrongMode for an object of the other mode: nothing of it may be written."""
        if found.livemode != self.livemode:
            raise WrongMode(found.livemode)

    def fetched(self, fetch: Callable[[], Fetched]) -> Fetched | None:
        """Return what is asked for, None where Stripe has no such thing. Raises WrongMode for one of the other mode."""
        try:
            found = fetch()
        except InvalidRequestError as error:
            if error.code != "resource_missing" and error.http_status != 404:
                raise
            return None
        self.same_mode(found)
        return found

    def look(self) -> str:
        """Ask Stripe whether it lets us in; return what is wrong, or nothing."""
        self.v1.balance.retrieve()
        return self.http.problem


def _operation(url: str) -> str:
    """Return the path without ids, which have no place in the name of a metric."""
    parts = urlsplit(url).path.strip("/").split("/")[1:]
    return "/".join(part if part in _WORDS else "{id}" for part in parts)
