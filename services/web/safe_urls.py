"""Where a browser may be sent: an address that came from a service is checked here before anyone follows it."""

import re
from collections.abc import Collection

import structlog

from services.errors import UnsafeRedirect
from settings_rules import is_loopback

LONGEST = 8192
_DEFAULT_PORTS = {"https": "443", "http": "80"}
_CHARACTER = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/{}|\[\]-]|%[0-9A-Fa-f]{2})"
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::(?P<port>[0-9]{1,5}))?"
    rf"(?P<path>(?:/{_CHARACTER}*)?)"
    rf"(?P<query>(?:\?(?:{_CHARACTER}|\?)*)?)"
    rf"(?P<fragment>(?:\#(?:{_CHARACTER}|\?)*)?)",
    re.ASCII,
)
"""The plain part of RFC 3986: no userinfo, backslash, control or non-ASCII character, and a host that is there."""

_log = structlog.get_logger("redirects")


def safe_redirect(
    url: str,
    allowed_hosts: Collection[str],
    allow_http: bool = False,
    *,
    refusal: type[UnsafeRedirect] = UnsafeRedirect,
) -> str:
    """Return ``url``, written anew from its parsed parts, if a browser may be sent there.

    The scheme must be https (http only with ``allow_http`` and on this machine, for the sandbox) and the host one of
    ``allowed_hosts`` exactly; a port other than the scheme's own must be listed too (``localhost:9000``).
    Raises ``refusal`` otherwise, and logs it as a security event with the host only.
    """
    parts = _ADDRESS.fullmatch(url) if len(url) <= LONGEST else None
    if parts is None:
        raise refusal(_refused("not a plain https address", host=""))
    scheme, host, port = parts["scheme"], parts["host"].lower(), parts["port"]
    if scheme == "http" and not (allow_http and is_loopback(host)):
        raise refusal(_refused("not https", host=host))
    usual = _DEFAULT_PORTS[scheme]
    names = {f"{host}:{port or usual}"} | ({host} if port in (None, usual) else set())
    if names.isdisjoint(entry.lower() for entry in allowed_hosts):
        raise refusal(_refused("a host that is not on the list", host=f"{host}:{port}" if port else host))
    authority = host if port in (None, usual) else f"{host}:{port}"
    return f"{scheme}://{authority}{parts['path'] or '/'}{parts['query']}{parts['fragment']}"


def _refused(reason: str, *, host: str) -> str:
    """Log it, and return what the operator reads."""
    _log.error("unsafe_redirect", reason=reason, host=host[:255])
    return f"refused to send a browser there: {reason}" + (f" ({host[:255]})" if host else "")
