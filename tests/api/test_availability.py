"""The database is late, goes, hangs and comes back; the service ends in order. No restart in between."""

import contextlib
import select
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from socketserver import BaseRequestHandler, UDPServer
from threading import Thread

import dns.message
import dns.rrset
import pytest

from tests.support.ports import free_port
from tests.support.processes import Server
from tests.support.sockets import connect
from tests.support.users import ANN, NO_ID, problem
from tests.support.waiting import LIMIT, wait_for


@pytest.fixture
def server(database, tmp_path):
    """The service with a database that is not started yet."""
    server = Server(tmp_path, DATABASE_URL=database.url)
    with server.running():
        yield server


def away(server):
    """Check all that a service without its database answers."""
    assert server.get("/").ok
    assert server.get("/healthz").ok
    asked = [
        ("GET", "/readyz", None),
        ("GET", "/users", None),
        ("POST", "/users", ANN),
        ("DELETE", f"/users/{NO_ID}", None),
    ]
    with ThreadPoolExecutor(len(asked)) as pool:
        for response in pool.map(lambda it: server.request(it[0], it[1], json=it[2]), asked):
            problem(response, 503)
            assert int(response.headers["Retry-After"]) > 0


def ready(server):
    wait_for(lambda: server.get("/readyz").ok, "the service to be ready")


def test_late_away_and_back(server, database):
    def said(line, times):  # by each of the two workers once, not at each try
        wait_for(lambda: server.output.read_text().count(f'"{line}"') >= times, f"{line} in the log")
        assert server.output.read_text().count(f'"{line}"') == times

    away(server)
    said("Could not connect to MongoDB", 2)
    database.start()
    ready(server)
    assert server.post("/users", json=ANN).status_code == 201
    problem(server.post("/users", json=ANN), 409)  # the unique index came with the first contact
    said("Connected to MongoDB", 2)
    database.stop()
    wait_for(lambda: server.get("/readyz").status_code == 503, "readiness to turn")
    away(server)
    said("Could not connect to MongoDB", 4)
    database.start()
    ready(server)
    assert [user["name"] for user in server.get("/users").json()["users"]] == ["Ann"]
    said("Connected to MongoDB", 4)


def test_another_empty_database_gets_its_index_too(database, tmp_path):
    server = Server(tmp_path, DATABASE_URL=database.url, WEB_CONCURRENCY="1")  # the worker that made the first index
    with server.running():
        for folder in ("old", "new"):
            database.folder = tmp_path / folder
            database.folder.mkdir()
            database.start()
            ready(server)
            assert server.post("/users", json=ANN).status_code == 201
            problem(server.post("/users", json=ANN), 409)
            database.stop()
            wait_for(lambda: server.get("/readyz").status_code == 503, "readiness to turn")


def test_a_database_that_hangs_is_a_503_before_a_client_gives_up(server, database):
    database.start()
    ready(server)
    with database.frozen():
        started = time.monotonic()
        problem(server.get("/readyz"), 503)
        assert time.monotonic() - started < 5  # its own limit, not that of an operation
        problem(server.get("/users"), 503)
        problem(server.post("/users", json=ANN), 503)
        assert server.get("/healthz").ok
    ready(server)
    assert server.get("/users").status_code == 200


def first(server, path):
    """Whether this path is answered before a request for users that is already waiting for the database."""
    with connect(server) as waiting:
        waiting.sendall(b"GET /users HTTP/1.1\r\nHost: x\r\n\r\n")
        server.get(path)
        return not select.select([waiting], [], [], 0)[0]


def test_liveness_answers_while_the_database_hangs_and_all_threads_wait_for_it(database, tmp_path):
    database.start()
    server = Server(tmp_path, DATABASE_URL=database.url, WEB_CONCURRENCY="1", WEB_THREADS="1")

    def answers():
        ready(server)
        with database.frozen():
            return first(server, "/healthz")

    with server.running():
        wait_for(answers, "an answer before that of the database")  # on a busy machine, perhaps not at once


def test_one_request_at_a_time_waits_for_a_database_that_is_away(tmp_path):
    nowhere = f"mongodb://127.0.0.1:{free_port()}/flask-mongo-app-test"
    server = Server(tmp_path, DATABASE_URL=nowhere, WEB_CONCURRENCY="1", WEB_THREADS="2")
    with server.running():
        wait_for(lambda: first(server, "/users"), "an answer before that of the request that waits")


def in_flight(server):
    """A connection with a request that the service has begun to handle, and that waits for the rest of its body."""
    connection = connect(server)
    connection.sendall(
        b"POST /users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 28\r\nExpect: 100-continue\r\n\r\n"
    )
    assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
    return connection


def test_sigterm_finishes_what_is_in_flight_and_ends_with_0(database, tmp_path):
    database.start()
    server = Server(tmp_path, DATABASE_URL=database.url)
    with server.running() as process:
        ready(server)
        with in_flight(server) as connection:
            process.send_signal(signal.SIGTERM)
            wait_for(lambda: "Handling signal: term" in server.output.read_text(), "the signal to arrive")
            assert process.poll() is None
            connection.sendall(b'{"name":"Ann","email":"a@b"}')
            answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 201 ")
        assert process.wait(LIMIT) == 0
    log = server.output.read_text()
    assert "Traceback" not in log
    assert "Could not connect" not in log


# The service's own code, with another name server and another /etc/hosts: for the resolver of mongodb+srv and for ours.
NAMES = """
import dns.resolver, socket

def read_resolv_conf(self, file):
    self.nameservers, self.port = ["127.0.0.1"], {port}

def getaddrinfo(host, *arguments, resolve=socket.getaddrinfo, **options):
    return resolve("127.0.0.1" if host == "db.cluster.example" else host, *arguments, **options)

dns.resolver.Resolver.read_resolv_conf = read_resolv_conf
socket.getaddrinfo = getaddrinfo
"""


@contextlib.contextmanager
def name_server(port, database_port):
    """A name server that knows the members of one cluster."""

    class Answer(BaseRequestHandler):
        def handle(self):
            query, server = self.request
            response = dns.message.make_response(dns.message.from_wire(query))
            question = response.question[0]
            if question.to_text() == "_mongodb._tcp.main.cluster.example. IN SRV":
                member = f"0 0 {database_port} db.cluster.example."
                response.answer.append(dns.rrset.from_text(question.name, 60, "IN", "SRV", member))
            server.sendto(response.to_wire(), self.client_address)

    with UDPServer(("127.0.0.1", port), Answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("silent", [False, True], ids=["no name server", "a name server that does not answer"])
def test_a_cluster_whose_name_cannot_be_resolved_yet(database, tmp_path, silent):
    database.start()
    with socket.socket(type=socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        if not silent:
            deaf.close()
        (tmp_path / "sitecustomize.py").write_text(NAMES.format(port=port))
        url = "mongodb+srv://main.cluster.example/flask-mongo-app-test?tls=false"
        server = Server(tmp_path, DATABASE_URL=url, WEB_CONCURRENCY="1", PYTHONPATH=str(tmp_path))
        with server.running() as process:
            away(server)
            log = server.output.read_text()
            assert log.count('"Could not connect to MongoDB"') == 1  # not at each try
            assert "Traceback" not in log
            deaf.close()
            with name_server(port, database.port):
                ready(server)
                assert server.post("/users", json=ANN).status_code == 201
                problem(server.post("/users", json=ANN), 409)
            process.send_signal(signal.SIGTERM)
            assert process.wait(LIMIT) == 0
    assert "Traceback" not in server.output.read_text()
