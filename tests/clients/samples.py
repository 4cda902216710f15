"""The samples of `docs/entitlements.md` as processes of their own, beside an app on a socket."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from harness.app_process import free_port
from tests.clients.languages import CLIENTS, GO_FOLDER, NO_GO, NO_NODE, NODE_FOLDER, go_environment, run

PYTHON: Final = CLIENTS / "python"
SAMPLES: Final = {
    "FastAPI": PYTHON / "example" / "fastapi_service.py",
    "Flask": PYTHON / "example" / "flask_service.py",
    "Express": NODE_FOLDER / "example" / "express.js",
    "net/http": GO_FOLDER / "example" / "main.go",
}
WAITS: Final = 60.0


@dataclass(frozen=True)
class SampleProcess:
    """One running sample."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"

    async def export(self, http: httpx.AsyncClient, user_id: str) -> tuple[int, dict[str, object]]:
        """Ask for what the feature guards, as that user."""
        answer = await http.get(f"http://127.0.0.1:{self.port}/export", headers={"x-user-id": user_id})
        return answer.status_code, answer.json()


def ports() -> dict[str, int]:
    """Return a port for each sample whose language is here."""
    absent = {"Express": NO_NODE, "net/http": NO_GO}
    return {name: free_port() for name in SAMPLES if not absent.get(name)}


@asynccontextmanager
async def running(
    named: dict[str, int], folder: Path, environment: dict[str, str]
) -> AsyncIterator[list[SampleProcess]]:
    """Start the samples, and end them."""
    if "net/http" in named:
        await asyncio.to_thread(
            run, ["go", "build", "-o", str(folder / "sample"), "./example"], GO_FOLDER, go_environment()
        )
    started = []
    try:
        started += [_start(name, port, folder, environment) for name, port in named.items()]
        await asyncio.gather(*(listening(sample.port) for sample in started))
        yield started
    finally:
        for sample in started:
            sample.process.kill()
            sample.process.wait()


def _start(name: str, port: int, folder: Path, environment: dict[str, str]) -> SampleProcess:
    arguments = {
        "FastAPI": [
            sys.executable,
            "-m",
            "uvicorn",
            "fastapi_service:app",
            "--log-level",
            "error",
            "--port",
            str(port),
        ],
        "Flask": [sys.executable, "-m", "flask", "--app", "flask_service", "run", "--port", str(port)],
        "Express": ["node", str(SAMPLES["Express"])],
        "net/http": [str(folder / "sample")],
    }[name]
    own = {"PYTHONPATH": f"{PYTHON}:{SAMPLES['FastAPI'].parent}", "PORT": str(port)}
    whole = {**os.environ, **environment, **own}
    return SampleProcess(name, port, subprocess.Popen(arguments, cwd=folder, env=whole, stderr=subprocess.DEVNULL))


async def listening(port: int) -> None:
    """Return when something answers on a port."""
    transport = httpx.AsyncHTTPTransport(retries=40)
    async with asyncio.timeout(WAITS), httpx.AsyncClient(trust_env=False, transport=transport) as asker:
        await asker.get(f"http://localhost:{port}/healthz")


async def until(samples: Sequence[SampleProcess], user_id: str, status: int) -> tuple[float, dict[str, object]]:
    """Ask all samples until each answers so; return the seconds that took, and what they say: all the same."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(WAITS), httpx.AsyncClient(trust_env=False) as http:
        while True:
            told = [await sample.export(http, user_id) for sample in samples]
            if all(found == status for found, _body in told):
                break
            await asyncio.sleep(0.05)
    assert all(body == told[0][1] for _found, body in told), told
    return loop.time() - began, told[0][1]
