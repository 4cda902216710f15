"""The languages that pages can be in: English, whose texts stand in the code, and one for each folder in `locales/`.

An operator offers some of these, or all; which one a reader gets is decided here for pages and the API alike.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

from babel import Locale, UnknownLocaleError

FOLDER: Final = Path(__file__).parent / "locales"
ENGLISH: Final = ("en", "en-GB")
"""Without folders: the language of the code, and the same in British spelling."""

AMERICAN: Final = frozenset({"", "us", "ca", "ph", "pr"})
"""Regions whose English is that of the message ids; of all others it is the British one."""

_TAG: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def available() -> Mapping[str, Path | None]:
    """Return every language by its tag (BCP 47), English first, each with the catalogue of its texts, if it has one.

    A folder that is named like no language counts as none: nobody could write its dates and amounts.
    """
    return _in(FOLDER)


@dataclass(frozen=True, slots=True)
class Offered:
    """The languages that readers can choose, in the order in which they stand, and the one for all others."""

    locales: tuple[str, ...]
    default: str

    @classmethod
    def by(cls, locales: tuple[str, ...], default: str | None) -> Self:
        """Return what an operator's settings offer; every language that there is where they name none."""
        named = locales or tuple(available())
        return cls(named, default or named[0])

    def choose(self, saved: str | None, accept_language: str) -> str:
        """Return the locale to use: the saved choice, else the best of an Accept-Language header (RFC 9110)."""
        if saved is not None and saved in self.locales:
            return saved
        found = (self._closest(tag.lower()) for tag in _by_preference(accept_language))
        return next((locale for locale in found if locale is not None), self.default)

    def named(self, text: str | None) -> str | None:
        """Return the locale that an address names (`?lang=`), in whatever case; None for none that is offered."""
        wanted = (text or "").lower()
        return next((locale for locale in self.locales if locale.lower() == wanted), None)

    def _closest(self, tag: str) -> str | None:
        """Return the locale that is offered for a tag: the same, or one of the same language."""
        language, _hyphen, region = tag.partition("-")
        if language == "en":
            tag = "en" if region in AMERICAN else "en-gb"
        same = [locale for locale in self.locales if locale.lower().partition("-")[0] == language]
        exact = (locale for locale in same if locale.lower() in (tag, language))
        return max(exact, key=lambda locale: locale.lower() == tag, default=same[0] if same else None)


@lru_cache(maxsize=8)
def _in(folder: Path) -> Mapping[str, Path | None]:
    found = ((path.parts[-3].replace("_", "-"), path) for path in sorted(folder.glob("*/LC_MESSAGES/messages.po")))
    return {**dict.fromkeys(ENGLISH), **{tag: path for tag, path in found if _is_language(tag)}}


def _is_language(tag: str) -> bool:
    try:
        return _TAG.fullmatch(tag) is not None and Locale.parse(tag, sep="-") is not None
    except (UnknownLocaleError, ValueError):
        return False


def _by_preference(accept_language: str) -> list[str]:
    """Return the tags of an Accept-Language header, best first; what can't be read is left out."""
    weighted: list[tuple[float, str]] = []
    for part in accept_language[:500].split(","):
        tag, _semicolon, parameter = part.strip().partition(";")
        name, _equals, value = parameter.strip().partition("=")
        try:
            weight = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        if tag and 0 < weight <= 1:
            weighted.append((weight, tag))
    return [tag for _weight, tag in sorted(weighted, key=lambda pair: -pair[0])]
