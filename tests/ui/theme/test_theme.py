"""Every text reads at 4.5:1 on every ground it stands on, whatever the brand's colour."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ui.theme.colors import Oklch, contrast, luminance, parse
from ui.theme.look import Look
from ui.theme.style_sheet import dark_palette, light_palette, style_sheet

BRANDS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
GROUNDS = ("ground", "surface", "sunken", "brand-tint")
STATES = ("success", "warning", "danger", "info")


@given(brand=BRANDS)
@example(brand="#ffd400")
@example(brand="#ffffff")
@example(brand="#000000")
@example(brand="#3b5bdb")
def test_texts_read_on_every_ground(brand: str) -> None:
    for palette in (light_palette(brand), dark_palette(brand)):
        for text in ("text", "muted", "link"):
            for ground in GROUNDS:
                assert contrast(palette[text], palette[ground]) >= 4.5, (brand, text, ground)
        for text, ground in (("muted", "trough"), ("text", "trough"), ("text", "chosen")):
            assert contrast(palette[text], palette[ground]) >= 4.5, (brand, text, ground)


@pytest.mark.parametrize("palette", [light_palette("#3b5bdb"), dark_palette("#3b5bdb")], ids=["light", "dark"])
def test_what_is_chosen_is_lifted_out_of_its_trough_in_both_themes(palette: Mapping[str, str]) -> None:
    assert luminance(palette["chosen"]) > luminance(palette["trough"])


@given(brand=BRANDS)
@example(brand="#808080")
@example(brand="#ffd400")
def test_the_primary_button_keeps_the_brands_colour_reads_and_stands_out(brand: str) -> None:
    for palette in (light_palette(brand), dark_palette(brand)):
        assert palette["brand"] == brand
        assert contrast(palette["on-brand"], palette["brand"]) >= 4.5
        assert contrast(palette["on-brand"], palette["brand-hover"]) >= 4.5
        assert contrast(palette["brand-edge"], palette["surface"]) >= 3
        assert contrast(palette["focus"], palette["surface"]) >= 3


def test_an_edge_of_another_colour_is_only_where_the_brands_own_would_not_be_seen() -> None:
    assert light_palette("#3b5bdb")["brand-edge"] == "#3b5bdb"
    assert light_palette("#ffd400")["brand-edge"] != "#ffd400"
    assert dark_palette("#ffd400")["brand-edge"] == "#ffd400"


def test_text_on_the_brands_colour_is_white_until_it_would_not_read() -> None:
    assert light_palette("#3b5bdb")["on-brand"] == "#ffffff"
    assert light_palette("#FFD400")["on-brand"] != "#ffffff"


@pytest.mark.parametrize("state", STATES)
def test_states_read_on_their_tint_and_on_cards(state: str) -> None:
    for palette in (light_palette("#3b5bdb"), dark_palette("#3b5bdb")):
        for ground in (palette[f"{state}-tint"], palette["surface"], palette["sunken"]):
            assert contrast(palette[state], ground) >= 4.5
        assert contrast(palette["text"], palette[f"{state}-tint"]) >= 4.5


@given(color=BRANDS)
def test_a_colour_comes_back_from_oklch_as_it_went_in(color: str) -> None:
    back = parse(color).hex()

    for at in (1, 3, 5):
        assert abs(int(back[at : at + 2], 16) - int(color[at : at + 2], 16)) <= 3


def test_a_colour_out_of_the_screens_range_keeps_its_lightness() -> None:
    assert abs(parse(Oklch(0.6, 0.5, 145).hex()).lightness - 0.6) < 0.02


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_style_sheet_names_light_dark_and_system_and_loads_nothing() -> None:
    css = style_sheet(Look("#3b5bdb"))

    assert ":root[data-theme=dark]" in css
    assert "prefers-color-scheme:dark" in css
    assert "@import" not in css
    assert "http" not in css


def test_layout_follows_the_writing_direction() -> None:
    """Left and right would be wrong in Arabic: only logical properties are used."""
    css = style_sheet(Look("#3b5bdb"))

    for physical in ("margin-left", "margin-right", "padding-left", "padding-right", "text-align:left", ";left:"):
        assert physical not in css


def test_a_browser_that_knows_no_has_loses_no_other_rule_by_it() -> None:
    """It drops a whole rule for one selector of a list that it can't read."""
    rules = re.findall(r"(?:^|[{};])\s*([^{};@]+)\{", style_sheet(Look(color="#3b5bdb")))
    lists = [re.sub(r"\([^()]*(\([^()]*\)[^()]*)*\)", "", rule) for rule in rules if ":has(" in rule]

    assert len(lists) > 5
    assert [selectors for selectors in lists if "," in selectors] == []
