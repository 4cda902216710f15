"""A real redis-server: on a free port, keeping nothing, to be stopped, frozen, killed and started again."""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from joserfc.jwk import ECKey

from harness.app_process import ProcessFailed, free_port

_MISSING = "redis-server is not installed; install it with: apt-get install redis-server"


class RedisServer:
    """One server process; the port stays the same over restarts, the data does not."""

    def __init__(self, folder: Path) -> None:
        """Start a server whose files are in `folder`."""
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._signing_key = ECKey.generate_key("P-256").as_pem(private=True).decode("ascii")
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        """The address for a client."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def settings(self) -> dict[str, str]:
        """What replicas that share it need: where it is, and the key that all of them sign with."""
        return {"REDIS_URL": self.url, "ENTITLEMENTS_KEY": self._signing_key}

    def start(self) -> None:
        """Start the server and return when it answers. Raises ProcessFailed."""
        program = shutil.which("redis-server")
        if program is None:
            raise ProcessFailed(_MISSING)
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        log = self._folder / f"redis-{self.port}.log"
        self._process = subprocess.Popen(
            [program, *options, "--dir", str(self._folder), "--logfile", str(log), "--daemonize", "no"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while not self._answers():
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.01)
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ProcessFailed(f"redis-server did not start: {log.read_text() if log.exists() else 'no log'}")

    def stop(self) -> None:
        """End the server in an orderly way."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server like a crash: connections are reset, data are gone."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Kill the server and start an empty one on the same port."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Freeze the server: connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen server go on, with whatever it was sent meanwhile."""
        self._signal(signal.SIGCONT)

    def command(self, *words: str) -> str:
        """Send a command on a connection of its own and return the raw answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(" ".join(words).encode() + b"\r\n")
            answer = connection.recv(65536)
            while answer.startswith(b"$") and len(answer) < int(answer[1 : answer.index(b"\r")]):
                answer += connection.recv(65536)
        return answer.decode()

    @property
    def clients(self) -> int:
        """How many connections are open, this question's own not counted."""
        answer = self.command("INFO", "clients")
        return int(answer.split("connected_clients:")[1].split()[0]) - 1

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._signal(number)
            self._signal(signal.SIGCONT)
            self._process.wait(10)

    def _answers(self) -> bool:
        try:
            return self.command("PING").startswith("+PONG")
        except OSError:
            return False
