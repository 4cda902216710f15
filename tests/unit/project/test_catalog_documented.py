"""Every field of `products.json` stands in its document."""

import re
from pathlib import Path
from typing import Any

import pytest

from catalog import Catalog

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs" / "catalog.md").read_text(encoding="utf-8")
SCHEMA: dict[str, Any] = Catalog.model_json_schema()


def fields() -> list[str]:
    """Return the fields of all entries, each once."""
    entries = [SCHEMA, *SCHEMA["$defs"].values()]
    found = {name for entry in entries for name in entry.get("properties", {})}
    return sorted(found - {"$schema", "interval"})


@pytest.mark.parametrize("name", fields())
def test_field_of_the_catalog_is_documented(name: str) -> None:
    assert re.search(rf"`\"?{re.escape(name)}\b", DOCUMENT)


def test_words_in_the_document_are_fields_values_settings_or_commands() -> None:
    first = re.findall(r"^\| (`[^|]+`) \|", DOCUMENT, re.MULTILINE)
    named = {name for cell in first for name in re.findall(r"`(\w+)`", cell)}

    assert named <= set(fields())
