"""The connection to MongoDB: one client per process. It copes with a database that starts late, stops or returns.

Which collections there are, and their indexes, is up to the modules that own them.
"""

import atexit
import contextlib
import logging
import re
import threading
from typing import Any

import dns.resolver
import pymongo
from flask import Flask, current_app
from pymongo import IndexModel, MongoClient, monitoring
from pymongo.collection import Collection
from pymongo.errors import (
    ConfigurationError,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

logger = logging.getLogger(__name__)

Document = dict[str, Any]

SERVER_SELECTION_TIMEOUT = 2  # seconds
OPERATION_TIMEOUT = 5  # seconds for a whole operation: finding the server, a retry, the answer
HEARTBEAT = 2  # seconds between two questions whether a server is there; the driver's default is 10
REPLICA_SET = re.compile(r"mongodb\+srv:|mongodb://[^/]*,|.*[?&]replicaSet=", re.IGNORECASE)  # URLs of one


class _Database(monitoring.ServerHeartbeatListener):
    """The client, and which servers answer its heartbeats."""

    def __init__(self, url: str) -> None:
        self.answering: dict[tuple[str, int | None], bool] = {}
        self.indexed: set[str] = set()  # the collections whose indexes exist
        self.waiting = threading.Lock()  # held while a request waits for a server to come back
        self.closed = threading.Event()
        self._client: MongoClient[Document] | None = None
        try:
            self._connect(url)
        except ConfigurationError as error:  # a mongodb+srv:// URL whose name cannot be resolved
            logger.error("Could not connect to MongoDB", extra={"fields": {"reason": str(error)}})
            threading.Thread(target=self._keep_trying, args=(url,), daemon=True).start()

    def _connect(self, url: str) -> None:
        # Created here, in the worker: a connected client does not survive a fork.
        self._client = MongoClient(
            url,
            appname="flask-mongo-app",
            tz_aware=True,
            serverSelectionTimeoutMS=SERVER_SELECTION_TIMEOUT * 1000,
            connectTimeoutMS=SERVER_SELECTION_TIMEOUT * 1000,
            timeoutMS=OPERATION_TIMEOUT * 1000,
            heartbeatFrequencyMS=HEARTBEAT * 1000,
            # Acknowledge a write once it is on the disks of a majority.
            w="majority",
            journal=True,
            event_listeners=[self],
            # A single MongoDB cannot repeat a write. When the driver (4.20) tries, it takes the old error for a new one
            # and closes all connections, also those that other requests write on; they try again, and so on.
            retryWrites=bool(REPLICA_SET.match(url)),
        )

    def _keep_trying(self, url: str) -> None:
        while self._client is None and not self.closed.wait(SERVER_SELECTION_TIMEOUT):
            dns.resolver.reset_default_resolver()  # /etc/resolv.conf may have changed
            with contextlib.suppress(ConfigurationError):
                self._connect(url)

    @property
    def client(self) -> MongoClient[Document]:
        if self._client is None:
            raise ServerSelectionTimeoutError("the name in DATABASE_URL has not been resolved yet")
        return self._client

    def started(self, event: monitoring.ServerHeartbeatStartedEvent) -> None:
        """Part of the listener's interface; nothing to do."""

    def succeeded(self, event: monitoring.ServerHeartbeatSucceededEvent) -> None:
        if not self.answering.get(event.connection_id):
            logger.info("Connected to MongoDB", extra={"fields": {"server": "{}:{}".format(*event.connection_id)}})
        self.answering[event.connection_id] = True

    def failed(self, event: monitoring.ServerHeartbeatFailedEvent) -> None:
        if self.answering.get(event.connection_id, True) and not self.closed.is_set():
            fields = {"server": "{}:{}".format(*event.connection_id), "reason": str(event.reply)}
            logger.error("Could not connect to MongoDB", extra={"fields": fields})
        self.answering[event.connection_id] = False
        self.indexed.clear()  # a different, empty database may come back

    def _wait_for_server(self) -> None:
        # One request at a time: if all of them waited for a server that is away, they would take all threads.
        if not self.waiting.acquire(blocking=False):
            raise ServerSelectionTimeoutError("no server has answered, and another request waits for one")
        try:
            self.client.admin.command("ping")
        finally:
            self.waiting.release()

    def close(self) -> None:
        self.closed.set()  # heartbeats that end here are not failures
        if self._client is not None:
            self._client.close()

    def collection(self, name: str, indexes: tuple[IndexModel, ...]) -> Collection[Document]:
        if self.answering and True not in self.answering.values():
            self._wait_for_server()
        collection = self.client.get_default_database()[name]
        if indexes and name not in self.indexed:  # two threads may get here: creating an existing index does nothing
            try:
                collection.create_indexes(list(indexes))
            except DuplicateKeyError as error:
                raise OperationFailure(f"{name} has no unique index: two documents share a value") from error
            self.indexed.add(name)
        return collection


def init_app(app: Flask, url: str) -> None:
    """Connect in the background. The service starts and answers even without a database."""
    app.extensions["database"] = database = _Database(url)
    atexit.register(database.close)


def answers() -> bool:
    """Whether the database answers within a second and a half."""
    try:
        # Seconds. The driver checks its limit every half second.
        with pymongo.timeout(1):
            current_app.extensions["database"].client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def collection(name: str, *indexes: IndexModel) -> Collection[Document]:
    """A collection of the database that DATABASE_URL names.

    First contact with the database creates its indexes, however late that is.

    Raises:
        PyMongoError: the database does not answer, or its documents do not allow an index.
    """
    database: _Database = current_app.extensions["database"]
    return database.collection(name, indexes)
