"""The first HTML equals the element tree, and no text in it can become markup."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nicegui import Client
from nicegui.page import page

from ui.nicegui_ext.first_paint import render
from ui.nicegui_ext.html import Tag, is_safe_url

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=60)


class ParsedHtml(HTMLParser):
    """What a browser would make of the HTML: elements, their attributes, and the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> ParsedHtml:
    reader = ParsedHtml()
    reader.feed(html)
    reader.close()
    return reader


@given(text=TEXTS, attribute=TEXTS)
def test_texts_and_attributes_come_out_as_they_went_in(text: str, attribute: str) -> None:
    with Client(page("")):
        with Tag("section", title=attribute) as section:
            Tag("p", text)

        found = read(render(section))

    assert [tag for tag, _attributes in found.tags] == ["section", "p"]
    assert found.tags[0][1] == {"title": attribute}
    assert found.text == text


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "</p><script>alert(1)</script>", "&lt;b&gt;"])
def test_markup_in_a_text_stays_text(text: str) -> None:
    with Client(page("")):
        found = read(render(Tag("p", text)))

    assert [tag for tag, _attributes in found.tags] == ["p"]
    assert found.text == text


def test_children_follow_their_parents_text_in_order() -> None:
    with Client(page("")):
        with Tag("p", "a ") as paragraph:
            Tag("b", "b")
            Tag("br")
            Tag("i", "c", classes="x y").style("color:red")

        assert render(paragraph) == '<p>a <b>b</b><br><i class="x y" style="color:red;">c</i></p>'


def test_booleans_are_written_as_html_means_them() -> None:
    with Client(page("")):
        element = Tag("input", type="checkbox", checked=True, disabled=False, aria_hidden=True, data_open=False)

        assert render(element) == '<input type="checkbox" checked aria-hidden="true" data-open="false">'


def test_a_changed_attribute_is_in_the_next_html_and_a_removed_one_is_not() -> None:
    with Client(page("")):
        element = Tag("p", "x", hidden=True, title="old")

        element.set(hidden=False, title="new")

        assert render(element) == '<p title="new">x</p>'


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", " JavaScript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x", "x:y"],
)
def test_addresses_that_run_code_are_refused(url: str) -> None:
    assert not is_safe_url(url)
    with Client(page("")), pytest.raises(ValueError, match="href"):
        Tag("a", href=url)


@pytest.mark.parametrize(
    "url", ["/payment?next=/a:b", "#main", "https://example.com", "mailto:a@b.c", "data:image/png;base64,x", "?a=b:c"]
)
def test_addresses_of_pages_and_images_are_taken(url: str) -> None:
    assert is_safe_url(url)


@pytest.mark.parametrize("name", ["onclick", "onload", ":bind"])
def test_attributes_that_run_code_are_refused(name: str) -> None:
    with Client(page("")), pytest.raises(ValueError, match="plain attribute"):
        Tag("p", **{name: "alert(1)"})


@pytest.mark.parametrize("tag", ["script", "style", "iframe", "object"])
def test_elements_that_run_code_or_frame_others_are_refused(tag: str) -> None:
    with Client(page("")), pytest.raises(ValueError, match="can't be part"):
        Tag(tag)
