"""Chromium for the benches."""

import contextlib
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

from tools.chromium import ARGUMENTS, EXECUTABLE


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield browser
        browser.close()
