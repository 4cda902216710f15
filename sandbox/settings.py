"""What can be set: addresses and files once at the start, the runtime settings at any time as well.

Every field is an environment variable with the prefix ``SANDBOX_`` (``SANDBOX_WEBHOOK_DELAY=0``).
"""

from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SANDBOX_API_KEY: Final = "proj_sandbox_no_money_moves_0123456789abcdefghij"

SANDBOX_WEBHOOK_SECRET: Final = "whsec_sandbox_no_money_moves"  # noqa: S105 - no secret: it signs play money


class StatusShape(StrEnum):
    """How the Payment MS answers for a subscription: three forms it is known for, and one that tells all it knows."""

    DOCUMENTED = "documented"
    OPENAPI = "openapi"
    RUNNING = "running"
    DETAILED = "detailed"


class PaymentMs(StrEnum):
    """Which Payment MS there is: the recorded one with its quirks, or none here, but somebody else's service."""

    RECORDED = "recorded"
    NONE = "none"


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


class CouponDuration(StrEnum):
    """For how many invoices a promotion code holds (https://docs.stripe.com/api/coupons/object)."""

    ONCE = "once"
    REPEATING = "repeating"
    FOREVER = "forever"


class Tax(StrEnum):
    """Stripe's tax behaviour: none, within the price (`inclusive`), or on top of it (`exclusive`)."""

    NONE = "none"
    INCLUDED = "included"
    ADDED = "added"


class CancellationForm(StrEnum):
    """What the portal sets when a customer cancels for the period's end."""

    FLAG = "flag"
    CANCEL_AT = "cancel_at"


class PlanChanges(StrEnum):
    """When a change of plan in the portal takes effect."""

    NOW = "now"
    PERIOD_END = "period_end"


class Proration(StrEnum):
    """What a change of plan in the middle of a period costs: nothing, at the next invoice, or at once."""

    NONE = "none"
    NEXT_INVOICE = "next_invoice"
    NOW = "now"


class DelayedStatus(StrEnum):
    """What a subscription is called while its first bank debit is under way."""

    ACTIVE = "active"
    INCOMPLETE = "incomplete"


class TrialEnd(StrEnum):
    """What becomes of a trial that ends without a payment method (Stripe's `missing_payment_method`)."""

    CANCEL = "cancel"
    PAUSE = "pause"
    CREATE_INVOICE = "create_invoice"


class Trials(StrEnum):
    """Where a trial comes from: the call alone (`trial_days` in its body), as at Stripe; the catalog's price; or
    nowhere, as with the public service, which has no such field."""

    CALL = "call"
    CATALOG = "catalog"
    NONE = "none"


class RuntimeSettings(BaseModel):
    """How the sandbox behaves right now. Changed by ``PATCH /control/settings``; `reset` goes back to the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # The shapes of the two services' answers
    contract: int = Field(default=1, ge=1, le=2)
    status_shape: StatusShape = StatusShape.RUNNING
    portal_shape: PortalShape = PortalShape.PORTAL_URL
    auth_shape: AuthShape = AuthShape.NESTED
    plan_place: PlanPlace = PlanPlace.BESIDE
    cancellation_word: CancellationWord = CancellationWord.CANCELED
    latency: float = Field(default=0.0, ge=0, le=120)
    date_offset: float = Field(default=0.0, ge=-86_400, le=86_400)

    # How news is delivered
    webhook_delay: float = Field(default=2.0, ge=0)
    webhook_mode: WebhookMode = WebhookMode.DELIVER
    webhook_reach: Reach = Reach.BOTH
    stale_events: StaleEvents = StaleEvents.IGNORE

    # Money at Stripe
    coupon_duration: CouponDuration = CouponDuration.FOREVER
    coupon_months: int = Field(default=3, ge=1, le=36)
    tax: Tax = Tax.NONE
    tax_percent: float = Field(default=19.0, ge=0, le=100)
    presentment_currency: str = Field(default="", pattern=r"^([a-z]{3})?$")
    exchange_rate: float = Field(default=0.92, gt=0, le=100_000)
    unknown_prices: UnknownPrices = UnknownPrices.ACCEPT
    proration: Proration = Proration.NONE

    # Checkout
    session_hours: float = Field(default=24.0, gt=0)
    delayed_payment_days: float = Field(default=3.0, ge=0, le=30)
    delayed_status: DelayedStatus = DelayedStatus.ACTIVE
    trials: Trials = Trials.CALL
    trial_needs_card: bool = True
    trial_end_without_card: TrialEnd = TrialEnd.CANCEL
    customer_per_checkout: bool = False

    # Renewals
    renewals: Renewals = Renewals.SUCCEED
    dunning_ends: DunningEnd = DunningEnd.CANCELED

    # The portal
    portal_cancel: bool = True
    portal_plan_change: bool = True
    plan_changes: PlanChanges = PlanChanges.NOW
    cancellation_form: CancellationForm = CancellationForm.FLAG

    # Quirks of the running service
    one_connection: bool = False
    webhooks_share_connection: bool = False
    failed_writes_answer_200: bool = False
    first_checkout_fails: bool = False
    never_creates_customers: bool = False
    drops_customer_created: bool = False
    record_stays_under_old_product: bool = False
    tells_nobody: bool = False
    mixes_modes: bool = False
    accepts_unsigned_webhooks: bool = False
    strict_ids: bool = False
    accepts_incomplete_bodies: bool = False


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
    app_url: str = "http://localhost:8081"
    """The app in front of the sandbox, for the links back to it."""

    payment_ms: PaymentMs = PaymentMs.RECORDED
    stripe_key: SecretStr | None = None
    """The only key that Stripe's API accepts; without it, any test key."""

    stripe_webhook_url: str = ""
    """Where Stripe posts its events, signed with `webhook_secret`."""

    webhook_secret: SecretStr = SecretStr(SANDBOX_WEBHOOK_SECRET)
    """What signs events: those that Stripe posts, and those that somebody posts to the Payment MS as Stripe would."""

    events_url: str = ""
    events_secret: SecretStr | None = None

    def runtime_settings(self) -> RuntimeSettings:
        """What this process starts with."""
        return RuntimeSettings.model_validate({name: getattr(self, name) for name in RuntimeSettings.model_fields})
