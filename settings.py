"""The settings of the app, read and held against each other. What they are used for is not decided here.

Their fields are in `settings_fields.py`.

Values come from the environment and from `.env` (the environment wins), secrets also from files (`NAME_FILE`,
`settings_sources.py`); names are the fields in upper case. An empty value counts as not set. `load_settings` either
returns settings that fit together or raises one `SettingsError` that holds a sentence for each problem, naming the
setting and the cure.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Self, cast
from urllib.parse import urlsplit

from pydantic import PrivateAttr, SecretStr, ValidationError, model_validator
from pydantic_settings import DotEnvSettingsSource

import settings_rules as rules
from settings_fields import Provider, SettingsFields, Theme
from settings_rules import SettingsError
from settings_sources import NearMiss, near_misses, secret_names

__all__ = ["SANDBOX_API_KEY", "Provider", "Settings", "SettingsError", "Theme", "defaults", "load_settings"]

SANDBOX_API_KEY: Final = "proj_sandbox_no_money_moves_0123456789abcdefghij"
"""The key the bundled sandbox accepts: 48 characters like a real one, and no secret."""


class Settings(SettingsFields):
    """All settings, checked alone and against each other; in sandbox mode the sandbox's addresses are filled in."""

    _near_misses: tuple[NearMiss, ...] = PrivateAttr(())

    def warnings(self) -> tuple[str, ...]:
        """Return what works but is probably not meant, one sentence each: for the start's log, and `check`."""
        return _warnings(self) + tuple(miss.sentence for miss in self._near_misses)

    @property
    def earlier_storage_secrets(self) -> tuple[SecretStr, ...]:
        """The values of STORAGE_SECRET that are accepted and not used for anything new, oldest first."""
        return (*self.storage_secret_fallbacks, *self.storage_secret_previous)

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """Every secret that is set: what no log line may hold."""
        values = (getattr(self, name) for name in sorted(secret_names(type(self))))
        return tuple(one for value in values for one in (value if isinstance(value, tuple) else (value,)) if one)

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
        if self.payment_ms_gives_trials is None and filled["sandbox"]:
            filled["payment_ms_gives_trials"] = True
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
    misses = near_misses(Settings, _given_names(values.get("_env_file", Settings.model_config["env_file"])))
    if lost := tuple(miss.sentence for miss in misses if miss.secret):
        raise SettingsError(lost)
    object.__setattr__(settings, "_near_misses", misses)
    return _with_storage_secret(settings)


def _given_names(env_file: Any) -> Iterable[str]:
    """Return the names of all variables of the environment, and of `.env` if it is read."""
    return (*os.environ, *DotEnvSettingsSource(Settings, env_file).env_vars)


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
    found += [
        f"{name.upper()} is set but BRAND_LOGO is not; set BRAND_LOGO, or remove {name.upper()}."
        for name in ("brand_logo_dark", "brand_logo_only")
        if getattr(settings, name) and not settings.brand_logo
    ]
    if len(set(settings.languages)) < len(settings.languages):
        found.append("LANGUAGES names a language twice; remove one of them.")
    if settings.languages and settings.default_language and settings.default_language not in settings.languages:
        found.append(
            f"DEFAULT_LANGUAGE is {settings.default_language}, which LANGUAGES does not offer; "
            "add it there, or remove DEFAULT_LANGUAGE to use the first of them."
        )
    if settings.redis_url and not settings.redis_url.get_secret_value().startswith(("redis://", "rediss://", "unix:/")):
        found.append("REDIS_URL must start with redis:// or rediss://; correct it, or remove it to run without Redis.")
    for name, secret in (
        ("PAYMENT_MS_WEBHOOK_SECRET", settings.payment_ms_webhook_secret),
        ("OPS_TOKEN", settings.ops_token),
    ):
        if secret is not None and len(secret.get_secret_value()) < 16:
            found.append(f"{name} is too short; use at least 16 random characters.")
    if settings.redis_url and not settings.entitlements_key:
        found.append(
            "REDIS_URL is set but ENTITLEMENTS_KEY is not, so each replica would sign entitlements with its own key; "
            "make one with: python app.py keys new."
        )
    found += [
        f"{name.upper()} is no {kind} in PEM form; make one with: python app.py keys new."
        for name, kind in (
            ("entitlements_key", "private key"),
            ("entitlements_key_previous", "key"),
            ("entitlements_key_next", "key"),
        )
        if (pem := getattr(settings, name)) and f"{kind.upper()}-----" not in pem.get_secret_value()
    ]
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
        for name in ("payment_ms_url", "auth_ms_url", "auth_ms_public_url")
        if getattr(settings, name) != Settings.model_fields[name].default
    ]
    if settings.payment_ms_api_key_previous is not None:
        found.append(
            "PAYMENT_MS_API_KEY_PREVIOUS is set but PAYMENT_MS_API_KEY is not, so the sandbox would be used instead; "
            "set the key, or remove PAYMENT_MS_API_KEY_PREVIOUS."
        )
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
    found += [
        f"{name.upper()} holds a space or a character no key has; copy it again from the Payment MS."
        for name in ("payment_ms_api_key", "payment_ms_api_key_previous")
        if (key := getattr(settings, name)) and not re.fullmatch(r"[\x21-\x7e]+", key.get_secret_value())
    ]
    if settings.storage_secret is None:
        found.append(
            "STORAGE_SECRET is not set; set it to 32 or more random characters, "
            "such as the output of: openssl rand -base64 48"
        )
    return found + _secret_problems(settings)


def _secret_problems(settings: Settings) -> list[str]:
    secrets = {
        "STORAGE_SECRET": (settings.storage_secret,),
        "STORAGE_SECRET_PREVIOUS": settings.storage_secret_previous,
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
    return tuple(found)
