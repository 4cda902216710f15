"""`python app.py check` on how customers are known, and on an account that never speaks of plans."""

import asyncio
from collections.abc import Iterable

import pytest

from services.storage.marks import Mark, Marks
from services.storage.sqlite_store import SqliteStore
from settings import load_settings
from tests.cli.installation import Installation


def seen(marks: Iterable[Mark]) -> None:
    """Have this installation see something, as the running app would."""

    async def keep() -> None:
        store = SqliteStore(load_settings().storage_path)
        for mark in marks:
            await Marks(store).set(mark)
        await store.close()

    asyncio.run(keep())


SILENT = (Mark.ACCOUNT_ANSWERED,)
SPEAKS = (Mark.ACCOUNT_ANSWERED, Mark.ACCOUNT_SPOKE_OF_PLANS)


@pytest.mark.parametrize(
    ("marks", "by_record", "level", "words"),
    [
        ((), "", "ok", "known after the first sign-in"),
        (SPEAKS, "", "ok", "has spoken of plans"),
        (SILENT, "", "warning", "set GRANT_BY_RECORD=true"),
        (SILENT, "true", "ok", "a record in billing whose period runs grants its plan"),
    ],
)
def test_granting_by_record_is_offered_where_the_account_never_spoke(
    installation: Installation, marks: tuple[Mark, ...], by_record: str, level: str, words: str
) -> None:
    installation.set(grant_by_record=by_record)
    seen(marks)

    found = installation.check()[1]["account_plans"]

    assert found[0] == level
    assert words in found[1]


@pytest.mark.parametrize(
    ("customer_id", "marks", "level", "words"),
    [
        ("", (), "ok", "CUSTOMER_ID=email keeps its subscribers"),
        ("email", (), "ok", "asked by e-mail address"),
        ("", (Mark.RECORD_UNDER_EMAIL,), "warning", "Set CUSTOMER_ID=email"),
        ("email", (Mark.RECORD_UNDER_EMAIL,), "ok", "asked by e-mail address"),
    ],
)
def test_subscribers_of_another_front_end_are_thought_of(
    installation: Installation, customer_id: str, marks: tuple[Mark, ...], level: str, words: str
) -> None:
    installation.set(customer_id=customer_id)
    seen(marks)

    found = installation.check()[1]["customer_id"]

    assert found[0] == level
    assert words in found[1]
