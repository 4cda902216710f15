"""Every route that the app has, as it says itself, so that tests of all of them notice a new one.

`python -m tests.security.routes` prints them: the app is put together in a process of its own, since pages register
themselves for a whole process.
"""

import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

ROOT: Final = Path(__file__).resolve().parents[2]
NOT_OURS: Final = "/_nicegui"
"""NiceGUI's scripts and styles, the same for everybody, and its socket, which has tests of its own."""

FILES: Final = frozenset(
    {
        "GET /assets/app.js", "GET /assets/document.js", "GET /assets/full.js", "GET /assets/icons.css",
        "GET /assets/items.svg", "GET /assets/line.js", "GET /assets/style.css", "GET /items/{item_id}/picture",
        "GET /brand/icon.svg", "GET /brand/preview.png", "GET /brand/touch-icon.png", "GET /favicon.ico",
        "GET /robots.txt", "GET /sitemap.xml", "GET /llms.txt", "GET /pricing.md", "GET /.well-known/jwks.json",
        "GET /api/openapi.json", "GET /api/docs", "GET /api/catalog",
    }
)  # fmt: skip
"""What is the same for everybody."""


@cache
def found() -> frozenset[str]:
    """Return every route as `METHOD /path`."""
    command = [sys.executable, "-m", "tests.security.routes"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return frozenset(json.loads(printed.stdout))


def _walk(routes: Iterable[Any], prefix: str = "") -> Iterator[str]:
    for route in routes:
        if (router := getattr(route, "original_router", None)) is not None:
            yield from _walk(router.routes, prefix)
        elif (path := f"{prefix}{route.path}").startswith(NOT_OURS):
            continue
        elif inner := getattr(route, "routes", None):
            yield from _walk(inner, path)
        else:
            yield from (f"{method} {path}" for method in route.methods - {"HEAD"})


def _print() -> None:
    from settings import load_settings
    from wiring.build import build
    from wiring.web import application

    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            _env_file=None, storage_path=f"{folder}/store.sqlite3", storage_secret=SecretStr(secrets.token_hex())
        )
        print(json.dumps(sorted(_walk(application(build(settings)).routes))))


if __name__ == "__main__":
    _print()
