"""Every setting of the app: its name, its default, its check. What the settings are used for is not decided here.

Values come from the environment and from `.env` (the environment wins); names are the fields in upper case. An empty
value counts as not set. `load_settings` either returns settings that fit together or raises one `SettingsError` that
holds a sentence for each problem, naming the setting and the cure.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

import settings_rules as rules
from settings_rules import SettingsError

__all__ = ["SANDBOX_API_KEY", "Provider", "Settings", "SettingsError", "defaults", "load_settings"]

SANDBOX_API_KEY: Final = "proj_sandbox_no_money_moves_0123456789abcdefghij"
"""The key the bundled sandbox accepts: 48 characters like a real one, and no secret."""

Url = Annotated[str, AfterValidator(rules.base_url)]
Origin = Annotated[str, AfterValidator(rules.origin)]
Link = Annotated[str, AfterValidator(rules.link)]
WebAddress = Annotated[str, AfterValidator(rules.web_address)]
Limit = Annotated[str, Field(pattern=r"^[1-9]\d*/(second|minute|hour|day)$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=600)]
Listed = BeforeValidator(rules.comma_separated)
Hosts = Annotated[tuple[Annotated[str, AfterValidator(rules.redirect_host)], ...], NoDecode, Listed]
Provider = Literal["google", "github", "discord", "microsoft"]


class Settings(BaseSettings):
    """All settings, checked alone and against each other; in sandbox mode the sandbox's addresses are filled in."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    host: str = Field("127.0.0.1", description="Address to listen on; in sandbox mode only a loopback address.")
    port: Port = Field(8081, description="Port to listen on.")
    public_url: Annotated[str, AfterValidator(rules.optional(rules.origin))] = Field(
        "", description="Address in the user's browser, without a path; empty means http://localhost:PORT."
    )
    trusted_proxies: Annotated[tuple[Annotated[str, AfterValidator(rules.network)], ...], NoDecode, Listed] = Field(
        (), description="Addresses or networks of proxies whose X-Forwarded-* headers are believed."
    )
    embed_origins: Annotated[tuple[Origin, ...], NoDecode, Listed] = Field(
        (), description="Sites that may show /embed/pricing in a frame, such as https://www.example.com."
    )

    payment_ms_url: Url = Field("http://localhost:9000", description="Address of the Payment MS.")
    payment_ms_api_key: SecretStr | None = Field(
        None, description="The project's key at the Payment MS; without one the app runs in sandbox mode."
    )
    payment_ms_max_in_flight: int = Field(
        1, ge=1, le=1000, description="Most requests at once to the Payment MS; more than 1 breaks today's version."
    )
    payment_ms_connect_timeout: Seconds = Field(1.0, description="Seconds to wait for a connection to a service.")
    payment_ms_status_deadline: Seconds = Field(3.0, description="Seconds a status question may take in all.")
    payment_ms_checkout_deadline: Seconds = Field(10.0, description="Seconds opening a checkout may take in all.")
    payment_ms_max_wait: Seconds = Field(5.0, description="Seconds a request may wait for its turn.")
    payment_ms_idempotent: bool = Field(
        False, description="Whether the Payment MS honours Idempotency-Key, so that a checkout call may be repeated."
    )
    payment_ms_gives_trials: bool | None = Field(
        None, description="Whether the Payment MS gives the catalog's trial_days; empty means in the sandbox only."
    )
    payment_ms_webhook_secret: SecretStr | None = Field(
        None, description="Secret that signs POST /api/payment/events; without one that route is off."
    )

    auth_ms_url: Url = Field("http://localhost:8080", description="Address of the Auth MS, also for the browser.")
    auth_ms_providers: Annotated[tuple[Provider, ...], NoDecode, Listed] = Field(
        ("google", "github", "discord", "microsoft"), min_length=1, description="Sign-in providers, in this order."
    )
    auth_ms_project: str = Field("", description="Our project's name where the Auth MS keeps plans by project.")
    auth_ms_deadline: Seconds = Field(5.0, description="Seconds a call to the Auth MS may take in all.")
    auth_ms_max_in_flight: int = Field(50, ge=1, le=1000, description="Most requests at once to the Auth MS.")
    gift_words: Annotated[tuple[str, ...], NoDecode, Listed] = Field(
        (), description="Status words by which the Auth MS says that a plan was given, such as comped,lifetime."
    )
    grant_by_record: bool = Field(
        False, description="Whether a record in billing grants its plan until its end where the Auth MS tells of none."
    )
    customer_id: Literal["user_id", "email"] = Field(
        "user_id", description="What the Payment MS knows its customers by: user_id or email."
    )

    storage_secret: SecretStr | None = Field(
        None, description="At least 32 random characters that sign cookies; the sandbox makes its own."
    )
    storage_secret_fallbacks: Annotated[tuple[SecretStr, ...], NoDecode, Listed] = Field(
        (), description="Earlier values of STORAGE_SECRET, oldest first: cookies that they signed stay valid."
    )
    storage_path: str = Field(
        ".data/store.sqlite3", min_length=1, description="File that keeps sign-ins and carts without Redis."
    )
    redis_url: SecretStr | None = Field(None, description="Redis for several replicas, such as redis://redis:6379/0.")
    session_max_age_days: int = Field(30, ge=1, le=365, description="Days after which a sign-in ends.")
    session_idle_days: int = Field(
        7, ge=1, le=365, description="Days without use after which a sign-in ends; an open tab is use."
    )

    catalog_path: str = Field("products.json", description="File that says what is sold.")
    checkout_session_hours: float = Field(
        24.0, ge=0.5, le=24, description="Hours for which Stripe keeps a checkout session open, where no answer says."
    )
    checkout_hosts: Hosts = Field(("checkout.stripe.com",), description="Hosts a checkout may lead to.")
    portal_hosts: Hosts = Field(("billing.stripe.com",), description="Hosts the customer portal may lead to.")
    terms_url: Link = Field("", description="Terms of service, linked in the footer and beside buttons.")
    privacy_url: Link = Field("", description="Privacy policy, linked in the footer.")
    support_url: Link = Field("", description="Where users get help: an https: or mailto: address.")

    app_url: WebAddress = Field(
        "", description="Where the product itself is: the way into it for those who have a plan; empty means none."
    )

    brand_name: str = Field("Northwind Cloud", min_length=1, max_length=40, description="Name of the product.")
    brand_color: str = Field("#3b5bdb", pattern=r"^#[0-9a-fA-F]{6}$", description="Colour of main buttons and links.")
    brand_logo: Annotated[str, AfterValidator(rules.optional(rules.image_file))] = Field(
        "", description="Image file (svg, png or webp) shown beside the name."
    )

    limit_checkouts: Limit = Field(
        "30/minute", description="Checkouts a user may start; all users of one address may start four times as many."
    )
    limit_sign_ins: Limit = Field("30/minute", description="Sign-ins an address may start.")
    limit_page_views: Limit = Field("240/minute", description="Pages an address may open.")
    limit_unconnected_views: int = Field(
        200,
        ge=10,
        le=10_000,
        description="Page views kept without a socket; past it, the oldest of whoever has most goes.",
    )

    extensions: Annotated[tuple[Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*$")], ...], NoDecode, Listed] = Field(
        (), description="Python modules that add pages, such as examples.usage_page; see docs/extending.md."
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe event logged.")
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="Form of a log line: json, console (for people), or auto: console in a terminal, else json."
    )
    ops_token: SecretStr | None = Field(None, description="Token for /ops; without one that page is off.")
    otel_exporter_url: Annotated[str, AfterValidator(rules.optional(rules.base_url))] = Field(
        "", description="OpenTelemetry collector (OTLP over HTTP) to send traces to; empty sends none."
    )
    entitlements_key: SecretStr | None = Field(
        None, description="Private key (PEM) that signs /api/entitlements; without one it changes at each start."
    )

    packed_elements: bool = Field(True, description="Whether an open tab's elements are kept small on the server.")
    own_document: bool = Field(True, description="Whether our own pages come without Quasar and its style sheets.")
    html_first: bool = Field(True, description="Whether browsers show a page's text before its scripts have run.")
    late_scripts: bool = Field(True, description="Whether our own pages ask for scripts once their text is on screen.")
    paced_collector: bool = Field(True, description="Whether Python's collector looks at new objects only.")
    shared_documents: bool = Field(
        True, description="Whether whoever has no sign-in and no cart gets finished documents, the same for all."
    )

    sandbox: bool | None = Field(None, description="Sandbox mode; empty means on without PAYMENT_MS_API_KEY.")
    sandbox_start: bool = Field(True, description="Whether python app.py starts the sandbox; false if it runs already.")
    sandbox_payment_port: Port = Field(9000, description="Port of the sandbox's Payment MS.")
    sandbox_auth_port: Port = Field(8080, description="Port of the sandbox's Auth MS.")
    sandbox_stripe_port: Port = Field(4242, description="Port of the sandbox's checkout and portal pages.")

    @property
    def sandbox_enabled(self) -> bool:
        """Whether the other systems are the bundled sandbox's; never true with a key of our own."""
        return bool(self.sandbox)

    @property
    def secure_cookies(self) -> bool:
        """Whether browsers reach us by https, so that cookies can be `Secure` and `__Host-`."""
        return self.public_url.startswith("https://")

    @property
    def http_hosts(self) -> frozenset[str]:
        """The allowed redirect hosts that may be plain http: those on the user's own machine, as the sandbox's are."""
        return frozenset(host for host in self.checkout_hosts + self.portal_hosts if rules.is_loopback(host))

    def warnings(self) -> tuple[str, ...]:
        """Return what works but is probably not meant, one sentence each; `python app.py check` prints them."""
        return _warnings(self)

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if problems := _contradictions(self):
            raise SettingsError(problems)
        filled: dict[str, Any] = {"sandbox": self.payment_ms_api_key is None}
        if not self.public_url:
            filled["public_url"] = f"http://localhost:{self.port}"
        if filled["sandbox"]:
            stripe = tuple(f"{host}:{self.sandbox_stripe_port}" for host in ("127.0.0.1", "localhost"))
            filled |= {
                "payment_ms_url": f"http://127.0.0.1:{self.sandbox_payment_port}",
                "payment_ms_api_key": SecretStr(SANDBOX_API_KEY),
                "auth_ms_url": f"http://127.0.0.1:{self.sandbox_auth_port}",
                "checkout_hosts": self.checkout_hosts + stripe,
                "portal_hosts": self.portal_hosts + stripe,
            }
        if self.payment_ms_gives_trials is None:
            filled["payment_ms_gives_trials"] = filled["sandbox"]
        for name, value in filled.items():
            object.__setattr__(self, name, value)
        return self


def load_settings(**values: object) -> Settings:
    """Read the settings from `values`, the environment and `.env`, in this order of precedence.

    `_env_file` among the values names another file than `.env`, or none. In sandbox mode a storage secret is made
    once and kept beside the store. Raises SettingsError.
    """
    try:
        settings = Settings(**cast(dict[str, Any], values))
    except ValidationError as error:
        raise SettingsError(rules.sentences(error, defaults())) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError((f".env can't be read ({reason}); make it readable or remove it.",)) from None
    return _with_storage_secret(settings)


def defaults() -> Mapping[str, str]:
    """Return each setting's default as it would be written in `.env`, by its upper-case name."""
    return {name.upper(): rules.written(field.default) for name, field in Settings.model_fields.items()}


def _with_storage_secret(settings: Settings) -> Settings:
    """Give a sandbox without a storage secret one of its own that survives restarts, readable by its owner only."""
    if settings.storage_secret is not None:
        return settings
    secret = rules.kept_secret(Path(settings.storage_path).parent / "storage_secret")
    return settings.model_copy(update={"storage_secret": secret})


def _contradictions(settings: Settings) -> tuple[str, ...]:
    """Return one sentence for each pair of settings that can't both be meant."""
    found = _sandbox_problems(settings) if settings.payment_ms_api_key is None else _live_problems(settings)
    for name in ("payment_ms_status_deadline", "payment_ms_checkout_deadline", "auth_ms_deadline"):
        if getattr(settings, name) < settings.payment_ms_connect_timeout:
            found.append(
                f"{name.upper()} is shorter than PAYMENT_MS_CONNECT_TIMEOUT; raise the first or lower the second."
            )
    if len(set(settings.auth_ms_providers)) < len(settings.auth_ms_providers):
        found.append("AUTH_MS_PROVIDERS names a provider twice; remove one of them.")
    if settings.redis_url and not settings.redis_url.get_secret_value().startswith(("redis://", "rediss://", "unix:/")):
        found.append("REDIS_URL must start with redis:// or rediss://; correct it, or remove it to run without Redis.")
    for name, secret in (
        ("PAYMENT_MS_WEBHOOK_SECRET", settings.payment_ms_webhook_secret),
        ("OPS_TOKEN", settings.ops_token),
    ):
        if secret is not None and len(secret.get_secret_value()) < 16:
            found.append(f"{name} is too short; use at least 16 random characters.")
    if settings.entitlements_key and "PRIVATE KEY-----" not in settings.entitlements_key.get_secret_value():
        found.append("ENTITLEMENTS_KEY is no private key in PEM form; make one with openssl, or remove it.")
    return tuple(found)


def _sandbox_problems(settings: Settings) -> list[str]:
    if settings.sandbox is False:
        return [
            "SANDBOX is false but PAYMENT_MS_API_KEY is not set; set the key, or remove SANDBOX to use the sandbox."
        ]
    found = []
    if not rules.is_loopback(settings.host):
        found.append(
            f"HOST is {settings.host}, but without PAYMENT_MS_API_KEY the app is a sandbox that listens on this "
            "machine only; set the key, or HOST=127.0.0.1."
        )
    found += [
        f"{name.upper()} is set but PAYMENT_MS_API_KEY is not, so the sandbox would be used instead; "
        f"set the key, or remove {name.upper()}."
        for name in ("payment_ms_url", "auth_ms_url")
        if getattr(settings, name) != Settings.model_fields[name].default
    ]
    ports: dict[int, str] = {}
    for name in ("port", "sandbox_payment_port", "sandbox_auth_port", "sandbox_stripe_port"):
        other = ports.setdefault(getattr(settings, name), name.upper())
        if other != name.upper():
            found.append(f"{other} and {name.upper()} are both {getattr(settings, name)}; give each its own port.")
    return found + _secret_problems(settings)


def _live_problems(settings: Settings) -> list[str]:
    assert settings.payment_ms_api_key is not None  # noqa: S101 - the caller has looked
    found = []
    if settings.sandbox:
        found.append(
            "SANDBOX is true but PAYMENT_MS_API_KEY is set; remove one of them: the sandbox takes no real key."
        )
    if not re.fullmatch(r"[\x21-\x7e]+", settings.payment_ms_api_key.get_secret_value()):
        found.append("PAYMENT_MS_API_KEY holds a space or a character no key has; copy it again from the Payment MS.")
    if settings.storage_secret is None:
        found.append(
            "STORAGE_SECRET is not set; set it to 32 or more random characters, "
            "such as the output of: openssl rand -base64 48"
        )
    return found + _secret_problems(settings)


def _secret_problems(settings: Settings) -> list[str]:
    secrets = {
        "STORAGE_SECRET": (settings.storage_secret,),
        "STORAGE_SECRET_FALLBACKS": settings.storage_secret_fallbacks,
    }
    return [
        f"{name} can be guessed (too short or a placeholder); use 32 or more random characters, "
        "such as the output of: openssl rand -base64 48"
        for name, given in secrets.items()
        if any(secret is not None and rules.is_weak_secret(secret) for secret in given)
    ]


def _warnings(settings: Settings) -> tuple[str, ...]:
    """Return one sentence for each setting that works but is probably not meant."""
    found = []
    public = urlsplit(settings.public_url)
    if not rules.is_loopback(public.netloc):
        if settings.sandbox_enabled:
            found.append("PUBLIC_URL is a public address but the sandbox is on; set PAYMENT_MS_API_KEY to take money.")
        if public.scheme == "http":
            found.append("PUBLIC_URL is not https, so cookies can be read on the way; put a TLS proxy in front.")
    elif not settings.sandbox_enabled:
        found.append("PUBLIC_URL is this machine's own address; set it to the address that users type.")
    if settings.sandbox_enabled:
        return tuple(found)
    key = settings.payment_ms_api_key.get_secret_value() if settings.payment_ms_api_key else ""
    if not (key.startswith("proj_") and len(key) == 48):
        found.append("PAYMENT_MS_API_KEY does not look like a project's key (proj_ and 43 characters); compare it.")
    if settings.http_hosts:
        found.append("CHECKOUT_HOSTS or PORTAL_HOSTS names this machine, which may be plain http; remove it.")
    if settings.payment_ms_max_in_flight > 1:
        found.append("PAYMENT_MS_MAX_IN_FLIGHT is above 1; today's Payment MS breaks under two requests at once.")
    return tuple(found)
