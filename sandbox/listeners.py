"""Three listeners in one process and one event loop: sockets first, so that every address is known before a request."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: there are three of it, and one stop for all."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, so that asyncio turns Nagle off on what it accepts: else an answer can take 40 ms more.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.set_inheritable(False)
    return listener


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(apps: list[tuple[ASGIApp, socket.socket]], stop: asyncio.Event, ready: asyncio.Event) -> None:
    """Serve until `stop` is set; requests under way are finished (5 s at most)."""
    servers = [
        _Server(
            uvicorn.Config(
                app,
                log_config=None,  # whoever runs this has set up logging, or Python's own last resort tells of warnings
                log_level="warning",
                access_log=False,
                server_header=False,
                date_header=False,
                lifespan="off",
                proxy_headers=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=5,
            )
        )
        for app, _ in apps
    ]
    tasks = [asyncio.create_task(server.serve([listener])) for server, (_, listener) in zip(servers, apps, strict=True)]
    await asyncio.gather(*(server.listening.wait() for server in servers))
    ready.set()
    await stop.wait()
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*tasks)


def stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def stop_with_parent(stop: asyncio.Event, parent: int, every: float = 0.3) -> None:
    """Set `stop` once the process that started this one is gone (then another one is our parent)."""
    while os.getppid() == parent:  # noqa: ASYNC110 - no event tells of it on every system
        await asyncio.sleep(every)
    stop.set()
