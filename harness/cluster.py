"""The product as it runs for many: Redis, HAProxy with the shipped configuration, three replicas and the sandbox.

Everything is a real process on a free port of this machine. The third replica's clock is half a minute ahead.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.rolling_restart import REPLICAS, Balancer
from harness.app_process import (
    NO_AUTHORITIES,
    ROOT,
    AppProcess,
    ProcessFailed,
    app_environment,
    free_port,
    sandbox_for_tests,
)
from harness.redis_server import RedisServer
from sandbox.launch import RunningSandbox

CLOCK_OFF: Final = 30.0
OFF_REPLICA: Final = "app3"
OPS_TOKEN: Final = "a-token-for-the-tests-of-many"  # noqa: S105 - guards a process of this machine
_CONFIG: Final = ROOT / "deploy" / "haproxy.cfg"


def until(holds: Callable[[], bool], seconds: float = 10.0, pause: float = 0.05) -> bool:
    """Return whether the condition came true in time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


class HAProxy:
    """A real HAProxy with the configuration that is shipped."""

    def __init__(self, folder: Path, port: int, replicas: dict[str, int]) -> None:
        program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        admin = folder / "haproxy.sock"
        environment = {
            "HAPROXY_BIND": f"127.0.0.1:{port}",
            "HAPROXY_ADMIN": str(admin),
            **{name.upper(): f"127.0.0.1:{port}" for name, port in replicas.items()},
        }
        self.log_path = folder / "haproxy.log"
        self._log = self.log_path.open("ab")
        self._process = subprocess.Popen(
            [program, "-f", str(_CONFIG)],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self.balancer = Balancer(str(admin))
        if not until(lambda: admin.exists() or self._process.poll() is not None) or self._process.poll() is not None:
            self.stop()
            raise ProcessFailed(f"haproxy did not start: {(folder / 'haproxy.log').read_text()}")

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._log.close()


@dataclass
class Cluster:
    """Everything that runs."""

    url: str
    redis: RedisServer
    sandbox: RunningSandbox
    haproxy: HAProxy
    replicas: dict[str, AppProcess]
    clients: list[httpx.Client] = field(default_factory=list)

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Call the sandbox's control panel and return its JSON answer."""
        answer = httpx.request(
            method,
            f"{self.sandbox.control_url}{path}",
            json=body or None,
            timeout=20.0,
            trust_env=False,
            verify=NO_AUTHORITIES,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def up(self, *names: str) -> bool:
        """Whether HAProxy sends users to these replicas, or to all."""
        return all(self.haproxy.balancer.status(name) == "UP" for name in names or REPLICAS)

    def forget_people(self) -> None:
        """Close the browsers of a test's people."""
        while self.clients:
            self.clients.pop().close()

    def revive(self) -> None:
        """Start what a test has killed, and wait until HAProxy sees all replicas."""
        dead = [app for app in self.replicas.values() if app.process is None]
        with ThreadPoolExecutor() as pool:
            list(pool.map(AppProcess.start, dead))
        if not until(self.up, 15):
            logs = "\n".join(app.log()[-1500:] for app in self.replicas.values())
            state = self.haproxy.balancer.ask("show servers state")
            raise ProcessFailed(f"HAProxy does not see all replicas:\n{state}\n{logs}")

    def logs(self) -> str:
        """Return what all replicas have written."""
        return "".join(app.log() for app in self.replicas.values())

    def metric(self, name: str, replica: str) -> float:
        """Return one figure of a replica, summed over its labels."""
        text = httpx.get(
            f"{self.replicas[replica].url}/metrics", timeout=5, trust_env=False, verify=NO_AUTHORITIES
        ).text
        return sum(
            float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))
        )


@contextlib.contextmanager
def running_cluster(folder: Path, *, app: Mapping[str, str] | None = None, **sandbox: str) -> Iterator[Cluster]:
    """Start everything, and end everything."""
    ports = {name: free_port() for name in REPLICAS}
    public_port = free_port()
    public_url = f"http://localhost:{public_port}"
    redis = RedisServer(folder)
    with contextlib.ExitStack() as stack:
        stack.callback(redis.kill)
        stand_in = stack.enter_context(sandbox_for_tests(folder, **sandbox))
        shared = {
            "PUBLIC_URL": public_url,
            **redis.settings,
            "STORAGE_SECRET": secrets.token_urlsafe(48),
            "TRUSTED_PROXIES": "127.0.0.1",
            "OPS_TOKEN": OPS_TOKEN,
            "LIMIT_UNCONNECTED_VIEWS": "1000",
            **(app or {}),
        }
        replicas = {}
        for name, port in ports.items():
            more = {"PYTHONPATH": str(Path(__file__).parent / "clock"), "CLOCK_OFF": str(CLOCK_OFF)}
            environment = app_environment(folder, stand_in, port, **shared, **(more if name == OFF_REPLICA else {}))
            replicas[name] = AppProcess(f"http://localhost:{port}", environment, folder / f"{name}.log")
        haproxy = HAProxy(folder, public_port, ports)
        stack.callback(haproxy.stop)
        for replica in replicas.values():
            stack.callback(replica.kill)
        cluster = Cluster(public_url, redis, stand_in, haproxy, replicas)
        cluster.revive()
        yield cluster
