"""The catalogues are complete, keep every placeholder, and no text that people read escapes them."""

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog

from tools import messages
from ui.text.i18n import LOCALES, catalogue

TRANSLATED = [locale for locale in LOCALES if not locale.startswith("en")]
MARKS = {"_", "N_", "ngettext"}
SPOKEN = {"aria_label", "title", "alt", "placeholder", "data_busy_label"}
"""Attributes of elements that people read or hear."""
LIKE_ENGLISH = 0.06
"""Names and words such as "Name" or "Total" are spelled alike in two languages; more than that is a forgotten text."""


@pytest.fixture(params=TRANSLATED)
def catalog(request: pytest.FixtureRequest) -> Catalog:
    return messages.read(messages.LOCALES / request.param / "LC_MESSAGES" / "messages.po")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return messages.extract(tmp_path_factory.mktemp("texts"))


def fields(text: str) -> set[str]:
    return {name for _literal, name, _spec, _conversion in Formatter().parse(text) if name}


def texts(catalog: Catalog) -> set[str]:
    return {messages.text_of(message) for message in catalog if message.id}


def marked(tree: ast.AST) -> Iterator[str]:
    """Yield the literal texts that are marked for translation, wherever they stand, in f-strings too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def test_every_marked_text_is_extracted(template: Path) -> None:
    files = [path for folder in ("ui", "api", "services") for path in (messages.ROOT / folder).rglob("*.py")]
    in_code = {text for path in files for text in marked(ast.parse(path.read_text(encoding="utf-8")))}

    assert len(in_code) > 400
    assert in_code - texts(messages.read(template)) == set(), "Babel does not look into f-strings: take it out of them"


def test_every_text_in_the_code_is_translated(catalog: Catalog, template: Path) -> None:
    assert messages.missing(catalog, messages.read(template)) == []


def test_a_text_without_translation_or_without_one_form_is_named(template: Path) -> None:
    wanted, empty = messages.read(template), Catalog(locale="ar")
    empty.add(("{count} month free", "{count} months free"), ("",) * 6)

    lacking = messages.missing(empty, wanted)

    assert set(lacking) == texts(wanted)


def test_no_text_is_kept_that_is_gone_from_the_code(catalog: Catalog, template: Path) -> None:
    assert texts(catalog) - texts(messages.read(template)) == set()


def test_the_catalogues_are_as_the_tool_writes_them(template: Path, tmp_path: Path) -> None:
    shutil.copytree(messages.LOCALES, tmp_path / "locales")

    messages.update(template, tmp_path / "locales")

    for path in messages.catalogues():
        written = tmp_path / path.relative_to(messages.ROOT)
        assert without_release(written) == without_release(path), f"run `make messages` for {path}"


def without_release(path: Path) -> list[str]:
    """Return the lines of a catalogue but the one that names Babel's release."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if "Generated-By" not in line]


def test_translations_have_the_placeholders_of_their_text(catalog: Catalog) -> None:
    wrong = []
    for message in catalog:
        if not message.id:
            continue
        wanted = fields(message.id if isinstance(message.id, str) else message.id[1])
        forms = messages.forms(message)
        for number, form in enumerate(forms):
            names = fields(form)
            counted_in_words = len(forms) > 2 and number < 3  # Arabic says "no", "one" and "two" as words
            if names != wanted and not (counted_in_words and wanted - names == {"count"} and names <= wanted):
                wrong.append((message.id, form))

    assert wrong == []


def test_translations_end_as_their_text_does(catalog: Catalog) -> None:
    wrong = []
    for message in catalog:
        text = message.id if isinstance(message.id, str) else message.id[0]
        for form in messages.forms(message) if text else ():
            ends = (bool(re.search(pattern, each)) for each, pattern in ((text, r"[.!?:]$"), (form, r"[.!?:。？：؟]$")))
            if len(set(ends)) == 2 or form != form.strip():
                wrong.append((text, form))

    assert wrong == []


def test_hardly_a_translation_is_the_english_text(catalog: Catalog) -> None:
    alike = [message.id for message in catalog if message.id and message.id in messages.forms(message)]

    assert len(alike) <= LIKE_ENGLISH * len(catalog), alike


@pytest.mark.parametrize("locale", TRANSLATED)
def test_the_app_speaks_the_language_without_a_step_before_its_start(locale: str) -> None:
    spoken = catalogue(locale)

    assert spoken.gettext("Start free") != "Start free"
    assert "{count}" in spoken.ngettext("{count} month free", "{count} months free", 7)


def test_arabic_counts_in_six_forms() -> None:
    spoken = catalogue("ar")
    forms = {
        spoken.ngettext("{count} month free", "{count} months free", count).format(count=count).replace(str(count), "n")
        for count in (1, 2, 3, 11, 100)
    }

    assert len(forms) == 5


def test_arabic_says_eleven_to_ninety_nine_in_the_accusative_and_hundreds_not() -> None:
    """Babel's rule has the hundreds before them, CLDR after them: easily swapped, and then wrong for a fortnight."""
    path = messages.LOCALES / "ar" / "LC_MESSAGES" / "messages.po"
    counted = [messages.forms(message) for message in messages.read(path) if message.pluralizable and message.id]

    differ = [forms for forms in counted if forms[4] != forms[5]]
    swapped = [forms for forms in differ if forms[4].count("\u064b") >= forms[5].count("\u064b")]

    assert len(counted) > 5
    assert swapped == []


def test_what_a_text_does_not_tell_stands_over_it(template: Path) -> None:
    catalog = messages.read(template)
    used = {name for message in catalog if message.id for name in fields(messages.text_of(message))}
    single = {message.id for message in catalog if len(messages.text_of(message).split()) == 1 and message.id}

    assert used == messages.PLACEHOLDERS.keys()
    assert "On a button." in catalog["Try again"].auto_comments
    assert "A headline." in catalog["Your cart is empty"].auto_comments
    assert {text for text in single if not catalog[text].auto_comments} == set(), "say what it is: # Translators: …"


def bare_texts(tree: ast.AST) -> Iterator[str]:
    """Yield literal texts that are given to an element as its words, with no translation around them."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        shown: list[ast.expr] = []
        if name == "Tag":
            shown += node.args[1:2]
        elif name in {"button", "notice", "badge", "set_text", "announce", "card_page", "checkout_button"}:
            shown += node.args
        shown += [keyword.value for keyword in node.keywords if keyword.arg in SPOKEN]
        for value in shown:
            if (
                isinstance(value, ast.Constant)
                and isinstance(value.value, str)
                and re.search(r"[A-Z]\w+|\w \w", value.value)
            ):
                yield value.value


def test_every_word_of_a_page_goes_through_translation() -> None:
    bare = {}
    for path in sorted((messages.ROOT / "ui").rglob("*.py")):
        found = list(bare_texts(ast.parse(path.read_text(encoding="utf-8"))))
        if found:
            bare[str(path.relative_to(messages.ROOT))] = found

    assert bare == {}


def test_a_word_without_translation_would_be_found() -> None:
    assert list(bare_texts(ast.parse('Tag("p", "Hello there"); Tag("p", _("Hello")); button("Go on")'))) == [
        "Hello there", "Go on",
    ]  # fmt: skip
