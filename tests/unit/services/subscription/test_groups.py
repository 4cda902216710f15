"""Each group of plans has a subscription of its own: an add-on beside a plan is neither a duplicate nor a headline."""

from services.checkout_record import CheckoutEvent
from services.subscription.model import Reason, State
from tests.unit.services.subscription.snapshot_tables import checkout, customer_status


def test_every_group_has_a_current_subscription_and_the_first_is_the_headline() -> None:
    found = customer_status("premium=active backup=active", "premium active")

    assert {group: one.plan_id for group, one in found.groups.items()} == {"main": "premium", "addons": "backup"}
    assert found.current.plan_id == "premium"
    assert [one.plan_id for one in found.beside] == ["backup"]
    assert found.others == ()


def test_an_add_on_beside_a_plan_is_not_paid_twice() -> None:
    assert customer_status("premium=active backup=active", "premium active").duplicates == ()


def test_two_of_one_group_are_paid_twice_whatever_else_there_is() -> None:
    found = customer_status("basic=active premium=active backup=active", "premium active")

    assert {one.plan_id for one in found.duplicates} == {"basic", "premium"}


def test_an_add_on_alone_leaves_the_headline_without_a_subscription() -> None:
    found = customer_status("backup=active", "silent")

    assert (found.current.state, found.current.reason) == (State.NONE, Reason.ACCOUNT_SILENT)
    assert [(one.plan_id, one.state, one.access) for one in found.beside] == [("backup", State.ACTIVE, True)]


def test_an_account_that_names_an_add_on_speaks_of_its_group_alone() -> None:
    found = customer_status("premium=active", "backup active")

    assert (found.current.plan_id, found.current.reason) == ("premium", Reason.BILLING_SAYS)
    assert found.in_group("addons").state is State.ON_ACCOUNT


def test_an_account_that_names_no_plan_speaks_of_what_is_on_record() -> None:
    found = customer_status("backup=?", "- active")

    assert found.in_group("addons").state is State.ACTIVE
    assert found.current.state is State.NONE


def test_a_purchase_is_waited_for_in_its_own_group() -> None:
    back = checkout("backup", events=[(CheckoutEvent.RETURNED, 30)])

    found = customer_status("premium=active", "premium active", back)

    assert found.current.state is State.ACTIVE
    assert found.in_group("addons").state is State.CONFIRMING
    assert found.confirming == back


def test_what_billing_has_of_a_product_that_is_sold_no_more_is_in_the_first_group() -> None:
    found = customer_status("gone=active", "silent")

    assert (found.current.state, found.current.product_id, found.current.group) == (State.ACTIVE, "prod_gone", "main")
