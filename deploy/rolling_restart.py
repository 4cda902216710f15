"""Restarts one replica after the other so that nobody notices: empty it, restart it, wait until it is ready.

    python deploy/rolling_restart.py --admin /run/haproxy/admin.sock -- docker compose -f deploy/compose.yaml restart {}

Speaks to HAProxy's admin socket, which must be reachable from where this runs. Needs nothing but Python.
"""

import argparse
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

BACKEND: Final = "app"
REPLICAS: Final = ("app1", "app2", "app3")
EMPTIES_IN: Final = 10.0
"""Seconds that requests under way get after new ones have stopped coming; websockets are not waited for."""

READY_IN: Final = 60.0

_ANSWERING: Final = re.compile(r"rp\[f=\w+,i=\d+,an=(?!00h)")
"""A stream whose answer HAProxy waits for or passes on; a websocket's has no analyser (`an`) left."""


class NotReady(Exception):
    """A replica did not come back; the others were left as they are."""


class Balancer:
    """HAProxy's admin socket: a path, or host:port."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, command: str) -> str:
        """Send one command and return the answer. Raises OSError when HAProxy can't be reached."""
        host, colon, port = self._address.rpartition(":")
        with socket.socket(socket.AF_INET if colon else socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect((host, int(port)) if colon else self._address)
            connection.sendall(command.encode() + b"\n")
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        return b"".join(parts).decode()

    def status(self, replica: str) -> str:
        """Return what HAProxy thinks of a replica: UP, DOWN, DRAIN …"""
        return self._field(replica, "status").split()[0]

    def is_idle(self, replica: str) -> bool:
        """Whether a replica works on no request; its websockets are not counted."""
        lines = self.ask("show sess").splitlines()
        return not any(f"srv={replica} " in line and _ANSWERING.search(line) for line in lines)

    def is_ready(self, replica: str) -> bool:
        """Whether HAProxy finds a replica healthy."""
        return self.status(replica) in ("UP", "DRAIN")

    def set_weight(self, replica: str, percent: int) -> None:
        """Let a replica have its share of new requests (100), or none (0)."""
        answer = self.ask(f"set weight {BACKEND}/{replica} {percent}%").strip()
        if answer:
            raise NotReady(f"HAProxy refused: {answer}")

    def _field(self, replica: str, name: str) -> str:
        header, *rows = self.ask("show stat").lstrip("# ").splitlines()
        at = header.split(",").index(name)
        for row in rows:
            values = row.split(",")
            if values[:2] == [BACKEND, replica]:
                return values[at]
        raise NotReady(f"HAProxy knows no replica {replica}")


def restart_each(balancer: Balancer, restart: Callable[[str], None], replicas: Sequence[str] = REPLICAS) -> None:
    """Restart the replicas one by one. Raises NotReady when one does not come back: then nothing more is touched."""
    for replica in replicas:
        balancer.set_weight(replica, 0)
        try:
            _wait(partial(balancer.is_idle, replica), EMPTIES_IN)
            restart(replica)
            if not _wait(partial(balancer.is_ready, replica), READY_IN):
                raise NotReady(f"{replica} is not ready {READY_IN:.0f} s after its restart")
        finally:
            balancer.set_weight(replica, 100)


def _wait(holds: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--admin", default="/run/haproxy/admin.sock", help="HAProxy's admin socket, or host:port")
    parser.add_argument("command", nargs="+", help="what restarts a replica; {} stands for its name")
    options = parser.parse_args(arguments)

    def restart(replica: str) -> None:
        print(f"Restarting {replica} …", flush=True)
        subprocess.run([part.replace("{}", replica) for part in options.command], check=True)

    try:
        restart_each(Balancer(options.admin), restart)
    except (NotReady, OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
