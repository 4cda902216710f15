"""`make compat`: tries releases of NiceGUI in fresh environments and writes the table of docs/compatibility.md.

    python -m tools.compat [VERSION ...]

Each release gets a virtual environment of its own with the locked packages around it. In it the app is started twice,
with all optimizations and without, and gone through in Chromium: `/pricing`, a purchase until the account is active,
the page of all elements, the plain page. Whatever a page's console reports as an error fails the release.
"""

import re
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from playwright.sync_api import Browser, Page, expect, sync_playwright

from harness.app_process import (
    NO_AUTHORITIES,
    ROOT,
    WITHOUT_OPTIMIZATIONS,
    AppProcess,
    Product,
    app_environment,
    free_port,
    sandbox_for_tests,
)
from tools.chromium import ARGUMENTS, EXECUTABLE, wait_until_connected
from tools.element_walk import EXTENSIONS, use_every_element, use_plain_page

RELEASES: Final = ("3.18.0", "3.17.1", "3.16.0", "3.14.0", "3.12.1", "3.10.0")
PAGE: Final = ROOT / "docs" / "compatibility.md"
CARD: Final = "4242 4242 4242 4242"
SECONDS: Final = 20_000


@dataclass(frozen=True)
class ReleaseRow:
    """What one release did. `left_off` are optimizations that the app left off by itself."""

    release: str
    optimized: str
    plain: str
    left_off: str
    mark: str

    @property
    def passed(self) -> bool:
        """Whether the app works with it, with optimizations and without."""
        return (self.optimized, self.plain) == ("works", "works")


def main(arguments: Sequence[str]) -> int:
    """Try all releases, or those that are named; fail when one does not work."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="compat-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        for release in arguments or RELEASES:
            began = time.monotonic()
            rows.append(_try_release(release, Path(folder), browser))
            print(f"{rows[-1]} in {time.monotonic() - began:.0f} s", flush=True)
        browser.close()
    if not arguments:
        _write(rows)
    return 0 if all(row.passed for row in rows) else 1


def _try_release(release: str, folder: Path, browser: Browser) -> ReleaseRow:
    python = _environment(release, folder / release)
    mark = subprocess.run(
        [python, "-c", "from ui.nicegui_ext.template import startup_mark; print(startup_mark())"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    optimized, left_off = _try(python, folder / f"{release}-optimized", browser, {})
    plain, _none = _try(python, folder / f"{release}-plain", browser, WITHOUT_OPTIMIZATIONS)
    return ReleaseRow(release, optimized, plain, left_off, mark)


def _environment(release: str, place: Path) -> str:
    """Make a fresh virtual environment with the locked packages and this release of NiceGUI; return its Python."""
    venv.create(place, with_pip=True)
    python = str(place / "bin" / "python")
    locked = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9-]+==[^\\\n]+)", locked, re.MULTILINE)
    wanted = [f"nicegui=={release}" if pin.startswith("nicegui==") else pin for pin in pins]
    requirements = place / "requirements.txt"
    requirements.write_text("\n".join(wanted), encoding="utf-8")
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--requirement", str(requirements)]
    subprocess.run([python, "-m", "pip", "install", *quiet], check=True, stderr=subprocess.DEVNULL)
    return python


def _try(python: str, folder: Path, browser: Browser, settings: dict[str, str]) -> tuple[str, str]:
    """Return whether the app works with this Python, or what does not, and what it left off."""
    folder.mkdir()
    port = free_port()
    with sandbox_for_tests(folder, webhook_delay="1") as sandbox:
        environment = app_environment(folder, sandbox, port, EXTENSIONS=EXTENSIONS, **settings)
        app = AppProcess(f"http://localhost:{port}", environment, folder / "app.log", python=python)
        try:
            product = Product(app.start(), sandbox)
            checks = httpx.get(f"{app.url}/readyz", trust_env=False, verify=NO_AUTHORITIES).json()["checks"]
            return _go_through(product, browser), ", ".join(checks["pages"].get("left_off", ())) or "–"
        except Exception as error:
            return f"{type(error).__name__}: {str(error).splitlines()[0]}", "?"
        finally:
            app.stop()


def _go_through(product: Product, browser: Browser) -> str:
    """Use the app; return "works", or what the console complained of."""
    complaints: list[str] = []
    context = browser.new_context(
        base_url=product.url, locale="en-US", viewport={"width": 1280, "height": 2000}, timezone_id="Europe/Berlin"
    )
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)) if page.url.startswith(product.url) else None)
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type == "error" and page.url.startswith(product.url)
            else None
        ),
    )  # fmt: skip
    try:
        _buy(page)
        use_every_element(page, product.url)
        use_plain_page(page, product.url)
    finally:
        context.close()
    return complaints[0] if complaints else "works"


def _buy(page: Page) -> None:
    """From the prices to an active plan, signing in on the way."""
    page.goto("/pricing")
    wait_until_connected(page)
    page.get_by_test_id("subscribe-premium").click()
    page.get_by_test_id("sign-in-google").click()
    page.get_by_label(re.compile("address|e-?mail", re.IGNORECASE)).fill("ada@example.com")
    page.get_by_role("button", name=re.compile("continue|sign in", re.IGNORECASE)).last.click()
    page.wait_for_url(re.compile(r"/payment"))
    page.get_by_test_id("subscribe-premium").first.click()
    page.get_by_test_id("card-number").fill(CARD)
    page.get_by_test_id("pay").click()
    expect(page.get_by_test_id("success-state")).to_have_attribute("data-state", "active", timeout=SECONDS)
    page.goto("/account")
    status = page.get_by_test_id("subscription-status").first
    expect(status).to_have_attribute("data-state", "active", timeout=SECONDS)


def _write(rows: Sequence[ReleaseRow]) -> None:
    lines = [
        "| NiceGUI | with all optimizations | without any | left off by itself | its start-up |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {row.release} | {row.optimized} | {row.plain} | {row.left_off} | `{row.mark}` |" for row in rows]
    text = PAGE.read_text(encoding="utf-8")
    before, _old, after = re.split(r"(?s)(<!-- compat -->\n).*?(?=<!-- end -->)", text, maxsplit=1)
    PAGE.write_text(f"{before}<!-- compat -->\n" + "\n".join(lines) + f"\n{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
