"""A real PostgreSQL, Debian's: on a free port, with data of its own, to be stopped, killed and started again."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from harness.app_process import ProcessFailed, free_port

_MISSING = "postgres is not installed; install it with: apt-get install postgresql"
_OPTIONS = ("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off")


class PostgresServer:
    """One server process; its port and its data stay over restarts. It refuses root, so root runs it as `postgres`."""

    def __init__(self) -> None:
        """Make a new cluster and start it. Raises ProcessFailed."""
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not programs:
            raise ProcessFailed(_MISSING)
        self._programs = programs[-1]
        self._as = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        if self._as:
            shutil.chown(self._folder, "postgres", "postgres")
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        options = ("-D", str(self._folder / "data"), "-U", "owner", "--auth=trust", "--no-sync", "-E", "UTF8")
        self._run("initdb", *options)
        self.start()

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database for a client."""
        return f"postgresql://owner@127.0.0.1:{self.port}/{database}"

    def make(self, database: str, template: str = "template1") -> str:
        """Make a database as a copy of another, and return its address."""
        self._run("psql", "-q", "-c", f'CREATE DATABASE "{database}" TEMPLATE "{template}"', self.url())
        return self.url(database)

    def start(self) -> None:
        """Start the server and return when it answers. Raises ProcessFailed."""
        command = [self._programs / "postgres", "-D", self._folder / "data", "-p", str(self.port), *_OPTIONS]
        log = self._folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, cwd="/", **self._as)  # type: ignore[call-overload]
        deadline = time.monotonic() + 30
        while self._answer() != 0:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ProcessFailed(f"postgres did not start: {log.read_text()[-2000:]}")
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)

    def restart(self) -> None:
        """End every connection at once, as an operator's restart does, and start again."""
        self._end(signal.SIGINT)
        self.start()

    def kill(self) -> None:
        """End it for good, and drop its data."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(20)

    def _answer(self) -> int:
        asking = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asking, check=False, cwd="/").returncode

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._programs / program, *arguments]
        done = subprocess.run(command, check=False, capture_output=True, cwd="/", **self._as)  # type: ignore[call-overload]
        if done.returncode:
            raise ProcessFailed(f"{program} failed: {done.stderr.decode()[-2000:]}")
