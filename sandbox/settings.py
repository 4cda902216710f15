"""What can be set: addresses and files once at the start, the runtime settings at any time as well.

Every field is an environment variable with the prefix ``SANDBOX_`` (``SANDBOX_WEBHOOK_DELAY=0``).
"""

from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SANDBOX_API_KEY: Final = "proj_sandbox_no_money_moves_0123456789abcdefghij"


class StatusShape(StrEnum):
    """The three forms in which the Payment MS is known to answer for a subscription."""

    DOCUMENTED = "documented"
    OPENAPI = "openapi"
    RUNNING = "running"


class PortalShape(StrEnum):
    PORTAL_URL = "portal_url"
    URL = "url"


class AuthShape(StrEnum):
    """`nested`: everything under ``user_context``; `flat`: what an older Auth MS answers to a refresh."""

    NESTED = "nested"
    FLAT = "flat"


class PlanPlace(StrEnum):
    """Where the Auth MS puts the plan: beside the name, under ``projects``, or nowhere."""

    BESIDE = "beside"
    PROJECTS = "projects"
    SILENT = "silent"


class WebhookMode(StrEnum):
    DELIVER = "deliver"
    LOSE = "lose"
    TWICE = "twice"
    OUT_OF_ORDER = "out_of_order"


class Reach(StrEnum):
    """Which service hears of a change: both (the Payment MS tells the Auth MS), or one of them alone."""

    BOTH = "both"
    PAYMENT = "payment"
    AUTH = "auth"


class StaleEvents(StrEnum):
    """What the Payment MS does with an event older than the one it has."""

    IGNORE = "ignore"
    APPLY = "apply"


class CancellationWord(StrEnum):
    """What the Auth MS calls a subscription that still runs but won't renew: Stripe's word, or canceled already."""

    ACTIVE = "active"
    CANCELED = "canceled"


class Renewals(StrEnum):
    SUCCEED = "succeed"
    FAIL = "fail"


class DunningEnd(StrEnum):
    """What becomes of a subscription when every retry of its payment failed (a choice in Stripe's settings)."""

    UNPAID = "unpaid"
    CANCELED = "canceled"


class UnknownPrices(StrEnum):
    ACCEPT = "accept"
    REFUSE = "refuse"


class RuntimeSettings(BaseModel):
    """How the sandbox behaves right now. Changed by ``PATCH /control/settings``; `reset` goes back to the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status_shape: StatusShape = StatusShape.RUNNING
    portal_shape: PortalShape = PortalShape.PORTAL_URL
    auth_shape: AuthShape = AuthShape.NESTED
    plan_place: PlanPlace = PlanPlace.BESIDE
    unknown_prices: UnknownPrices = UnknownPrices.ACCEPT

    webhook_delay: float = Field(default=2.0, ge=0)
    webhook_mode: WebhookMode = WebhookMode.DELIVER
    webhook_reach: Reach = Reach.BOTH
    stale_events: StaleEvents = StaleEvents.IGNORE
    cancellation_word: CancellationWord = CancellationWord.ACTIVE

    one_connection: bool = False
    first_checkout_fails: bool = False
    drops_customer_created: bool = False
    latency: float = Field(default=0.0, ge=0, le=120)

    renewals: Renewals = Renewals.SUCCEED
    dunning_ends: DunningEnd = DunningEnd.CANCELED
    session_hours: float = Field(default=24.0, gt=0)


class SandboxSettings(BaseSettings, RuntimeSettings):
    """Addresses, files and secrets, and with which runtime settings to begin."""

    model_config = SettingsConfigDict(
        env_prefix="SANDBOX_", env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    host: str = "127.0.0.1"
    payment_port: int = Field(default=9000, ge=0, le=65535)
    auth_port: int = Field(default=8080, ge=0, le=65535)
    stripe_port: int = Field(default=4242, ge=0, le=65535)
    public_url: str = ""
    """Where browsers reach the hosted pages, when that is not ``http://{host}:{stripe_port}``."""

    database: Path = Path(".data/sandbox.sqlite3")
    catalog_path: Path = Path("products.json")
    api_key: SecretStr = SecretStr(SANDBOX_API_KEY)
    project_id: str = "p1"
    auth_project: str = "default"
    auth_pictures: bool = False
    brand_name: str = "Northwind Cloud"

    events_url: str = ""
    events_secret: SecretStr | None = None

    def runtime_settings(self) -> RuntimeSettings:
        """What this process starts with."""
        return RuntimeSettings.model_validate({name: getattr(self, name) for name in RuntimeSettings.model_fields})
