"""Who reads the catalog, as far as its words need to know: a page's visit, or a program that wants plain text."""

from dataclasses import dataclass
from typing import Protocol

from catalog import Catalog, Text
from settings import Settings


class CatalogReader(Protocol):
    """What the words about the catalog are made for. `PageContext` is one."""

    @property
    def settings(self) -> Settings:
        """The app's settings."""
        ...

    @property
    def catalog(self) -> Catalog:
        """The catalog in force."""
        ...

    @property
    def locale(self) -> str:
        """The language."""
        ...

    def text(self, text: Text | None) -> str:
        """Return a text of the catalog in that language; nothing for None."""
        ...


@dataclass(frozen=True, slots=True)
class TextReader:
    """Whoever reads the catalog as text: nobody is signed in."""

    settings: Settings
    catalog: Catalog
    locale: str

    def text(self, text: Text | None) -> str:
        """Return a text of the catalog in the reader's language; nothing for None."""
        return text.in_(self.locale) if text is not None else ""
