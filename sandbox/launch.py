"""Starts the sandbox as a process of its own and waits until it answers. For the app in sandbox mode, and for tests."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_ROOT: Final = Path(__file__).resolve().parents[1]
FREE_PORTS: Final = ("--payment-port", "0", "--auth-port", "0", "--stripe-port", "0")


class SandboxNotStarted(Exception):
    """The process ended, or said nothing, before it was ready; the message says why."""


@dataclass
class RunningSandbox:
    """A sandbox that answers. Ends with `stop`, at the end of a ``with``, or when its starter is gone."""

    process: subprocess.Popen[str]
    payment_ms_url: str
    auth_ms_url: str
    stripe_url: str
    control_url: str
    api_key: str

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, seconds: float = 10.0) -> int:
        """Ask it to end and wait; after so many seconds, kill it. Returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()
        finally:
            self._close()

    def kill(self) -> int:
        """End it without a goodbye, as a crash would."""
        self.process.kill()
        code = self.process.wait()
        self._close()
        return code

    def _close(self) -> None:
        if self.process.stdout:
            self.process.stdout.close()


def start_sandbox(
    arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None, *, seconds: float = 30.0
) -> RunningSandbox:
    """Start ``python -m sandbox`` with these arguments and more environment; it ends when this process does.

    Raises SandboxNotStarted when it is not ready in time; what it wrote to stderr stands there already.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--exit-with-parent", *arguments],
        cwd=_ROOT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    if process.stdout is None:
        raise SandboxNotStarted("no pipe to the sandbox")
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    line = process.stdout.readline() if ready else ""
    if not line:
        process.kill()
        code = process.wait()
        process.stdout.close()
        reason = f"ended with code {code}" if ready else f"was not ready within {seconds:g} s"
        raise SandboxNotStarted(f"the sandbox {reason}")
    said = json.loads(line)
    said.pop("pid")
    return RunningSandbox(process, **said)
