"""`docs/security.md` is held to the code: what it says is shown by a test is shown by a test that exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in DOCUMENT.splitlines() if re.match(r"\| \d", line)
]
REQUIRED = re.findall(
    r"[\d.]+",
    "1.2.1 1.2.2 1.2.3 1.3.2 1.3.6 13.2.4 13.2.5 2.2.1 2.2.2 2.3.1 2.3.2 15.4.2 2.4.1 3.2.1 3.3.1 3.3.2 3.3.3 3.3.4 "
    "3.4.1 3.4.2 3.4.3 3.4.4 3.4.5 3.4.6 3.4.8 3.5.1 3.5.2 3.5.3 3.7.2 4.1.1 4.1.3 15.3.4 4.4.1 4.4.2 4.4.3 7.2.1 "
    "7.2.2 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.4 8.2.1 8.2.2 8.3.1 8.3.3 10.1.1 10.1.2 10.2.1 12.2.1 12.3.2 13.2.1 "
    "13.2.2 13.2.3 13.3.1 13.4.2 13.4.4 13.4.5 14.2.1 14.2.2 14.3.2 14.3.3 15.1.2 15.2.1 15.3.1 15.3.2 15.3.5 15.3.7 "
    "16.2.1 16.2.5 16.3.2 16.3.4 16.4.1 16.5.1 16.5.2 16.5.3 16.5.4",
)


def test_every_requirement_that_applies_is_answered() -> None:
    answered = [requirement for row in ROWS for requirement in row[0].split(", ")]

    assert [requirement for requirement in REQUIRED if requirement not in answered] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_an_answer_is_met_with_a_test_or_says_why_not(row: list[str]) -> None:
    state, tests = row[2], re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row[3])

    assert re.match(r"met($|:)|(open|not applicable): \w+", state)
    assert tests or not state.startswith("met")
    for path, name in tests:
        assert re.search(rf"^ *(async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.M), (path, name)


def examples_in(path: str) -> int:
    """Return how many inputs the tests of a file generate in `make test-long`: those that say so themselves."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return sum(map(int, re.findall(r"(?:@examples\(|^EXAMPLES: Final = )(\d+)", text, re.M)))


@pytest.mark.parametrize(("folder", "fewest"), [("unit", 10_000), ("security", 3_000)], ids=["readers", "routes"])
def test_as_many_inputs_are_generated_as_the_page_says(folder: str, fewest: int) -> None:
    paragraph = DOCUMENT.partition("Hypothesis makes over")[2].partition("\n\n")[0]
    files = set(re.findall(rf"`(tests/{folder}/[\w/]*test_\w+\.py)`", paragraph)) - {
        "tests/security/test_documented.py"
    }

    assert f"{fewest:,}" in paragraph
    assert all(examples_in(path) for path in files)
    assert sum(map(examples_in, files)) >= fewest
