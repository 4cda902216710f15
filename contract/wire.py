"""One HTTP call after another to the service under test, and its answers as they came.

Never two at once, and never cut off early: today's Payment MS loses its database connection for good by either. So the
time limits here are far beyond what the front end waits for; being too slow is judged afterwards.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import httpx

from contract.results import Unmet

PATIENCE: Final = 60.0
"""Seconds to wait for the next bytes of an answer."""

MOST_BYTES: Final = 1024 * 1024
"""The front end reads no longer answer than this."""


class Unreachable(Unmet):
    """Nothing accepts a connection at this address."""


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
        self._client = httpx.Client(
            trust_env=False,
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
    ) -> ServiceReply:
        """Return the answer to one call; ``key`` replaces ours, and empty sends none.

        Raises Unreachable when no connection can be made, and Unmet when the answer does not come whole.
        """
        sent = dict(headers or {})
        if used := self.key if key is None else key:
            sent["X-API-Key"] = used
        started = time.monotonic()
        try:
            with self._client.stream(method, self.base_url + path, json=body, headers=sent) as response:
                content = _whole(response)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unreachable(f"no connection ({_cause(error)})") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unmet(f"{method} {path} had no whole answer ({type(error).__name__})") from None
        fields = {name.lower(): value for name, value in response.headers.items()}
        return ServiceReply(method, path, response.status_code, fields, content, time.monotonic() - started)


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
