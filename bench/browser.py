"""Chromium for the benches."""

import contextlib
import time
from collections.abc import Iterator

from playwright.sync_api import Browser, Error, Page, sync_playwright

from tools.chromium import ARGUMENTS, EXECUTABLE

_CONNECTED = "Boolean(window.did_handshake && window.socket && window.socket.connected)"


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield browser
        browser.close()


def connected(page: Page, seconds: float = 20.0) -> None:
    """Wait until the page's socket is connected."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(Error):
            if page.evaluate(_CONNECTED):
                return
        page.wait_for_timeout(20)
    raise TimeoutError(f"{page.url} does not connect")
