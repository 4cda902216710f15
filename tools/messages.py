"""`make messages`: brings locales/*.po up to the texts in the code, and says what is not translated yet.

    python -m tools.messages [--check]

`pybabel` does the work: it extracts by `babel.cfg` and updates each catalogue, with the options below; a text that is
gone from the code is dropped. `ui/text/i18n.py` reads the .po files themselves: nothing is compiled, what is checked
in is what people read.
"""

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

ROOT: Final = Path(__file__).resolve().parents[1]
LOCALES: Final = ROOT / "locales"
_READABLE: Final = ("--no-wrap", "--add-location=file")
"""No line numbers, so that a change of the code is no change of the catalogues."""


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
    return template


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
