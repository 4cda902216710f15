"""Restarts one replica after the other so that nobody notices: empty it, restart it, wait until it is ready.

    python deploy/rolling_restart.py --admin /run/haproxy/admin.sock -- docker compose -f deploy/compose.yaml restart {}
    python deploy/rolling_restart.py --replicas 8081,8082 --ready-in 120 -- systemctl restart billing-frontend@{}

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

    def __init__(self, address: str, backend: str = BACKEND) -> None:
        self._address = address
        self._backend = backend

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
        answer = self.ask(f"set weight {self._backend}/{replica} {percent}%").strip()
        if answer:
            raise NotReady(f"HAProxy refused: {answer}")

    def _field(self, replica: str, name: str) -> str:
        header, *rows = self.ask("show stat").lstrip("# ").splitlines()
        at = header.split(",").index(name)
        for row in rows:
            values = row.split(",")
            if values[:2] == [self._backend, replica]:
                return values[at]
        raise NotReady(f"HAProxy knows no replica {replica}")


def restart_each(
    balancer: Balancer,
    restart: Callable[[str], None],
    replicas: Sequence[str] = REPLICAS,
    *,
    empties_in: float = EMPTIES_IN,
    ready_in: float = READY_IN,
) -> None:
    """Restart the replicas one by one. Raises NotReady when one does not come back: then nothing more is touched."""
    for replica in replicas:
        balancer.set_weight(replica, 0)
        try:
            _wait(partial(balancer.is_idle, replica), empties_in)
            restart(replica)
            if not _wait(partial(balancer.is_ready, replica), ready_in):
                raise NotReady(f"{replica} is not ready {ready_in:.0f} s after its restart")
        finally:
            balancer.set_weight(replica, 100)


def _wait(holds: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError("names, each once, with commas between them")
    return names


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError("seconds, up to an hour")
    return seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--admin", default="/run/haproxy/admin.sock", help="HAProxy's admin socket, or host:port")
    parser.add_argument(
        "--replicas",
        type=_names,
        default=REPLICAS,
        metavar="A,B",
        help=f"HAProxy's names ({','.join(REPLICAS)})",
    )
    parser.add_argument("--backend", default=BACKEND, help=f"HAProxy's backend that holds them ({BACKEND})")
    parser.add_argument(
        "--empties-in",
        type=_seconds,
        default=EMPTIES_IN,
        metavar="S",
        help=f"wait so long for requests ({EMPTIES_IN:g})",
    )
    parser.add_argument(
        "--ready-in", type=_seconds, default=READY_IN, metavar="S", help=f"give up after so long ({READY_IN:g})"
    )
    parser.add_argument("command", nargs="+", help="what restarts a replica; {} stands for its name")
    options = parser.parse_args(arguments)

    def restart(replica: str) -> None:
        print(f"Restarting {replica} …", flush=True)
        subprocess.run([part.replace("{}", replica) for part in options.command], check=True)

    try:
        balancer = Balancer(options.admin, options.backend)
        restart_each(balancer, restart, options.replicas, empties_in=options.empties_in, ready_in=options.ready_in)
    except (NotReady, OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
