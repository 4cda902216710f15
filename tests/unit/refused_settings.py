"""Settings that are refused, and in which words."""

import pytest

from settings import SettingsError, load_settings


def problems(**values: object) -> tuple[str, ...]:
    """Return what is wrong with these values and the environment."""
    with pytest.raises(SettingsError) as caught:
        load_settings(**values)
    return caught.value.problems
