"""How Chromium is started and waited for, by tests, benches and tools alike."""

import asyncio
import time
from typing import Final

from playwright.async_api import Page as AsyncPage
from playwright.sync_api import Error, Page

EXECUTABLE: Final = "/usr/bin/chromium"
NOT_NEEDED: Final = (
    "AimEnabled", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "WebUIOmniboxPopup",
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades", "LensOverlay", "MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding",
    "PreconnectToSearch", "SpareRendererForSitePerProcess", "ThirdPartyStoragePartitioning",
)  # fmt: skip
"""Features to go without. Chromium draws an address bar even where nobody sees it: two pages of its own a window, four
fifths of what opening one costs. The others are those that Playwright turns off; Chromium takes the last list only."""
ARGUMENTS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(NOT_NEEDED)}",
]

CONNECTED: Final = (
    "(typeof front === 'undefined' ? Boolean(window.did_handshake && window.socket?.connected)"
    " : front.connected() || 'ready' in document.documentElement.dataset)"
)
"""What is true in a page that answers its reader: one of ours (`ui/static/app.js`) or a bare one that speaks with its
server, or a document for strangers whose script has run."""


def wait_until(page: Page, expression: str, seconds: float = 20.0) -> None:
    """Wait until a JavaScript expression is true in the page; raises TimeoutError.

    Playwright's own waiting needs `eval`, which the pages' policy forbids.
    """
    end = time.monotonic() + seconds
    while not _holds(page, expression):
        if time.monotonic() > end:
            raise TimeoutError(f"{page.url}: not within {seconds:g} s: {expression}")
        page.wait_for_timeout(20)


def _holds(page: Page, expression: str) -> bool:
    try:
        return bool(page.evaluate(expression))
    except Error:  # the page is just being loaded
        return False


def wait_until_connected(page: Page) -> None:
    """Wait until the page's socket is connected; a document for strangers has none, and is ready with its script."""
    wait_until(page, CONNECTED)


async def connected(page: AsyncPage, seconds: float = 20.0) -> None:
    """Wait until the socket of a page of Playwright's async interface is connected; raises TimeoutError."""
    end = time.monotonic() + seconds
    while not await page.evaluate(CONNECTED):
        if time.monotonic() > end:
            raise TimeoutError(f"{page.url} does not connect within {seconds:g} s")
        await asyncio.sleep(0.02)
