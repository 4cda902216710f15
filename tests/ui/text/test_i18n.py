"""Which language a visit is in, and how texts find theirs."""

import gettext
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import languages
from languages import Offered
from money import format_money
from settings import load_settings
from tools import messages
from ui.text import i18n
from ui.text.i18n import LOCALES, _, choose_locale, direction, language_name, ngettext, offered, use_locale


@pytest.mark.parametrize(
    ("saved", "header", "expected"),
    [
        (None, "", "en"),
        (None, "de-AT,de;q=0.9,en;q=0.5", "de"),
        (None, "fr, ja;q=0.4, es;q=0.8", "es"),
        (None, "fr;q=1.0, *;q=0.1", "en"),
        (None, "de;q=0, es;q=0.1", "es"),
        ("ar", "de", "ar"),
        ("xx", "de", "de"),
        ("../../etc", "", "en"),
        (None, "EN-us", "en"),
        (None, "en-GB,en;q=0.9", "en-GB"),
        (None, "en-AU", "en-GB"),
        (None, "en-CA", "en"),
        ("en-GB", "de", "en-GB"),
    ],
)
def test_the_saved_language_wins_then_the_browsers_best(saved: str | None, header: str, expected: str) -> None:
    assert choose_locale(saved, header) == expected


@pytest.mark.parametrize(
    ("locales", "header", "expected"),
    [
        (("de", "en"), "ja, en-GB;q=0.5", "en"),
        (("de", "en-GB"), "en-US", "en-GB"),
        (("ar", "de"), "fr, ja", "de"),
        (("pt-BR", "pt", "de"), "pt-BR", "pt-BR"),
        (("pt-BR", "pt", "de"), "pt-PT", "pt"),
        (("de", "pt-BR"), "pt", "pt-BR"),
    ],
)
def test_of_what_is_offered_the_closest_is_taken(locales: tuple[str, ...], header: str, expected: str) -> None:
    assert Offered(locales, "de").choose("es", header) == expected


def test_languages_are_called_as_their_speakers_call_them() -> None:
    assert [language_name(locale) for locale in ("en-GB", "de", "es", "ja", "ar", "pt-BR")] == [
        "English (UK)", "Deutsch", "Español", "日本語", "العربية", "Português (Brasil)",
    ]  # fmt: skip


def test_a_folder_is_enough_for_a_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, translation in (("eo", "Prezoj"), ("zh_Hant", "價格"), ("nonsense!", "?"), ("xx", "?")):
        path = tmp_path / folder / "LC_MESSAGES" / "messages.po"
        path.parent.mkdir(parents=True)
        path.write_text(f'msgid ""\nmsgstr ""\n\nmsgid "Pricing"\nmsgstr "{translation}"\n', encoding="utf-8")
    monkeypatch.setattr(languages, "FOLDER", tmp_path)

    settings = load_settings(_env_file=None, languages="zh-hant,eo,en", storage_path=str(tmp_path / "store"))

    assert list(languages.available()) == ["en", "en-GB", "eo", "zh-Hant"]
    assert offered(settings) == Offered(("zh-Hant", "eo", "en"), "zh-Hant")
    assert offered(settings).choose(None, "eo-XX, en;q=0.1") == "eo"
    for locale, words in (("eo", "Prezoj"), ("zh-Hant", "價格"), ("en", "Pricing")):
        with use_locale(locale):
            assert (_("Pricing"), _("Not in that catalogue")) == (words, "Not in that catalogue")


@given(st.text(), st.text())
def test_any_header_leads_to_a_language_we_have(saved: str, header: str) -> None:
    assert choose_locale(saved, header) in LOCALES


@pytest.mark.parametrize(("locale", "expected"), [("ar", "rtl"), ("en", "ltr"), ("ja", "ltr"), ("nope!", "ltr")])
def test_only_arabic_is_written_from_the_right(locale: str, expected: str) -> None:
    assert direction(locale) == expected


def test_an_untranslated_text_stays_as_it_is() -> None:
    with use_locale("xx"):
        assert _("No such sentence in any catalogue.") == "No such sentence in any catalogue."


def test_an_empty_text_stays_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gettext would answer it with the catalogue's header."""
    catalogue = gettext.NullTranslations()
    monkeypatch.setattr(catalogue, "gettext", lambda message: "Project-Id-Version: 1")
    monkeypatch.setattr(i18n, "catalogue", lambda locale: catalogue)

    assert i18n.translate("", "de") == ""


def test_british_english_is_the_same_text_in_its_own_spelling() -> None:
    with use_locale("en-GB"):
        assert _("Canceled") == "Cancelled"
        assert _("{plan} is canceled") == "{plan} is cancelled"
        assert ngettext("{count} month free", "{count} months free", 2) == "{count} months free"


def test_no_text_has_an_american_spelling_that_british_english_would_keep() -> None:
    american = (
        r"\b(color|favor|honor|behavior|center|catalog|gray|license|fulfill)|anceled|anceling|\w{3}(izing|ize[ds]?)\b"
    )
    texts = [messages.text_of(message) for message in messages.read(messages.catalogues()[0]) if message.id]

    kept = [text for text in texts if re.search(american, i18n.translate(text, "en-GB"))]

    assert len(texts) > 400
    assert kept == []


def test_the_dollar_sign_stands_alone_only_in_its_country() -> None:
    assert format_money(2900, "usd", "en") == "$29.00"
    assert format_money(2900, "usd", "en-GB") == "US$29.00"


def test_numbers_choose_their_form() -> None:
    with use_locale("en"):
        assert ngettext("{count} month free", "{count} months free", 1) == "{count} month free"
        assert ngettext("{count} month free", "{count} months free", 2) == "{count} months free"


def test_japanese_puts_no_space_between_sentences_and_ends_them_with_its_own_mark() -> None:
    with use_locale("ja"):
        assert i18n.sentence_gap().join(("一。", i18n.as_sentence("二"))) == "一。二。"
    with use_locale("de"):
        assert i18n.sentence_gap().join(("Eins.", i18n.as_sentence("Zwei"))) == "Eins. Zwei."


def test_use_locale_ends_with_its_block() -> None:
    with use_locale("de"):
        with use_locale("ja"):
            assert i18n.current_locale() == "ja"
        assert i18n.current_locale() == "de"
    assert i18n.current_locale() == "en"
