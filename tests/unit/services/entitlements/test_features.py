"""What a user's plans unlock: features of every group together, and what is so without any plan."""

from datetime import timedelta

import pytest

from catalog import Catalog
from catalog_features import FeatureValue
from services.entitlements.model import UnknownFeature, entitlement_of
from services.entitlements.service import Entitlements
from services.entitlements.signing import SigningKey
from services.errors import FeatureRequired
from services.sessions.service import Session
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Reason, Source, State, Subscription
from tests.fakes import START
from tests.replica import Outside, Replica
from tests.shop import PLANS
from tests.unit.services.live_status.status_asked import buy

GRANTS: dict[str, dict[str, object]] = {
    "free": {"projects": 3},
    "basic": {"projects": 20},
    "premium": {"projects": "unlimited", "exports": True, "support": "By phone"},
    "backup": {"projects": 5, "backups": True},
}
CATALOG = Catalog.model_validate(
    {
        "features": [
            {"key": "exports", "kind": "flag", "name": "Exports"},
            {"key": "backups", "kind": "flag", "name": "Backups"},
            {"key": "projects", "kind": "number", "name": "Projects"},
            {"key": "support", "kind": "text", "name": "Support"},
        ],
        "plans": [{**plan, "grants": GRANTS.get(plan["id"], {})} for plan in PLANS],
    }
)


@pytest.fixture
def asked(replica: Replica, outside: Outside) -> Entitlements:
    outside.catalog = CATALOG
    return Entitlements(
        replica.refresher, SigningKey(), issuer="https://shop.example", catalog=lambda: CATALOG, now=outside.clock
    )


def values(exports: bool, backups: bool, projects: FeatureValue, support: str | None) -> dict[str, FeatureValue]:
    return {"exports": exports, "backups": backups, "projects": projects, "support": support}


@pytest.mark.parametrize(
    ("bought", "features"),
    [
        ((), values(False, False, 3, None)),
        (("basic",), values(False, False, 20, None)),
        (("premium",), values(True, False, "unlimited", "By phone")),
        (("backup",), values(False, True, 8, None)),
    ],
)
async def test_the_plans_of_all_groups_add_up(
    asked: Entitlements, replica: Replica, outside: Outside, bought: tuple[str, ...], features: dict[str, FeatureValue]
) -> None:
    ada = await replica.sign_in()
    for plan in bought:
        buy(outside, f"price_{plan}_month")

    entitlement = await asked.of(ada)

    assert entitlement.features == features


def test_a_plan_and_what_is_had_beside_it_add_up() -> None:
    def had(plan_id: str) -> Subscription:
        return Subscription(
            state=State.ACTIVE, reason=Reason.AGREED, source=Source.BOTH, as_of=START, access=True, plan_id=plan_id,
            group=CATALOG.plan(plan_id).group,
        )  # fmt: skip

    main, beside = had("basic"), had("backup")
    status = CustomerStatus(customer="ada", current=main, groups={"main": main, "addons": beside}, as_of=START)

    assert entitlement_of(status, CATALOG).features == values(False, True, 25, None)


async def test_what_ended_unlocks_nothing_but_the_free_plan(
    asked: Entitlements, replica: Replica, outside: Outside
) -> None:
    ada = await replica.sign_in()
    buy(outside)
    await asked.of(ada)
    (subscription,) = outside.world.subscriptions.values()
    outside.world.set_status(subscription, "canceled")
    outside.world.deliver_all()
    outside.clock.move(20)

    assert (await asked.of(ada)).features == values(False, False, 3, None)


async def test_a_guard_asks_for_a_feature_and_not_for_a_plan(
    asked: Entitlements, replica: Replica, outside: Outside
) -> None:
    ada: Session = await replica.sign_in()
    with pytest.raises(FeatureRequired):
        await asked.require(ada, "exports")
    assert (await asked.limit(ada, "projects"), await asked.limit(ada, "exports")) == (3, 0)

    buy(outside)
    outside.clock.move(timedelta(minutes=1).total_seconds())

    assert (await asked.require(ada, "exports")).plan == "premium"
    assert await asked.limit(ada, "projects") is None
    assert await asked.has(ada, "support")


async def test_a_feature_that_the_catalog_lacks_is_nobodys_and_an_error(asked: Entitlements, replica: Replica) -> None:
    ada = await replica.sign_in()

    for ask in (asked.require(ada, "exprots"), asked.has(ada, "exprots"), asked.limit(ada, "exprots")):
        with pytest.raises(UnknownFeature):
            await ask


async def test_a_text_is_no_limit(asked: Entitlements, replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    buy(outside)

    with pytest.raises(TypeError):
        await asked.limit(ada, "support")
