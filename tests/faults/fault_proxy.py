"""A proxy between the app and a service of the sandbox: it passes calls on, but for those that are told to fail."""

import asyncio
import contextlib
from urllib.parse import urlsplit

from tests.faults.fault_server import Behaviour, FaultServer, Received, ServedConnection


class FaultProxy(FaultServer):
    """Passes every call on to `upstream`, except under the paths that `fail` names."""

    def __init__(self, upstream: str) -> None:
        super().__init__()
        parts = urlsplit(upstream)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._faults: dict[str, list[Behaviour]] = {}

    def fail(self, path: str, *script: Behaviour) -> None:
        """Answer the next calls under `path` so, the last one for all that follow."""
        self._faults[path] = list(script)

    def mend(self) -> None:
        """Pass everything on again."""
        self._faults.clear()

    def calls(self, path: str) -> list[Received]:
        """Return what arrived under `path`."""
        return [request for request in self.requests if request.target.startswith(path)]

    def behaviour_for(self, request: Received) -> Behaviour:
        for path, script in self._faults.items():
            if request.target.startswith(path):
                return script.pop(0) if len(script) > 1 else script[0]
        return self.pass_on

    async def pass_on(self, wire: ServedConnection) -> None:
        """Send the request to the service itself, and its answer back."""
        assert wire.request is not None
        reader, writer = await asyncio.open_connection(*self._address)
        with contextlib.closing(writer):
            writer.write(_written(wire.request))
            answer = await reader.read()
        await wire.send(answer)
        wire.writer.close()


def _written(request: Received) -> bytes:
    headers = {**request.headers, "connection": "close"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{request.method} {request.target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + request.body
