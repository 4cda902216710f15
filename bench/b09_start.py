"""From starting the process to the first byte of a page, against a bare NiceGUI app."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bench.results import Figure, against, at_most
from bench.world import bare_command, wait_for
from harness.app_process import ROOT, app_environment, free_port, sandbox_for_tests

ROUNDS = 5


def run(folder: Path) -> list[Figure]:
    """Start both in turns; the sandbox runs already, as the real services would."""
    folder.mkdir(parents=True, exist_ok=True)
    ours, theirs = [], []
    with sandbox_for_tests(folder) as sandbox:
        for _round in range(ROUNDS + 1):
            port = free_port()
            environment = app_environment(folder, sandbox, port)
            ours.append(_start([sys.executable, "app.py"], port, environment))
            port = free_port()
            theirs.append(_start(bare_command(port, 10, 10), port, {}))
    wall = against(9, "start to first byte", [w for w, _ in ours[1:]], [w for w, _ in theirs[1:]], "s")
    cpu = against(9, "processor time of a start", [c for _, c in ours[1:]], [c for _, c in theirs[1:]], "s")
    return [at_most(wall, 1.5, of="ratio"), cpu]


def _start(command: list[str], port: int, environment: dict[str, str]) -> tuple[float, float]:
    """Return the seconds until a page came, on the clock and of the processor.

    Modules are compiled once, in the first round, as when they are installed.
    """
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env={**usual, **environment}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(f"http://localhost:{port}", "/pricing")
        took = time.perf_counter() - began
        times = psutil.Process(process.pid).cpu_times()
        return took, times.user + times.system
    finally:
        process.terminate()
        process.wait(30)
