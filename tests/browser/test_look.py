"""Pages look as they did. `tools/pictures.py` says how pictures are made comparable between machines."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser

from harness.app_process import Product
from tools.cast import Stage
from tools.pictures import WATCHED, difference, file_of, picture
from tools.scenes import ROOT, scene

MOST = 0.01
"""The share of points that may differ; a button that moves by its own height is about 0.02 of a short page."""


@pytest.fixture(scope="module")
def place(chromium: Browser, shared_product: Product) -> Stage:
    shared_product.reset()
    return Stage(shared_product, chromium)


@pytest.mark.parametrize(("name", "width", "theme"), WATCHED)
def test_it_looks_as_it_did(place: Stage, name: str, width: int, theme: str) -> None:
    known = Image.open(file_of(name, width, theme)).convert("RGB")
    with scene(name).open(place, theme=theme, width=width) as page:
        now = picture(page)
    share = difference(known, now)
    if share > MOST:
        folder = ROOT / "test-results"
        folder.mkdir(exist_ok=True)
        now.save(folder / f"{name}-{width}-{theme}.png")

    assert share <= MOST, f"test-results/{name}-{width}-{theme}.png differs; meant? python -m tools.pictures"


def test_a_moved_button_would_be_seen() -> None:
    known = Image.open(file_of("login", 1440, "dark")).convert("RGB")
    moved = known.copy()
    ImageDraw.Draw(moved).rectangle((110, 60, 190, 80), fill=(255, 255, 255))

    assert difference(known, known) == 0
    assert difference(known, moved) > MOST


def test_the_pictures_are_small() -> None:
    files = list(Path(file_of("login", 1440, "dark")).parent.glob("*.png"))

    assert len(files) == len(WATCHED)
    assert all(file.stat().st_size < 60_000 for file in files)
