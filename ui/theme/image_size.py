"""How large an image is, read from the first bytes of its file: svg, png (RFC 2083) and webp (RFC 9649)."""

import re
import struct
from pathlib import Path
from typing import Final

FIRST: Final = 4096
_ROOT: Final = re.compile(rb"<svg\b[^>]*>", re.DOTALL)
_BOX: Final = re.compile(rb"\bviewBox\s*=\s*[\"']\s*[-\d.eE]+[\s,]+[-\d.eE]+[\s,]+([\d.eE]+)[\s,]+([\d.eE]+)")
_SIDE: Final = rb"\b%s\s*=\s*[\"']\s*([\d.]+)(?:px)?\s*[\"']"


def ratio(path: Path) -> float:
    """Return an image's width by its height; 1 for one that says nothing of it."""
    with path.open("rb") as file:
        head = file.read(FIRST)
    width, height = _of_svg(head) if path.suffix.lower() == ".svg" else _of_pixels(head)
    return width / height if width > 0 and height > 0 else 1.0


def _of_svg(head: bytes) -> tuple[float, float]:
    found = _ROOT.search(head)
    if found is None:
        return 0, 0
    if box := _BOX.search(found[0]):
        return float(box[1]), float(box[2])
    sides = [re.search(_SIDE % name, found[0]) for name in (b"width", b"height")]
    return (float(sides[0][1]), float(sides[1][1])) if sides[0] and sides[1] else (0, 0)


def _of_pixels(head: bytes) -> tuple[int, int]:
    if head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) >= 24:
        width, height = struct.unpack(">II", head[16:24])
        return width, height
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP" or len(head) < 30:
        return 0, 0
    if head[12:16] == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", head[26:30])
    return width & 0x3FFF, height & 0x3FFF
