"""`make messages`: brings locales/*.po up to the texts in the code, and says what is not translated yet.

    python -m tools.messages [--check]

`pybabel` does the work: it extracts by `babel.cfg` and updates each catalogue, with the options below; a text that is
gone from the code is dropped. `ui/text/i18n.py` reads the .po files themselves: nothing is compiled, what is checked
in is what people read.

What a translator can't see in a text stands over it in the catalogue: a comment in the code that begins with
`Translators:`, on the line before the text, where it stands (`tools/message_places.py`) and what each placeholder
stands for (`PLACEHOLDERS`). The trade's words are in `locales/GLOSSARY.md`.
"""

import argparse
import contextlib
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po, write_po

from tools.message_places import places

ROOT: Final = Path(__file__).resolve().parents[1]
LOCALES: Final = ROOT / "locales"
_READABLE: Final = ("--no-wrap", "--add-location=file", "--add-comments=Translators:")
"""No line numbers, so that a change of the code is no change of the catalogues."""

PLACEHOLDERS: Final[Mapping[str, str]] = {
    "age": 'a span of time such as "3 minutes ago"',
    "ago": 'a span of time such as "4 minutes ago"',
    "amount": 'an amount of money such as "$29.00"',
    "brand": "the name of the product",
    "charge": 'a sum, and what is to be known of it, such as "$14.50 (50% off)"',
    "count": "a number",
    "date": 'a day such as "December 21", without an article or "on"',
    "email": "an email address",
    "first": 'a note such as "50% off"',
    "feature": 'the name of a feature such as "Projects"',
    "free": "the name of the free plan",
    "invoice": 'the words "Invoice" and its number',
    "item": 'the name of an item such as "Sticker pack"',
    "items": "names of items, with commas",
    "kept": "the name of the plan that the customer keeps",
    "least": "a number",
    "money": 'the sentence "Nothing was charged."',
    "most": "a number",
    "notes": 'one or two notes such as "50% off"',
    "number": "the number of an invoice",
    "other_plan": 'the name of a plan such as "Basic"',
    "percent": "a number",
    "percentage": 'a share such as "50%"',
    "plan": 'the name of a plan or an item such as "Premium"',
    "price": 'an amount with its interval such as "$29.00 a month"',
    "provider": 'the name of a sign-in service such as "Google"',
    "reference": "an id, to be copied",
    "second": 'a note such as "$2.00 tax included"',
    "spare": "the name of the plan that the customer is to cancel",
    "tax": 'an amount of money such as "$2.00"',
    "value": 'what a plan has of a feature, such as "20" or "Unlimited"',
    "word": 'a status such as "Active" or "On hold"',
}
"""What stands for a placeholder when a text is shown."""

_FIELD: Final = re.compile(r"\{(\w+)\}")


def main() -> None:
    """Update the catalogues; with `--check` only say whether they are complete."""
    parser = argparse.ArgumentParser(prog="python -m tools.messages")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when something is missing")
    only_check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        template = extract(Path(folder))
        if not only_check:
            update(template, LOCALES)
        wanted = read(template)
    lacking = 0
    for path in catalogues():
        untranslated = missing(read(path), wanted)
        lacking += len(untranslated)
        print(f"{path.relative_to(ROOT)}: {len(wanted)} texts, {len(untranslated)} without translation")
        print("".join(f"    {text}\n" for text in untranslated), end="")
    sys.exit(bool(lacking and only_check))


def catalogues() -> list[Path]:
    """Return the catalogue of each language but English, whose texts are the ids."""
    return sorted(LOCALES.glob("*/LC_MESSAGES/messages.po"))


def extract(folder: Path) -> Path:
    """Write every text that is marked for translation into a template in the folder, and return its path."""
    template = folder / "messages.pot"
    with contextlib.chdir(ROOT):
        _pybabel("extract", "--mapping", "babel.cfg", *_READABLE, "--output", str(template), ".")
    explain(template)
    return template


def explain(template: Path) -> None:
    """Write over each text of a template where it stands, and what its placeholders stand for."""
    catalog = read(template)
    standing = places(sorted({ROOT / file for message in catalog for file, _line in message.locations}))
    for message in catalog:
        if not message.id:
            continue
        message.auto_comments += standing.get(text_of(message), [])
        names = dict.fromkeys(_FIELD.findall(text_of(message)))
        message.auto_comments += [f"{{{name}}}: {PLACEHOLDERS[name]}" for name in names if name in PLACEHOLDERS]
    with template.open("wb") as file:
        write_po(file, catalog, width=0, include_lineno=False)


def update(template: Path, locales: Path) -> None:
    """Bring the catalogues in a folder up to the template. What has no translation stays empty: nothing is guessed."""
    _pybabel(
        "update", "--input-file", str(template), "--output-dir", str(locales),
        "--no-wrap", "--no-fuzzy-matching", "--ignore-obsolete", "--ignore-pot-creation-date",
    )  # fmt: skip


def read(path: Path) -> Catalog:
    """Return a catalogue or template; a catalogue's language is in the name of its folder."""
    with path.open("rb") as file:
        return read_po(file, locale=None if path.suffix == ".pot" else path.parts[-3])


def missing(catalog: Catalog, wanted: Catalog) -> list[str]:
    """Return the wanted texts that a catalogue has no translation of, or not each of its forms."""
    lacking = []
    for message in wanted:
        known = catalog.get(message.id) if message.id else message
        if message.id and (known is None or known.pluralizable != message.pluralizable or not all(forms(known))):
            lacking.append(text_of(message))
    return lacking


def forms(message: Message) -> tuple[str, ...]:
    """Return a message's translations: one, or one for each plural form."""
    if isinstance(message.string, str) or message.string is None:
        return (message.string or "",)
    return tuple(message.string) or ("",)


def text_of(message: Message) -> str:
    """Return the English text, of two forms the singular."""
    return message.id if isinstance(message.id, str) else message.id[0]


def _pybabel(*arguments: str) -> None:
    CommandLineInterface().run(["pybabel", "--quiet", *arguments])  # type: ignore[no-untyped-call] # Babel's own


if __name__ == "__main__":
    main()
