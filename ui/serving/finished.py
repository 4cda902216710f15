"""Documents as they travel: finished ones, kept as bytes, and those for one alone (RFC 9110, RFC 9111)."""

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import brotli
from starlette.datastructures import Headers
from starlette.responses import Response

BROTLI_QUALITY: Final = 6
GZIP_LEVEL: Final = 6
"""A tenth larger than the best, in a fortieth of the time: addresses that nobody has asked for must not cost more than
a page drawn live."""

LIVE_QUALITY: Final = 4
"""Of brotli for a page that is drawn for one alone: as quick as gzip, and a twelfth smaller."""

LIVE_WINDOW: Final = 18
"""Its window as a power of two: as long as a page. The usual one, of 4 MB, makes nothing smaller, and leaves holes in
the allocator's memory between what the pages keep: 20 kB a tab."""

SHARED_CACHING: Final = "public, max-age=0, s-maxage=10, must-revalidate"
"""A cache in between may keep it for so many seconds; a browser asks each time, and mostly gets 304."""

VARY: Final = "Cookie, Accept-Language, Accept-Encoding, Sec-Fetch-Site"


@dataclass(frozen=True, slots=True)
class FinishedDocument:
    """The same bytes for each browser that gets it. `encodings` are the compressed ones, the best first."""

    status: int
    mark: str
    encodings: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, html: bytes, status: int) -> Self:
        """Compress a document; takes some thousandths of a second, in any thread."""
        mark = hashlib.sha256(html).hexdigest()[:20]
        best = brotli.compress(html, mode=brotli.MODE_TEXT, quality=BROTLI_QUALITY)
        return cls(status, mark, (("br", best), ("gzip", gzip.compress(html, GZIP_LEVEL, mtime=0))))

    @property
    def size(self) -> int:
        """How many bytes are kept."""
        return sum(len(body) for _name, body in self.encodings)

    def answer(self, request: Headers) -> Response:
        """Return what a request with these headers gets: 304 for whoever has it, else the document."""
        accepted = _accepted(request.get("accept-encoding", ""))
        name, body = next(((name, body) for name, body in self.encodings if name in accepted), ("", b""))
        etag = f'"{self.mark}{"-" if name else ""}{name}"'
        headers = {"ETag": etag, "Vary": VARY, "Cache-Control": SHARED_CACHING}
        if self.status == 200 and etag in _tags(request.get("if-none-match", "")):
            return Response(None, 304, headers)
        if name:
            headers["Content-Encoding"] = name
        else:
            body = gzip.decompress(dict(self.encodings)["gzip"])
        return Response(body, self.status, headers, media_type="text/html")


def live_answer(html: str, status: int, headers: Mapping[str, str], accept_encoding: str) -> Response:
    """Return a page that is drawn for one alone; who does not take brotli is left to the app's own compression."""
    if "br" not in _accepted(accept_encoding):
        return Response(html, status, headers)
    body = brotli.compress(html.encode(), mode=brotli.MODE_TEXT, quality=LIVE_QUALITY, lgwin=LIVE_WINDOW)
    return Response(body, status, {**headers, "Content-Encoding": "br", "Vary": "Accept-Encoding"})


class KeptDocuments:
    """Finished documents by their keys, up to so many bytes: whoever was asked for longest ago goes first."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[Hashable, FinishedDocument] = OrderedDict()
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """How many bytes are kept."""
        return self._bytes

    def find(self, key: Hashable) -> FinishedDocument | None:
        """Return what is kept under a key."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: Hashable, document: FinishedDocument) -> None:
        """Keep a document; others go until there is room."""
        before = self._kept.pop(key, None)
        self._bytes += document.size - (before.size if before is not None else 0)
        self._kept[key] = document
        while self._bytes > self._most and len(self._kept) > 1:
            _key, gone = self._kept.popitem(last=False)
            self._bytes -= gone.size


def _accepted(header: str) -> frozenset[str]:
    """Return the encodings that a browser takes: those that it names and does not refuse with `q=0`."""
    named = (part.partition(";") for part in header.lower().split(","))
    return frozenset(name.strip() for name, _sign, rest in named if rest.replace(" ", "") not in _REFUSED)


_REFUSED: Final = frozenset({"q=0", "q=0.0", "q=0.00", "q=0.000"})


def _tags(header: str) -> frozenset[str]:
    """Return the entity tags that a browser has, compared weakly."""
    return frozenset(tag.strip().removeprefix("W/") for tag in header.split(","))
