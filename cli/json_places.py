"""Where texts stand in a JSON file, so that some can be replaced and everything else stays as somebody wrote it."""

import json
import re
from collections.abc import Mapping
from typing import Final

Path = tuple[str | int, ...]
"""The way to a value: keys and indexes, such as ``("plans", 1, "product_id")``."""

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()


def replace_texts(text: str, values: Mapping[Path, str]) -> str:
    """Return a JSON text with the texts at these places replaced, and every other character as it was.

    Raises KeyError for a place that holds no text, and ValueError if this is no JSON.
    """
    places = text_places(text)
    for path in sorted(values, key=lambda path: places[path], reverse=True):
        start, end = places[path]
        if json.loads(text[start:end]) != values[path]:
            text = text[:start] + json.dumps(values[path], ensure_ascii=False) + text[end:]
    return text


def text_places(text: str) -> dict[Path, tuple[int, int]]:
    """Return the beginning and end of every text value in a JSON text, its quotes included, by its path.

    Raises ValueError if this is no JSON. A byte-order mark before it is left alone.
    """
    json.loads(text.removeprefix("\ufeff"))
    found: dict[Path, tuple[int, int]] = {}
    _walk(text, 1 if text.startswith("\ufeff") else 0, (), found)
    return found


def _walk(text: str, at: int, path: Path, found: dict[Path, tuple[int, int]]) -> int:
    """Note the texts in the value that begins here; return where it ends. The text is known to be JSON."""
    at = _skip(text, at)
    if text[at] not in "[{":
        value, end = _DECODER.raw_decode(text, at)
        if isinstance(value, str):
            found[path] = (at, end)
        return end
    is_object, index = text[at] == "{", 0
    at = _skip(text, at + 1)
    while text[at] not in "]}":
        key: str | int = index
        if is_object:
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, at) + 1  # the colon
        at = _skip(text, _walk(text, at, (*path, key), found))
        if text[at] == ",":
            at = _skip(text, at + 1)
        index += 1
    return at + 1


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at
