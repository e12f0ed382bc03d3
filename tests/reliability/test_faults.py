"""Faults under load: the database is killed or hangs, a worker is killed, all clients come at once."""

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import requests
from pymongo import MongoClient

from tests.support.disks import small_disk
from tests.support.load import load
from tests.support.processes import Database, Server
from tests.support.sockets import connect
from tests.support.users import ANN, emails, problem
from tests.support.waiting import LIMIT, wait_for


@pytest.fixture
def server(database: Database, tmp_path: Path) -> Iterator[Server]:
    """The service with a database of its own."""
    database.start()
    server = Server(tmp_path, DATABASE_URL=database.url)
    with server.running():
        wait_for(lambda: server.get("/readyz").ok, "the service to be ready")
        yield server


class Writers:
    """Eight clients that create users until they are told to end."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.acknowledged: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.in_a_row = 0  # how many users have been created since the last refusal
        self.end = threading.Event()

    def write(self, writer: int) -> None:
        number = 0
        while not self.end.is_set():
            number += 1
            email = f"{writer}-{number}@example.org"
            status = self.server.post("/users", json={"name": "Ann", "email": email}).status_code
            self.statuses[status] += 1
            if status == 201:
                self.acknowledged.append(email)
                self.in_a_row += 1
            else:
                self.in_a_row = 0

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        with ThreadPoolExecutor(8) as pool:
            writers = [pool.submit(self.write, writer) for writer in range(8)]
            try:
                yield
            finally:
                self.end.set()
        for writer in writers:
            writer.result()

    def recovery(self) -> float:
        """Wait until nobody is refused any more; returns the seconds that this took."""
        begun, self.in_a_row = time.monotonic(), 0
        wait_for(lambda: self.in_a_row >= 40, "40 users in a row")
        return time.monotonic() - begun


def killed(server: Server, database: Database) -> None:
    """Kill the database, and start it again."""
    database.process.kill()
    database.process.wait()
    database.start()


def hung(server: Server, database: Database) -> None:
    """Let the database hang until both workers have noticed, which cancels the writes under way."""
    noticed = server.output.read_text().count("Could not connect to MongoDB")
    with database.frozen():
        wait_for(
            lambda: server.output.read_text().count("Could not connect to MongoDB") >= noticed + 2, "both to notice"
        )


@pytest.mark.parametrize("fault", [killed, hung])
def test_no_acknowledged_user_is_lost_or_doubled_by_a_fault_and_all_are_served_again(
    server, database, fault, tries, record_property
):
    writers, recoveries = Writers(server), []
    with writers.writing():
        writers.recovery()
        for _ in range(tries(3, 20)):
            fault(server, database)
            recoveries.append(writers.recovery())
    record_property("acknowledged users", len(writers.acknowledged))
    record_property("slowest recovery in seconds", round(max(recoveries), 1))
    assert writers.statuses.keys() <= {201, 503}
    found = emails(server)
    assert set(writers.acknowledged) <= found.keys()
    assert set(found.values()) == {1}
    assert max(recoveries) < 5


@pytest.mark.long
def test_no_acknowledged_user_is_lost_when_the_disk_is_full(tmp_path, record_property):
    with small_disk(tmp_path / "disk", "40m") as disk, contextlib.ExitStack() as stack:
        database = Database(disk)
        database.start()
        stack.callback(database.stop)
        server = Server(tmp_path, DATABASE_URL=database.url)
        stack.enter_context(server.running())
        writers = Writers(server)
        with writers.writing():
            writers.recovery()
            with (disk / "other").open("wb", buffering=0) as other, contextlib.suppress(OSError):
                while True:
                    other.write(bytes(2**16))
            # The database still has room in its own files.
            wait_for(lambda: writers.statuses.keys() > {201}, "a refusal", limit=5 * LIMIT)
            (disk / "other").unlink()
            killed(server, database)  # a mongod that cannot write ends by itself
            writers.recovery()
        with MongoClient(database.url) as client:
            found = Counter(user["email"] for user in client.get_default_database().users.find())
    record_property("acknowledged users", len(writers.acknowledged))
    assert writers.statuses.keys() <= {201, 500, 503}
    assert set(writers.acknowledged) <= found.keys()
    assert set(found.values()) == {1}


def test_a_database_that_hangs_under_load_is_a_503_and_stops_nobody_else(server, database, tries):
    asked: list[Callable[[], requests.Response]] = [
        lambda: server.get("/users"),
        lambda: server.post("/users", json=ANN),
    ]
    for _ in range(tries(1, 10)):
        with ThreadPoolExecutor(64) as pool:
            with database.frozen():
                waiting = [pool.submit(asked[number % 2]) for number in range(64)]
                assert server.get("/healthz").ok
                assert server.get("/about").ok
                for response in waiting:
                    problem(response.result(), 503)
            wait_for(lambda: server.get("/users").ok and server.get("/readyz").ok, "the database to be found again")


def workers(master: int) -> list[int]:
    """The processes that gunicorn has started."""
    return [int(child) for child in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


def connected(server: Server) -> int:
    """How many workers have had their database so far."""
    return server.output.read_text().count("Connected to MongoDB")


def test_a_killed_worker_is_replaced_and_the_other_goes_on(database, tmp_path, tries):
    database.start()
    server = Server(tmp_path, DATABASE_URL=database.url)
    number = tries(5, 100)
    with server.running() as process:
        wait_for(lambda: connected(server) == 2, "both workers")
        with load(lambda: server.get("/users")) as statuses:
            for _ in range(number):
                before = connected(server)
                os.kill(workers(process.pid)[0], signal.SIGKILL)
                wait_for(lambda: connected(server) > before, "another worker")  # noqa: B023 - called before it changes
        assert len(workers(process.pid)) == 2
    lost = statuses.count(0)
    assert lost <= 8 * number, f"{lost} of {len(statuses)} requests"  # at most those that the killed worker had
    assert set(statuses) <= {0, 200}


def test_of_many_that_want_one_email_one_gets_it(service, tries):
    for number in range(tries(5, 100)):
        create = partial(service.post, "/users", json={"name": "Ann", "email": f"{number}@example.org"})
        with ThreadPoolExecutor(100) as pool:
            asked = [pool.submit(create) for _ in range(100)]
        assert Counter(it.result().status_code for it in asked) == {201: 1, 409: 99}


def test_a_thousand_connections_at_once_are_all_answered(service, tries):
    for _ in range(tries(1, 20)):
        with contextlib.ExitStack() as stack:
            connections = []
            for _ in range(1000):
                connections.append(stack.enter_context(connect(service)))
                # The start of a request: a connection without one may be closed to make room.
                connections[-1].sendall(b"GET /users HTTP/1.1\r\n")
            for connection in connections:
                connection.sendall(b"Host: x\r\nConnection: close\r\n\r\n")
            for connection in connections:
                assert connection.makefile("rb").read().startswith(b"HTTP/1.1 200 ")
        assert service.get("/healthz").ok


def memory(processes: list[int]) -> int:
    """The memory in bytes that these processes have for themselves."""
    rollups = [Path(f"/proc/{process}/smaps_rollup").read_text() for process in processes]
    private = [line.split()[1] for rollup in rollups for line in rollup.splitlines() if line.startswith("Private_")]
    return sum(map(int, private)) * 1024


@pytest.mark.long
def test_memory_does_not_grow_under_load(database, tmp_path, record_property):
    database.start()
    server = Server(tmp_path, DATABASE_URL=database.url)
    number = iter(range(10**9))

    def ask() -> requests.Response:
        user = {"name": "Ann", "email": f"{next(number)}@example.org"}
        created = server.post("/users", json=user)
        server.get("/users")
        server.get("/", headers={"Accept": "text/html"})
        return server.request("DELETE", created.headers["Location"])

    with server.running() as process, load(ask) as statuses:
        time.sleep(60)  # the load itself: what is measured is time under it
        begun = memory(workers(process.pid))
        time.sleep(9 * 60)
        ended = memory(workers(process.pid))
    record_property("requests", 4 * len(statuses))
    record_property("memory after a minute in MB", begun // 10**6)
    record_property("memory after ten minutes in MB", ended // 10**6)
    assert set(statuses) == {204}
    assert ended < begun * 1.1
