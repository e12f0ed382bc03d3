"""What all tests share: the service as a process with its database, and what to do where a part is missing."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from tests.support import BIN, Database, Server

REQUIRE_ALL = bool(os.environ.get("REQUIRE_ALL"))

# A proxy of the machine's is not for the servers that run here.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(
    filter(None, [os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), "localhost,127.0.0.1,::1"])
)

# Started in the background of a shell, we and all that we start would be deaf to Ctrl-C, which some tests press.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In several processes, each runs whole files; one runs all that load the engine, one after another.

    Tests that have a group already keep it.
    """
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        on_engine = {"engine", "machine", "second_machine"}.intersection(item.fixturenames)
        item.add_marker(pytest.mark.xdist_group("engine" if on_engine else "/".join(item.path.parts[-2:])))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """With REQUIRE_ALL=1, a test that would be skipped has failed."""
    report = yield
    if REQUIRE_ALL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL: {report.longrepr[2]}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was skipped, and why: '12 containers tests skipped: no Docker Engine answers'."""
    skipped = Counter(
        (report.nodeid.split("/")[1], report.longrepr[2].removeprefix("Skipped: "))
        for report in terminalreporter.getreports("skipped")
    )
    for (folder, reason), number in sorted(skipped.items()):
        terminalreporter.write_line(f"{number} {folder} tests skipped: {reason}", yellow=True)


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The database that the tests may empty: TEST_DATABASE_URL, or a server of our own."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    database = Database(tmp_path_factory.mktemp("database"))
    database.start()
    yield database.url
    database.stop()


@pytest.fixture(scope="session")
def served(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service with the database, for tests that change no setting."""
    server = Server(tmp_path_factory.mktemp("server"), DATABASE_URL=database_url)
    with server.running():
        yield server


@pytest.fixture(scope="session")
def users(database_url: str) -> Iterator[Collection]:
    """The users in the database, past the service."""
    with MongoClient(database_url, tz_aware=True) as client:
        yield client.get_default_database()["users"]


@pytest.fixture
def service(served: Server, users: Collection) -> Server:
    """The service without any user in its database."""
    users.delete_many({})
    return served


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database for one test, which starts, stops and freezes it."""
    if not (BIN / "secantusd-py").exists():
        pytest.skip("no SecantusDB in this environment")
    database = Database(tmp_path)
    yield database
    database.stop()
