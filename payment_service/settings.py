"""The settings of the service, from the environment and `.env`; secrets also from files (`NAME_FILE`).

What app and service share has one name in both, so that one `.env` serves both: `PAYMENT_MS_API_KEY` is a key that the
service takes, `PAYMENT_MS_WEBHOOK_SECRET` is what it signs its events to the app with.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class BadSettings(Exception):
    """The settings can't be used; the text says what is wrong and how to cure it, a line each."""


def _comma_separated(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_comma_separated)]
Limit = Annotated[str, Field(pattern=r"^[1-9]\d*/(second|minute|hour|day)$")]


class ServiceSettings(BaseSettings):
    """All settings of the service."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    stripe_secret_key: SecretStr | None = Field(
        None, description="Stripe's secret or restricted key: sk_test_… for practice, sk_live_… for money."
    )
    stripe_webhook_secret: Secrets = Field(
        (), description="Signing secrets (whsec_…) of the webhook endpoint at Stripe; several while one is rotated."
    )
    stripe_api_base: str = Field("https://api.stripe.com", description="Where Stripe's API is; another one in tests.")
    stripe_timeout: float = Field(8.0, gt=0, le=80, description="Seconds that one call to Stripe may take.")
    stripe_at_once: int = Field(32, ge=1, le=200, description="Most calls to Stripe at the same time.")
    database_url: SecretStr = Field(
        SecretStr("sqlite:///.data/payment_service.sqlite3"),
        description="postgresql://… for more than one instance; an SQLite file is enough for one.",
    )
    project: str = Field(
        "default", pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$",
        description="Name that marks what the service makes at Stripe, so that two may share an account.",
    )  # fmt: skip
    payment_ms_api_key: SecretStr | None = Field(
        None, description="A key that is taken beside those made by `keys new`; the app's setting has the same name."
    )
    payment_ms_webhook_secret: SecretStr | None = Field(
        None, description="Signs the events to the app; the app's setting has the same name."
    )
    app_events_url: str = Field("", description="Where events go: the app's address and /api/payment/events.")
    auth_events_url: str = Field(
        "", description="Where an Auth MS is told what a user has: a POST to this address, {user_id} in it is replaced."
    )
    auth_events_token: SecretStr | None = Field(None, description="Sent to the Auth MS as Authorization: Bearer.")
    auth_events_plugin: str = Field(
        "", pattern=r"^([\w.]+:\w+)?$", description="module:function that tells the Auth MS in a way of your own."
    )
    refund_second: bool = Field(
        False, description="Cancel and refund at once a second subscription of a group that somebody paid by mistake."
    )
    automatic_tax: bool = Field(False, description="Have Stripe compute taxes (Stripe Tax must be set up).")
    poll_events: float = Field(
        0.0, ge=0, le=86400,
        description="Seconds between looks at Stripe's list of events, for lost webhooks or none at all; 0 is never.",
    )  # fmt: skip
    payment_service_host: str = Field("127.0.0.1", description="Address to listen on.")
    payment_service_port: int = Field(9000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    checkout_limit: Limit = Field("30/minute", description="Most checkouts that are opened for one user.")
    refused_limit: Limit = Field("60/minute", description="Most refused keys and signatures from one address.")
    migrate_at_start: bool = Field(True, description="Bring the database's tables up to date at each start.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged.")
    log_format: Literal["auto", "json", "console"] = Field("json", description="console for people, json for programs.")

    @model_validator(mode="before")
    @classmethod
    def read_secrets_from_files(cls, given: dict[str, object]) -> dict[str, object]:
        """Read each secret whose `NAME_FILE` is set, as Docker and Kubernetes mount them; one that is given wins."""
        found = {}
        for name in filter(_is_secret, cls.model_fields):
            path = os.environ.get(f"{name.upper()}_FILE")
            if path and name not in given:
                try:
                    found[name] = Path(path).read_text(encoding="utf-8").strip()
                except (OSError, UnicodeDecodeError) as error:
                    reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
                    raise BadSettings(f"{name.upper()}_FILE names {path}, which can't be read ({reason}).") from None
        return found | given

    @property
    def sqlalchemy_url(self) -> str:
        """The database's address, with the driver that is installed."""
        address = self.database_url.get_secret_value()
        for scheme in ("postgresql://", "postgres://"):
            if address.startswith(scheme):
                return "postgresql+psycopg://" + address.removeprefix(scheme)
        return address

    @property
    def livemode(self) -> bool:
        """Whether the key moves real money."""
        return self.stripe_key.startswith(("sk_live_", "rk_live_"))

    @property
    def stripe_key(self) -> str:
        """The key's text, empty where none is set."""
        return self.stripe_secret_key.get_secret_value() if self.stripe_secret_key else ""

    def all_secrets(self) -> tuple[str, ...]:
        """Return the text of each secret, for the log to leave out."""
        texts = [urlsplit(self.database_url.get_secret_value()).password or ""]
        for name in filter(_is_secret, type(self).model_fields):
            value = getattr(self, name)
            texts += [one.get_secret_value() for one in (value if isinstance(value, tuple) else (value,)) if one]
        return tuple(text for text in texts if len(text) >= 8)


def _is_secret(name: str) -> bool:
    return "SecretStr" in str(ServiceSettings.model_fields[name].annotation)


def load_service_settings(**values: object) -> ServiceSettings:
    """Return the settings from `values`, the environment, `.env` and files; raises BadSettings."""
    try:
        return ServiceSettings(**values)  # type: ignore[arg-type]
    except ValidationError as error:
        named = ((str(found["loc"][0]).upper() if found["loc"] else "The settings", found) for found in error.errors())
        raise BadSettings("\n".join(f"{name}: {found['msg']}." for name, found in named)) from None


def problems_of_serving(settings: ServiceSettings) -> Iterator[str]:
    """Yield a sentence for each thing that keeps the service from serving."""
    if not settings.stripe_key:
        yield "STRIPE_SECRET_KEY is not set; copy a key from Stripe's dashboard (sk_test_… to begin with)."
    elif not settings.stripe_key.startswith(("sk_test_", "rk_test_", "sk_live_", "rk_live_")):
        yield "STRIPE_SECRET_KEY is no secret key of Stripe; it begins with sk_test_, sk_live_, rk_test_ or rk_live_."
    base = urlsplit(settings.stripe_api_base)
    if base.scheme != "https" and base.hostname not in LOOPBACK:
        yield "STRIPE_API_BASE must be https, or an address of this machine."
    if settings.livemode and base.hostname != "api.stripe.com":
        yield "STRIPE_SECRET_KEY is a live key and STRIPE_API_BASE is not Stripe: it would be given away. Remove one."
    if any(not secret.get_secret_value().startswith("whsec_") for secret in settings.stripe_webhook_secret):
        yield "STRIPE_WEBHOOK_SECRET must begin with whsec_; copy it from the endpoint's page at Stripe."
    if not settings.stripe_webhook_secret and not settings.poll_events:
        yield (
            "STRIPE_WEBHOOK_SECRET is not set and POLL_EVENTS is 0, so the service would learn of no payment; "
            "set the endpoint's signing secret, or POLL_EVENTS=5 where Stripe can't reach this machine."
        )
    if bool(settings.app_events_url) != bool(settings.payment_ms_webhook_secret):
        yield "APP_EVENTS_URL and PAYMENT_MS_WEBHOOK_SECRET go together; set both, or neither."
    if settings.auth_events_url and settings.auth_events_plugin:
        yield "AUTH_EVENTS_URL and AUTH_EVENTS_PLUGIN are both set; remove one of them."
    for name, secret in (("PAYMENT_MS_API_KEY", settings.payment_ms_api_key),
                         ("PAYMENT_MS_WEBHOOK_SECRET", settings.payment_ms_webhook_secret)):  # fmt: skip
        if secret is not None and len(secret.get_secret_value()) < 16:
            yield f"{name} is too short; use 32 or more random characters."
