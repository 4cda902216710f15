"""`make screenshots`: every scene at three widths, light and dark, into docs/screenshots/.

    python -m tools.screenshots [SCENE …] [--locale de] [--into FOLDER]

Nothing of it is checked in but `docs/screenshots/chosen/`, which `--choose` makes anew.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.app_process import running_product
from tools.scenes import ROOT, SCENES, Scene, Stage, stage, wear

WIDTHS: Final = (390, 768, 1440)
THEMES: Final = ("light", "dark")
FOLDER: Final = ROOT / "docs" / "screenshots"


def main() -> None:
    """Make the screenshots."""
    options = _options()
    scenes = [each for each in SCENES if not options.scenes or each.name in options.scenes]
    began, made = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder, running_product(Path(folder)) as product, stage(product) as place:
        for each in scenes:
            made += shoot(place, each, Path(options.into), options.locale)
            print(f"{each.name}", flush=True)
    print(f"{made} screenshots in {options.into}, {time.monotonic() - began:.0f} s")


def shoot(place: Stage, scene: Scene, into: Path, locale: str = "en") -> int:
    """Save one scene at every width in both themes; returns how many pictures that are."""
    into.mkdir(parents=True, exist_ok=True)
    with scene.open(place, locale=locale) as page:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for theme in THEMES:
                wear(page, theme)
                language = "" if locale == "en" else f"-{locale}"
                page.screenshot(path=into / f"{scene.name}-{width}-{theme}{language}.png", full_page=True)
    return len(WIDTHS) * len(THEMES)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots")
    parser.add_argument("scenes", nargs="*", help="names of scenes; all without one")
    parser.add_argument("--locale", default="en")
    parser.add_argument("--into", default=str(FOLDER))
    return parser.parse_args()


if __name__ == "__main__":
    main()
