"""HTTP as bytes, for what a library would not send."""

import contextlib
import socket

from tests.support.processes import Server
from tests.support.waiting import LIMIT


def connect(server: Server) -> socket.socket:
    """Open a connection to the service."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT)


def answers(server: Server, *parts: str | bytes) -> bytes:
    """Send these bytes, and read until the server closes."""
    with connect(server) as connection:
        for part in parts:
            with contextlib.suppress(ConnectionError):  # what it refuses it does not read to the end
                connection.sendall(part if isinstance(part, bytes) else part.encode("latin-1"))
        return connection.makefile("rb").read()


def parsed(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """An answer's status, header and body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    return int(line.split()[1]), dict(field.split(": ", 1) for field in fields), body
