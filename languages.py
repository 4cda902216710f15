"""The languages that pages can be in: English, whose texts stand in the code, and one for each folder in `locales/`.

What a visit is in, and what is offered of these, is decided in `ui/text/i18n.py`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError

FOLDER: Final = Path(__file__).parent / "locales"
ENGLISH: Final = ("en", "en-GB")
"""Without folders: the language of the code, and the same in British spelling."""

_TAG: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def available() -> Mapping[str, Path | None]:
    """Return every language by its tag (BCP 47), English first, each with the catalogue of its texts, if it has one.

    A folder that is named like no language counts as none: nobody could write its dates and amounts.
    """
    return _in(FOLDER)


@lru_cache(maxsize=8)
def _in(folder: Path) -> Mapping[str, Path | None]:
    found = ((path.parts[-3].replace("_", "-"), path) for path in sorted(folder.glob("*/LC_MESSAGES/messages.po")))
    return {**dict.fromkeys(ENGLISH), **{tag: path for tag, path in found if _is_language(tag)}}


def _is_language(tag: str) -> bool:
    try:
        return _TAG.fullmatch(tag) is not None and Locale.parse(tag, sep="-") is not None
    except (UnknownLocaleError, ValueError):
        return False
