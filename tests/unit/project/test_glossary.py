"""The catalogues speak the words of `locales/GLOSSARY.md`, and are set as each language sets its texts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from babel.messages.catalog import Catalog

from tools import messages

GLOSSARY = messages.LOCALES / "GLOSSARY.md"
LOCALES = ("de", "es", "ja", "ar")
STRUCK = re.compile(r"~~(.+?)~~")
HARAKAT = re.compile("[\u064b-\u0652]")
"""Arabic's marks over letters: some texts carry them, some do not."""
FIELD = re.compile(r"\{\w+\}")
LIKE_KANA = r"[\u3040-\u30ff\u4e00-\u9fff]"

STRUCK_IN_ENGLISH = (
    r"\bon record\b",
    r"\be-mail",
    r"\b(?:payment|auth) ms\b",
    r"payment service has",
    r"goes on without",
    r"\d things\b",
    r"!",
)
"""Our own words for how things are built, and what `docs/look.md` and the glossary have other words for."""

UNTYPOGRAPHIC = {
    "de": (r'"', r"\.\.\.", r"[\d}] %"),
    "es": (r'"', r"\.\.\.", r"[\d}] %", r"^[^¿]*\?", r"^[^¡]*!"),
    "ja": (r'"', r"\.\.\.", rf"{LIKE_KANA} ?[:?(]", rf"\) ?{LIKE_KANA}", rf"{LIKE_KANA} \{{(plan|date|item)\}}"),
    "ar": (r'"', r"\.\.\.", r"[?;,]", r"[٠-٩]"),
}  # fmt: skip


@dataclass(frozen=True)
class Term:
    """A row of the table: what is looked for in English, and what each language has to say, or may not."""

    english: str
    always: bool
    right: dict[str, tuple[str, ...]]
    wrong: dict[str, tuple[str, ...]]

    def said_in(self, text: str) -> bool:
        """Whether an English message says the term."""
        words = "|".join(re.escape(form) for form in self.english.split(" / "))
        return re.search(rf"\b(?:{words})\b", FIELD.sub("…", text), re.IGNORECASE) is not None

    def faults(self, locale: str, translation: str) -> Iterator[str]:
        """Yield what is wrong with a translation of a message that says the term."""
        plain = HARAKAT.sub("", FIELD.sub("…", translation))
        yield from (f"{self.english}: not {word!r}" for word in self.wrong[locale] if word in plain)
        right = self.right[locale]
        if self.always and not any(word.casefold() in plain.casefold() for word in right):
            yield f"{self.english}: none of {right}"


def terms() -> list[Term]:
    lines = GLOSSARY.read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if "|" in line]
    found = []
    for english, held, *cells in rows[2:]:
        assert held in ("always", "said"), english
        assert len(cells) == len(LOCALES), english
        wrong = {locale: tuple(STRUCK.findall(cell)) for locale, cell in zip(LOCALES, cells, strict=True)}
        words = {
            locale: tuple(word for word in STRUCK.sub("", cell).split(" / ") if word.strip(" /"))
            for locale, cell in zip(LOCALES, cells, strict=True)
        }
        found.append(Term(english, held == "always", words, wrong))
    return found


@pytest.fixture(params=LOCALES)
def catalog(request: pytest.FixtureRequest) -> Catalog:
    return messages.read(messages.LOCALES / request.param / "LC_MESSAGES" / "messages.po")


def translations(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yield every English text with each of its translations."""
    for message in catalog:
        if message.id:
            for form in messages.forms(message):
                yield messages.text_of(message), form


def test_the_glossary_names_every_language_and_each_term_once() -> None:
    known = terms()

    assert len(known) > 25
    assert len({term.english for term in known}) == len(known)
    assert all(term.right[locale] for term in known if term.always for locale in LOCALES)


def test_a_term_is_said_in_the_word_of_the_glossary(catalog: Catalog) -> None:
    locale, known = str(catalog.locale), terms()

    wrong = [
        (text, form, fault)
        for text, form in translations(catalog)
        for term in known
        if term.said_in(text)
        for fault in term.faults(locale, form)
    ]

    assert wrong == []


def test_a_message_with_another_word_would_be_found() -> None:
    plan = next(term for term in terms() if term.english.startswith("plan"))

    assert plan.said_in("See plans")
    assert not plan.said_in("{plan} is paused")
    assert list(plan.faults("de", "Pläne ansehen"))
    assert not list(plan.faults("de", "Tarife ansehen"))


def test_english_itself_says_no_word_that_readers_are_not_to_meet() -> None:
    texts = {text for text, _form in translations(messages.read(messages.catalogues()[0]))}

    assert len(texts) > 500
    assert [text for text in texts if re.search("|".join(STRUCK_IN_ENGLISH), text, re.IGNORECASE)] == []


def test_translations_are_set_as_their_language_does(catalog: Catalog) -> None:
    marks = UNTYPOGRAPHIC[str(catalog.locale)]

    wrong = [form for _text, form in translations(catalog) if any(re.search(mark, form) for mark in marks)]

    assert wrong == []
