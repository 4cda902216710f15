"""Plans that the catalog has lost: what a customer has of them keeps its name and its group."""

from services.subscription.former_plans import by_todays_plans, with_plan
from services.subscription.model import Reason, Source, State, Subscription
from tests.fakes import START
from tests.shop import CATALOG, without
from tests.unit.services.subscription.snapshot_tables import checkout


def subscription(plan_id: str | None, *, last_known: Subscription | None = None) -> Subscription:
    """Return a running subscription to a plan, of which only the id is known."""
    return Subscription(
        state=State.ACTIVE, reason=Reason.AGREED, source=Source.BOTH, as_of=START, plan_id=plan_id,
        last_known=last_known,
    )  # fmt: skip


def test_a_plan_that_the_catalog_has_lost_keeps_its_name_and_its_group() -> None:
    found = with_plan(subscription("basic"), without("basic"), CATALOG)

    assert (found.former_name, found.group) == (CATALOG.plan("basic").name, CATALOG.plan("basic").group)


def test_a_plan_of_the_catalog_is_named_by_the_catalog() -> None:
    found = with_plan(subscription("basic"), CATALOG, CATALOG)

    assert (found.former_name, found.group) == (None, CATALOG.plan("basic").group)


def test_what_was_known_before_keeps_its_plans_name_too() -> None:
    unreachable = subscription(None, last_known=subscription("basic"))

    found = with_plan(unreachable, without("basic"), CATALOG)

    assert found.last_known is not None
    assert found.last_known.former_name == CATALOG.plan("basic").name
    assert found.former_name is None


def test_a_checkout_of_a_plan_that_got_another_id_is_of_todays_plan() -> None:
    renamed = checkout().model_copy(update={"plan_id": "premium-2023", "group": "old group"})

    (found,) = by_todays_plans([renamed], CATALOG)

    assert (found.plan_id, found.group) == ("premium", CATALOG.plan("premium").group)


def test_a_checkout_of_a_plan_that_nobody_knows_stays_as_it_is() -> None:
    line = checkout().lines[0].model_copy(update={"product_id": "prod_gone"})
    gone = checkout().model_copy(update={"plan_id": "gone", "lines": (line,)})

    assert by_todays_plans([gone, checkout()], CATALOG) == (gone, checkout())
