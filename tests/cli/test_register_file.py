"""Ids are put into a file that somebody wrote by hand, and every other byte of it stays as it was."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.console import Console
from cli.json_places import Path as Place
from cli.json_places import replace_texts, text_places
from cli.register_command import register
from cli.whole_file import replace_file
from tests.cli.installation import Installation
from tests.contract.mock_payment_ms import MockPaymentMS

BY_HAND = """\
{ "plans" :
\t[ {"id":"free","name":{"en":"Free","ja":"\\u30d5リー","de":"Kosten\\"los\\""},"tagline":"No price","kind":"free"},

  {
      "prices" : { "year":{"amount":29000 , "currency":"usd","price_id" : "price_new_y"},
                   "month":{"price_id":"price_new_m","amount": 2900,"currency" :"usd", "trial_days":14} },
      "id": "premium" ,   "kind":"paid","name": {"en": "Premium \\u2014 price_new_m", "ar" : "متميز"},
      "tagline":{"en":"[Not] a {bracket}, nor \\\\ an end\\\\", "de":"Für „alle“"}, "features":[{"text":"prod_new"},
        {"text":{"en":"Emoji 🎉", "es":"Adiós"}, "note":"…"}]
    , "product_id":"prod_new", "highlighted":true
  }
] ,
    "items":[]   ,"questions":[{"q":"Is prod_new an id?","a":"No, it's \\"prod_new\\"."}] }"""


def register_quietly() -> int:
    return register(Console(asks=False, yes=True, say=lambda words: None))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_only_the_ids_change_in_a_file_written_by_hand(
    installation: Installation, payment_ms: MockPaymentMS, newline: str, mark: str
) -> None:
    written = mark + BY_HAND.replace("\n", newline)
    installation.catalog.write_bytes(written.encode())

    codes = [register_quietly(), register_quietly()]

    expected = written.replace('"price_id" : "price_new_y"', '"price_id" : "price_made_0_year"')
    expected = expected.replace('"price_id":"price_new_m"', '"price_id":"price_made_0_month"')
    expected = expected.replace('"product_id":"prod_new"', '"product_id":"prod_made_0"')
    assert codes == [0, 0]
    assert installation.catalog.read_bytes() == expected.encode()


def test_link_stays_a_link_and_permissions_stay(installation: Installation, payment_ms: MockPaymentMS) -> None:
    real = installation.folder / "kept" / "sold.json"
    real.parent.mkdir()
    installation.catalog.rename(real)
    real.chmod(0o640)
    installation.catalog.symlink_to(real)

    assert register_quietly() == 0
    assert installation.catalog.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "prod_made_0" in real.read_text(encoding="utf-8")


def test_file_that_is_not_utf_8_is_left_alone(installation: Installation, payment_ms: MockPaymentMS) -> None:
    content = installation.catalog.read_text(encoding="utf-8").encode("utf-16")
    installation.catalog.write_bytes(content)

    assert register_quietly() == 1
    assert installation.catalog.read_bytes() == content
    assert payment_ms.asked == []


def test_ids_that_make_no_valid_catalog_are_not_written(installation: Installation, payment_ms: MockPaymentMS) -> None:
    before = installation.catalog.read_bytes()
    payment_ms.registered["Basic"] = "prod_1premium"
    said: list[str] = []

    code = register(Console(asks=False, yes=True, say=said.append), only=["basic"])

    assert code == 1
    assert "stands already at" in "\n".join(said)
    assert installation.catalog.read_bytes() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_owner_of_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    os.chown(path, 12345, 12345)

    replace_file(path, b"new")

    assert (path.read_text(), path.stat().st_uid, path.stat().st_gid) == ("new", 12345, 12345)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def at(value: Any, place: Place) -> Any:
    for part in place:
        value = value[part]
    return value


@given(JSON, st.text(), st.sampled_from([None, 0, 1, "\t"]), st.booleans(), st.sampled_from(["", " ", "\n\t "]))
def test_places_are_those_of_all_texts_and_replacing_one_changes_no_other_character(
    value: Any, new: str, indent: int | str | None, plain: bool, around: str
) -> None:
    text = around + json.dumps(value, indent=indent, ensure_ascii=plain) + around

    places = text_places(text)

    assert {place: json.loads(text[start:end]) for place, (start, end) in places.items()} == dict(texts_in(value))
    for place, (start, end) in places.items():
        replaced = replace_texts(text, {place: new})
        assert replaced.startswith(text[:start])
        assert replaced.endswith(text[end:])
        assert at(json.loads(replaced), place) == new
        assert replace_texts(text, {place: at(value, place)}) == text


def texts_in(value: Any, place: Place = ()) -> list[tuple[Place, str]]:
    """Every text in a value, by its place."""
    if isinstance(value, str):
        return [(place, value)]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, part in inner for found in texts_in(part, (*place, key))]


def test_several_texts_are_replaced_at_once() -> None:
    values: dict[Place, str] = {("a",): "long enough to move the rest", ("c", 1): "y"}

    assert replace_texts('{"a":"1", "c":["x", "2"]}', values) == (
        '{"a":"long enough to move the rest", "c":["x", "y"]}'
    )


@pytest.mark.parametrize("place", [("b",), ("a", 0), ("n",)])
def test_place_without_a_text_is_an_error(place: Place) -> None:
    with pytest.raises(KeyError):
        replace_texts('{"a": "1", "n": 2}', {place: "x"})


def test_text_that_is_no_json_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        text_places('{"a": }')
