"""What makes one setting's value valid, the sentences that say what is wrong, and the file of a sandbox's secret.

The settings, and which of them contradict each other, are in `settings.py`; nothing here reads the environment.
"""

import contextlib
import ipaddress
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from languages import available

GUESSABLE = re.compile(r"change.?me|secret|password|example|insecure|123456|qwerty", re.IGNORECASE)
"""Words that people leave in a secret they meant to replace."""


class SettingsError(Exception):
    """The settings can't be used; raised before anything is started. `problems` holds one sentence for each fault."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


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


def site(value: str) -> str:
    """Return the address of a site: scheme, host, port, and a path of plain letters where it has one."""
    address = base_url(value)
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", urlsplit(address).path):
        raise ValueError("must have a plain path or none, as in https://example.com/billing")
    return address


def link(value: str) -> str:
    """Return an address that a page may link to: https, http, or mailto; empty means no link."""
    parts = urlsplit(value)
    if value and not (
        (parts.scheme in ("http", "https") and parts.hostname) or (parts.scheme == "mailto" and "@" in parts.path)
    ):
        raise ValueError("must be a full https: or mailto: address")
    return value


def web_address(value: str) -> str:
    """Return an address that a browser can open: https or http; empty means none."""
    parts = urlsplit(value)
    if value and not (parts.scheme in ("http", "https") and parts.hostname and not re.search(r"[\s\\]", value)):
        raise ValueError("must be a full address such as https://app.example.com")
    return value


def home(value: str) -> str:
    """Return what stands at the site's first address: `page`, `pricing`, or the address of another site."""
    if value in ("page", "pricing"):
        return value
    try:
        return web_address(value)
    except ValueError:
        raise ValueError("must be page, pricing, or a full address such as https://www.example.com") from None


def language(value: str) -> str:
    """Return the tag of a language that the app has."""
    known = {tag.lower(): tag for tag in available()}
    try:
        return known[value.replace("_", "-").lower()]
    except KeyError:
        raise ValueError(f"must be of the languages in locales/ and English: {', '.join(known.values())}") from None


def service_token(value: str) -> str:
    """Return the name of a service and the hash of its token; `python app.py keys token NAME` writes them so."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}=[0-9a-f]{64}", value, re.ASCII):
        raise ValueError("must be entries such as reports=<SHA-256 in hex>; python app.py keys token NAME makes one")
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


def is_loopback(host: str) -> bool:
    """Say whether a host, with or without a port, is this machine itself; an IPv6 address with a port has brackets."""
    bare = host.count(":") > 1 and not host.startswith("[")
    name = host if bare else (urlsplit(f"//{host}").hostname or "")
    try:
        return is_loopback_address(name)
    except ValueError:
        return name == "localhost"


def is_loopback_address(address: str) -> bool:
    """Say whether an IP address is this machine's own, an IPv4 one written as IPv6 too. Raises ValueError for none.

    Such come from sockets that take both (HOST=::), and Python calls them no loopback before 3.13.
    """
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def host_and_port(host: str, port: int) -> str:
    """Return both as they stand in an address: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_weak_secret(secret: SecretStr) -> bool:
    """Say whether a secret can be guessed: short, repetitive, or a placeholder that nobody replaced."""
    text = secret.get_secret_value()
    return len(text) < 32 or len(set(text)) < 10 or GUESSABLE.search(text) is not None


def kept_secret(path: Path) -> SecretStr:
    """Return the secret in a file, made now if there is no file; only its owner can read it.

    Raises SettingsError when the file can't be used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(48))
        secret = SecretStr(path.read_text(encoding="ascii").strip())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not plain text"
        raise SettingsError((f"{path} can't be used ({reason}); make it writable or set STORAGE_PATH.",)) from None
    if is_weak_secret(secret):
        raise SettingsError((f"{path} holds no usable secret; remove that file and a new one is made.",))
    return secret


def _write_once(path: Path, text: str) -> None:
    """Create a file for its owner's eyes with all of its text at once; leave a file that exists as it is."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)


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
