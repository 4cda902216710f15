"""`make messages`: brings locales/*.po up to the texts in the code, and says what is not translated yet.

    python -m tools.messages [--check]

Texts are found in the syntax tree, so that one inside an f-string is found too. Translations are kept by their English
text; a text that is gone from the code is dropped. `ui/text/i18n.py` reads the .po files themselves: nothing is
compiled, and what is checked in is what people read.
"""

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).resolve().parents[1]
LOCALES: Final = ROOT / "locales"
SOURCES: Final = ("ui", "api", "services")
MARKS: Final = {"_": 1, "N_": 1, "ngettext": 2}
"""Functions that take texts, with how many of their first arguments are one."""

Found = dict[str | tuple[str, str], list[str]]


def main() -> None:
    """Write the catalogues; with `--check` only say whether they are complete."""
    parser = argparse.ArgumentParser(prog="python -m tools.messages")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when something is missing")
    only_check = parser.parse_args().check
    texts, lacking = texts_in_code(), 0
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/messages.po")):
        catalog = merged(read(path), texts)
        untranslated = missing(catalog)
        lacking += len(untranslated)
        print(f"{path.relative_to(ROOT)}: {len(catalog)} texts, {len(untranslated)} without translation")
        print("".join(f"    {text}\n" for text in untranslated), end="")
        if not only_check:
            write(path, catalog)
    sys.exit(bool(lacking and only_check))


def texts_in_code() -> Found:
    """Return every text that is marked for translation, with the files it stands in."""
    found: Found = {}
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for text in texts_in(ast.parse(path.read_text(encoding="utf-8"))):
                files = found.setdefault(text, [])
                name = str(path.relative_to(ROOT))
                if name not in files:
                    files.append(name)
    return found


def texts_in(tree: ast.AST) -> Iterator[str | tuple[str, str]]:
    """Yield the literal texts in calls of the marks, a pair for one with a plural."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
            literals = [
                argument.value
                for argument in node.args[: MARKS[node.func.id]]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            ]
            if len(literals) == MARKS[node.func.id]:
                yield literals[0] if len(literals) == 1 else (literals[0], literals[1])


def read(path: Path) -> Catalog:
    """Return a catalogue; its language is the name of its folder."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def merged(old: Catalog, texts: Found) -> Catalog:
    """Return a catalogue of these texts with the translations that are there already."""
    new = Catalog(locale=old.locale, project="billing-front-end", charset="utf-8", fuzzy=False)
    for text, files in texts.items():
        known = old.get(text if isinstance(text, str) else text[0])
        fits = known is not None and isinstance(known.id, str) == isinstance(text, str)
        new.add(text, known.string if known is not None and fits else None, [(name, 0) for name in files])
    return new


def missing(catalog: Catalog) -> list[str]:
    """Return the texts of a catalogue that lack a translation, or one of its forms."""
    return [_name(message) for message in catalog if message.id and not all(forms(message))]


def forms(message: Message) -> tuple[str, ...]:
    """Return a message's translations: one, or one for each plural form."""
    if isinstance(message.string, str) or message.string is None:
        return (message.string or "",)
    return tuple(message.string) or ("",)


def write(path: Path, catalog: Catalog) -> None:
    """Write a catalogue as people read it: no dates and no line numbers, so that a diff shows texts only."""
    plural = f"nplurals={catalog.num_plurals}; plural={catalog.plural_expr};"
    header = {
        "Project-Id-Version": "billing-front-end",
        "Language": str(catalog.locale),
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": plural,
    }
    lines = ['msgid ""', 'msgstr ""', *(f'"{name}: {value}\\n"' for name, value in header.items()), "", ""]
    with path.open("wb") as file:
        file.write("\n".join(lines).encode())
        write_po(file, catalog, width=0, omit_header=True, include_lineno=False)


def _name(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


if __name__ == "__main__":
    main()
