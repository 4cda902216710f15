"""What each combination of services can know is as `docs/states.md` says: each life is played against the sandbox."""

import pytest

from tools import combinations


@pytest.mark.long
async def test_the_table_of_combinations_is_what_the_sandbox_plays() -> None:
    text = combinations.PAGE.read_text(encoding="utf-8")
    written = text.partition(combinations.BEGINS)[2].partition(combinations.ENDS)[0].strip().splitlines()

    assert written == await combinations.rows(), "run: python -m tools.combinations"
