"""The ids' way into the catalog's file: which texts change, how that looks, and writing it."""

import difflib
from collections.abc import Iterable
from pathlib import Path

from catalog import Catalog, CatalogError, parse_catalog
from cli.json_places import Path as Place
from cli.json_places import replace_texts
from cli.register_answers import MadeItem, Registered
from cli.whole_file import replace_file


class NotWritten(Exception):
    """The file was left as it is; the text says why."""


class CatalogText:
    """The catalog's file as somebody wrote it. Raises CatalogError if it can't be used as it is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._raw = path.read_bytes()
            self.text = self._raw.decode("utf-8")
        except OSError as problem:
            raise NotWritten(f"{path} can't be read ({problem.strerror}); set CATALOG_PATH.") from None
        except UnicodeDecodeError:
            raise NotWritten(f"{path} is not UTF-8; save it as UTF-8.") from None
        self.catalog: Catalog = parse_catalog(self._raw, path)

    def with_ids(self, answers: Iterable[Registered], items: Iterable[MadeItem] = ()) -> str:
        """Return the text with the ids of these plans and items in place; nothing but those texts changes.

        Raises NotWritten if that were no valid catalog.
        """
        values: dict[Place, str] = {}
        places = {plan.id: index for index, plan in enumerate(self.catalog.plans)}
        for answer in answers:
            place = places[answer.plan.id]
            values["plans", place, "product_id"] = answer.product_id
            for interval, price_id in answer.prices.items():
                if interval in answer.plan.offered:
                    values["plans", place, "prices", str(interval), "price_id"] = price_id
        shelf = {item.id: index for index, item in enumerate(self.catalog.items)}
        for made in items:
            place = shelf[made.item.id]
            values["items", place, "product_id"] = made.product_id
            values["items", place, "price", "price_id"] = made.price_id
        text = replace_texts(self.text, values)
        try:
            parse_catalog(text.encode(), self.path)
        except CatalogError as problem:
            raise NotWritten(f"With these ids {self.path} would not be valid:\n{problem}") from None
        return text

    def difference(self, text: str) -> str:
        """Return how the file would change, as a unified diff."""
        before, after = self.text.splitlines(keepends=True), text.splitlines(keepends=True)
        lines = difflib.unified_diff(before, after, str(self.path), f"{self.path} (with the new ids)", n=1)
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def write(self, text: str) -> None:
        """Replace the file; raises NotWritten if it can't be, or if somebody has changed it since it was read."""
        try:
            if self.path.read_bytes() != self._raw:
                raise NotWritten(f"{self.path} was changed by somebody else meanwhile; run this again.")
            replace_file(self.path, text.encode())
        except OSError as problem:
            raise NotWritten(f"{self.path} can't be written ({problem.strerror}); make it writable.") from None
