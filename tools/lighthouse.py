"""`make lighthouse`: Lighthouse's mobile preset on each public page and two of a user's own, the median of three runs.

In Debian's Chromium.

    python -m tools.lighthouse [PATH …] [--runs 3]

Pages of one's own are opened signed in, by a cookie header. A bare NiceGUI page is measured in the same run: our
largest paint has to come in at most half of its time. Ends with 1 when a page misses a target. Needs Node 20 and npm;
the package goes into a temporary folder, and nothing of it into the repository.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx

from harness.app_process import Product, free_port, running_product
from tools.chromium import EXECUTABLE

PACKAGE: Final = "lighthouse@12.8.2"
OWN: Final = ("/payment", "/account")
UNLISTED: Final = ("/login", "/cart", "/signed-out", "/payment/cancel", "/payment/success", "/embed/pricing")
"""Public pages that say themselves that no search engine is to list them: that alone is no fault there."""
PAGES: Final = ("/", "/pricing", "/shop", *UNLISTED, *OWN)
SCORES: Final = {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100}
MOST_SHIFT: Final = 0.02
MOST_ATTEMPTS: Final = 3
"""On a busy machine Lighthouse may miss the paint of a page and give up."""
CHROME_FLAGS: Final = "--headless=new --no-sandbox --disable-gpu"
BARE_PAGE: Final = """
from nicegui import ui

@ui.page("/")
def bare():
    with ui.row():
        for name, price in (("Basic", "$9"), ("Premium", "$29"), ("Enterprise", "$99")):
            with ui.card():
                ui.label(name).classes("text-h5")
                ui.label(price).classes("text-h3")
                ui.button("Subscribe")

ui.run(host="127.0.0.1", port={port}, reload=False, show=False)
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What Lighthouse says of one page: scores of 100, milliseconds, layout shift, and the audits that failed."""

    scores: dict[str, int]
    largest_paint: float
    shift: float
    failed: tuple[str, ...]


def main() -> None:
    """Measure, print a table, and say which target is missed."""
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tool = installed(Path(options.tool) if options.tool else folder / "tool")
        with bare_page(folder) as address:
            bare = measure(tool, address, options.runs, {})
        print(_line("bare NiceGUI page", bare), flush=True)
        with running_product(folder) as product:
            cookie = signed_in_cookie(product)
            missed = []
            for path in options.paths or PAGES:
                headers = {"Cookie": cookie} if path in OWN else {}
                figures = measure(tool, f"{product.url}{path}", options.runs, headers, listed=path not in UNLISTED)
                print(_line(path, figures), flush=True)
                missed += [f"{path}: {miss}" for miss in misses(figures, bare)]
    print("\n".join(missed) if missed else "All targets are met.")
    sys.exit(bool(missed))


def installed(folder: Path) -> Path:
    """Return Lighthouse's command, installed into the folder unless it is there."""
    command = folder / "node_modules" / ".bin" / "lighthouse"
    if not command.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-save", "--silent", "--prefix", str(folder), PACKAGE], check=True)
    return command


@contextmanager
def bare_page(folder: Path) -> Iterator[str]:
    """Serve three cards as NiceGUI draws them by itself; yields the address."""
    port = free_port()
    script = folder / "bare.py"
    script.write_text(BARE_PAGE.replace("{port}", str(port)), encoding="utf-8")
    server = subprocess.Popen([sys.executable, str(script)], cwd=folder, stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}/"
        _wait_for(address)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def signed_in_cookie(product: Product) -> str:
    """Return the cookie header of somebody with an active plan."""
    made = product.control("POST", "/users", email="light@example.com", name="Ada Lovelace")
    product.control("POST", f"/users/{made['user_id']}/state", status="active")
    with httpx.Client(base_url=product.url, trust_env=False, timeout=20) as browser:
        browser.get("/auth/login?provider=google&next=/payment")
        browser.get(f"/auth/callback?auth_code={made['auth_code']}")
        return f"session={browser.cookies['session']}"


def measure(tool: Path, address: str, runs: int, headers: dict[str, str], *, listed: bool = True) -> Figures:
    """Return the median of several runs on a page; `listed` says that search engines may list it."""
    httpx.get(address, headers=headers, timeout=20, trust_env=False)  # so that no run meets a server that just started
    reports = [_report(tool, address, headers, listed=listed) for _run in range(runs)]
    last = reports[-1]
    return Figures(
        scores={
            name: round(median(report["categories"][name]["score"] or 0 for report in reports) * 100) for name in SCORES
        },
        largest_paint=median(report["audits"]["largest-contentful-paint"]["numericValue"] for report in reports),
        shift=median(report["audits"]["cumulative-layout-shift"]["numericValue"] for report in reports),
        failed=tuple(_failed(last)),
    )


def misses(figures: Figures, bare: Figures) -> list[str]:
    """Return the targets that a page misses, in words."""
    missed = [
        f"{name} {figures.scores[name]} is less than {least}"
        for name, least in SCORES.items()
        if figures.scores[name] < least
    ]
    if figures.largest_paint > bare.largest_paint / 2:
        missed.append(f"largest paint {figures.largest_paint:.0f} ms is more than half of {bare.largest_paint:.0f} ms")
    if figures.shift > MOST_SHIFT:
        missed.append(f"layout shift {figures.shift:.3f} is more than {MOST_SHIFT}")
    return missed + [f"failed audit {name}" for name in figures.failed if missed]


def _report(tool: Path, address: str, headers: dict[str, str], *, listed: bool) -> dict[str, Any]:
    command = [
        str(tool), address, "--output=json", "--quiet", f"--chrome-flags={CHROME_FLAGS}",
        f"--only-categories={','.join(SCORES)}", f"--extra-headers={json.dumps(headers)}",
        *(() if listed else ("--skip-audits=is-crawlable",)),
    ]  # fmt: skip
    environment = {**os.environ, "CHROME_PATH": EXECUTABLE}
    for _attempt in range(MOST_ATTEMPTS):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
        if done.returncode == 0:
            report: dict[str, Any] = json.loads(done.stdout)
            return report
    raise SystemExit(f"Lighthouse gave up on {address}: {done.stderr[-500:]}")


def _failed(report: dict[str, Any]) -> list[str]:
    counted = {
        reference["id"]
        for name, category in report["categories"].items()
        for reference in category["auditRefs"]
        if name != "performance" and reference["weight"]
    }
    return [
        name
        for name in sorted(counted)
        if name in report["audits"]
        and ((report["audits"][name]["score"] or 1) < 1 or report["audits"][name]["score"] == 0)
    ]


def _line(name: str, figures: Figures) -> str:
    scores = "  ".join(f"{category} {score:3}" for category, score in figures.scores.items())
    return f"{name:18} {scores}  largest paint {figures.largest_paint:5.0f} ms  shift {figures.shift:.3f}"


def _wait_for(address: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            httpx.get(address, timeout=2, trust_env=False)
        except httpx.TransportError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.lighthouse")
    parser.add_argument("paths", nargs="*", help=f"pages; {' '.join(PAGES)} without one")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tool", help="folder that Lighthouse is installed in already")
    return parser.parse_args()


if __name__ == "__main__":
    main()
