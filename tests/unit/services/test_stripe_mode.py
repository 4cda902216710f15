"""Which money is meant, and whether it fits the place where the site stands."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from catalog import Catalog, load_catalog
from services.errors import StoreUnavailable
from services.storage.port import Store
from services.storage.sqlite_store import SqliteStore
from services.stripe_mode import (
    MODES_MIXED,
    READ_EVERY,
    SANDBOX_IN_PUBLIC,
    TEST_MODE_IN_PUBLIC,
    IdFault,
    StripeMode,
    StripeModeService,
    mode_of,
    stripe_mode_problems,
    wrong_ids,
)

ROOT = Path(__file__).resolve().parents[3]
PUBLIC, OWN = "https://pay.example.com", "http://localhost:8081"


class StoppedClock:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def money(store: Store, clock: StoppedClock | None = None) -> StripeModeService:
    return StripeModeService(store, public_url=PUBLIC, sandbox=False, clock=clock or StoppedClock())


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = SqliteStore(tmp_path / "store.sqlite3")
    yield store
    await store.close()


@pytest.mark.parametrize(
    ("session_id", "mode"),
    [
        ("cs_live_a1", StripeMode.LIVE),
        ("cs_test_a1", StripeMode.TEST),
        ("cs_a1", StripeMode.UNKNOWN),
        ("", StripeMode.UNKNOWN),
    ],
)
def test_session_id_tells_test_mode_from_real_money(session_id: str, mode: StripeMode) -> None:
    assert mode_of(session_id) is mode


@pytest.mark.parametrize(
    ("public_url", "sandbox", "mode", "expected"),
    [
        (PUBLIC, True, StripeMode.UNKNOWN, (SANDBOX_IN_PUBLIC,)),
        (PUBLIC, True, StripeMode.TEST, (SANDBOX_IN_PUBLIC,)),
        (PUBLIC, False, StripeMode.TEST, (TEST_MODE_IN_PUBLIC,)),
        (PUBLIC, False, StripeMode.LIVE, ()),
        (PUBLIC, False, StripeMode.UNKNOWN, ()),
        (OWN, True, StripeMode.TEST, ()),
        (OWN, False, StripeMode.TEST, ()),
        ("http://127.0.0.2", False, StripeMode.TEST, ()),
        ("http://[::1]:8081", False, StripeMode.TEST, ()),
    ],
)
def test_play_money_is_wrong_only_where_the_public_comes(
    public_url: str, sandbox: bool, mode: StripeMode, expected: tuple[object, ...]
) -> None:
    assert stripe_mode_problems(public_url, sandbox=sandbox, mode=mode) == expected


async def test_test_session_in_public_is_a_problem_until_a_live_one_is_seen(store: Store) -> None:
    seen = money(store)

    await seen.note("cs_test_1")
    in_test_mode = await seen.problems()
    await seen.note("cs_live_2")

    assert in_test_mode == (TEST_MODE_IN_PUBLIC,)
    assert await seen.problems() == ()


async def test_another_replica_and_the_next_start_know_it_too(store: Store) -> None:
    clock = StoppedClock()
    other = money(store, clock)
    assert await other.mode() is StripeMode.UNKNOWN

    await money(store).note("cs_test_1")
    before = await other.mode()
    clock.now += READ_EVERY

    assert before is StripeMode.UNKNOWN
    assert await other.mode() is StripeMode.TEST
    assert await money(store).mode() is StripeMode.TEST


async def test_session_that_tells_nothing_changes_nothing(store: Store) -> None:
    seen = money(store)
    await seen.note("cs_test_1")

    await seen.note("something else")

    assert await seen.mode() is StripeMode.TEST


async def test_store_that_is_away_hides_nothing_that_was_seen_here(store: Store) -> None:
    seen = money(store)
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.ping()

    await seen.note("cs_test_1")

    assert await seen.problems() == (TEST_MODE_IN_PUBLIC,)


def changed(**ids: str) -> Catalog:
    """The catalog of the second plan with other ids: `product`, `month`, `item`, `item_price`."""
    catalog = load_catalog(ROOT / "products.json")
    plan, item = catalog.plans[1], catalog.items[0]
    month, year = plan.prices.values()
    month = month.model_copy(update={"price_id": ids.get("month", "price_1Mo")})
    prices = {"month": month, "year": year.model_copy(update={"price_id": "price_1Ye"})}
    plan = plan.model_copy(update={"product_id": ids.get("product", "prod_A1"), "prices": prices})
    price = item.price.model_copy(update={"price_id": ids.get("item_price", "price_1It")})
    item = item.model_copy(update={"product_id": ids.get("item", "prod_I1"), "price": price})
    return catalog.model_copy(update={"plans": (plan,), "items": (item,)})


@pytest.mark.parametrize(
    ("ids", "place", "words"),
    [
        ({"product": "price_1A"}, "plans[0].product_id", "is the id of a price"),
        ({"month": "prod_1A"}, "plans[0].prices.month.price_id", "is the id of a product"),
        ({"month": "sub_1A"}, "plans[0].prices.month.price_id", "is the id of a subscription"),
        ({"item": "sk_live_verysecret"}, "items[0].product_id", "is the id of a secret key"),
        ({"item_price": "basic"}, "items[0].price.price_id", "does not begin with price_"),
        ({"product": "prod_sandbox_basic"}, "plans[0].product_id", "is an id of the sandbox"),
    ],
)
def test_id_that_can_not_work_is_named_by_its_place_and_never_shown(
    ids: dict[str, str], place: str, words: str
) -> None:
    [wrong] = wrong_ids(changed(**ids), sandbox=False)

    assert wrong.place == place
    assert words in wrong.reason
    assert not any(value in wrong.reason for value in ids.values())


@pytest.mark.parametrize("ids", [{}, {"product": "my-own-name"}, {"product": "test_kit"}, {"month": "plan_Old1"}])
def test_ids_that_stripe_gives_or_takes_are_right(ids: dict[str, str]) -> None:
    assert wrong_ids(changed(**ids), sandbox=False) == ()


def test_a_tests_id_is_wrong_behind_a_public_https_address_only() -> None:
    catalog = changed(month="price_test_basic")

    [wrong] = wrong_ids(catalog, sandbox=False, public=True)

    assert (wrong.place, wrong.fault) == ("plans[0].prices.month.price_id", IdFault.TEST)
    assert wrong_ids(catalog, sandbox=False) == ()
    assert wrong_ids(catalog, sandbox=True, public=True) == ()


def test_sandboxs_ids_are_right_in_the_sandbox_only() -> None:
    catalog = load_catalog(ROOT / "products.json")

    assert wrong_ids(catalog, sandbox=True) == ()
    assert len(wrong_ids(catalog, sandbox=False)) == 19


async def test_subscriptions_of_another_mode_than_checkouts_are_the_operators_business_alone(store: Store) -> None:
    seen = money(store)
    seen.note_record(live=True)
    before = seen.mixed
    await seen.note("cs_test_1")
    with capture_logs() as log:
        seen.note_record(live=True)
        seen.note_record(live=True)

    assert before is None
    assert seen.mixed is MODES_MIXED
    assert [line["event"] for line in log] == ["stripe_modes_mixed"]
    assert MODES_MIXED not in seen.known_problems()
    seen.note_record(live=False)
    assert seen.mixed is None
