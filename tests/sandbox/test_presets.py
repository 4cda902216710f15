"""Presets: the settings of the start, and a few over them."""

import pytest

from sandbox.presets import PRESETS, Preset
from tests.sandbox.local import LocalShop


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_preset_sets_what_it_says_and_nothing_else(local: LocalShop, preset: Preset) -> None:
    start = local.control("POST", "settings/reset")
    local.set(latency=0.5, tax="included")

    after = local.control("POST", f"presets/{preset.name}")

    assert after == {**start, **preset.values}


def test_unknown_preset_is_not_found(local: LocalShop) -> None:
    local.set(latency=0.5)

    assert local.http.post(f"{local.place.control_url}/presets/nothing").status_code == 404
    assert local.control("GET", "settings")["latency"] == 0.5


def test_presets_say_what_to_do(local: LocalShop) -> None:
    for preset in local.control("GET", "presets"):
        assert preset["title"]
        assert preset["help"].endswith(".")
