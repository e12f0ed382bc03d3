"""The HTTP server in front of the application: what is no request, slow clients, idle ones, and the end."""

import contextlib
import json
import select
import signal
import socket
import time

import pytest

from service.headers import HEADERS
from tests.support.processes import Server
from tests.support.sockets import answers, connect, parsed
from tests.support.waiting import LIMIT, wait_for

JSON = "Content-Type: application/json\r\n"
POST = f"POST /users HTTP/1.1\r\nHost: x\r\n{JSON}"
CHUNKED = f"{POST}Transfer-Encoding: chunked\r\n\r\n"
COOKIES = f"Cookie: {'x' * 9000}\r\n\r\n"


def refused(server, answer, status):
    """Check that an answer is a problem document with all headers, and that the log has one line for it."""
    given, headers, body = parsed(answer)
    assert given == status, answer
    assert HEADERS.items() <= headers.items()
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Connection"] == "close"
    assert int(headers["Content-Length"]) > 0

    lines = server.logged(headers["X-Request-ID"])
    assert [(line["message"], line["status"]) for line in lines] == [("request", status)]
    return json.loads(body) if body else None


REFUSED = {
    "HTTP/0.9": ("GET /\r\n", 400),
    "HTTP/2": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/2.0": ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    "TLS": ("\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03", 400),
    "lower-case method": ("patch /users/x HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    "short method": ("GO / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    "target of another form": ("GET users HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "NUL in the target": ("GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "NUL in a header": ("GET / HTTP/1.1\r\nHost: x\r\nA: x\0y\r\n\r\n", 400),
    "bare line feeds": ("GET / HTTP/1.1\nHost: x\n\n", 400),
    "header without a colon": ("GET / HTTP/1.1\r\nHost x\r\n\r\n", 400),
    "folded header": ("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400),
    "two hosts": ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "long URL": (f"GET /users?limit={'1' * 5000} HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "endless URL": (f"GET /{'x' * 50_000}", 414),
    "cookies": (f"GET /about HTTP/1.1\r\nHost: x\r\n{COOKIES}", 431),
    "endless header": ("GET / HTTP/1.1\r\n" + "A: b\r\n" * 10_000, 431),
    "expectation": (f"{POST}Expect: 200-maybe\r\nContent-Length: 2\r\n\r\n", 417),
    "transfer coding": (f"{POST}Transfer-Encoding: foo\r\n\r\n", 501),
    "transfer coding without a length": (f"{POST}Transfer-Encoding: gzip\r\n\r\n", 400),
    "length": (f"{POST}Content-Length: x\r\n\r\n", 400),
    "negative length": (f"{POST}Content-Length: -1\r\n\r\n", 400),
    "two lengths": (f"{POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "length and chunks": (f"{POST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "large body": (f"{POST}Content-Length: 99999999\r\n\r\n{{", 413),
    "large body, and patience": (f"{POST}Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", 413),
    "larger than any number": (f"{POST}Content-Length: {'9' * 5000}\r\n\r\n", 400),
    "large chunk": (f"{CHUNKED}fffffff\r\n", 413),
    "many chunks": (CHUNKED + "1000\r\n" + "x" * 4096 + "\r\n" + ("1000\r\n" + "x" * 4096 + "\r\n") * 16, 413),
    "endless size of a chunk": (f"{CHUNKED}1;{'x' * 150_000}", 413),
    "size of a chunk": (f"{CHUNKED}xyz\r\n", 400),
    "negative size of a chunk": (f"{CHUNKED}-5\r\n", 400),
    "end of a chunk": (f"{CHUNKED}2\r\n{{}}XX0\r\n\r\n", 400),
    "endless trailers": (f"{CHUNKED}0\r\n" + "A: b\r\n" * 10_000, 431),
}


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_request_gets_a_problem_document_like_all_others(served, sent, status):
    document = refused(served, answers(served, sent), status)
    assert (document["status"], document["type"]) == (status, "about:blank")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (f"HEAD /about HTTP/1.1\r\nHost: x\r\n{COOKIES}", 431),
        (f"HEAD /{'x' * 5000} HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        ("HEAD / HTTP/1.1\r\nHost x\r\n\r\n", 400),
        ("HEAD /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
    ],
)
def test_the_answer_to_a_head_has_no_body(served, sent, status):
    assert refused(served, answers(served, sent), status) is None


def test_what_was_understood_of_a_refused_request_is_taken_over(served):
    answer = answers(
        served, f"PATCH /users/x HTTP/1.1\r\nX-Request-ID: mine-1\r\n{JSON}Content-Length: 99999999\r\n\r\n"
    )
    refused(served, answer, 413)
    assert [(line["method"], line["path"]) for line in served.logged("mine-1")] == [("PATCH", "/users/x")]


ANSWERED = {
    "HTTP/1.0": ("GET /healthz HTTP/1.0\r\n\r\n", 200),
    "absolute target": ("GET http://other.example/healthz HTTP/1.1\r\nHost: x\r\n", 200),
    "two slashes": ("GET //healthz HTTP/1.1\r\nHost: x\r\n", 200),
    "empty line before": ("\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n", 200),
    "odd host": ("GET /healthz HTTP/1.1\r\nHost: a b/<>\r\n", 200),
    "OPTIONS": ("OPTIONS /users HTTP/1.1\r\nHost: x\r\n", 200),
    "OPTIONS *": ("OPTIONS * HTTP/1.1\r\nHost: x\r\n", 404),
    "CONNECT": ("CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\n", 404),
    "TRACE": ("TRACE /users HTTP/1.1\r\nHost: x\r\n", 405),
    "percent signs": ("GET /users/%zz HTTP/1.1\r\nHost: x\r\n", 404),
    "not UTF-8": ("GET /users/%ff%fe HTTP/1.1\r\nHost: x\r\n", 404),
    "not UTF-8 in the query": ("GET /users?limit=%ff HTTP/1.1\r\nHost: x\r\n", 422),
    # Words of a proxy, which is not trusted:
    "SCRIPT_NAME": ("GET /healthz HTTP/1.1\r\nHost: x\r\nSCRIPT_NAME: /app\r\n", 200),
    "scheme": ("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\n", 200),
}


@pytest.mark.parametrize(("sent", "status"), ANSWERED.values(), ids=ANSWERED)
def test_unusual_requests_are_answered(served, sent, status):
    given, headers, body = parsed(answers(served, sent.removesuffix("\r\n") + "\r\nConnection: close\r\n\r\n"))
    assert given == status
    assert HEADERS.items() <= headers.items()
    assert status < 400 or json.loads(body)["status"] == status


def test_a_request_may_come_in_pieces_and_two_at_once(served):
    chunks = f"{CHUNKED}2;a=b\r\n{{}}\r\n0\r\nX: y\r\n\r\n"
    for sent, status in ((chunks, 422), (f"{POST}Content-Length: 2\r\n\r\n{{}}", 422)):
        last = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        for parts in ([sent + last], [*sent, last]):  # at once, and byte by byte
            answer = answers(served, *parts)
            assert answer.startswith(f"HTTP/1.1 {status} ".encode())
            assert answer.endswith(b'{"status":"ok"}\n')


STALLED = [
    ("", None),
    ("GET / HTTP/1.1\r\nHost: x\r\n", 408),
    (f"{POST}Content-Length: 99\r\n\r\n{{", 408),
    (f"{POST}Content-Length: 99\r\nExpect: 100-continue\r\n\r\n", 408),
    (f"{CHUNKED}5\r\nab", 408),
    (f"{POST}Content-Length: 99999999\r\n\r\n{{", 413),
    ("GET /about HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),  # and does not close its end
]


@pytest.fixture(scope="module")
def single(database_url, tmp_path_factory):
    """The service in one process."""
    folder = tmp_path_factory.mktemp("single")
    server = Server(folder, DATABASE_URL=database_url, WEB_CONCURRENCY="1", REQUEST_TIMEOUT="10")
    with server.running():
        yield server


@contextlib.contextmanager
def stalling(server):
    """Have 64 clients stall in each of these ways; yields their connections, each with what it sent and its status."""
    with contextlib.ExitStack() as connections:
        held = [(connections.enter_context(connect(server)), *stalled) for stalled in STALLED for _ in range(64)]
        for connection, sent, _ in held:
            connection.sendall(sent.encode())
        yield held


def test_clients_that_stall_stop_nobody_else(database_url, tmp_path):
    # With an hour to wait, it gives up on nobody while this test asks, however busy the machine is.
    server = Server(
        tmp_path, DATABASE_URL=database_url, WEB_CONCURRENCY="1", REQUEST_TIMEOUT="3600", GRACEFUL_TIMEOUT="1"
    )
    with server.running(), stalling(server) as held:
        assert server.get("/healthz").ok
        assert server.get("/users").ok
        stalled = [connection for connection, sent, status in held if status == 408 and "Expect" not in sent]
        assert select.select(stalled, [], [], 0)[0] == []


def test_clients_that_stall_get_an_answer_in_the_end(single):
    with stalling(single) as held:
        for connection, _, status in held:
            if status is not None:
                answer = connection.makefile("rb").read().removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
                assert answer.startswith(f"HTTP/1.1 {status} ".encode())
                assert status == 200 or refused(single, answer, status)


def test_one_byte_now_and_then_gains_no_time(single):
    started = time.monotonic()
    with connect(single) as connection, contextlib.suppress(ConnectionError):
        connection.settimeout(0.2)
        while True:
            connection.sendall(b"G")
            with contextlib.suppress(TimeoutError):
                answer = connection.recv(4096)
                break
    refused(single, answer, 408)
    assert time.monotonic() - started < LIMIT


def test_an_endless_body_is_cut_off_and_stops_nobody_else(single):
    with connect(single) as connection:
        connection.sendall(f"{POST}Content-Length: 999999999999\r\n\r\n".encode())

        def cut_off():
            try:
                connection.sendall(b"x" * 1_000_000)
            except ConnectionError:
                return True
            assert single.get("/healthz").ok
            return False

        wait_for(cut_off, "the end of the connection")


def test_idle_connections_give_way_to_new_ones(single):
    with contextlib.ExitStack() as stack:
        for _ in range(600):  # more than a worker keeps
            stack.enter_context(connect(single))
        assert single.get("/healthz").ok


def is_kept(connection):
    """Whether the connection has another answer."""
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = b""
    while not answer.endswith(b'{"status":"ok"}\n'):
        if not (more := connection.recv(4096)):
            return False
        answer += more
    return b"Connection: keep-alive" in answer


def test_an_idle_connection_is_kept_for_a_time_of_its_own(database_url, tmp_path):
    server = Server(tmp_path, DATABASE_URL=database_url, KEEPALIVE_TIMEOUT="10", REQUEST_TIMEOUT="1")
    with server.running(), connect(server) as idle:
        assert is_kept(idle)
        refused(server, answers(server, "GET"), 408)
        assert is_kept(idle)
        started = time.monotonic()
        assert idle.recv(4096) == b""  # closed without a word
        assert time.monotonic() - started > 3


def test_idle_connections_do_not_keep_the_service_from_ending(database_url, tmp_path):
    server = Server(tmp_path, DATABASE_URL=database_url, GRACEFUL_TIMEOUT="3600", KEEPALIVE_TIMEOUT="3600")
    with server.running() as process, connect(server), connect(server) as used:
        assert is_kept(used)
        # Both workers are up: gunicorn loses a signal that meets one which is starting.
        wait_for(lambda: server.output.read_text().count("Connected to MongoDB") == 2, "the second worker")
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT) == 0


def test_half_a_request_keeps_it_for_no_longer_than_graceful_timeout(database_url, tmp_path):
    server = Server(tmp_path, DATABASE_URL=database_url, GRACEFUL_TIMEOUT="1", REQUEST_TIMEOUT="3600")
    with server.running() as process, connect(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT) == 0


def reaches(host, server):
    """Whether the service answers at this address of the machine."""
    with (
        contextlib.suppress(ConnectionError),
        socket.create_connection((host, server.port), timeout=LIMIT) as connection,
    ):
        return is_kept(connection)
    return False


def has_ipv6():
    """Whether this machine has an IPv6 loopback address."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def test_it_listens_on_both_families(served):
    assert reaches("127.0.0.1", served)
    assert reaches("::1", served) == has_ipv6()


def test_it_starts_where_ipv6_is_off(database_url, tmp_path):
    # As on a kernel with ipv6.disable=1, which makes no such socket.
    (tmp_path / "sitecustomize.py").write_text(
        "import errno, socket\n"
        "class Socket(socket.socket):\n"
        "    def __init__(self, family=-1, *arguments, **options):\n"
        "        if family == socket.AF_INET6:\n"
        "            raise OSError(errno.EAFNOSUPPORT, 'Address family not supported by protocol')\n"
        "        super().__init__(family, *arguments, **options)\n"
        "socket.socket = Socket\n"
    )
    server = Server(tmp_path, DATABASE_URL=database_url, PYTHONPATH=str(tmp_path))
    with server.running():
        assert reaches("127.0.0.1", server)
        assert not reaches("::1", server)
