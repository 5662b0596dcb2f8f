"""The ports that tests get, though others look for some at the same time."""

import socket

import pytest

from tests.support.ports import free_port


def server_on(port: int) -> socket.socket:
    """Return a server as all that tests start are: one that says SO_REUSEADDR."""
    return socket.create_server(("127.0.0.1", port))


def test_nobody_is_there_until_a_server_comes() -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", free_port()), timeout=10)


def test_a_server_can_take_it_again_and_again() -> None:
    port = free_port()
    for _ in range(2):
        with server_on(port) as server, socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            server.accept()[0].close()
            assert client.recv(1) == b""


def test_who_asks_the_kernel_for_any_port_gets_another() -> None:
    port = free_port()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))


def test_it_is_not_given_out_twice() -> None:
    ports = [free_port() for _ in range(200)]
    assert len(set(ports)) == len(ports)
