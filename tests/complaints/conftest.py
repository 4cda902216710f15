"""What other products' users complained about, tried here: the services of one process over a world."""

import pytest

from tests.replica import Outside, Replica


@pytest.fixture
def outside() -> Outside:
    """The other systems and the store."""
    return Outside()


@pytest.fixture
def replica(outside: Outside) -> Replica:
    """One process of the app."""
    return Replica(outside)
