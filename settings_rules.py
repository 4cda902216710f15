"""What makes a setting valid, which settings contradict each other, and the sentences that say so.

The list of settings itself is in `settings.py`; nothing here reads the environment.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

if TYPE_CHECKING:
    from settings import Settings

GUESSABLE = re.compile(r"change.?me|secret|password|example|insecure|123456|qwerty", re.IGNORECASE)
"""Words that people leave in a secret they meant to replace."""


def comma_separated(value: object) -> object:
    """Split a value of the environment at its commas; leave anything but text as it is."""
    if not isinstance(value, str):
        return value
    return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)


def optional(check: Callable[[str], str]) -> Callable[[str], str]:
    """Return `check`, but let the empty text pass."""
    return lambda value: check(value) if value else value


def base_url(value: str) -> str:
    """Return an http(s) address without its trailing slash; raise ValueError if a path can't be put behind it."""
    if re.search(r"[\s\\\x00-\x1f]", value):
        raise ValueError("must be an address without spaces or backslashes")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address such as https://billing.example.com")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password")
    if parts.query or parts.fragment or value.endswith(("?", "#")):
        raise ValueError("must end before any ? or #")
    if re.search(r"(^|/|%2f)(\.|%2e){1,2}($|/|%2f)", parts.path, re.IGNORECASE):
        raise ValueError("must not hold . or .. as a part of its path")
    _ = parts.port  # raises ValueError when it is no port
    return value.rstrip("/")


def origin(value: str) -> str:
    """Return scheme, host and port of an address that has nothing else."""
    address = base_url(value)
    if urlsplit(address).path:
        raise ValueError("must be scheme, host and port only, without a path")
    return address


def link(value: str) -> str:
    """Return an address that a page may link to: https, http, or mailto; empty means no link."""
    parts = urlsplit(value)
    if value and not (
        (parts.scheme in ("http", "https") and parts.hostname) or (parts.scheme == "mailto" and "@" in parts.path)
    ):
        raise ValueError("must be a full https: or mailto: address")
    return value


def redirect_host(value: str) -> str:
    """Return a lower-case host, with a port or without, that a browser may be sent to."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9]\d{0,4})?", value.lower()):
        raise ValueError("must be host names such as checkout.stripe.com, without https:// or a path")
    return value.lower()


def network(value: str) -> str:
    """Return an address or network in CIDR form."""
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        raise ValueError("must be IP addresses or networks such as 10.0.0.0/8") from None


def image_file(value: str) -> str:
    """Return the path of an image that exists."""
    if Path(value).suffix.lower() not in (".svg", ".png", ".webp") or not Path(value).is_file():
        raise ValueError("must be the path of an existing svg, png or webp file")
    return value


def is_loopback(host: str) -> bool:
    """Say whether a host, with or without a port, is this machine itself."""
    name = (urlsplit(f"//{host}").hostname or "") if host.count(":") < 2 else host.strip("[]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def is_weak_secret(secret: str) -> bool:
    """Say whether a secret can be guessed: short, repetitive, or a placeholder that nobody replaced."""
    return len(secret) < 32 or len(set(secret)) < 10 or GUESSABLE.search(secret) is not None


def written(value: object) -> str:
    """Return a default as it stands in `.env`."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(value)
        case _:
            return str(value)


def sentences(error: ValidationError, defaults: Mapping[str, str]) -> tuple[str, ...]:
    """Return one sentence for each invalid setting: its name, what it must be, and the way back to the default."""
    found: dict[str, str] = {}
    for detail in error.errors(include_url=False, include_input=False):
        name = str(detail["loc"][0]).upper() if detail["loc"] else "The settings"
        default = f"the default {defaults[name]}" if defaults.get(name) else "its default"
        found.setdefault(name, f"{name} {_requirement(detail)}; correct it, or remove it to use {default}.")
    return tuple(found.values())


def _requirement(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    match detail["type"]:
        case "value_error":
            text = str(context["error"])
            return text if text.startswith("must") else f"is not valid ({text})"
        case "int_parsing" | "int_from_float" | "int_type":
            return "must be a whole number"
        case "float_parsing" | "float_type":
            return "must be a number"
        case "bool_parsing" | "bool_type":
            return "must be true or false"
        case "literal_error":
            return f"must be {context['expected']}"
        case "too_short" | "string_too_short":
            return "must not be empty"
        case "string_pattern_mismatch" if "/(second" in context["pattern"]:
            return "must be a number and a time such as 30/minute"
        case "string_pattern_mismatch":
            return "must be a colour such as #3b5bdb"
        case _:
            return re.sub(r"^.*? should (be|have)", r"must \1", detail["msg"])


def contradictions(settings: "Settings") -> tuple[str, ...]:
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


def _sandbox_problems(settings: "Settings") -> list[str]:
    if settings.sandbox is False:
        return [
            "SANDBOX is false but PAYMENT_MS_API_KEY is not set; set the key, or remove SANDBOX to use the sandbox."
        ]
    found = []
    if not is_loopback(settings.host):
        found.append(
            f"HOST is {settings.host}, but without PAYMENT_MS_API_KEY the app is a sandbox that listens on this "
            "machine only; set the key, or HOST=127.0.0.1."
        )
    found += [
        f"{name.upper()} is set but PAYMENT_MS_API_KEY is not, so the sandbox would be used instead; "
        f"set the key, or remove {name.upper()}."
        for name in ("payment_ms_url", "auth_ms_url")
        if getattr(settings, name) != type(settings).model_fields[name].default
    ]
    ports: dict[int, str] = {}
    for name in ("port", "sandbox_payment_port", "sandbox_auth_port", "sandbox_stripe_port"):
        other = ports.setdefault(getattr(settings, name), name.upper())
        if other != name.upper():
            found.append(f"{other} and {name.upper()} are both {getattr(settings, name)}; give each its own port.")
    if settings.storage_secret is not None:
        found += _secret_problems(settings.storage_secret)
    return found


def _live_problems(settings: "Settings") -> list[str]:
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
    else:
        found += _secret_problems(settings.storage_secret)
    return found


def _secret_problems(secret: SecretStr) -> list[str]:
    if not is_weak_secret(secret.get_secret_value()):
        return []
    return [
        "STORAGE_SECRET can be guessed (too short or a placeholder); use 32 or more random characters, "
        "such as the output of: openssl rand -base64 48"
    ]


def warnings(settings: "Settings") -> tuple[str, ...]:
    """Return one sentence for each setting that works but is probably not meant."""
    found = []
    public = urlsplit(settings.public_url)
    if not is_loopback(public.netloc):
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
