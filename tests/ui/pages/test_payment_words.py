"""No word on the billing pages escapes translation, in any state."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from catalog import Text
from services.checkout_record import CheckoutEvent
from services.errors import SignInUnavailable, UpstreamUnavailable
from tests.ui.billing_world import World, billing_world
from tests.ui.pseudo_language import CLOSE, OPEN, PseudoTranslations
from tests.ui.reading import just_now
from ui.text import i18n

SOON = datetime.now(UTC) + timedelta(days=20)
CLOCK = re.compile(r"\d{1,2}:\d\d\b")
"""Times of day, which Babel writes as well: `2:03 PM`."""

NEVER = {
    "Northwind Cloud", "Ada Lovelace", "ada@example.com", "ada", "@example.com", "A", "cs_test_premium_0",
    *i18n.LOCALES.values(),
}  # fmt: skip


class UndatedTexts(HTMLParser):
    """The texts and spoken attributes of a page, without dates, which Babel writes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside.append(tag)
        self.found += [value for name, value in attrs if name in {"aria-label", "alt", "placeholder"} and value]

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not {"script", "style", "time"} & set(self._inside):
            self.found.append(data.strip())


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    plain = Text.in_
    monkeypatch.setattr(i18n, "catalogue", lambda locale: PseudoTranslations())
    monkeypatch.setattr(Text, "in_", lambda self, locale: f"{OPEN}{plain(self, locale)}{CLOSE}")
    async with billing_world(tmp_path) as world:
        world.accounts.says("none")
        await world.sign_in()
        yield world


async def untranslated(world: World, path: str) -> list[str]:
    """Return the texts of a page that were not looked up in the catalogue."""
    reader = UndatedTexts()
    reader.feed((await world.browser.http_client.get(path, follow_redirects=True)).text)
    plain = [text for text in reader.found if OPEN not in text and CLOSE not in text]
    return [text for text in plain if re.search(r"[^\W\d_]", text) and text not in NEVER and not CLOCK.match(text)]


WORDS = [
    "active", "trialing", "past_due", "unpaid", "incomplete", "incomplete_expired", "paused", "canceled", "none",
]  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("path", ["/payment?price=price_sandbox_basic_year", "/account"])
async def test_every_word_of_each_state_can_be_translated(world: World, word: str, path: str) -> None:
    if word != "none":
        world.billing.has("premium", word, until=SOON)
    world.accounts.says(word, "premium")

    assert await untranslated(world, just_now(path)) == []


@pytest.mark.parametrize("minutes", [0, 2, 12])
async def test_every_word_of_the_way_back_can_be_translated(world: World, minutes: int) -> None:
    checkout = await world.started(ago=timedelta(minutes=20), returned=timedelta(minutes=minutes))

    for path in (f"/payment/success?session_id={checkout.session_id}", "/payment", "/account"):
        assert await untranslated(world, just_now(path)) == []


async def test_every_word_of_the_rarer_states_can_be_translated(world: World) -> None:
    world.accounts.grant = None
    world.billing.has("premium", None, until=SOON)
    assert await untranslated(world, "/payment") == []

    world.accounts.says("active", "premium")
    world.billing.has("premium", "active", until=SOON, ends=True)
    world.billing.has("basic", "active", until=SOON)
    assert await untranslated(world, "/payment?from=portal") == []

    world.billing.failure = UpstreamUnavailable("payment_ms", "subscription")
    world.accounts.failure = SignInUnavailable("down")
    assert await untranslated(world, "/payment") == []


@pytest.mark.parametrize(
    "path",
    [
        "/payment/success",
        "/payment/cancel",
        "/payment/cancel?checkout=co_premium_0",
        "/upgrade?plan=premium",
        "/upgrade",
        "/members",
        "/payment?problem=upstream_timeout&price=price_sandbox_basic_month",
        "/payment?problem=checkout_in_progress&price=price_sandbox_basic_month",
    ],
)
async def test_every_word_of_the_other_pages_can_be_translated(world: World, path: str) -> None:
    checkout = await world.started()
    assert checkout.at(CheckoutEvent.RETURNED) is None

    assert await untranslated(world, just_now(path)) == []
