"""Every setting of the app as a field: its name, its type, its default, and the line that says what it is.

`settings.py` reads them and says whether they fit together; what one value must be is in `settings_rules.py`.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

import brand_rules
import settings_rules as rules
from settings_sources import SecretFiles

Url = Annotated[str, AfterValidator(rules.base_url)]
Origin = Annotated[str, AfterValidator(rules.origin)]
Link = Annotated[str, AfterValidator(rules.link)]
WebAddress = Annotated[str, AfterValidator(rules.web_address)]
Language = Annotated[str, AfterValidator(rules.language)]
Limit = Annotated[str, Field(pattern=r"^[1-9]\d*/(second|minute|hour|day)$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=600)]
Listed = BeforeValidator(rules.comma_separated)
Hosts = Annotated[tuple[Annotated[str, AfterValidator(rules.redirect_host)], ...], NoDecode, Listed]
Provider = Literal["google", "github", "discord", "microsoft"]
Theme = Literal["system", "light", "dark"]


class SettingsFields(BaseSettings):
    """All settings, each checked alone."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where values come from, the first wins; the last are the files that `NAME_FILE` names."""
        named = (env_settings, dotenv_settings)
        given = tuple(source.env_vars for source in named if isinstance(source, EnvSettingsSource))
        return init_settings, env_settings, dotenv_settings, SecretFiles(settings_cls, given)

    host: str = Field("127.0.0.1", description="Address to listen on; in sandbox mode only a loopback address.")
    port: Port = Field(8081, description="Port to listen on.")
    public_url: Annotated[str, AfterValidator(rules.optional(rules.site))] = Field(
        "", description="Address in the user's browser, with a path or without; empty means http://localhost:PORT."
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
    payment_ms_api_key_previous: SecretStr | None = Field(
        None, description="The key before PAYMENT_MS_API_KEY: tried where that one is refused, while keys are changed."
    )
    payment_ms_max_in_flight: int = Field(
        1, ge=1, le=1000, description="Most requests at once to the Payment MS; above 1 only if it says `concurrency`."
    )
    payment_ms_connect_timeout: Seconds = Field(1.0, description="Seconds to wait for a connection to a service.")
    payment_ms_status_deadline: Seconds = Field(3.0, description="Seconds a status question may take in all.")
    payment_ms_checkout_deadline: Seconds = Field(10.0, description="Seconds opening a checkout may take in all.")
    payment_ms_max_wait: Seconds = Field(5.0, description="Seconds a request may wait for its turn.")
    payment_ms_idempotent: bool = Field(
        False, description="Whether the Payment MS honours Idempotency-Key; not needed where it says so itself."
    )
    payment_ms_gives_trials: bool | None = Field(
        None,
        description="Whether trial_days of the catalog are offered; empty: in the sandbox, or if the service says so.",
    )
    payment_ms_webhook_secret: SecretStr | None = Field(
        None, description="Secret that signs POST /api/payment/events; without one that route is off."
    )

    auth_ms_url: Url = Field("http://localhost:8080", description="Address of the Auth MS, as this app reaches it.")
    auth_ms_public_url: Annotated[str, AfterValidator(rules.optional(rules.base_url))] = Field(
        "", description="Address of the Auth MS in the user's browser; empty means AUTH_MS_URL."
    )
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
        None, description="At least 32 random characters that sign cookies and encrypt; the sandbox makes its own."
    )
    storage_secret_previous: Annotated[tuple[SecretStr, ...], NoDecode, Listed] = Field(
        (), description="Other values of STORAGE_SECRET, oldest first: what they signed or encrypted stays valid."
    )
    storage_secret_fallbacks: Annotated[tuple[SecretStr, ...], NoDecode, Listed] = Field(
        (), description="The former name of STORAGE_SECRET_PREVIOUS; still read."
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
    allow_sandbox_ids: bool = Field(
        False, description="Whether to start with a real key although the catalog has the sandbox's ids."
    )
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
    home_page: Annotated[str, AfterValidator(rules.home)] = Field(
        "page", description="What stands at /: page, pricing (leads there), or the address of your own site."
    )
    shop: bool = Field(True, description="Whether the catalog's items are sold; without, there is no shop and no cart.")
    selling: bool = Field(
        True, description="Whether checkouts are opened; off shows everything, and portal and returns go on working."
    )
    selling_off_text: str = Field(
        "", max_length=500, description="What pages say while SELLING is off; empty means our own words, translated."
    )
    notice_file: str = Field(
        "", description="File (JSON) with a notice for all pages, as docs/operations.md says; followed while it runs."
    )

    languages: Annotated[tuple[Language, ...], NoDecode, Listed] = Field(
        (), description="Languages that readers can choose, in this order, such as en,de; empty means all there are."
    )
    default_language: Annotated[str, AfterValidator(rules.optional(rules.language))] = Field(
        "",
        description="Language of readers whose browser asks for no other; empty means the first of LANGUAGES, or en.",
    )
    theme: Literal["system", "light", "dark", "fixed", "fixed-dark"] = Field(
        "system", description="Look until a reader chooses: system, light, dark; without a choice: fixed, fixed-dark."
    )

    brand_name: str = Field("Northwind Cloud", min_length=1, max_length=40, description="Name of the product.")
    brand_color: str = Field("#3b5bdb", pattern=r"^#[0-9a-fA-F]{6}$", description="Colour of main buttons and links.")
    brand_logo: Annotated[str, AfterValidator(rules.optional(brand_rules.image_file))] = Field(
        "", description="Image file (svg, png or webp) shown beside the name."
    )
    brand_logo_dark: Annotated[str, AfterValidator(rules.optional(brand_rules.image_file))] = Field(
        "", description="Image file shown instead of BRAND_LOGO on dark pages."
    )
    brand_logo_only: bool = Field(False, description="Whether the logo holds the name, so that it stands alone.")
    brand_font: Annotated[str, AfterValidator(rules.optional(brand_rules.font))] = Field(
        "", description="Font of all pages: a family that readers have, or a file (woff2, woff, ttf, otf)."
    )
    brand_radius: int = Field(12, ge=0, le=24, description="Roundness of cards' corners in pixels; buttons follow.")
    brand_css: Annotated[str, AfterValidator(rules.optional(brand_rules.style_file))] = Field(
        "", description="Style sheet of your own, put behind ours in every page; it can load nothing of other sites."
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
        None,
        description="P-256 private key (PEM) that signs entitlements; without one it changes at each start.",
    )
    entitlements_key_previous: SecretStr | None = Field(
        None, description="Key that signed before: still published, so that its last tokens can be verified."
    )
    entitlements_key_next: SecretStr | None = Field(
        None, description="Key that will sign next: published ahead, so that services have it by then."
    )
    entitlements_origins: Annotated[tuple[Origin, ...], NoDecode, Listed] = Field(
        (), description="Sites whose pages may read GET /api/entitlements of the user in their browser."
    )
    service_tokens: Annotated[tuple[Annotated[str, AfterValidator(rules.service_token)], ...], NoDecode, Listed] = (
        Field((), description="Services that may ask about users, as name=hash; without one those routes are off.")
    )
    limit_service_queries: Limit = Field("1200/minute", description="Questions about users each service may ask.")
    webhooks_path: str = Field(
        "", description="File (JSON) of the endpoints that are told of changes, as docs/webhooks.md says; empty: none."
    )
    entitlements_audience: Annotated[tuple[str, ...], NoDecode, Listed] = Field(
        (), description="Audience (aud) of the tokens, one or more; empty means PUBLIC_URL."
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
    def sign_in_base(self) -> str:
        """Where browsers find the Auth MS."""
        return self.auth_ms_public_url or self.auth_ms_url

    @property
    def secure_cookies(self) -> bool:
        """Whether browsers reach us by https, so that cookies can be `Secure` and `__Host-`."""
        return self.public_url.startswith("https://")

    @property
    def http_hosts(self) -> frozenset[str]:
        """The allowed redirect hosts that may be plain http: those on the user's own machine, as the sandbox's are."""
        return frozenset(host for host in self.checkout_hosts + self.portal_hosts if rules.is_loopback(host))

    @property
    def home_address(self) -> str:
        """Where the brand's name in the header leads."""
        return {"page": "/", "pricing": "/pricing"}.get(self.home_page, self.home_page)

    @property
    def fixed_theme(self) -> Theme | None:
        """The one theme that there is, where readers have no choice."""
        return {"fixed": "light", "fixed-dark": "dark"}.get(self.theme)  # type: ignore[return-value]
