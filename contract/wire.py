"""One HTTP call after another to the service under test, and its answers as they came.

Never two at once, and never cut off early: today's Payment MS loses its database connection for good by either. So the
time limits here are far beyond what the front end waits for; being too slow is judged afterwards.
"""

import functools
import json
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import httpx

from contract.explanations import Cause
from contract.results import Exchange, Unmet

PATIENCE: Final = 60.0
"""Seconds to wait for the next bytes of an answer."""

SHOWN: Final = 600
"""Characters of a body that are shown of an exchange."""

MOST_BYTES: Final = 1024 * 1024
"""The front end reads no longer answer than this."""


@functools.cache
def _authorities() -> ssl.SSLContext:
    """Return who vouches for servers: read once, since that takes longer than a call."""
    return httpx.create_ssl_context(trust_env=False)


class Unreachable(Unmet):
    """Nothing accepts a connection at this address."""

    def __init__(self, text: str) -> None:
        super().__init__(text, Cause.UNREACHABLE)


@dataclass(frozen=True)
class ServiceReply:
    """An answer as it came; header names in lower case, ``elapsed`` in seconds."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: float

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class SerialClient:
    """Calls to one address. Redirects are not followed and no proxy is taken from the environment."""

    def __init__(self, base_url: str, key: str = "") -> None:
        """Raises ValueError for an address that is none, or for a key that no header can carry."""
        if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", base_url):
            raise ValueError("the address must look like http://host:9000")
        if not re.fullmatch(r"[\x21-\x7e]*", key):
            raise ValueError("the key holds a space or a character that no header can carry")
        self.base_url = base_url.rstrip("/")
        self.key = key
        self.exchanges: list[Exchange] = []
        """What was sent and answered so far."""
        self._client = httpx.Client(
            trust_env=False,
            verify=_authorities(),
            follow_redirects=False,
            timeout=httpx.Timeout(PATIENCE, connect=5.0),
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "billing-contract"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> ServiceReply:
        """Return the answer to one call; ``key`` replaces ours, and empty sends none; ``content`` is a body as bytes.

        Raises Unreachable when no connection can be made, and Unmet when the answer does not come whole.
        """
        sent = dict(headers or {})
        if used := self.key if key is None else key:
            sent["X-API-Key"] = used
        if content is None and body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        shown = f"{method} {path}" + (f" {_shown(content)}" if content else "") + ("" if used else " (no key)")
        started = time.monotonic()
        try:
            with self._client.stream(method, self.base_url + path, content=content, headers=sent) as response:
                answer = _whole(response)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            self.exchanges.append(Exchange(shown, f"no connection ({_cause(error)})"))
            raise Unreachable(f"no connection ({_cause(error)})") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self.exchanges.append(Exchange(shown, f"no whole answer ({type(error).__name__})"))
            text = f"{method} {path} had no whole answer ({type(error).__name__})"
            raise Unmet(text, Cause.UNREACHABLE) from None
        fields = {name.lower(): value for name, value in response.headers.items()}
        reply = ServiceReply(method, path, response.status_code, fields, answer, time.monotonic() - started)
        self.exchanges.append(Exchange(shown, f"{reply.status} {reply.content_type} {_shown(answer)}".strip()))
        return reply


def _shown(body: bytes) -> str:
    """Return a body as one line that may be shown: cut, and without the id of a session."""
    text = re.sub(r'("session_id":\s*)"[^"]*"', r'\1"…"', " ".join(body.decode("utf-8", "replace").split()))
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _whole(response: httpx.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_raw():
        content += chunk
        if len(content) > MOST_BYTES:
            raise Unmet(f"the answer is longer than {MOST_BYTES} bytes")
    return bytes(content)


def _cause(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return getattr(error, "strerror", None) or type(error).__name__
