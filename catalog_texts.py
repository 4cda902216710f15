"""What a brand says in its own words, and where it links to: `texts` and `links` of `products.json`.

Everything here may be left out: pages then say what follows from the catalog (`ui/plans/catalog_words.py`).
"""

import re
from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from catalog_entries import Entry, Text

MOST_IN_NAVIGATION: Final = 4
MOST_IN_FOOTER: Final = 8

_ADDRESS: Final = re.compile(r"(https?://[^\s/\\]+\S*|mailto:[^\s@]+@[^\s@]+|/(?![/\\])[^\s\\]*)")


def _address(value: str) -> str:
    if _ADDRESS.fullmatch(value) is None:
        raise ValueError("must be a full https:, http: or mailto: address, or a path of this site such as /docs")
    return value


Address = Annotated[str, Field(max_length=2000), AfterValidator(_address)]


class Texts(Entry):
    """Words in place of those that pages make of the catalog."""

    hero: Text | None = Field(None, description="Headline of the home page.")
    pricing: Text | None = Field(None, description="Headline of the pricing page.")
    lead: Text | None = Field(None, description="The sentences below both headlines.")
    closing: Text | None = Field(None, description="Headline of a visitor's last call to action.")
    closing_lead: Text | None = Field(None, description="The sentence below it.")
    most_popular: Text | None = Field(None, description="Badge of the highlighted plan.")
    footer: Text | None = Field(None, description="A line of your own in the footer, such as the company's name.")
    meta_title: Text | None = Field(None, description="Title of the home page in tabs and search engines.")
    meta: Text | None = Field(None, description="What search engines and shared links say of home and pricing page.")


class Link(Entry):
    """A link of the operator's own: what it says, and where it leads."""

    label: Text
    url: Address


class Links(Entry):
    """Links beside ours. Those with a name of their own say what they are in every language."""

    navigation: tuple[Link, ...] = Field((), max_length=MOST_IN_NAVIGATION, description="In the header, behind ours.")
    footer: tuple[Link, ...] = Field((), max_length=MOST_IN_FOOTER, description="In the footer, before the named ones.")
    documentation: Address | None = None
    status: Address | None = Field(None, description="Where the service's health is shown.")
    refund_policy: Address | None = None
    imprint: Address | None = Field(None, description="Who is behind the site, as some countries' laws want it.")


def own_texts(texts: Texts, links: Links) -> Iterator[tuple[str, Text]]:
    """Yield every text that stands there, with its place in the file."""
    for name in Texts.model_fields:
        text = getattr(texts, name)
        if isinstance(text, Text):
            yield f"texts.{name}", text
    for place in ("navigation", "footer"):
        for index, link in enumerate(getattr(links, place)):
            yield f"links.{place}[{index}].label", link.label
