"""What is said of a subscription, and only on which evidence: the table of `docs/states.md`, row by row."""

from datetime import timedelta
from typing import Final

import pytest

from catalog import Catalog
from services.checkout_record import CheckoutEvent
from services.claims import (
    DATED,
    Claim,
    ClaimKind,
    Evidence,
    access_until,
    change_claims,
    status_claims,
    subscription_claims,
)
from services.lifecycle import UNTOLD, Lifecycle
from services.subscription.customer_status import CustomerStatus
from services.subscription.portal_trace import PortalTrace, trace_of
from tests.shop import CATALOG, without
from tests.unit.services.subscription.snapshot_tables import (
    NOW,
    checkout,
    customer_status,
    in_days,
    snapshot,
    telling,
)

GOES_ON: Final = Lifecycle(cancel_at_period_end=False, paused=False, told=True)
_SIDE: Final = (ClaimKind.HAS_ACCESS, ClaimKind.LIST_PRICE, ClaimKind.PORTAL_NEWS_DUE)


def claims(found: CustomerStatus, catalog: Catalog = CATALOG) -> tuple[Claim, ...]:
    """Return what is said of the headline."""
    return subscription_claims(found.current, catalog, NOW)


def said(found: CustomerStatus, catalog: Catalog = CATALOG) -> list[ClaimKind]:
    """Return what is said of what the headline is, apart from access and price."""
    return [claim.says for claim in claims(found, catalog) if claim.says not in _SIDE]


def one(found: CustomerStatus, says: ClaimKind) -> Claim:
    """Return the headline's claim of that kind."""
    return next(claim for claim in claims(found) if claim.says is says)


CASES: Final = [
    # billing says        account says           so this is said
    ("", "free active", [ClaimKind.FREE_PLAN]),
    ("", "- none", [ClaimKind.FREE_PLAN]),
    ("", "silent", [ClaimKind.NONE_IN_BILLING]),
    ("", "unasked", [ClaimKind.CANT_CHECK]),
    ("premium=active", "premium active", [ClaimKind.PAID_UNTIL, ClaimKind.RENEWS_UNLESS_CANCELED]),
    ("premium=?", "premium active", [ClaimKind.PAID_UNTIL, ClaimKind.RENEWS_UNLESS_CANCELED]),
    ("premium=active@-1", "premium active", [ClaimKind.ACTIVE]),
    ("premium=active@none", "premium active", [ClaimKind.ACTIVE]),
    ("!", "premium active@+9", [ClaimKind.ON_ACCOUNT_UNTIL]),
    ("!", "premium active", [ClaimKind.ACTIVE]),
    ("premium=trialing", "premium trialing", [ClaimKind.FREE_UNTIL]),
    ("premium=trialing@-1", "premium trialing", [ClaimKind.ON_TRIAL]),
    ("premium=active", "premium canceled@+9", [ClaimKind.ENDS_ON]),
    ("premium=canceled@+9", "premium active", [ClaimKind.ENDS_ON]),
    ("premium=past_due", "premium active", [ClaimKind.PAYMENT_FAILED]),
    ("premium=unpaid", "premium active", [ClaimKind.INVOICE_OPEN]),
    ("premium=unpaid", "premium unpaid", [ClaimKind.INVOICE_OPEN_NO_ACCESS]),
    ("premium=incomplete", "silent", [ClaimKind.PAYMENT_UNFINISHED]),
    ("premium=incomplete_expired", "silent", [ClaimKind.PAYMENT_EXPIRED]),
    ("premium=paused", "premium paused", [ClaimKind.PAUSED]),
    ("premium=canceled@-9", "premium canceled@-9", [ClaimKind.ENDED_ON]),
    ("premium=canceled@-9", "- none", [ClaimKind.ENDED]),
    ("premium=canceled@none", "- none", [ClaimKind.ENDED]),
    ("premium=canceled@+9", "- none", [ClaimKind.ENDED]),
    ("premium=?", "silent", [ClaimKind.FOUND_PAID_UNTIL]),
    ("premium=?@none", "silent", [ClaimKind.FOUND]),
    ("premium=?@-1", "silent", [ClaimKind.WAS_PAID_UNTIL]),
    ("premium=?@-400", "silent", [ClaimKind.WAS_PAID_UNTIL]),
    ("premium=?@-4", "premium active", [ClaimKind.ACTIVE]),
    ("", "premium active@-4", [ClaimKind.WAS_ON_ACCOUNT_UNTIL]),
    ("", "premium gifted@-4", [ClaimKind.ENDED_ON]),
    ("premium=dormant", "silent", [ClaimKind.STATUS_WORD]),
    ("premium=canceled@-9", "premium active", [ClaimKind.ACCESS_BILLING_DIFFERS]),
    ("basic=active#s1 vanished=active#s2", "premium active", [ClaimKind.ACCESS_BILLING_OTHER_PLAN]),
    ("basic=active", "premium active", [ClaimKind.ACTIVE]),
    ("basic=?", "premium active@+9", [ClaimKind.ON_ACCOUNT_UNTIL]),
    ("premium=active", "premium none", [ClaimKind.BILLING_WITHOUT_ACCESS]),
    ("", "premium active", [ClaimKind.ON_ACCOUNT]),
    ("", "gold-2023 active", [ClaimKind.ON_ACCOUNT_UNKNOWN]),
    ("", "premium gifted", [ClaimKind.GIFT]),
]  # fmt: skip


@pytest.mark.parametrize(("billing", "account", "expected"), CASES, ids=[f"{b} | {a}" for b, a, _ in CASES])
def test_each_state_says_what_its_evidence_bears(billing: str, account: str, expected: list[ClaimKind]) -> None:
    assert said(customer_status(billing, account, gifts=("gifted",))) == expected


def test_the_date_that_a_state_turns_on_is_that_of_one_claim() -> None:
    """A date beside it says when access ends, or repeats it."""
    found = [claim for b, a, _said in CASES for claim in claims(customer_status(b, a, gifts=("gifted",)))]
    beside = {ClaimKind.HAS_ACCESS, ClaimKind.RENEWS_UNLESS_CANCELED, ClaimKind.LAST_KNOWN}
    elsewhere = {ClaimKind.RENEWS_ON, ClaimKind.CONFIRMING, ClaimKind.CONFIRMING_LONG, ClaimKind.NOT_HEARD}
    elsewhere |= {ClaimKind.ARRIVED, ClaimKind.UNCONFIRMED, ClaimKind.NEVER_CONFIRMED}
    elsewhere |= {ClaimKind.CONFIRMING_LONG_UNSURE, ClaimKind.NOT_HEARD_UNSURE}

    assert {claim.says for claim in found if claim.date is not None} - beside == DATED - elsewhere


def test_a_subscription_that_the_account_does_not_have_is_called_by_its_own_plan() -> None:
    [found] = [c for c in claims(customer_status("basic=active", "premium canceled@-5")) if c.word]

    assert found.says is ClaimKind.BILLING_WITHOUT_ACCESS
    assert found.plan == "basic"


class TestRenewing:
    """ "Renews on D" only if a service says in words of its own that it is alive and does not end."""

    def test_it_is_said_with_every_field_told(self) -> None:
        found = customer_status("premium=active", "premium active", life=GOES_ON)

        assert said(found) == [ClaimKind.RENEWS_ON]
        assert one(found, ClaimKind.RENEWS_ON).date == in_days(20)

    @pytest.mark.parametrize(
        "life",
        [
            UNTOLD,
            Lifecycle(cancel_at_period_end=False),
            Lifecycle(cancel_at_period_end=False, paused=False, canceled_at=in_days(-1), told=True),
            Lifecycle(cancel_at_period_end=False, paused=False, ended_at=in_days(-1), told=True),
        ],
    )
    def test_less_than_that_is_paid_until(self, life: Lifecycle) -> None:
        found = customer_status("premium=active", "premium active", life=life)

        assert said(found) == [ClaimKind.PAID_UNTIL, ClaimKind.RENEWS_UNLESS_CANCELED]

    def test_payments_on_hold_promise_no_renewal_at_all(self) -> None:
        life = Lifecycle(cancel_at_period_end=False, paused=True, told=True)

        assert said(customer_status("premium=active", "premium active", life=life)) == [
            ClaimKind.PAID_UNTIL,
            ClaimKind.COLLECTION_PAUSED,
        ]

    def test_a_date_in_the_past_is_not_said(self) -> None:
        assert said(customer_status("premium=active@-1", "premium active", life=GOES_ON)) == [ClaimKind.ACTIVE]

    @pytest.mark.parametrize("end", [Lifecycle(cancel_at_period_end=True), Lifecycle(cancel_at=in_days(9))])
    def test_an_end_that_is_told_is_said(self, end: Lifecycle) -> None:
        assert said(customer_status("premium=active", "premium active", life=end)) == [ClaimKind.ENDS_ON]

    @pytest.mark.parametrize(("billing", "says"), [("@-1", ClaimKind.WAS_TO_END), ("@none", ClaimKind.ENDS)])
    @pytest.mark.parametrize("word", ["active", "trialing"])
    def test_an_end_that_has_passed_without_news_leaves_no_paid_time(
        self, word: str, billing: str, says: ClaimKind
    ) -> None:
        life = Lifecycle(cancel_at_period_end=True)

        found = customer_status(f"premium={word}{billing}", f"premium {word}", life=life)

        assert said(found) == [says]

    def test_after_the_portal_even_a_services_word_may_be_older_than_the_change(self) -> None:
        before = telling(snapshot("premium=active", "premium active"), GOES_ON)
        left = trace_of(before, NOW - timedelta(minutes=5))
        found = customer_status("premium=active", "premium active", life=GOES_ON, portal=left)

        assert said(found) == [ClaimKind.PAID_UNTIL, ClaimKind.RENEWS_UNLESS_CANCELED]
        assert ClaimKind.PORTAL_NEWS_DUE in [claim.says for claim in claims(found)]

    @pytest.mark.parametrize(
        ("billing", "account", "before", "since"),
        [
            ("premium=active", "premium active", [ClaimKind.ACTIVE],
             [ClaimKind.PAID_UNTIL, ClaimKind.RENEWS_UNLESS_CANCELED]),
            ("premium=trialing", "premium trialing", [ClaimKind.ON_TRIAL], [ClaimKind.FREE_UNTIL]),
            ("basic=?", "premium active@+9", [ClaimKind.ACTIVE], [ClaimKind.ON_ACCOUNT_UNTIL]),
            ("premium=?", "silent", [ClaimKind.FOUND], [ClaimKind.FOUND_PAID_UNTIL]),
            ("premium=?@-1", "silent", [ClaimKind.FOUND], [ClaimKind.WAS_PAID_UNTIL]),
            ("premium=dormant", "silent", [ClaimKind.STATUS_WORD], [ClaimKind.STATUS_WORD]),
        ],
    )  # fmt: skip
    def test_after_the_portal_a_date_is_said_that_a_service_told_since(
        self, billing: str, account: str, before: list[ClaimKind], since: list[ClaimKind]
    ) -> None:
        told = snapshot(billing, account)
        for ago, expected in ((60, before), (0, since)):
            left = trace_of(told, NOW - timedelta(seconds=30))
            found = customer_status(billing, account, ago=ago, portal=left)

            assert said(found) == expected
            dated = [
                claim for claim in claims(found) if claim.date is not None and claim.says is not ClaimKind.HAS_ACCESS
            ]
            assert bool(dated) is (ago == 0)


class TestEnd:
    """An end that can be taken back in the portal."""

    @pytest.mark.parametrize(
        ("billing", "account", "life"),
        [
            ("premium=active@+30", "premium active", Lifecycle(cancel_at_period_end=True)),
            ("premium=?@+30", "premium canceled@+30", UNTOLD),
        ],
    )
    def test_after_a_visit_it_is_said_with_what_may_have_become_of_it(
        self, billing: str, account: str, life: Lifecycle
    ) -> None:
        left = trace_of(telling(snapshot(billing, account), life), NOW)

        before = customer_status(billing, account, life=life)
        after = customer_status(billing, account, life=life, portal=left)

        assert one(before, ClaimKind.ENDS_ON).date == in_days(30)
        assert one(after, ClaimKind.ENDS_UNLESS_CHANGED).date == in_days(30)
        assert one(after, ClaimKind.PORTAL_NEWS_DUE)


class TestChange:
    """A change of plan in the portal, beside a subscription that ends."""

    def test_it_may_take_the_cancellation_back_only_where_there_is_one_to_take_back(self) -> None:
        ending = Lifecycle(cancel_at_period_end=True)
        ends, runs = (
            customer_status("premium=active", "premium active", life=life).current for life in (ending, GOES_ON)
        )
        over = customer_status("premium=canceled@-9", "premium canceled@-9").current

        (claim,) = change_claims(ends)
        assert (claim.says, claim.plan, claim.date) == (ClaimKind.CHANGE_RESUMES, "premium", None)
        assert change_claims(runs) == change_claims(over) == ()

    def test_after_a_visit_it_may_have_been_taken_back_already(self) -> None:
        ending = Lifecycle(cancel_at_period_end=True)
        left = trace_of(telling(snapshot("premium=active", "premium active"), ending), NOW)

        found = customer_status("premium=active", "premium active", life=ending, portal=left).current

        assert [claim.says for claim in change_claims(found)] == [ClaimKind.CHANGE_MAY_RESUME]


class TestPrice:
    """An amount is the list price of what was bought here, and never what will be charged."""

    bought = checkout(started=120, events=[(CheckoutEvent.RETURNED, 60), (CheckoutEvent.ACCESS_ON, 50)])

    def test_it_rests_on_the_purchase(self) -> None:
        price = one(customer_status("premium=active@+30", "premium active", self.bought), ClaimKind.LIST_PRICE)

        assert (price.amount, price.currency, price.interval) == (2900, "usd", "month")
        assert price.evidence is Evidence.BOUGHT_HERE

    @pytest.mark.parametrize("billing", ["premium=active@+300", "premium=active@none", "premium=active@+20"])
    def test_dates_that_do_not_fit_leave_the_plans_name_alone(self, billing: str) -> None:
        found = customer_status(billing, "premium active", self.bought)

        assert ClaimKind.LIST_PRICE not in [claim.says for claim in claims(found)]

    def test_a_plan_given_while_its_checkout_was_open_was_not_bought(self) -> None:
        account_alone = checkout(
            started=120, events=[(CheckoutEvent.ACCOUNT_HAS_IT, 60), (CheckoutEvent.ACCESS_ON, 60)]
        )
        found = customer_status("", "premium active@+30", account_alone)

        assert ClaimKind.LIST_PRICE not in [claim.says for claim in claims(found)]

    def test_so_does_a_visit_to_the_portal(self) -> None:
        trace = PortalTrace(left_at=NOW)
        found = customer_status("premium=active@+30", "premium active", self.bought, portal=trace)

        assert ClaimKind.LIST_PRICE not in [claim.says for claim in claims(found)]

    def test_no_claim_but_a_list_price_holds_an_amount(self) -> None:
        for billing, account, _expected in CASES:
            found = status_claims(customer_status(billing, account, self.bought, gifts=("gifted",)), CATALOG, NOW)
            assert all(claim.amount is None or claim.says is ClaimKind.LIST_PRICE for claim in found)


class TestNothing:
    """ "You're on the free plan" only if both services say that there is none, and the catalog has one."""

    def test_a_catalog_without_a_free_plan_has_nobody_on_it(self) -> None:
        assert said(customer_status("", "- none", catalog=without("free")), without("free")) == [
            ClaimKind.NO_SUBSCRIPTION
        ]

    def test_memory_is_not_being_asked(self) -> None:
        assert said(customer_status("!", "- none!", ago=130)) == [ClaimKind.CANT_CHECK, ClaimKind.LAST_KNOWN]

    def test_an_id_that_billing_cannot_take_is_no_passing_trouble(self) -> None:
        refused = snapshot("!", "silent", asked=False).model_copy(update={"billing_failed": "invalid_identifier"})
        from services.subscription.reconcile import reconcile

        assert said(reconcile("a/b", refused, (), CATALOG, NOW)) == [ClaimKind.ID_REFUSED]


class TestWaiting:
    """A purchase that nobody confirmed yet: for how long, and no more."""

    def test_a_record_that_came_is_no_longer_not_heard_of(self) -> None:
        back = checkout(started=700, events=[(CheckoutEvent.RETURNED, 601)])

        assert said(customer_status("premium=?", "- none", back)) == [ClaimKind.ARRIVED]

    def test_after_its_day_it_is_still_said_and_never_that_there_is_nothing(self) -> None:
        back = checkout(started=9e6, events=[(CheckoutEvent.RETURNED, 8.9e6)])
        for account in ("- none", "silent", "free active"):
            found = customer_status("", account, back)
            assert said(found) == [ClaimKind.UNCONFIRMED]
            assert one(found, ClaimKind.UNCONFIRMED).evidence is Evidence.CHECKOUT

    def test_who_was_not_seen_to_come_back_is_not_told_so(self) -> None:
        """Once a service says that the session went through, the checkout counts as come back from."""
        told = [(CheckoutEvent.COMPLETE, 8.9e6), (CheckoutEvent.RETURNED, 8.9e6)]
        back = [(CheckoutEvent.RETURNED, 8.95e6), (CheckoutEvent.COMPLETE, 8.9e6)]

        assert said(customer_status("", "- none", checkout(started=9e6, events=told))) == [ClaimKind.NEVER_CONFIRMED]
        assert said(customer_status("", "- none", checkout(started=9e6, events=back))) == [ClaimKind.UNCONFIRMED]

    @pytest.mark.parametrize(
        ("since", "says"), [(59, ClaimKind.CONFIRMING), (61, ClaimKind.CONFIRMING_LONG), (601, ClaimKind.NOT_HEARD)]
    )
    def test_the_words_follow_the_time(self, since: int, says: ClaimKind) -> None:
        back = checkout(started=700, events=[(CheckoutEvent.RETURNED, since)])
        found = customer_status("", "silent", back)

        assert said(found) == [says]
        assert one(found, says).evidence is Evidence.CHECKOUT
        assert one(found, says).date == NOW - timedelta(seconds=since)

    @pytest.mark.parametrize(
        ("events", "group", "alone"),
        [
            ([], "main", False),
            ([(CheckoutEvent.REPLACED, 700)], "main", False),  # the user's word does not close a session
            ([(CheckoutEvent.RETURNED, 700)], "main", False),
            ([(CheckoutEvent.BILLING_HAS_IT, 5)], "main", False),
            ([(CheckoutEvent.EXPIRED, 5)], "main", True),
            ([(CheckoutEvent.RETURNED, 8000), (CheckoutEvent.ACCESS_ON, 7000)], "main", True),
            ([], "addons", True),
            ([], None, False),
        ],
    )
    def test_two_charges_are_ruled_out_only_where_no_other_session_of_the_group_can_charge(
        self, events: list[tuple[CheckoutEvent, float]], group: str | None, alone: bool
    ) -> None:
        other = checkout("basic", started=9000, events=events, name="other").model_copy(update={"group": group})
        for since, sure, unsure in (
            (61, ClaimKind.CONFIRMING_LONG, ClaimKind.CONFIRMING_LONG_UNSURE),
            (601, ClaimKind.NOT_HEARD, ClaimKind.NOT_HEARD_UNSURE),
        ):
            back = checkout(started=650, events=[(CheckoutEvent.RETURNED, since)])
            found = customer_status("", "- none", other, back)

            assert said(found) == [sure if alone else unsure]

    def test_two_charges_are_not_ruled_out_beside_another_subscription_that_may_run(self) -> None:
        back = checkout(started=650, events=[(CheckoutEvent.RETURNED, 601)], known=("sub_basic",))

        assert said(customer_status("basic=?", "- none", back)) == [ClaimKind.NOT_HEARD_UNSURE]
        assert said(customer_status("basic=canceled@-9", "- none", back)) == [ClaimKind.NOT_HEARD]


class TestAccess:
    """Pages, API, token and guards name one date: that which access follows."""

    def test_it_is_the_accounts_where_both_name_one(self) -> None:
        current = customer_status("premium=canceled@+20", "premium canceled@+9").current

        assert access_until(current) == in_days(9)

    def test_what_is_paid_and_does_not_end_has_none(self) -> None:
        found = customer_status("premium=active", "premium active@+9")

        assert access_until(found.current) is None
        assert one(found, ClaimKind.HAS_ACCESS).date is None

    def test_nobody_without_access_is_said_to_have_it(self) -> None:
        for billing, account, _expected in CASES:
            found = customer_status(billing, account, gifts=("gifted",))
            for subscription in found.all:
                kinds = [claim.says for claim in subscription_claims(subscription, CATALOG, NOW)]
                assert (ClaimKind.HAS_ACCESS in kinds) is subscription.access


def test_paying_twice_is_two_of_one_group() -> None:
    twice = customer_status("basic=active premium=active", "premium active")
    beside = customer_status("premium=active backup=active", "premium active")

    assert ClaimKind.PAYING_TWICE in [claim.says for claim in status_claims(twice, CATALOG, NOW)]
    assert ClaimKind.PAYING_TWICE not in [claim.says for claim in status_claims(beside, CATALOG, NOW)]
    assert {claim.group for claim in status_claims(beside, CATALOG, NOW)} == {"main", "addons"}


@pytest.mark.parametrize("word", ["trialing", "paused", "past_due"])
def test_what_is_not_active_beside_a_plan_is_not_said_to_be_paid(word: str) -> None:
    found = customer_status(f"basic={word} premium=active", "premium active")

    said = [claim.says for claim in status_claims(found, CATALOG, NOW)]
    assert ClaimKind.MORE_THAN_ONE in said
    assert ClaimKind.PAYING_TWICE not in said


def test_every_claim_tells_its_evidence_and_age_and_goes_over_the_wire() -> None:
    for billing, account, _expected in CASES:
        for claim in status_claims(customer_status(billing, account, ago=5), CATALOG, NOW):
            assert claim.as_of <= NOW
            assert Claim.model_validate(claim.wire) == claim


@pytest.mark.parametrize(
    ("billing", "account", "days"),
    [
        ("!", "premium active@+9", 9),
        ("", "premium active@+9", 9),
        ("", "premium gifted@+9", 9),
        ("premium=active@+20", "premium active@+9", None),
        ("premium=active@+20", "premium canceled@+9", 9),
        ("premium=canceled@+5", "premium active", 5),
        ("premium=active@+20", "silent", None),
        ("premium=unpaid@+20", "premium unpaid@+9", None),
    ],
)
def test_access_ends_where_it_was_granted_until_then_or_the_subscription_ends(
    billing: str, account: str, days: float | None
) -> None:
    found = access_until(customer_status(billing, account, gifts=("gifted",)).current)

    assert found == (None if days is None else in_days(days))


def test_an_account_whose_word_is_too_old_and_a_billing_that_has_none_differ() -> None:
    events = [(CheckoutEvent.BILLING_HAS_IT, 89_000.0), (CheckoutEvent.ACCESS_ON, 88_000.0)]
    bought = checkout(started=90_000, events=events)

    assert said(customer_status("", "premium active", bought, ago=599)) == [ClaimKind.ACCESS_BILLING_NONE]
    assert said(customer_status("", "premium active", bought, ago=601)) == [ClaimKind.SERVICES_DIFFER]
