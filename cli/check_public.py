"""The address that users type: is it https, does it lead to this app, and how are its cookies marked."""

import ssl
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import certifi
import httpx

from cli.check_services import look_up
from cli.findings import Finding, error, ok, skipped, warning
from services.stripe_mode import is_public
from settings import Settings
from settings_rules import host_and_port

PATIENCE: Final = 5.0
OUR_COOKIES: Final = ("session", "login")
_WHOLE_HOST: Final = "__Host-"
_PART_OF_HOST: Final = "__Secure-"
"""What the names of our cookies begin with under https; a site below a path must not claim the whole host."""


async def look_at_public_url(settings: Settings) -> list[Finding]:
    """Return whether PUBLIC_URL is https and leads to this app, and whether the cookies it sets are guarded."""
    findings: list[Finding] = []
    public, url = is_public(settings.public_url), settings.public_url
    if public and not settings.secure_cookies:
        cure = "Put a TLS proxy in front, and write PUBLIC_URL with https://."
        findings.append(error("public_url_https", f"PUBLIC_URL is {url}: passwords and cookies travel readable.", cure))
    if unresolved := await look_up("public_url", url, "PUBLIC_URL"):
        return [*findings, unresolved, _promised(settings)]
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    async with httpx.AsyncClient(trust_env=False, verify=context, timeout=PATIENCE) as client:
        try:
            answer = await client.get(f"{url}/healthz")
            ours = answer.status_code == 200
            first = [await client.get(f"{url}{path}") for path in (("/", "/api/cart") if ours else ())]
        except httpx.HTTPError as problem:
            return [*findings, _gone(settings, problem), _promised(settings)]
    if not first:
        cure = f"Route it to this app, which listens on {host_and_port(settings.host, settings.port)}."
        what = f"{url}/healthz answers {answer.status_code}, so this app is not behind it."
        return [*findings, error("public_url", what, cure), _promised(settings)]
    findings.append(ok("public_url", f"{url} leads to the app."))
    cookies = [line for page in first for line in page.headers.get_list("set-cookie")]
    return [*findings, *(look_at_cookies(cookies, settings) or [_promised(settings)])]


def look_at_cookies(lines: Sequence[str], settings: Settings) -> list[Finding]:
    """Return what is wrong with the cookies of an answer, or that nothing is; nothing for no cookies.

    Ours must be HttpOnly, SameSite and of the whole site, and under https Secure with the prefix ``__Host-``
    (RFC 6265bis 4.1.3.2), or ``__Secure-`` below a path; those of a proxy must be HttpOnly, and Secure under https.
    """
    findings = []
    for line in lines:
        name, faults = _cookie_faults(line, settings)
        cure = "Look for a proxy that rewrites cookies or adds its own."
        if faults:
            findings.append(error("cookies", f"The cookie {name} is set without {', '.join(faults)}.", cure))
    if lines and not findings:
        return [ok("cookies", f"{len(lines)} set by the first page and an empty cart, all guarded as they should be.")]
    return findings


def _cookie_faults(line: str, settings: Settings) -> tuple[str, list[str]]:
    secure, path = settings.secure_cookies, urlsplit(settings.public_url).path
    prefix = _PART_OF_HOST if path else _WHOLE_HOST
    pair, *rest = line.split(";")
    name = pair.partition("=")[0].strip()
    marks = {part.strip().partition("=")[0].lower(): part.strip().partition("=")[2] for part in rest}
    ours = name.removeprefix(prefix) in OUR_COOKIES
    faults = [] if "httponly" in marks else ["HttpOnly"]
    if secure and "secure" not in marks:
        faults.append("Secure")
    if ours:
        if marks.get("samesite", "").lower() not in ("lax", "strict"):
            faults.append("SameSite=Lax")
        if marks.get("path") != (path or "/"):
            faults.append(f"Path={path or '/'}")
        if secure and not name.startswith(prefix):
            faults.append(f"the prefix {prefix}")
    return name, faults


def _promised(settings: Settings) -> Finding:
    """Return how cookies will be marked, where none could be looked at."""
    if settings.secure_cookies:
        return ok("cookies", "Will be HttpOnly, SameSite=Lax, Secure and prefixed, since PUBLIC_URL is https.")
    if is_public(settings.public_url):
        return warning("cookies", "Will not be Secure, since PUBLIC_URL is not https.", "Use https.")
    return ok("cookies", "Will be HttpOnly and SameSite=Lax; not Secure, since PUBLIC_URL is this machine's http.")


def _gone(settings: Settings, problem: httpx.HTTPError) -> Finding:
    url, public = settings.public_url, is_public(settings.public_url)
    causes = [problem, *_causes(problem)]
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        cure = "Install a certificate for this name in the proxy, or renew it."
        return error("public_url", f"The TLS certificate of {url} is not trusted, or it speaks no TLS.", cure)
    if not public and any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return skipped("public_url", f"Nothing listens at {url}: the app is not running now.")
    words = "does not answer in time" if isinstance(problem, httpx.TimeoutException) else "can't be reached"
    cure = (
        f"Start the app and the proxy in front of it; the app listens on {host_and_port(settings.host, settings.port)}."
    )
    return error("public_url", f"{url} {words} ({type(causes[-1]).__name__}).", cure)


def _causes(problem: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    queue: list[BaseException | None] = [problem.__cause__ or problem.__context__]
    while queue:
        cause = queue.pop()
        if cause is None or cause in found:
            continue
        found.append(cause)
        queue.append(cause.__cause__ or cause.__context__)
        if isinstance(cause, BaseExceptionGroup):
            queue += cause.exceptions
    return found
