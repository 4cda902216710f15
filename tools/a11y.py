"""`make a11y`: axe over every scene, in every language, light and dark, on a phone and on a desk.

    python -m tools.a11y [SCENE …] [--locale de …]

Prints each violation with its place, and ends with 1 if there is one. The rules are axe's for WCAG 2.2 AA and its best
practices; contrast is measured in both themes.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from harness.app_process import running_product
from tools.cast import Stage
from tools.scenes import SCENES, SETTINGS, Scene, stage, wear
from ui.text.i18n import LOCALES

THEMES: Final = ("light", "dark")
PHONE: Final = 390
DESK: Final = 1440


def main() -> None:
    """Run axe over the scenes that were asked for."""
    options = _options()
    scenes = [each for each in SCENES if not options.scenes or each.name in options.scenes]
    began, looks, violations = time.monotonic(), 0, 0
    with (
        tempfile.TemporaryDirectory() as folder,
        running_product(Path(folder), app=SETTINGS) as product,
        stage(product) as place,
    ):
        for each in scenes:
            for locale in options.locale:
                for name, found in look(place, each, locale).items():
                    looks += 1
                    violations += len(found)
                    print("".join(f"{each.name} {locale} {name}: {line}\n" for line in found), end="", flush=True)
    print(
        f"{violations} violations in {looks} looks: {len(scenes)} pages and states, {len(THEMES)} themes, "
        f"{len(options.locale)} languages, {time.monotonic() - began:.0f} s"
    )
    sys.exit(bool(violations))


def look(place: Stage, scene: Scene, locale: str) -> dict[str, list[str]]:
    """Return what axe has against a scene, by theme. Dark is looked at on a phone, light on a desk."""
    found: dict[str, list[str]] = {}
    with scene.open(place, locale=locale, width=DESK) as page:
        found["light"] = violations_of(page)
        page.set_viewport_size({"width": PHONE, "height": 844})
        wear(page, "dark")
        found["dark"] = violations_of(page)
    return found


def violations_of(page: Page) -> list[str]:
    """Return what axe finds on a page: the rule, and the place where it is broken."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{each['id']} ({each['help']}) at {' '.join(map(str, node['target']))}"
        for each in violations
        for node in each["nodes"]
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.a11y")
    parser.add_argument("scenes", nargs="*", help="names of scenes; all without one")
    parser.add_argument("--locale", nargs="+", default=list(LOCALES), choices=list(LOCALES))
    return parser.parse_args()


if __name__ == "__main__":
    main()
