"""Where the app listens: one family of addresses, or both."""

import socket
from contextlib import closing

import pytest

from cli.listen import PortUnusable, listen
from harness.app_process import free_port
from settings import Settings


def settings(host: str, port: int) -> Settings:
    return Settings.model_construct(host=host, port=port)


@pytest.mark.parametrize("to", ["127.0.0.1", "::1"])
def test_a_host_of_two_colons_takes_both_families(to: str) -> None:
    port = free_port()

    with closing(listen(settings("::", port))), closing(socket.create_connection((to, port), timeout=5)) as client:
        assert client.getpeername()[1] == port


def test_an_address_of_ipv6_stands_in_brackets_in_what_is_said() -> None:
    port = free_port()
    with closing(listen(settings("::1", port))), pytest.raises(PortUnusable) as refused:
        listen(settings("::1", port))

    assert f"another process listens on [::1]:{port}; end it" in str(refused.value)
