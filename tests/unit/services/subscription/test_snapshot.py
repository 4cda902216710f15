"""Which answers are kept when two replicas know of one customer."""

from datetime import datetime

import pytest

from services.subscription.snapshot import UpstreamSnapshot
from tests.unit.services.subscription.snapshot_tables import NOW, in_days, snapshot

EARLIER, LATER, TOMORROW = in_days(-2), in_days(-1), in_days(1)


@pytest.mark.parametrize(
    ("mine", "others", "kept"),
    [
        (None, EARLIER, EARLIER),
        (EARLIER, LATER, LATER),
        (LATER, EARLIER, LATER),
        (LATER, None, LATER),
        (LATER, TOMORROW, LATER),
        (None, None, None),
    ],
)
def test_billings_latest_full_answer_is_the_younger_one_that_is_not_ahead(
    mine: datetime | None, others: datetime | None, kept: datetime | None
) -> None:
    found = UpstreamSnapshot(looked_at=mine).with_memory_of(UpstreamSnapshot(looked_at=others), NOW)

    assert found.looked_at == kept


@pytest.mark.parametrize(("mine", "others", "kept"), [(60, 30, 30), (30, 60, 30), (30, 30, 30), (30, -30, 30)])
def test_each_services_younger_answer_is_kept_unless_it_is_ahead(mine: float, others: float, kept: float) -> None:
    own, older = (snapshot("premium=active", "premium active", ago=ago) for ago in (mine, others))

    found = own.with_memory_of(older, NOW)

    expected = snapshot("premium=active", "premium active", ago=kept)
    assert (found.account, found.records) == (expected.account, expected.records)
