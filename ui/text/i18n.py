"""Languages: which one a visit is in, and the gettext catalogues under `locales/`.

`_()` and `ngettext()` translate into the language of the page that is being built or answered; outside of one
(a static page, a test) `use_locale()` says which. A message that is defined where no page is (an error's sentence)
is marked with `N_()` there and translated with `translate()` where it is shown.
"""

import gettext
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from nicegui import context

import languages
from languages import Offered
from settings import Settings

NAMES: Final[Mapping[str, str]] = {
    "en": "English (US)", "en-GB": "English (UK)", "ar": "العربية", "de": "Deutsch", "es": "Español", "ja": "日本語",
}  # fmt: skip
"""Languages whose own name would not tell them apart, and those that come with the app: no data is loaded for them."""
DEFAULT_LOCALE: Final = "en"
WITHOUT_SPACES: Final[Mapping[str, str]] = {"ja": "。", "zh": "。"}
"""Languages that put no space between sentences, each with its full stop."""

_chosen: ContextVar[str | None] = ContextVar("chosen_locale", default=None)


def N_(message: str) -> str:
    """Mark `message` for translation and return it unchanged."""
    return message


def _(message: str) -> str:
    """Return `message` in the current language, or unchanged where it has no translation."""
    return translate(message, current_locale())


def ngettext(singular: str, plural: str, count: int) -> str:
    """Return the form of the sentence that fits `count` in the current language; its `{count}` is yet to be filled."""
    return catalogue(current_locale()).ngettext(singular, plural, count)


def translate(message: str, locale: str) -> str:
    """Return `message` in `locale`. An empty message stays empty (in gettext it would be the catalogue's header)."""
    return catalogue(locale).gettext(message) if message else ""


def sentence_gap() -> str:
    """Return what stands between two sentences in the current language."""
    return "" if _language() in WITHOUT_SPACES else " "


def as_sentence(headline: str) -> str:
    """Return a headline with the current language's full stop."""
    return headline + WITHOUT_SPACES.get(_language(), ".")


def _language() -> str:
    return current_locale().partition("-")[0]


def current_locale() -> str:
    """Return the language of the page at work, else the one of `use_locale`, else English."""
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    try:
        found = context.client.storage.get("locale", DEFAULT_LOCALE)
    except RuntimeError:
        return DEFAULT_LOCALE
    return str(found)


@contextmanager
def use_locale(locale: str) -> Iterator[None]:
    """Speak `locale` inside the block, whatever page is at work."""
    token = _chosen.set(locale)
    try:
        yield
    finally:
        _chosen.reset(token)


def language_name(locale: str) -> str:
    """Return what a language is called by those who speak it."""
    if locale in NAMES:
        return NAMES[locale]
    name = Locale.parse(locale, sep="-").get_display_name() or locale
    return name[:1].upper() + name[1:]


LOCALES: Final[Mapping[str, str]] = {locale: language_name(locale) for locale in languages.available()}
"""Every language that there is, each in its own words; the first is that of the message ids."""


def offered(settings: Settings) -> Offered:
    """Return what an operator offers: `LANGUAGES` and `DEFAULT_LANGUAGE`, else every language that there is."""
    return Offered.by(settings.languages, settings.default_language)


def choose_locale(saved: str | None, accept_language: str) -> str:
    """Return the locale of all that there are that a reader wants."""
    return Offered.by((), None).choose(saved, accept_language)


def direction(locale: str) -> str:
    """Return the writing direction: `rtl` for Arabic, `ltr` for the others. An unknown locale counts as `ltr`."""
    try:
        return str(Locale.parse(locale, sep="-").text_direction)
    except (UnknownLocaleError, ValueError):
        return "ltr"


def catalogue(locale: str) -> gettext.NullTranslations:
    """Return the catalogue of `locale`; without one, texts stay as they are in the code."""
    if locale == "en-GB":
        return BritishEnglish()
    path = languages.available().get(locale)
    return _read(path, locale) if path is not None else gettext.NullTranslations()


@lru_cache(maxsize=32)
def _read(path: Path, locale: str) -> gettext.NullTranslations:
    """Return what a .po file holds.

    Nothing has to be compiled before the app starts, and no compiled file can be older than its texts. Reading one
    takes about 20 ms, once for each language.
    """
    with path.open("rb") as file:
        catalog = read_po(file, locale=locale.replace("-", "_"))
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


class BritishEnglish(gettext.NullTranslations):
    """The texts as they are in the code, in British spelling: there is no catalogue that could fall behind."""

    SPELLINGS: Final = (("anceled", "ancelled"), ("anceling", "ancelling"), ("color", "colour"))

    def gettext(self, message: str) -> str:
        """Return the message in British spelling."""
        for american, british in self.SPELLINGS:
            message = message.replace(american, british)
        return message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return the form for `n` in British spelling."""
        return self.gettext(msgid1 if n == 1 else msgid2)
