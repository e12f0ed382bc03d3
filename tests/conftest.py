"""What all tests share: the service as a process, with its database."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database as Documents

from tests.support.processes import Database, Server
from tests.support.repository import BIN


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
def documents(database_url: str) -> Iterator[Documents]:
    """What the database holds, past the service."""
    with MongoClient(database_url, tz_aware=True) as client:
        yield client.get_default_database()


@pytest.fixture(scope="session")
def users(documents: Documents) -> Collection:
    """The users in the database."""
    return documents["users"]


@pytest.fixture
def service(served: Server, documents: Documents) -> Server:
    """The service with no document in its database."""
    for name in documents.list_collection_names():
        documents[name].delete_many({})
    return served


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database for one test, which starts, stops and freezes it."""
    if not (BIN / "secantusd-py").exists():
        pytest.skip("no SecantusDB in this environment")
    database = Database(tmp_path)
    yield database
    database.stop()


@pytest.fixture
def tries(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Callable[[int, int], int]:
    """How often to try: the first number in the quick share, the second with --long. The summary names it."""

    def choose(quick: int, long: int) -> int:
        number = long if request.config.getoption("--long") else quick
        record_property("tries", number)
        return number

    return choose
