"""The image without a container engine: its files alone, as its user, with a root that nobody can write."""

import os
import re
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from harness.app_process import NO_AUTHORITIES, free_port
from harness.cluster import until
from settings import SANDBOX_API_KEY
from tools.release import DOCKERFILE, ROOT, write_image_context
from version import VERSION

USER = "10001"
TRIES_TO_WRITE = "touch /app/written /written /venv/written 2>/dev/null && exit 9; exec python app.py"


def environment(port: int) -> dict[str, str]:
    """Return what the Dockerfile sets, and the settings of an operator."""
    text = (ROOT / DOCKERFILE).read_text(encoding="utf-8").replace("\\\n", "")
    [line] = re.findall(r"^ENV (.*)$", text, re.MULTILINE)
    image = dict(re.findall(r"(\w+)=(\S+)", line))
    return {
        **image,
        "PATH": f"/venv/bin:{os.environ['PATH']}",
        "HOME": "/home/app",
        "PORT": str(port),
        "PUBLIC_URL": f"http://localhost:{port}",
        "PAYMENT_MS_API_KEY": SANDBOX_API_KEY,
        "STORAGE_SECRET": "Zq8vR2mK5tX1wB9nL4pD7sF3hJ6gC0yA",
    }


def contained(app: Path, command: list[str], variables: dict[str, str]) -> list[str]:
    """Return the command that runs another one with the system's programs, Python's packages and the app, read only."""
    system = [part for path in ("/usr", "/etc/hosts", "/etc/nsswitch.conf") for part in ("--ro-bind", path, path)]
    links = [part for name in ("bin", "lib", "lib64", "sbin") for part in ("--symlink", f"usr/{name}", f"/{name}")]
    python = str(Path(sys.executable).resolve().parents[1])
    given = [part for name, value in variables.items() for part in ("--setenv", name, value)]
    return [
        "bwrap", "--unshare-user", "--uid", USER, "--gid", USER, "--unshare-pid", "--unshare-ipc", "--die-with-parent",
        *system, *links, "--ro-bind", python, python, "--ro-bind", str(Path(sys.prefix).resolve()), "/venv",
        "--ro-bind", str(app), "/app", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/data",
        "--remount-ro", "/", "--clearenv", *given, "--chdir", "/app", *command,
    ]  # fmt: skip


MAKES_NAMESPACES = subprocess.run(["bwrap", "--ro-bind", "/", "/", "true"], capture_output=True, check=False)


@pytest.mark.skipif(MAKES_NAMESPACES.returncode != 0, reason=f"no namespaces here: {MAKES_NAMESPACES.stderr!r}")
def test_the_images_files_alone_serve_as_its_user_on_a_read_only_root(tmp_path: Path) -> None:
    archive, app, port = tmp_path / "image.tar.gz", tmp_path / "app", free_port()
    write_image_context(archive, datetime(2026, 11, 30, tzinfo=UTC))
    with tarfile.open(archive) as packed:
        packed.extractall(app, filter="data")
    log = tmp_path / "log"

    with log.open("wb") as output:
        process = subprocess.Popen(
            contained(app, ["sh", "-c", TRIES_TO_WRITE], environment(port)), stdout=output, stderr=output
        )
    try:
        assert until(lambda: answer(port) is not None or process.poll() is not None, 60.0), log.read_text()
        health = answer(port)
        assert health is not None, log.read_text()
        assert health.json() == {"status": "ok", "version": VERSION}
        assert get(port, "/pricing").status_code == 200
        assert f'"version": "{VERSION}"' in log.read_text()
    finally:
        process.terminate()
        process.wait(25)


def get(port: int, path: str) -> httpx.Response:
    return httpx.get(f"http://localhost:{port}{path}", timeout=5.0, trust_env=False, verify=NO_AUTHORITIES)


def answer(port: int) -> httpx.Response | None:
    try:
        return get(port, "/healthz")
    except httpx.TransportError:
        return None
