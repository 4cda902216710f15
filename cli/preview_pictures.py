"""Pictures of pages by the Chromium that this machine has, if it has one: no package of ours brings one."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
MAC: Final = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
SIZES: Final = ((1440, 2400), (390, 6400))
"""Width and height of each picture: a desk's, and a phone's with all cards below each other."""

TIMEOUT: Final = 60.0
"""Seconds that a picture may take."""

NO_BROWSER: Final = (
    "No Chromium is installed, so no pictures were made: install chromium (apt-get install chromium) or Chrome, or "
    "name its program in CHROMIUM."
)


def find_browser() -> str | None:
    """Return the program of a browser that can make pictures: `CHROMIUM`'s, or the first that is installed."""
    named = os.environ.get("CHROMIUM", "")
    candidates = (named,) if named else (*BROWSERS, MAC)
    return next((found for name in candidates if (found := shutil.which(name))), None)


def take_pictures(browser: str, base: str, locales: Sequence[str], folder: Path) -> list[Path]:
    """Save a picture of the preview in each language and size; return the files. Takes seconds each. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for locale in locales:
        for width, height in SIZES:
            path = folder / f"preview-{locale}-{width}.png"
            path.unlink(missing_ok=True)
            with suppress(subprocess.TimeoutExpired):  # then that one is missing
                subprocess.run(
                    [
                        browser, "--headless", "--disable-gpu", "--no-sandbox", "--hide-scrollbars",
                        "--virtual-time-budget=4000", f"--window-size={width},{height}",
                        f"--screenshot={path.resolve()}", f"{base}?lang={locale}",
                    ],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TIMEOUT, check=False,
                )  # fmt: skip
            made += [path] if path.exists() else []
    return made
