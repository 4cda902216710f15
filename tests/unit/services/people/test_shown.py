"""What customers were shown is kept by changes, outside requests, bounded, and read back as it was said."""

from datetime import datetime

from services.claims import Claim, ClaimKind, Evidence
from services.people.shown import MOST_KEPT, MOST_PROBLEMS, ShownRecord
from tests.replica import Outside


def claim(says: ClaimKind, as_of: datetime) -> Claim:
    return Claim(says=says, evidence=Evidence.BOTH, as_of=as_of, plan="premium")


async def test_only_what_differs_is_written(outside: Outside) -> None:
    shown = ShownRecord(outside.store, outside.clock)
    for says in (ClaimKind.ACTIVE, ClaimKind.ACTIVE, ClaimKind.ENDED, ClaimKind.ENDED):
        outside.clock.move(60)
        shown.note("ada", "plans", [claim(says, outside.clock())])
        await shown.written()

    kept = await shown.of("ada")

    assert [[one.says for one in line.claims] for line in kept] == [[ClaimKind.ENDED], [ClaimKind.ACTIVE]]
    assert (kept[0].at - kept[1].at).total_seconds() == 120


async def test_noting_touches_no_store_by_itself_and_nothing_is_written_twice(outside: Outside) -> None:
    shown = ShownRecord(outside.store, outside.clock)
    shown.note("ada", "plans", [claim(ClaimKind.ACTIVE, outside.clock())])
    assert outside.store.operations == 0
    await shown.written()
    written = outside.store.operations
    outside.clock.move(3600)
    shown.note("ada", "plans", [claim(ClaimKind.ACTIVE, outside.clock())])
    await shown.written()

    assert outside.store.operations == written


async def test_after_a_restart_and_on_another_replica_the_same_is_not_written_again(outside: Outside) -> None:
    for _process in range(3):
        shown = ShownRecord(outside.store, outside.clock)
        outside.clock.move(60)
        shown.note("ada", "plans", [claim(ClaimKind.ACTIVE, outside.clock())])
        await shown.written()

    assert len(await shown.of("ada")) == 1


async def test_groups_of_plans_are_told_apart(outside: Outside) -> None:
    shown = ShownRecord(outside.store, outside.clock)
    for subject in ("plans", "addons", "plans", "addons"):
        shown.note("ada", subject, [claim(ClaimKind.ACTIVE, outside.clock())])
    await shown.written()

    assert sorted(line.subject for line in await shown.of("ada")) == ["addons", "plans"]


async def test_the_oldest_go_and_problems_push_out_nothing_else(outside: Outside) -> None:
    shown = ShownRecord(outside.store, outside.clock)
    for number in range(MOST_KEPT + 5):
        outside.clock.move(60)
        shown.note("ada", "main", [claim((ClaimKind.ACTIVE, ClaimKind.ENDED)[number % 2], outside.clock())])
        shown.note_problem("ada", "upstream_timeout", f"request-{number}")
        await shown.written()

    kept = await shown.of("ada")
    problems = [line.reference for line in kept if line.code]

    assert len(kept) == MOST_KEPT + MOST_PROBLEMS
    assert (problems[0], problems[-1]) == (f"request-{MOST_KEPT + 4}", f"request-{MOST_KEPT + 5 - MOST_PROBLEMS}")


async def test_a_store_that_is_away_fails_nobody_and_the_next_change_is_written(outside: Outside) -> None:
    shown = ShownRecord(outside.store, outside.clock)
    outside.store.broken = True
    shown.note("ada", "plans", [claim(ClaimKind.ACTIVE, outside.clock())])
    await shown.written()
    outside.store.broken = False
    shown.note("ada", "plans", [claim(ClaimKind.ACTIVE, outside.clock())])
    await shown.written()

    assert len(await shown.of("ada")) == 1
