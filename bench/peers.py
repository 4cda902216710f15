"""`python -m bench.peers`: a stranger's `/pricing` beside the same bytes served by `next start` and by nginx.

Both get our own page as it is sent: nginx as a file that it compresses for each view, Next.js as a statically generated
page around the same HTML. Needs Node.js and nginx; Next.js is installed below `.data/peers` at the first run.
"""

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from bench.results import PAGE as DOCUMENT
from bench.results import ROOT, Figure, against, at_most, put, table
from bench.views import COMPRESSED, Viewer
from bench.world import our_world, wait_for
from harness.app_process import free_port

ROUNDS: Final = 5
VIEWS: Final = 500
PLACE: Final = ROOT / ".data" / "peers"
PACKAGE: Final = {
    "private": True,
    "scripts": {"build": "next build"},
    "dependencies": {"next": "16", "react": "19", "react-dom": "19"},
}
PAGE_OF_NEXT: Final = """\
import { readFileSync } from "node:fs";
export const getStaticProps = () => ({ props: { html: readFileSync("pricing.html", "utf-8") } });
export default function Pricing({ html }) {
  return <div dangerouslySetInnerHTML={{ __html: html }} />;
}
"""
NGINX: Final = """\
worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; daemon off;
events {{}}
http {{
  access_log off; types {{ text/html html; }} gzip on; keepalive_requests 1000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; location = /pricing {{ root {folder}; try_files /pricing.html =404; }} }}
}}
"""


def main() -> int:
    """Measure, print the table, and write it into docs/performance.md."""
    with tempfile.TemporaryDirectory(prefix="peers-") as place, our_world(Path(place) / "ours") as world:
        ours = Viewer(world.url, [world.process])
        html = ours.view("/pricing", {"Accept": "text/html"}).body
        with nginx(Path(place), html) as theirs, next_start(html) as nexts:
            times: dict[str, list[float]] = {"ours": [], "nginx": [], "next": []}
            for _round in range(ROUNDS + 1):
                for name, viewer in (("ours", ours), ("nginx", theirs), ("next", nexts)):
                    times[name].append(viewer.milliseconds("/pricing", VIEWS))
            sizes = {name: len(one.view("/pricing", COMPRESSED).body) for name, one in
                     (("ours", ours), ("nginx", theirs), ("next", nexts))}  # fmt: skip
    name, note = "processor time of a stranger's /pricing", f"{len(html) // 1000} kB of HTML"
    own, of_next, of_nginx = (times[name][1:] for name in ("ours", "next", "nginx"))
    figures = [
        at_most(against(1, f"{name}, against `next start`", own, of_next, "ms", note), 0.35, of="ratio"),
        at_most(against(2, f"{name}, against nginx with gzip", own, of_nginx, "ms", note), 2.5, of="ratio"),
        *(Figure(3, f"bytes sent by {name}", size, "bytes") for name, size in sizes.items()),
    ]
    put(DOCUMENT, "peers", table(figures))
    print(table(figures))
    return 0


@contextlib.contextmanager
def nginx(folder: Path, html: bytes) -> Iterator[Viewer]:
    """Serve the page as a file, compressed for each view."""
    port = free_port()
    (folder / "pricing.html").write_bytes(html)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port), encoding="utf-8")
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with _running([program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")], folder, port) as viewer:
        yield viewer


@contextlib.contextmanager
def next_start(html: bytes) -> Iterator[Viewer]:
    """Serve the page by Next.js, generated when it was built."""
    pages = PLACE / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    (PLACE / "package.json").write_text(json.dumps(PACKAGE), encoding="utf-8")
    (PLACE / "pricing.html").write_bytes(html)
    (pages / "pricing.jsx").write_text(PAGE_OF_NEXT, encoding="utf-8")
    if not (PLACE / "node_modules" / "next").exists():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=PLACE, check=True)
    program = str(PLACE / "node_modules" / ".bin" / "next")
    subprocess.run([program, "build"], cwd=PLACE, check=True, stdout=subprocess.DEVNULL)
    port = free_port()
    with _running([program, "start", "--port", str(port), "--hostname", "127.0.0.1"], PLACE, port) as viewer:
        yield viewer


@contextlib.contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[Viewer]:
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, "/pricing")
        started = psutil.Process(process.pid)
        yield Viewer(url, [started, *started.children(recursive=True)])
    finally:
        process.terminate()
        process.wait(20)


if __name__ == "__main__":
    sys.exit(main())
