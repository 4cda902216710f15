"""The product of `tests/faults/`, here with nothing wrong but who asks."""

from tests.faults.plugin import forks, shop, stand_in

__all__ = ["forks", "shop", "stand_in"]
