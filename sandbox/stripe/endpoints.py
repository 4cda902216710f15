"""Stripe's webhook endpoints: where events are posted. One by the settings, others over the API."""

import secrets
from datetime import UTC, datetime
from typing import Final

from pydantic import Field

from sandbox.clock import SandboxClock
from sandbox.database import Database, DocumentStore
from sandbox.settings import SandboxSettings
from sandbox.stripe.objects import Document, new_id

CONFIGURED: Final = "we_settings"


class WebhookEndpoint(Document):
    id: str
    url: str
    secret: str
    created: datetime
    enabled_events: list[str] = Field(default_factory=lambda: ["*"])
    description: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)

    def wants(self, kind: str) -> bool:
        """Whether events of this type go there."""
        return "*" in self.enabled_events or kind in self.enabled_events


class WebhookEndpoints:
    def __init__(self, database: Database, clock: SandboxClock, settings: SandboxSettings) -> None:
        self._clock = clock
        self._documents = DocumentStore(database, "webhook_endpoint", WebhookEndpoint)
        self._configured = _configured(settings)

    def all(self) -> list[WebhookEndpoint]:
        """Newest first."""
        return [*self._documents.newest(100), *self._configured]

    def get(self, endpoint_id: str) -> WebhookEndpoint | None:
        return next((one for one in self.all() if one.id == endpoint_id), None)

    def create(self, url: str, enabled_events: list[str]) -> WebhookEndpoint:
        made = WebhookEndpoint(
            id=new_id("we"),
            url=url,
            secret=f"whsec_{secrets.token_hex(24)}",
            created=self._clock.second(),
            enabled_events=enabled_events,
        )
        return self.keep(made)

    def keep(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        return self._documents.put(endpoint.id, endpoint)

    def drop(self, endpoint_id: str) -> bool:
        return self._documents.drop(endpoint_id)


def _configured(settings: SandboxSettings) -> list[WebhookEndpoint]:
    if not settings.stripe_webhook_url:
        return []
    secret, made = settings.webhook_secret.get_secret_value(), datetime(2026, 1, 1, tzinfo=UTC)
    return [WebhookEndpoint(id=CONFIGURED, url=settings.stripe_webhook_url, secret=secret, created=made)]
