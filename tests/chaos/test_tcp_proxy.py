"""The cable that is pulled: what gets through, and what arrives late."""

import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest

from tests.support.tcp_proxy import TcpProxy


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(100):
            self.server.heard.append(data)
            self.server.hears.set()
            self.request.sendall(data)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)
        self.heard: list[bytes] = []
        self.hears = threading.Event()


@pytest.fixture
def server() -> Iterator[_Server]:
    """A server that says what it is told."""
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(server: _Server) -> Iterator[TcpProxy]:
    """A cable to it."""
    with TcpProxy(server.server_address[1]) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: TcpProxy) -> Iterator[socket.socket]:
    """A client that is connected, and knows it."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"
        yield client


def _is_silent(client: socket.socket) -> bool:
    client.settimeout(0.1)
    try:
        client.recv(100)
    except TimeoutError:
        return True
    else:
        return False
    finally:
        client.settimeout(10)


def test_what_is_said_while_frozen_arrives_once_it_is_healed(
    server: _Server, proxy: TcpProxy, client: socket.socket
) -> None:
    proxy.freeze()
    client.sendall(b"late")
    assert _is_silent(client)
    assert server.heard == [b"hello"]
    proxy.heal()
    assert client.recv(100) == b"late"


def test_who_connects_while_frozen_waits(proxy: TcpProxy) -> None:
    proxy.freeze()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
        client.sendall(b"anybody?")
        assert _is_silent(client)
        proxy.heal()
        assert client.recv(100) == b"anybody?"


def test_a_deaf_client_is_heard(server: _Server, proxy: TcpProxy, client: socket.socket) -> None:
    server.hears.clear()
    proxy.deafen()
    client.sendall(b"commit")
    assert server.hears.wait(10)
    assert server.heard[-1] == b"commit"
    assert _is_silent(client)
    proxy.heal()
    assert client.recv(100) == b"commit"


def test_severed_connections_are_closed_and_new_ones_taken(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.sever()
    assert client.recv(100) == b""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as another:
        another.sendall(b"again")
        assert another.recv(100) == b"again"


def test_a_cable_that_refuses_takes_connections_again_when_healed(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.refuse()
    assert client.recv(100) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=10)
    proxy.heal()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as another:
        another.sendall(b"again")
        assert another.recv(100) == b"again"
