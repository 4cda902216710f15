"""What the operator says on all pages: a notice that open pages follow, and that nothing is sold just now."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.errors import SellingOff
from services.purchase import Purchase
from services.site_notice.file import NoticeFile
from settings import Settings
from tests.ui.billing_states import active, card_actions, nothing
from tests.ui.billing_world import CATALOG, World, billing_world
from tests.ui.reading import tags_in, text_of
from ui.billing.problem import problem_sentence
from ui.pages import embed
from ui.pages.errors import too_many_requests


def take_away(path: Path) -> None:
    path.unlink()


CLOSED = "Not for sale right now"


@pytest.fixture
async def closed(tmp_path: Path) -> AsyncIterator[World]:
    """A shop in which nothing is sold just now."""
    settings = Settings(public_url="https://test", support_url="https://help.example.com", selling=False)
    async with billing_world(tmp_path, settings=settings) as world:
        yield world


class TestNotice:
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[World]:
        settings = Settings(
            public_url="https://test", support_url="https://help.example.com", notice_file=str(tmp_path / "notice.json")
        )
        self.path = tmp_path / "notice.json"
        async with billing_world(tmp_path, settings=settings) as world:
            yield world

    def write(self, **fields: object) -> None:
        self.path.write_text(json.dumps({"text": {"en": "Moving tonight.", "de": "Umzug."}, **fields}), "utf-8")

    async def test_an_open_page_follows_it(self, world: World) -> None:
        await world.sign_in()
        nothing(world)
        await world.open("/payment")
        assert world.marked("site-notices") == []

        self.write(kind="warning", link={"label": "Status", "url": "https://status.example.com"})
        await world.container.notice.look()
        assert text_of(world.one("site-notices")).split() == ["Moving", "tonight.", "Status"]

        take_away(self.path)
        await world.container.notice.look()
        assert world.marked("site-notices") == []

    async def test_it_stands_over_the_cards_in_another_sites_frame_and_leads_out_of_it(self, world: World) -> None:
        embed.register(world.container)
        await world.open("/embed/pricing")
        assert world.marked("site-notices") == []

        self.write(link={"label": "Status", "url": "https://status.example.com"})
        await world.container.notice.look()

        box = world.one("site-notices")
        first = (await world.browser.http_client.get("/embed/pricing", headers={"accept-language": "de"})).text
        assert text_of(box).split() == ["Moving", "tonight.", "Status"]
        assert [tag.props["target"] for tag in tags_in(box) if tag.tag == "a"] == ["_top"]
        assert "Umzug." in first
        assert first.index("Umzug.") < first.index('data-testid="plan-card-premium"')

    async def test_it_stands_on_the_page_for_floods_too(self, world: World) -> None:
        container = world.container
        before = bytes(too_many_requests(container, "de", 7.4).body).decode()

        self.write(title={"en": "Tonight", "de": "Heute"}, text={"en": "We move.", "de": "Umzug <jetzt>."})
        await container.notice.look()
        after = bytes(too_many_requests(container, "de", 7.4).body).decode()
        take_away(self.path)
        await container.notice.look()

        assert "Heute" not in before
        assert "Heute" in after
        assert "Umzug &lt;jetzt&gt;." in after
        assert bytes(too_many_requests(container, "de", 7.4).body).decode() == before

    async def test_it_is_in_the_readers_language(self, world: World) -> None:
        self.write()
        await world.container.notice.look()

        page = await world.browser.http_client.get("/pricing", headers={"accept-language": "de"})

        assert "Umzug." in page.text

    async def test_a_page_that_is_gone_is_told_nothing(self, world: World) -> None:
        await world.sign_in()
        nothing(world)
        client = await world.open("/payment")
        client.delete()
        self.write()

        assert await world.container.notice.look()


class TestNothingIsSold:
    async def test_the_cards_say_so_and_show_the_prices(self, closed: World) -> None:
        await closed.sign_in()
        nothing(closed)
        await closed.open("/payment")

        assert closed.text().count(CLOSED) == sum(bool(plan.offered) for plan in CATALOG.on_sale)
        assert "$29" in closed.text()
        assert closed.marked("subscribe-premium") == []
        assert "isn't affected" in text_of(closed.one("site-notices"))

    async def test_who_has_a_plan_keeps_its_card_and_the_portal(self, closed: World) -> None:
        await closed.sign_in()
        active(closed)
        await closed.open("/payment")

        assert card_actions(closed) == ["Manage subscription", "Change plan"]

    async def test_a_chosen_plan_leads_to_the_billing_page(self, closed: World) -> None:
        await closed.sign_in()
        nothing(closed)
        await closed.open("/payment?plan=premium&interval=month")

        assert closed.marked("confirm") == []
        assert CLOSED in closed.text()

    async def test_a_press_is_refused_and_says_that_nothing_was_charged(self, closed: World) -> None:
        session = await closed.sign_in()
        plan = CATALOG.plan("premium")

        with pytest.raises(SellingOff) as refused:
            await closed.container.checkout.start(session, Purchase.of_plan(plan, next(iter(plan.prices.values()))))

        assert "Nothing was charged." in problem_sentence(refused.value)
        assert closed.billing.opened == []

    async def test_a_purchase_from_before_is_confirmed(self, closed: World) -> None:
        session = await closed.sign_in()
        await closed.started()
        active(closed)
        await closed.open("/payment/success?session_id=cs_test_premium_0")

        assert "Welcome to Premium" in closed.text()
        assert session is closed.session

    async def test_the_operators_own_words_stand_instead_of_ours(self, tmp_path: Path) -> None:
        settings = Settings(public_url="https://test", selling=False, selling_off_text="Back in May.")
        async with billing_world(tmp_path, settings=settings) as world:
            session = await world.sign_in()
            nothing(world)
            await world.open("/payment")
            plan = CATALOG.plan("premium")
            with pytest.raises(SellingOff) as refused:
                await world.container.checkout.start(session, Purchase.of_plan(plan, next(iter(plan.prices.values()))))

            assert text_of(world.one("site-notices")).strip() == "Back in May."
            assert problem_sentence(refused.value) == "Back in May. Nothing was charged."


def test_a_shared_document_is_of_one_notice(tmp_path: Path) -> None:
    path = tmp_path / "notice.json"
    marks = set()
    for words in ("One.", "Two."):
        path.write_text(json.dumps({"text": words}), "utf-8")
        marks.add(NoticeFile(str(path)).mark)

    assert len(marks) == 2
