"""Where a browser may be sent, and where it comes back to.

An address that came from a service is checked here before anyone follows it; those that we give away are made here.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlencode

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


@dataclass(frozen=True, slots=True)
class Redirects:
    """Where browsers come back to on our own address, and the hosts that they may be sent to."""

    public_url: str
    allowed_hosts: Collection[str]
    allow_http: bool = False

    def success_url(self, return_key: str = "") -> str:
        """Return where Stripe sends the browser after paying.

        Stripe puts the session's id in place of the braces. `return_key` stands in no page of ours: who brings it back
        was sent by Stripe.
        """
        key = f"&key={return_key}" if return_key else ""
        return f"{self.public_url}/payment/success?session_id={{CHECKOUT_SESSION_ID}}{key}"

    def cancel_url(self, checkout_id: str) -> str:
        """Return where Stripe's back link leads."""
        return f"{self.public_url}/payment/cancel?{urlencode({'checkout': checkout_id})}"

    def portal_return_url(self, path: str) -> str:
        """Return where the customer portal's back link leads."""
        return f"{self.public_url}{path}?from=portal"

    def checked(self, url: str, *, refusal: type[UnsafeRedirect] = UnsafeRedirect) -> str:
        """Return the address of a service if a browser may be sent there; raises `refusal` otherwise."""
        return safe_redirect(url, self.allowed_hosts, self.allow_http, refusal=refusal)


def _refused(reason: str, *, host: str) -> str:
    """Log it, and return what the operator reads."""
    _log.error("unsafe_redirect", reason=reason, host=host[:255])
    return f"refused to send a browser there: {reason}" + (f" ({host[:255]})" if host else "")
