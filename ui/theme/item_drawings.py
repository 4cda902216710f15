"""The drawings of ours that items of the shop may have: a file each in `ui/static/items/`, by an item's `image`."""

from functools import lru_cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent.parent / "static" / "items"


@lru_cache(maxsize=1)
def drawings() -> dict[str, str]:
    """Return each drawing's SVG on one line, by its name."""
    return {path.stem: " ".join(path.read_text(encoding="utf-8").split()) for path in sorted(FOLDER.glob("*.svg"))}


def names() -> tuple[str, ...]:
    """Return the names that an item's `image` may have."""
    return tuple(path.stem for path in sorted(FOLDER.glob("*.svg")))
