"""The ports that a start takes: the app's own, and those of the sandbox. One that is taken is a sentence."""

import errno
import socket
from contextlib import closing
from typing import Final

from settings import Settings
from settings_rules import host_and_port

BACKLOG: Final = 2048
SANDBOX_HOST: Final = "127.0.0.1"
SANDBOX_PORTS: Final = ("sandbox_payment_port", "sandbox_auth_port", "sandbox_stripe_port")


class PortUnusable(Exception):
    """Nobody can be served at this address; its text is one sentence for the operator."""


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens where the app is to be. Raises PortUnusable."""
    return _listen(settings.host, settings.port, "PORT")


def look_at_sandbox_ports(settings: Settings) -> None:
    """Raise PortUnusable for the first port that the sandbox wants and can't have.

    It is another process, which takes them a moment later; but this one knows the names of the settings.
    """
    for name in SANDBOX_PORTS:
        with closing(_listen(SANDBOX_HOST, getattr(settings, name), name.upper())):
            pass


def _listen(host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, so that asyncio turns Nagle off
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family is socket.AF_INET6:  # `::` takes IPv4 too, whatever the system's default is
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    where = host_and_port(host, port)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            problem = f"Port {port} is taken: another process listens on {where}; end it"
            raise PortUnusable(f"{problem}, or set {setting} to a free port.") from None
        cure = f"set {setting} to a port that you may use"
        if setting == "PORT":
            cure += ", and HOST to an address of this machine"
        raise PortUnusable(f"Can't listen on {where} ({error.strerror}); {cure}.") from None
    return listener
