"""gunicorn's threaded worker, except that a request gets a thread only when all of it has arrived.

gunicorn's own worker takes a thread for a connection's first byte: one client per thread, each with half a request,
would block everybody else. Here the main thread collects requests in memory: heads of up to HEAD_LIMIT bytes, bodies
of up to MAX_CONTENT_LENGTH. It answers refused requests like every error of the service, with a problem document.

Based on gunicorn 27's gunicorn/workers/gthread.py, for plain HTTP/1.1: TLS is the job of a proxy in front.
"""

import io
import re
import socket
import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ

from gunicorn import glogging
from gunicorn.http import Request, RequestParser, errors, wsgi
from gunicorn.http.body import LengthReader
from gunicorn.workers.gthread import TConn, ThreadWorker

from service import logs
from service.errors import problem

HEAD_LIMIT = 32 * 1024  # bytes of a head, and of the overhead of a chunked body
LINGER = 2  # seconds for a client to close its end after the last response
NEWCOMER = 0.5  # seconds in which a connection's next request may be under way, so that it is not closed to make room
LIVENESS = "/healthz"  # asks nobody else, so it has a thread of its own


class Logger(glogging.Logger):
    """gunicorn's logger without its access log, which has a line for each request, as ours has."""

    # By default, gunicorn builds the line when there is a logconfig_dict, even if no handler prints it.
    access_log_enabled = False


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
    """A client's connection. Its parser reads only what has arrived, and never waits."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.initialized = True
        self.parser = RequestParser(self.cfg, [], self.client)
        self.arrival: Generator[None, bytes] | None = None  # gets incoming data; ends when the request is complete
        self.head = b""  # while incomplete
        self.request: Request | None = None  # once the head is complete
        self.begun = self.closing = False


class Worker(ThreadWorker):
    """The worker: see above."""

    def init_process(self) -> None:
        # While the database hangs, other requests may wait in all other threads. This one still tells an orchestrator
        # that a restart would not help.
        self.liveness = ThreadPoolExecutor(max_workers=1)
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        try:
            connected, client = listener.accept()
        except OSError:
            return  # another worker was faster, or the client is gone
        self.nr_conns += 1
        self.enqueue_req(Connection(self.cfg, connected, client, listener.getsockname()))

    def enqueue_req(self, conn: Connection) -> None:
        """Read what has arrived. Unlike gunicorn, queue the connection for a thread only for a complete request."""
        conn.sock.setblocking(False)
        if conn.arrival is None:
            conn.arrival = self._receive(conn)
            next(conn.arrival)
        try:
            data = conn.parser.unreader.take_buffered() or conn.sock.recv(HEAD_LIMIT)
            if data:
                conn.arrival.send(data)  # no more for now: other connections wait
                self._wait(conn)
            else:
                self._forget(conn)  # the client has closed
        except StopIteration:
            conn.arrival, conn.begun = None, False
            self._handle_in_a_thread(conn)
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
            if expects and not data:  # gunicorn would send this only after the body
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

    def murder_keepalived(self, force: bool = False) -> None:
        """Close connections that have been idle for too long, and one more to make room if all are taken."""
        if self.nr_conns >= self.worker_connections and self.keepalived_conns:
            first = self.keepalived_conns[0]  # idle longest
            if first.timeout - self.cfg.keepalive + NEWCOMER < time.monotonic():
                first.timeout = 0
        super().murder_keepalived(force)

    def murder_pending(self) -> None:
        """Refuse requests that are too slow, and drop clients that do not close in time."""
        now = time.monotonic()
        for conn in [conn for conn in self.pending_conns if conn.timeout < now]:
            self.pending_conns.remove(conn)
            self.poller.unregister(conn.sock)
            if conn.closing:
                self._forget(conn)
            else:
                self._refuse(conn, TooSlow())

    def _handle_in_a_thread(self, conn: Connection) -> None:
        threads = self.liveness if conn.request and conn.request.path == LIVENESS else self.tpool
        done = threads.submit(self.handle, conn)
        done.add_done_callback(partial(self.method_queue.defer, self.finish_request, conn))

    def handle(self, conn: Connection) -> bool:
        """Answer a request, in a thread. Returns whether the connection can take another one."""
        conn.sock.settimeout(self.wsgi.config["REQUEST_TIMEOUT"])  # or a client that reads nothing holds the thread
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
        response.force_close()  # it is unknown where the next request begins
        with self.wsgi.request_context(environ):
            logs.start()
            answer = self.wsgi.process_response(problem(status, detail))
        with suppress(OSError):  # the client is gone
            for part in answer(environ, response.start_response):
                response.write(part)
            response.close()
        self._close(conn)

    def _understood(self, conn: Connection) -> Request:
        # The readable part of a request that gunicorn's parser refuses: for the log, and so that a HEAD gets no body.
        words = re.match(rb"(?:\r\n)?([A-Z]{3,20}) (/[!-~]*)", conn.head)
        method, path = words.groups() if words else (b"-", b"/")
        request = next(RequestParser(self.cfg, [b"GET / HTTP/1.1\r\n\r\n"], conn.client))
        request.method, request.path = method.decode(), path.decode()
        return request

    def _close(self, conn: Connection) -> None:
        # Close our end first, then the client's: closing both while it still sends could lose the response.
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
    """Whether the whole head has arrived, or enough of it for gunicorn's parser to refuse it."""
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
    """Yield until a body's last chunk and its trailers have arrived, or data that gunicorn's parser will refuse."""
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
        begin = end + length + 4  # skip two line ends
    while data.find(b"\r\n\r\n", end) < 0:
        if len(data) > end + HEAD_LIMIT:
            raise errors.LimitRequestHeaders("")
        yield


def _nothing() -> Generator[None, bytes]:
    while True:
        yield
