"""Translations are longer than English and must be complete: no word of a page escapes translation."""

import re
from html.parser import HTMLParser

import pytest

from catalog import Text
from services.container import Container
from tests.ui.pseudo_language import CLOSE, OPEN, PseudoTranslations
from tests.ui.simulation import Simulate, sign_in
from ui.pages import errors, home, login, pricing
from ui.text import i18n


class PageTexts(HTMLParser):
    """The texts and spoken attributes of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._skipped += tag in {"script", "style"}
        self.found += [
            value for name, value in attrs if name in {"aria-label", "title", "alt", "placeholder"} and value
        ]

    def handle_endtag(self, tag: str) -> None:
        self._skipped -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._skipped and data.strip():
            self.found.append(data.strip())


@pytest.fixture
def pseudo_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Text.in_
    monkeypatch.setattr(i18n, "catalogue", lambda locale: PseudoTranslations())
    monkeypatch.setattr(Text, "in_", lambda self, locale: f"{OPEN}{plain(self, locale)}{CLOSE}")


@pytest.mark.usefixtures("pseudo_locale")
@pytest.mark.parametrize("path", ["/", "/pricing", "/login?error=expired", "/nope"])
@pytest.mark.parametrize("person", ["ada", "visitor"])
async def test_every_word_on_a_page_can_be_translated(
    container: Container, simulate: Simulate, path: str, person: str
) -> None:
    async with simulate(container, home.register, pricing.register, login.register, errors.register) as user:
        sign_in(user, person)
        answer = await user.http_client.get(path, headers={"accept": "text/html"}, follow_redirects=True)

    reader = PageTexts()
    reader.feed(answer.text)
    never = {container.settings.brand_name, "Ada Lovelace", "ada", "@example.com", "A", *i18n.LOCALES.values()}
    untranslated = [text for text in reader.found if OPEN not in text and re.search(r"[^\W\d_]", text)]
    assert [text for text in untranslated if text not in never] == []
