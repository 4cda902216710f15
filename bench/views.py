"""Views of one page over one connection, and what they cost the processes that answer."""

import http.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from bench.world import cpu_seconds

COMPRESSED: Mapping[str, str] = {"Accept": "text/html", "Accept-Language": "en-US", "Accept-Encoding": "gzip"}


@dataclass(frozen=True, slots=True)
class ViewAnswer:
    """An answer as it came: `size` counts its head and its body as they travelled, in bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    size: int


class Viewer:
    """A browser without scripts that keeps its connection."""

    def __init__(self, url: str, processes: Sequence[psutil.Process]) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=60)
        self._processes = processes

    def view(self, path: str, headers: Mapping[str, str] = COMPRESSED) -> ViewAnswer:
        """Ask for a page."""
        self._connection.request("GET", path, headers=dict(headers))
        answer = self._connection.getresponse()
        body = answer.read()
        head = sum(len(name) + len(value) + 4 for name, value in answer.getheaders())
        return ViewAnswer(answer.status, {n.lower(): v for n, v in answer.getheaders()}, body, head + len(body) + 17)

    def milliseconds(self, path: str, views: int, headers: Mapping[str, str] = COMPRESSED) -> float:
        """Return the processor time that a view takes, in milliseconds."""
        self._connection.close()  # the other end may have, meanwhile; it opens again by itself
        before = self._spent()
        for _view in range(views):
            self.view(path, headers)
        return (self._spent() - before) * 1000 / views

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _spent(self) -> float:
        return sum(cpu_seconds(process) for process in self._processes)
