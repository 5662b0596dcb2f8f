"""Ports for the servers that tests start."""

import socket


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody else gets as long as this process lives, running tests or not.

    It is bound already, which keeps the kernel from giving it to another test, another test run or a client. A server
    can bind it all the same, again and again: like every server it says SO_REUSEADDR, and nobody listens there yet.
    """
    kept = socket.socket()
    kept.bind(("127.0.0.1", 0))
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # from now on: with it the kernel would share out others
    port: int = kept.getsockname()[1]
    kept.detach()  # left open on purpose, until the process ends
    return port
