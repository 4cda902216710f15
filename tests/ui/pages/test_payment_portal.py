"""Back from the billing portal: what changed, or that nothing has yet."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from services.claims import portal_news_claims
from services.errors import UpstreamUnavailable
from services.portal import PortalVisit
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Reason, Source, State, Subscription
from services.subscription.told_terms import ToldTerms
from tests.ui.billing_world import CATALOG, World, billing_world
from tests.ui.reading import text_of, until
from ui.billing.portal_news import portal_changes, portal_words
from ui.page.context import PageContext

NOW = datetime.now(UTC)
SOON = NOW + timedelta(days=20)
PAST = NOW - timedelta(days=9)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        world.billing.has("premium", "active", until=SOON)
        world.accounts.says("active", "premium")
        await world.sign_in()
        yield world


async def go_to_the_portal(world: World) -> None:
    await world.open("/payment")
    world.press("action-manage")
    await until(lambda: world.billing.portals)


async def test_a_cancellation_is_named_with_its_date(world: World) -> None:
    await go_to_the_portal(world)
    world.billing.has("premium", "active", until=SOON, ends=True)

    await world.open("/payment?from=portal")

    box = world.one("notice")
    assert box._props["data-kind"] == "success"
    assert "Premium ends on" in text_of(box)
    assert world.one("subscription-status")._props["data-shown"] == "ending"


async def test_nothing_yet_is_said_and_then_corrected_by_itself(world: World) -> None:
    await go_to_the_portal(world)
    await world.open("/payment?from=portal")
    assert "No changes so far." in text_of(world.one("notice"))

    del world.billing.records["prod_sandbox_premium"]
    world.billing.has("basic", "active", until=SOON)
    world.accounts.says("active", "basic")
    await world.look()

    assert "Plan changed to Basic." in text_of(world.one("notice"))


async def test_the_way_back_to_the_account_of_an_earlier_release_leads_on_to_billing(world: World) -> None:
    answer = await world.browser.http_client.get("/account?from=portal")

    assert (answer.status_code, answer.headers["location"]) == (303, "/payment?from=portal")


@pytest.mark.parametrize(
    ("put", "label"),
    [
        (lambda world: None, ["Manage subscription"]),
        (
            lambda world: world.billing.has("premium", "canceled", until=PAST),
            ["Open billing portal"],
        ),
        (lambda world: world.billing.records.clear(), []),
    ],
)
async def test_one_button_leads_to_the_portal_and_none_for_who_never_bought(
    world: World, put: Callable[[World], None], label: list[str]
) -> None:
    put(world)
    ended = world.billing.records.get("prod_sandbox_premium")
    if ended is None or ended.status != "active":
        world.accounts.says("none")

    await world.open("/payment")

    forms = [form for form in world.tags("form") if form._props.get("action") == "/payment/portal"]
    above = [form for form in forms if "Change to" not in text_of(form)]
    assert [text_of(form).strip() for form in above] == label


async def test_the_address_alone_says_nothing(world: World) -> None:
    await world.open("/payment?from=portal")

    assert not world.marked("notice")


def subscription(state: State, plan: str = "premium", **more: object) -> Subscription:
    base = {"reason": Reason.AGREED, "source": Source.BOTH, "as_of": NOW, "plan_id": plan, "subscription_id": plan}
    base |= {"product_id": f"prod_{plan}"}
    return Subscription.model_validate({"state": state, **base, **more})


def customer_status(current: Subscription, *others: Subscription, failed: str | None = None) -> CustomerStatus:
    return CustomerStatus(customer="c", current=current, others=others, as_of=NOW, billing_failed=failed)


READER = cast(
    PageContext,
    SimpleNamespace(catalog=CATALOG, locale="en", timezone="UTC", session=None, part=lambda _kind, make: make()),
)
UNLESS = "Unless it's canceled or paused, it renews then."
LATER = datetime(2031, 3, 14, 12, tzinfo=UTC)
ACTIVE = subscription(State.ACTIVE, until=SOON)
CONTRADICTED = subscription(State.CONFLICT, subscription_id=None, last_known=ACTIVE)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (customer_status(ACTIVE), customer_status(ACTIVE), ()),
        (
            customer_status(ACTIVE),
            customer_status(subscription(State.ACTIVE, until=LATER, ends=True, access=True)),
            ("Premium ends on March 14, 2031. You keep Premium until March 14, 2031. It won't renew.",),
        ),
        (
            customer_status(ACTIVE),
            customer_status(subscription(State.CANCELED)),
            ("Premium has ended.",),
        ),
        (
            customer_status(subscription(State.ACTIVE, until=LATER, ends=True)),
            customer_status(subscription(State.ACTIVE, until=LATER)),
            ("You're on Premium. Paid until March 14, 2031. " + UNLESS,),
        ),
        (customer_status(ACTIVE), customer_status(subscription(State.ACTIVE, "basic")), ("Plan changed to Basic.",)),
        (
            customer_status(ACTIVE),
            customer_status(subscription(State.UNPAID, "basic")),
            ("You have an unpaid invoice. Basic is paused until it's paid.",),
        ),
        (
            customer_status(ACTIVE),
            customer_status(subscription(State.UNPAID)),
            ("You have an unpaid invoice. Premium is paused until it's paid.",),
        ),
        (
            customer_status(subscription(State.UNPAID)),
            customer_status(subscription(State.UNPAID)),
            (),
        ),
        (
            customer_status(ACTIVE),
            customer_status(subscription(State.PAST_DUE, "basic")),
            ("Plan changed to Basic.", "Your last payment for Basic failed. Update your card to keep Basic."),
        ),
        (
            customer_status(ACTIVE),
            customer_status(subscription(State.PAUSED, "basic")),
            ("Basic is paused.",),
        ),
        (customer_status(subscription(State.PAST_DUE)), customer_status(ACTIVE), ("Premium is active again.",)),
        (
            customer_status(subscription(State.PAUSED)),
            customer_status(subscription(State.TRIALING)),
            ("You're trying Premium. Your trial is running.",),
        ),
        (customer_status(ACTIVE), customer_status(subscription(State.PAUSED)), ("Premium is paused.",)),
        (  # or it was made one of premium, and billing, asked by product, tells of one of that
            customer_status(ACTIVE, subscription(State.ACTIVE, "basic")),
            customer_status(ACTIVE),
            ("Your subscriptions have changed.",),
        ),
        (  # billing tells of all
            customer_status(ACTIVE, subscription(State.ACTIVE, "basic", told=ToldTerms())),
            customer_status(ACTIVE),
            ("One of your subscriptions has ended.",),
        ),
        (  # asked by product, billing tells of another one of it since
            customer_status(ACTIVE, subscription(State.ACTIVE, "basic")),
            customer_status(ACTIVE, subscription(State.ACTIVE, "basic", subscription_id="sub_newer")),
            (),
        ),
        (
            customer_status(ACTIVE, subscription(State.ACTIVE, subscription_id="sub_newer", until=SOON)),
            customer_status(ACTIVE),
            ("One of your subscriptions has ended.",),
        ),
        (
            customer_status(ACTIVE, subscription(State.ACTIVE, "basic")),
            customer_status(ACTIVE, subscription(State.CANCELED, "basic")),
            ("One of your subscriptions has ended.",),
        ),
        (
            customer_status(ACTIVE, subscription(State.ACTIVE, "basic")),
            customer_status(ACTIVE, subscription(State.CONFLICT, "basic")),
            (),
        ),
        (
            customer_status(ACTIVE, subscription(State.ACTIVE, "basic")),
            customer_status(CONTRADICTED, subscription(State.ACTIVE, "basic")),
            (),
        ),
        (
            customer_status(ACTIVE),
            customer_status(subscription(State.ACTIVE, until=LATER)),
            ("You're on Premium. Paid until March 14, 2031. " + UNLESS,),
        ),
        (customer_status(ACTIVE), customer_status(subscription(State.CANCELED), failed="upstream_timeout"), ()),
    ],
)
def test_each_difference_has_its_sentence(before: CustomerStatus, after: CustomerStatus, said: tuple[str, ...]) -> None:
    assert portal_changes(READER, portal_news_claims(before, after), after.current) == said


@pytest.mark.parametrize(
    ("state", "kind"), [(State.ACTIVE, "success"), (State.PAST_DUE, "info"), (State.UNPAID, "info")]
)
def test_what_is_owed_is_no_success(state: State, kind: str) -> None:
    stay = PortalVisit(before=customer_status(ACTIVE), left_at=NOW)

    news = portal_words(READER, stay, customer_status(subscription(state, "basic")))

    assert news is not None
    assert news.kind == kind


async def test_a_failed_look_after_the_return_claims_no_change(world: World) -> None:
    await go_to_the_portal(world)
    world.billing.failure = UpstreamUnavailable("payment_ms", "subscription")

    await world.open("/payment?from=portal")

    assert "No changes so far." in text_of(world.one("notice"))
