"""Plans that accounts name and the catalog does not know: told once, and no more of them than fit."""

from structlog.testing import capture_logs

from services.subscription.unknown_plans import UnknownPlans


def test_each_name_is_told_once() -> None:
    plans = UnknownPlans()

    with capture_logs() as lines:
        for name in ("legacy", "gold", "legacy"):
            plans.note(name)

    assert plans.names == ("legacy", "gold")
    assert [line["plan"] for line in lines] == ["legacy", "gold"]


def test_names_that_a_service_makes_up_do_not_fill_the_memory() -> None:
    plans = UnknownPlans()

    with capture_logs() as lines:
        for number in range(150):
            plans.note(f"plan-{number}")

    assert len(plans.names) == len(lines) == 100
