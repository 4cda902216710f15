"""What the API and tokens say: every claim has a meaning for the oracle, and what is wrong in an answer is false."""

import inspect
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.claims import ClaimKind, status
from tests.truth.books import ADA, Books
from truth.grammar import Unknown
from truth.oracle import Verdict
from truth.statements import Kind, Money, Statement
from truth.told_claims import MEANS, claimed, granted, viewed


@pytest.fixture
def books(tmp_path: Path) -> Any:
    made = Books(tmp_path)
    yield made
    made.sandbox.close()


def verdicts(books: Books, said: Any) -> list[Verdict]:
    return [books.history.judge(one, books.state.clock.now()) for one in said]


def test_every_claim_of_a_subscription_has_a_meaning() -> None:
    made = {ClaimKind[name] for name in re.findall(r"ClaimKind\.([A-Z_]+)", inspect.getsource(status))}

    before_a_press = {ClaimKind.CHANGE_RESUMES, ClaimKind.CHANGE_MAY_RESUME}  # said on pages alone
    assert {ClaimKind(says) for says in MEANS} == made - before_a_press


def test_a_claim_that_nobody_knows_is_unknown() -> None:
    assert list(claimed({"says": "doubled"}, "/api", "UTC")) == [Unknown("doubled", "/api")]


def test_a_claim_is_read_with_its_day_where_its_reader_lives_and_its_sum() -> None:
    claim = {
        "says": "renews_on", "plan": "premium", "group": "main", "date": "2027-01-01T23:30:00Z", "amount": 1726,
        "currency": "usd", "tax": "added", "tax_amount": 276, "percent_off": 50,
    }  # fmt: skip
    (said,) = claimed(claim, "/api", "Asia/Tokyo")

    assert isinstance(said, Statement)
    assert (said.kind, said.plan, said.group, said.day) == (Kind.RENEWS, "Premium", "main", "2 January 2027")
    assert (said.money, said.off, said.tax) == (Money(1726, "usd"), 50, Money(276, "usd"))


def test_a_claim_over_another_sum_or_day_is_false(books: Books) -> None:
    subscription = books.subscribe()
    claim = {"says": "renews_on", "plan": "premium", "group": "main", "date": subscription.period_end.isoformat(),
             "amount": 2900, "currency": "usd", "tax": "none"}  # fmt: skip

    assert verdicts(books, claimed(claim, "", "UTC")) == [Verdict.TRUE]
    for wrong in ({"amount": 3000}, {"date": "2031-03-02T00:00:00Z"}, {"plan": "basic"}, {"group": "addons"}):
        assert verdicts(books, claimed(claim | wrong, "", "UTC")) == [Verdict.FALSE], wrong


def test_the_fields_of_a_view_are_judged_beside_its_claims(books: Books) -> None:
    books.subscribe()
    books.grant(status="active", plan="premium")
    view = {"plan": "premium", "group": "main", "state": "active", "access": True, "renews": True, "ends": False}

    assert verdicts(books, viewed(view, "", "UTC")) == [Verdict.TRUE] * 3
    assert Verdict.FALSE in verdicts(books, viewed(view | {"access": False}, "", "UTC"))
    assert Verdict.FALSE in verdicts(books, viewed(view | {"state": "past_due"}, "", "UTC"))
    assert Verdict.FALSE in verdicts(books, viewed(view | {"ends": True}, "", "UTC"))
    books.state.subscriptions.cancel_at_period_end(books.state.subscriptions.of(ADA.user_id)[0])
    books.passes_hour()
    assert Verdict.FALSE in verdicts(books, viewed(view, "", "UTC"))


@pytest.mark.parametrize(
    ("wrong", "verdict"),
    [({}, Verdict.TRUE), ({"until": "2031-03-02T00:00:00Z"}, Verdict.FALSE), ({"access": False}, Verdict.FALSE)],
)
def test_a_token_is_judged_by_its_access_and_its_day(books: Books, wrong: dict[str, Any], verdict: Verdict) -> None:
    soon = datetime(2026, 12, 24, 12, tzinfo=UTC).isoformat()
    assert books.state.clock.now() < datetime(2026, 12, 24, tzinfo=UTC)
    books.grant(status="active", plan="basic", expires_at=soon)
    grant = {"plan": "basic", "state": "conflict", "access": True, "until": soon} | wrong

    assert verdicts(books, granted(grant, "main", "", "UTC"))[-1] is verdict


def test_what_billing_says_to_renew_ends_on_no_day(books: Books) -> None:
    books.state.runtime_settings.change({"contract": 2})
    subscription = books.subscribe()
    books.passes_hour()
    grant = {"plan": "premium", "state": "active", "access": True, "until": subscription.period_end.isoformat()}

    assert verdicts(books, granted(grant, "main", "", "UTC"))[-1] is Verdict.FALSE
