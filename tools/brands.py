"""The brands of `examples/brands/` as running products, for scenes: each is a catalog, files and a few settings."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from harness.app_process import ROOT, Product, running_product

FOLDER: Final = ROOT / "examples" / "brands"
BRANDS: Final = tuple(sorted(path.parent.name for path in FOLDER.glob("*/brand.env")))


def settings_of(brand: str) -> dict[str, str]:
    """Return the settings in a brand's file, by name."""
    lines = (FOLDER / brand / "brand.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@contextmanager
def branded(brand: str) -> Iterator[Product]:
    """Start the app and a sandbox as that brand."""
    settings = settings_of(brand)
    catalog = str(ROOT / settings["CATALOG_PATH"])
    with (
        tempfile.TemporaryDirectory() as folder,
        running_product(Path(folder), app={**settings, "CATALOG_PATH": catalog}, catalog_path=catalog) as product,
    ):
        yield product
