"""What operators elsewhere had to find out by themselves, and our README says.

Each class is a row of complaints found in public threads; the source stands above it.
"""

from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


# ThinLineRadio#208
class TestStripesOneSubscriptionSetting:
    @pytest.mark.parametrize("condition", ["login link must be on", "matches people by the e-mail address", "add-on"])
    def test_its_conditions_are_in_the_readme(self, condition: str) -> None:
        said = README.partition("**Limit each customer to one subscription")[2].partition("\n## ")[0]

        assert condition in " ".join(said.split())
