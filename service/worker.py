"""gunicorn's worker with threads, except that a request gets a thread when all of it has arrived, and not before.

gunicorn's own takes a thread for a connection's first byte: as many clients as it has threads, each with half a
request, stop everybody. Here the main thread collects requests in memory, heads of up to HEAD_LIMIT and bodies of up
to MAX_CONTENT_LENGTH bytes. What it refuses is answered like every error of the service, with a problem document.

Made of gunicorn 27's gunicorn/workers/gthread.py, for plain HTTP/1.1: TLS is the work of a proxy in front.
"""

import io
import re
import socket
import time
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ

from gunicorn.http import Request, RequestParser, errors, wsgi
from gunicorn.http.body import LengthReader
from gunicorn.workers.gthread import TConn, ThreadWorker

from service import logs
from service.errors import problem

HEAD_LIMIT = 32 * 1024  # bytes of a head, and of what chunks add to a body
LINGER = 2  # seconds for a client to close its end, after its last answer


class TooLarge(errors.ParseException):
    """The body has more than MAX_CONTENT_LENGTH bytes."""


class TooSlow(errors.ParseException):
    """The request did not arrive within REQUEST_TIMEOUT."""


REFUSALS = {
    TooSlow: (408, "The request did not arrive in time; send it faster."),
    TooLarge: (413, "The body is larger than the service takes; send less."),
    errors.LimitRequestLine: (414, "The URL is too long; send a shorter one."),
    errors.ExpectationFailed: (417, "The service meets one expectation, 100-continue."),
    errors.LimitRequestHeaders: (431, "The header is too large; send fewer or shorter fields, cookies for one."),
    errors.InvalidRequestMethod: (501, "There is no such method; methods are in capitals."),
    errors.UnsupportedTransferCoding: (501, "The service knows one transfer coding, chunked."),
    errors.InvalidHTTPVersion: (505, "The service speaks HTTP/1.1."),
}


class Connection(TConn):
    """A client's connection. Its parser sees what has arrived, and never waits for more."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.initialized = True
        self.parser = RequestParser(self.cfg, [], self.client)
        self.arrival: Generator[None, bytes] | None = None  # is sent what arrives, and ends when that is a request
        self.head = b""  # while it has no end
        self.request: Request | None = None  # once it has
        self.begun = self.closing = False


class Worker(ThreadWorker):
    """The worker: see above."""

    def accept(self, listener: socket.socket) -> None:
        try:
            connected, client = listener.accept()
        except OSError:
            return  # another worker was faster, or the client is gone
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections and self.keepalived_conns:
            self.keepalived_conns[0].timeout = 0  # make room: the one that has been idle for longest goes
            self.murder_keepalived()
        self.enqueue_req(Connection(self.cfg, connected, client, listener.getsockname()))

    def enqueue_req(self, conn: Connection) -> None:
        """Read what there is, and only then do what gunicorn would do at once: queue the connection for a thread."""
        conn.sock.setblocking(False)
        if conn.arrival is None:
            conn.arrival = self._receive(conn)
            next(conn.arrival)
        try:
            data = conn.parser.unreader.take_buffered() or conn.sock.recv(HEAD_LIMIT)
            if data:
                conn.arrival.send(data)  # and no more for now: the others wait
                self._wait(conn)
            else:
                self._forget(conn)  # the client has closed
        except StopIteration:
            conn.arrival, conn.begun = None, False
            super().enqueue_req(conn)
        except BlockingIOError:
            self._wait(conn)
        except errors.ParseException as error:
            self._refuse(conn, error)
        except OSError:
            self._forget(conn)

    def _receive(self, conn: Connection) -> Generator[None, bytes]:
        """Receive a request up to its last byte."""
        unreader, most = conn.parser.unreader, self.wsgi.config["MAX_CONTENT_LENGTH"]
        conn.head = yield
        conn.begun, conn.timeout = True, time.monotonic() + self.wsgi.config["REQUEST_TIMEOUT"]
        while not _ends(conn.head):
            conn.head += yield
        unreader.unread(conn.head)
        conn.request = request = next(conn.parser)
        conn.head = b""
        data = bytearray(unreader.take_buffered())
        expects, request._expected_100_continue = request._expected_100_continue, False
        reader = request.body.reader
        for _ in _length(data, reader.length, most) if isinstance(reader, LengthReader) else _chunks(data, most):
            if expects and not data:  # gunicorn would say so when the body is there
                with suppress(OSError):
                    conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            data += yield
        unreader.unread(bytes(data))
        request.body = io.BytesIO(request.body.read())

    def _wait(self, conn: Connection) -> None:
        """Have enqueue_req called again when the client sends more."""
        if conn.begun or conn.closing:
            waiting, readable = self.pending_conns, self.on_pending_socket_readable
        else:
            waiting, readable = self.keepalived_conns, self.on_client_socket_readable
            conn.set_timeout()
        waiting.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(readable, conn))

    def murder_pending(self) -> None:
        """Give up on requests, and on clients that do not close, when their time is over."""
        now = time.monotonic()
        for conn in [conn for conn in self.pending_conns if conn.timeout < now]:
            self.pending_conns.remove(conn)
            self.poller.unregister(conn.sock)
            if conn.closing:
                self._forget(conn)
            else:
                self._refuse(conn, TooSlow())

    def handle(self, conn: Connection) -> bool:
        """Answer a request, in a thread; tells whether the connection is good for another one."""
        conn.sock.settimeout(self.wsgi.config["REQUEST_TIMEOUT"])  # a client that takes no answer holds the thread
        try:
            return self.handle_request(conn.request, conn)
        except (OSError, StopIteration) as error:
            self.log.debug("The client is gone: %r", error)
        except Exception:
            self.log.exception("Unexpected error")
        return False

    def finish_request(self, conn: Connection, done: Future[bool]) -> None:
        conn.request = None
        if done.result():
            super().finish_request(conn, done)
        else:
            self._close(conn)

    def _refuse(self, conn: Connection, error: errors.ParseException) -> None:
        status, detail = REFUSALS.get(type(error), (400, f"The request is malformed: {error}."))
        request = conn.request or self._understood(conn)
        response, environ = wsgi.create(request, conn.sock, conn.client, conn.server, self.cfg)
        response.force_close()  # where the next request would begin, nobody knows
        with self.wsgi.request_context(environ):
            logs.start()
            answer = self.wsgi.process_response(problem(status, detail))
        with suppress(OSError):  # the client is gone
            for part in answer(environ, response.start_response):
                response.write(part)
            response.close()
        self._close(conn)

    def _understood(self, conn: Connection) -> Request:
        # What can be read of a request that gunicorn's parser refuses: the log has it, and a HEAD gets no body.
        words = re.match(rb"(?:\r\n)?([A-Z]{3,20}) (/[!-~]*)", conn.head)
        method, path = words.groups() if words else (b"-", b"/")
        request = next(RequestParser(self.cfg, [b"GET / HTTP/1.1\r\n\r\n"], conn.client))
        request.method, request.path = method.decode(), path.decode()
        return request

    def _close(self, conn: Connection) -> None:
        # Ours first, then the client's: closed at once while it still sends, the answer could get lost on its way.
        conn.closing, conn.timeout, conn.arrival = True, time.monotonic() + LINGER, _nothing()
        next(conn.arrival)
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self._wait(conn)
        except OSError:
            self._forget(conn)

    def _forget(self, conn: Connection) -> None:
        self.nr_conns -= 1
        conn.close()


def _ends(head: bytes) -> bool:
    """Whether all of a head is there, or gunicorn's parser can tell already what is wrong with it."""
    line, ended, _ = head.removeprefix(b"\r\n").partition(b"\r\n")
    if re.match(rb"[^!-~\r]", line):
        raise errors.InvalidRequestLine(line[:8].hex(" "))  # TLS, most likely
    if b"\r\n\r\n" in head or head.count(b"\n") != head.count(b"\r\n"):
        return True
    if len(head) > HEAD_LIMIT:
        raise errors.LimitRequestHeaders("") if ended else errors.LimitRequestLine(len(head))
    return bool(ended) and re.search(rb" HTTP/1\.\d$", line) is None  # HTTP/0.9 has no head


def _length(data: bytearray, length: int, most: int) -> Generator[None]:
    """Yield until a body of this length has arrived."""
    if length > most:
        raise TooLarge
    while len(data) < length:
        yield


def _chunks(data: bytearray, most: int) -> Generator[None]:
    """Yield until a body's last chunk and its trailers have arrived, or what gunicorn's parser will refuse."""
    begin = total = 0
    while True:
        while (end := data.find(b"\r\n", begin)) < 0:
            if len(data) > most + HEAD_LIMIT:
                raise TooLarge
            yield
        size = re.match(rb"[0-9a-fA-F]+", data[begin:end])
        if size is None:
            return
        length = int(size[0], 16)
        if length == 0:
            break
        total += length
        if total > most:
            raise TooLarge
        begin = end + length + 4  # over two line ends
    while data.find(b"\r\n\r\n", end) < 0:
        if len(data) > end + HEAD_LIMIT:
            raise errors.LimitRequestHeaders("")
        yield


def _nothing() -> Generator[None, bytes]:
    while True:
        yield
