"""Bytes to another service and back: the only module of the services that imports httpx.

It turns what httpx raises into the errors of ``services.errors`` and never lets the text of such an
exception out: h11 quotes header values in its messages, the API key among them.
"""

import functools
import logging
import re
import socket
import ssl
from collections.abc import Iterator, Mapping

import httpx

from services.errors import InvalidIdentifier, KeyRejected, UpstreamError, UpstreamFailed, UpstreamUnavailable
from services.upstream.outcomes import CallOutcome
from services.upstream.responses import Call, RawResponse

BODY_CAP = 1024 * 1024
"""An answer longer than this (bytes) is not read to its end."""

KEEPALIVE_EXPIRY = 2.5
"""Below the 5 s after which common servers close an idle connection, so that we rarely reuse a dying one."""

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Connection": "keep-alive",
    "User-Agent": "billing-frontend",
}
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+)+", re.ASCII)


class Transport:
    """A pool of connections to one base address, and to nothing else.

    What httpx's client adds to its transport (redirects, cookies, proxies) is not wanted here, and takes a fifth of
    the processor time of a call.
    """

    def __init__(self, base_url: str, *, connect_timeout: float, max_connections: int) -> None:
        for noisy in ("httpx", "httpcore"):  # at INFO they write whole URLs, sign-in codes among them
            logging.getLogger(noisy).setLevel(logging.WARNING)
        self.base_url = base_url.rstrip("/")
        self._base = httpx.URL(self.base_url)
        if self._base.scheme not in ("http", "https") or not self._base.host:
            raise ValueError("the base address of a service must be http(s)://host")
        self._http = httpx.AsyncHTTPTransport(
            trust_env=False,
            verify=_trusted_authorities() if self._base.scheme == "https" else _no_authorities(),
            limits=httpx.Limits(max_connections=max_connections, keepalive_expiry=KEEPALIVE_EXPIRY),
        )
        self._timeout = httpx.Timeout(None, connect=connect_timeout, pool=connect_timeout).as_dict()

    async def send(
        self, call: Call, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> RawResponse:
        """Send one request and return the whole answer; the caller sets the deadline.

        ``path`` is already encoded. Raises ``UpstreamUnavailable``, ``UpstreamFailed``,
        ``UpstreamContractError`` (too large, encoded), ``KeyRejected`` (a key that can't be a header) and
        ``InvalidIdentifier`` (the path would become another one).
        """
        request = self._request(call, method, path, headers, body)
        response: httpx.Response | None = None
        try:
            response = await self._http.handle_async_request(request)
            content = await _read_capped(response, call)
        except httpx.HTTPError as error:
            raise _translated(error, call, answering=response is not None) from None
        finally:
            if response is not None:
                await response.aclose()
        return RawResponse(response.status_code, {k.lower(): v for k, v in response.headers.items()}, content)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    def _request(
        self, call: Call, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> httpx.Request:
        if _PATH.fullmatch(path) is None:
            raise InvalidIdentifier(f"{call.operation}: not a plain, encoded path")
        try:
            url = httpx.URL(self.base_url + path)
            request = httpx.Request(
                method, url, headers={**_HEADERS, **headers}, content=body, extensions={"timeout": self._timeout}
            )
        except httpx.InvalidURL:
            raise InvalidIdentifier(f"{call.operation}: the path can't be part of an address") from None
        except (UnicodeError, ValueError):
            raise _unsendable(call) from None
        same_host = (url.scheme, url.host, url.port) == (self._base.scheme, self._base.host, self._base.port)
        expected = self._base.raw_path.rstrip(b"/") + path.encode()
        if not same_host or url.userinfo != self._base.userinfo or request.url.raw_path != expected:
            raise InvalidIdentifier(f"{call.operation}: the path would have become another one")
        return request


@functools.cache
def _trusted_authorities() -> ssl.SSLContext:
    """Return the authorities of ``SSL_CERT_FILE`` or, without it, of certifi; and those of the system."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


@functools.cache
def _no_authorities() -> ssl.SSLContext:
    """Return what trusts no authority: enough for an address without TLS, and reading the real ones takes 30 ms."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def _read_capped(response: httpx.Response, call: Call) -> bytes:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise call.contract_error(
            CallOutcome.CONTENT_ENCODING, "compressed, though we asked for no compression", status=response.status_code
        )
    content = bytearray()
    declared = response.headers.get("content-length", "0")
    if declared.isdigit() and int(declared[:18]) > BODY_CAP:
        raise _too_large(response, call)
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > BODY_CAP:
            raise _too_large(response, call)
    return bytes(content)


def _too_large(response: httpx.Response, call: Call) -> UpstreamError:
    return call.contract_error(CallOutcome.TOO_LARGE, f"more than {BODY_CAP} bytes", status=response.status_code)


def _translated(error: httpx.HTTPError, call: Call, *, answering: bool) -> UpstreamError:
    causes = list(_causes(error))
    detail = " < ".join(_name(cause) for cause in causes)
    match error:
        case httpx.ConnectTimeout():
            return _unavailable(call, CallOutcome.CONNECT_TIMEOUT, detail)
        case httpx.PoolTimeout():
            return _unavailable(call, CallOutcome.NO_CONNECTION_FREE, detail)
        case httpx.ConnectError():
            return _unavailable(call, _why_no_connection(causes), detail)
        case httpx.LocalProtocolError():
            return _unsendable(call)
    outcome = CallOutcome.TRUNCATED if answering else CallOutcome.RESET
    return UpstreamFailed(call.service, call.operation, detail, reason=outcome, request_id=call.request_id)


def _unavailable(call: Call, outcome: CallOutcome, detail: str) -> UpstreamUnavailable:
    return UpstreamUnavailable(call.service, call.operation, detail, reason=outcome, request_id=call.request_id)


def _unsendable(call: Call) -> KeyRejected:
    return KeyRejected(
        call.service,
        call.operation,
        "the key holds characters that no header can carry",
        worked_before=False,
        request_id=call.request_id,
        upstream_status=None,
    )


def _why_no_connection(causes: list[BaseException]) -> CallOutcome:
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return CallOutcome.TLS
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return CallOutcome.DNS
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return CallOutcome.REFUSED
    return CallOutcome.CONNECT


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and what led to it, the members of groups included."""
    queue: list[BaseException | None] = [error]
    seen: set[int] = set()
    while queue:
        current = queue.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        queue += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            queue += current.exceptions


def _name(error: BaseException) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return type(error).__name__ + (f"({number})" if number is not None else "")
