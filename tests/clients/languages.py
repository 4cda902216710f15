"""Node and Go as the clients' tests use them; where one isn't here, its tests are left out and say why."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

CLIENTS: Final = Path(__file__).resolve().parents[2] / "clients"
NODE_FOLDER, GO_FOLDER = CLIENTS / "node", CLIENTS / "go"
GO_LIBRARY: Final = Path("/usr/share/gocode/src/github.com/golang-jwt/jwt/go.mod")
OLDEST_NODE: Final = 20
WAITS: Final = 170
"""Seconds: Go compiles its library at the first time."""


def go_environment() -> dict[str, str]:
    """Return the environment in which Go takes Debian's package and asks no proxy for modules."""
    alone = {
        "GOWORK": str(GO_FOLDER / "debian.work"),
        "GOPROXY": "off",
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": "local",
    }
    return {**os.environ, **alone}


def run(arguments: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    """Run a command and return what it prints; what it prints is also why it failed."""
    done = subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=WAITS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _why_no_node() -> str:
    if shutil.which("node") is None:
        return "no Node"
    major = re.match(
        r"v(\d+)", subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    )
    if major is None or int(major[1]) < OLDEST_NODE:
        return f"Node is older than {OLDEST_NODE}"
    return "" if (NODE_FOLDER / "node_modules" / "jose").is_dir() else "no packages of clients/node"


def _why_no_go() -> str:
    if shutil.which("go") is None:
        return "no Go"
    library = GO_LIBRARY.read_text() if GO_LIBRARY.exists() else ""
    return "" if "module github.com/golang-jwt/jwt/v4" in library else "no golang-github-golang-jwt-jwt-dev"


NO_NODE, NO_GO = _why_no_node(), _why_no_go()
needs_node = pytest.mark.skipif(bool(NO_NODE), reason=f"{NO_NODE}: make test-clients")
needs_go = pytest.mark.skipif(bool(NO_GO), reason=f"{NO_GO}: make test-clients")
