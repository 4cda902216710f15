"""What makes a brand's files usable: logos, fonts and a style sheet of the operator's.

What a style sheet may load is what the pages' policy lets a browser load: nothing of another site.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FONT_FILES: Final = {".woff2": "woff2", ".woff": "woff", ".ttf": "truetype", ".otf": "opentype"}
"""Fonts that browsers read, each with its name in CSS."""
LARGEST_STYLE: Final = 64 * 1024
"""Bytes: the style sheet stands in every page's head."""

_FAMILY: Final = re.compile(r"[A-Za-z][A-Za-z0-9 -]{0,59}")
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_STRING: Final = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")
_ADDRESS: Final = re.compile(r"url\(\s*(\"[^\"]*\"|'[^']*'|[^)\"']*)\s*\)", re.IGNORECASE)
_ELSEWHERE: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//[^\s\"')]+", re.IGNORECASE)


def image_file(value: str) -> str:
    """Return the path of an image that exists."""
    if Path(value).suffix.lower() not in (".svg", ".png", ".webp") or not Path(value).is_file():
        raise ValueError("must be the path of an existing svg, png or webp file")
    return value


def font(value: str) -> str:
    """Return the name of a font family, or the path of a font that exists."""
    if Path(value).suffix.lower() in FONT_FILES:
        if Path(value).is_file():
            return value
    elif _FAMILY.fullmatch(value):
        return value
    raise ValueError("must be a family such as Inter, or the path of an existing woff2, woff, ttf or otf file")


def style_file(value: str) -> str:
    """Return the path of a style sheet that can stand in a page and loads nothing that the pages' policy forbids."""
    path = Path(value)
    if path.suffix.lower() != ".css" or not path.is_file():
        raise ValueError("must be the path of an existing css file")
    if path.stat().st_size > LARGEST_STYLE:
        raise ValueError(f"must be a css file of at most {LARGEST_STYLE // 1024} kB: it stands in every page")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError("must be a css file in UTF-8") from None
    if problem := next(style_problems(text), None):
        raise ValueError(f"must be a css file that pages can hold, but {problem}")
    return value


def style_problems(css: str) -> Iterator[str]:
    """Yield what is wrong with a style sheet, each with its line."""
    for found in re.finditer(r"</style|<!--", css, re.IGNORECASE):
        yield f"line {_line(css, found.start())} holds {found[0]}, which would end it"
    bare = _COMMENT.sub(_blank, css)
    for found in re.finditer(r"@import\b", bare, re.IGNORECASE):
        yield f"line {_line(css, found.start())} imports another style sheet; put its rules into the file"
    for found in _ADDRESS.finditer(bare):
        address = found[1].strip().strip("\"'")
        if not address.startswith(("data:image/", "#", "/")) or address.startswith("//"):
            yield f"line {_line(css, found.start())} loads {address[:60]}, which the pages' policy forbids"
    for found in _ELSEWHERE.finditer(_ADDRESS.sub(_blank, bare)):
        yield f"line {_line(css, found.start())} names {found[0][:60]}, which the pages' policy forbids"
    yield from _braces(css, _STRING.sub(_blank, _ADDRESS.sub(_blank, bare)))


def _braces(css: str, bare: str) -> Iterator[str]:
    open_at: list[int] = []
    for found in re.finditer(r"[{}]", bare):
        if found[0] == "{":
            open_at.append(found.start())
        elif not open_at:
            yield f"line {_line(css, found.start())} closes a brace that is not open"
        else:
            open_at.pop()
    if open_at:
        yield f"the brace of line {_line(css, open_at[-1])} is never closed"
    elif "/*" in bare:
        yield f"the comment of line {_line(css, bare.index('/*'))} never ends"


def _blank(found: re.Match[str]) -> str:
    """Return as many spaces, so that all else keeps its place and its line."""
    return re.sub(r"[^\n]", " ", found[0])


def _line(css: str, place: int) -> int:
    return css.count("\n", 0, place) + 1
