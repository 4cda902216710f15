"""Pictures of a page that can be compared between machines.

Text is drawn in a font of boxes (`tests/browser/blocks.ttf`, ours, 2 kB), so that every machine breaks lines at the
same places whatever fonts it has; the picture is then made small, so that edges drawn a little differently do not
count. What remains is the layout and the colours: the things that break by accident.

    python -m tools.pictures    draws tests/browser/pictures/ anew, after a change that was meant
"""

import base64
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops
from playwright.sync_api import Page

from harness.app_process import running_product
from tools.scenes import ROOT, scene, stage

FONT: Final = ROOT / "tests" / "browser" / "blocks.ttf"
FOLDER: Final = ROOT / "tests" / "browser" / "pictures"
WATCHED: Final = (
    ("home", 390, "light"),
    ("pricing", 1440, "light"),
    ("pricing", 390, "dark"),
    ("login", 1440, "dark"),
    ("shop", 768, "light"),
    ("not-found", 390, "light"),
)
"""Scenes that look the same every day, with a width and a theme."""
SMALL: Final = 300
DIFFERENT: Final = 40
"""How far a channel of a point must be off, of 255, to count as different."""


def main() -> None:
    """Draw the pictures that the test compares with."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_product(Path(folder)) as product, stage(product) as place:
        for name, width, theme in WATCHED:
            with scene(name).open(place, theme=theme, width=width) as page:
                path = file_of(name, width, theme)
                picture(page).quantize(64).save(path, optimize=True)
                print(path.relative_to(ROOT), path.stat().st_size)


def file_of(name: str, width: int, theme: str) -> Path:
    """Return where a picture is kept."""
    return FOLDER / f"{name}-{width}-{theme}.png"


def picture(page: Page) -> Image.Image:
    """Return a small picture of the whole page, its text as boxes."""
    font = base64.b64encode(FONT.read_bytes()).decode()
    page.add_style_tag(
        content=f"@font-face{{font-family:Blocks;src:url(data:font/ttf;base64,{font})}}"
        "*{font-family:Blocks!important;font-synthesis:none!important;text-rendering:geometricPrecision!important}"
    )
    page.evaluate("document.fonts.load('16px Blocks')")
    page.evaluate("document.fonts.ready.then(() => true)")
    image = Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
    return image.resize((SMALL, round(image.height * SMALL / image.width)), Image.Resampling.BOX)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the share of points that differ, of 1; a page that is longer differs in all it has more."""
    size = (SMALL, max(one.height, other.height))
    sheets = []
    for image in (one, other):
        sheet = Image.new("RGB", size, (255, 0, 255))
        sheet.paste(image, (0, 0))
        sheets.append(sheet)
    channels = ImageChops.difference(*sheets).split()
    strongest = ImageChops.lighter(ImageChops.lighter(channels[0], channels[1]), channels[2])
    return sum(strongest.histogram()[DIFFERENT:]) / (size[0] * size[1])


if __name__ == "__main__":
    main()
