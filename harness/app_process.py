"""The whole product as its users get it: `python app.py` and the sandbox as processes of their own, on free ports."""

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from sandbox.launch import FREE_PORTS, RunningSandbox, start_sandbox

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 90.0
PLAIN_PAGES = bool(os.environ.get("PLAIN_PAGES"))
"""Whether all apps run without what makes their pages fast: `make test-plain`."""

WITHOUT_OPTIMIZATIONS = dict.fromkeys(
    ("PACKED_ELEMENTS", "OWN_DOCUMENT", "HTML_FIRST", "LATE_SCRIPTS", "PACED_COLLECTOR"), "false"
)

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For `verify`: httpx reads the certificate authorities for each client and each lone call, which takes longer than a
page view; nothing here speaks TLS."""


class ProcessFailed(Exception):
    """A process that was wanted did not come up; the text says what it wrote."""


def free_port() -> int:
    """Return a port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sandbox_for_tests(folder: Path, **environment: str) -> RunningSandbox:
    """Start a sandbox on free ports that keeps its state in `folder`."""
    arguments = [*FREE_PORTS, "--database", str(folder / "sandbox.sqlite3")]
    return start_sandbox(arguments, {f"SANDBOX_{name.upper()}": value for name, value in environment.items()})


@dataclass
class AppProcess:
    """One process of the app. `stop`, `kill` and `start` it at will; its store stays."""

    url: str
    environment: dict[str, str]
    log_path: Path
    python: str = sys.executable
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> Self:
        """Start the process and wait until it answers. Raises ProcessFailed."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [self.python, "app.py"],
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + READY_SECONDS
        while True:
            if self.process.poll() is not None or time.monotonic() > end:
                raise ProcessFailed(f"the app did not start:\n{self.log()[-3000:]}")
            with contextlib.suppress(httpx.HTTPError):
                if (
                    httpx.get(f"{self.url}/healthz", timeout=1.0, trust_env=False, verify=NO_AUTHORITIES).status_code
                    == 200
                ):
                    return self
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)

    def log(self) -> str:
        """Return what the process has written."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> int:
        """Ask the process to end and return its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End the process as a crash would."""
        return self._end(signal.SIGKILL)

    def _end(self, number: int) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(25)
        self.process = None
        return code


@dataclass(frozen=True)
class Product:
    """An app and the sandbox it talks to."""

    app: AppProcess
    sandbox: RunningSandbox

    @property
    def url(self) -> str:
        """Where the app is."""
        return self.app.url

    @property
    def payment_ms(self) -> tuple[str, str]:
        """Where the Payment MS is, and the key that it takes."""
        return self.sandbox.payment_ms_url, self.sandbox.api_key

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Call the sandbox's control panel and return its JSON answer."""
        answer = httpx.request(
            method,
            f"{self.sandbox.control_url}{path}",
            json=body or None,
            timeout=10.0,
            trust_env=False,
            verify=NO_AUTHORITIES,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def change_settings(self, **values: Any) -> None:
        """Change settings of the running sandbox."""
        self.control("PATCH", "/settings", **values)

    def reset(self) -> None:
        """Forget all customers and go back to the settings that the sandbox started with."""
        self.control("POST", "/reset")


def app_environment(folder: Path, sandbox: RunningSandbox, port: int, **more: str) -> dict[str, str]:
    """Return the settings of an app that uses this sandbox and keeps its store in `folder`."""
    ports = {
        "SANDBOX_PAYMENT_PORT": sandbox.payment_ms_url.rpartition(":")[2],
        "SANDBOX_AUTH_PORT": sandbox.auth_ms_url.rpartition(":")[2],
        "SANDBOX_STRIPE_PORT": sandbox.stripe_url.rpartition(":")[2],
    }
    return {**app_basics(folder, port), "SANDBOX_START": "false", "PAYMENT_MS_API_KEY": "", **ports, **more}


def app_basics(folder: Path, port: int) -> dict[str, str]:
    """Return the settings of any app of a test, whichever services it uses: where its store is, and wide limits."""
    return {
        **(WITHOUT_OPTIMIZATIONS if PLAIN_PAGES else {}),
        "PORT": str(port),
        "STORAGE_PATH": str(folder / "store.sqlite3"),
        "LIMIT_CHECKOUTS": "1000/minute",
        "LIMIT_SIGN_INS": "1000/minute",
        "LIMIT_PAGE_VIEWS": "10000/minute",
    }


@contextlib.contextmanager
def running_product(folder: Path, *, app: dict[str, str] | None = None, **sandbox: str) -> Iterator[Product]:
    """Start a sandbox and an app for one test or one session of tests."""
    port = free_port()
    with sandbox_for_tests(folder, **{"app_url": f"http://localhost:{port}", **sandbox}) as stand_in:
        catalog = shutil.copy(ROOT / "products.json", folder / "products.json")  # a test may change it
        environment = app_environment(folder, stand_in, port, **{"CATALOG_PATH": str(catalog), **(app or {})})
        running = AppProcess(f"http://localhost:{port}", environment, folder / "app.log").start()
        try:
            yield Product(running, stand_in)
        finally:
            running.stop()
