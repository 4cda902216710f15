"""`make screenshots`: every scene at three widths, light and dark, into docs/screenshots/.

    python -m tools.screenshots [SCENE …] [--locale de] [--into FOLDER]

Nothing of it is checked in but `docs/screenshots/chosen/`, which `--choose` makes anew.
"""

import argparse
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image

from harness.app_process import running_product
from tools.cast import Stage
from tools.scenes import ROOT, SCENES, SETTINGS, Scene, scene, stage, wear

WIDTHS: Final = (390, 768, 1440)
THEMES: Final = ("light", "dark")
FOLDER: Final = ROOT / "docs" / "screenshots"
CHOSEN: Final = (
    ("pricing", 1440, 1120, "light", "en"),
    ("pricing", 390, 844, "dark", "en"),
    ("pricing", 1440, 1120, "light", "ar"),
    ("payment-purchases", 1440, 1000, "light", "en"),
    ("success-confirming", 1440, 860, "dark", "en"),
    ("brand-fernleaf-home", 1440, 1000, "light", "en"),
    ("brand-voltaic-pricing", 1440, 1000, "dark", "en"),
    ("brand-kotori-shop", 1440, 900, "light", "ja"),
)
"""Scene, width, height, theme and language of each picture that is checked in."""


def main() -> None:
    """Make the screenshots."""
    options = _options()
    scenes = [each for each in SCENES if not options.scenes or each.name in options.scenes]
    began, made = time.monotonic(), 0
    with (
        tempfile.TemporaryDirectory() as folder,
        running_product(Path(folder), app=SETTINGS) as product,
        stage(product) as place,
    ):
        if options.choose:
            scenes, made = [], choose(place, FOLDER / "chosen")
        for each in scenes:
            made += shoot(place, each, Path(options.into), options.locale)
            print(f"{each.name}", flush=True)
    print(f"{made} screenshots in {options.into}, {time.monotonic() - began:.0f} s")


def shoot(place: Stage, each: Scene, into: Path, locale: str = "en") -> int:
    """Save one scene at every width in both themes; returns how many pictures that are."""
    into.mkdir(parents=True, exist_ok=True)
    with each.open(place, locale=locale) as page:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for theme in THEMES:
                wear(page, theme)
                language = "" if locale == "en" else f"-{locale}"
                page.screenshot(path=into / f"{each.name}-{width}-{theme}{language}.png", full_page=True)
    return len(WIDTHS) * len(THEMES)


def choose(place: Stage, into: Path) -> int:
    """Save the pictures that are checked in: what a screen shows, with few enough colours to be small."""
    into.mkdir(parents=True, exist_ok=True)
    for name, width, height, theme, locale in CHOSEN:
        with scene(name).open(place, locale=locale, theme=theme, width=width) as page:
            page.set_viewport_size({"width": width, "height": height})
            image = Image.open(BytesIO(page.screenshot()))
        language = "" if locale == "en" else f"-{locale}"
        image.convert("RGB").quantize(256).save(into / f"{name}-{width}-{theme}{language}.png", optimize=True)
    return len(CHOSEN)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots")
    parser.add_argument("scenes", nargs="*", help="names of scenes; all without one")
    parser.add_argument("--locale", default="en")
    parser.add_argument("--choose", action="store_true", help="make docs/screenshots/chosen/ anew, and nothing else")
    parser.add_argument("--into", default=str(FOLDER))
    return parser.parse_args()


if __name__ == "__main__":
    main()
