"""The connection to MongoDB: one client per process. It copes with a database that starts late, stops or returns."""

import atexit
import contextlib
import logging
import threading
from typing import Any

import dns.resolver
from flask import Flask, current_app
from pymongo import MongoClient, monitoring
from pymongo.collation import Collation, CollationStrength
from pymongo.collection import Collection
from pymongo.errors import ConfigurationError, DuplicateKeyError, OperationFailure, ServerSelectionTimeoutError

logger = logging.getLogger(__name__)

Document = dict[str, Any]

SERVER_SELECTION_TIMEOUT = 2  # seconds
OPERATION_TIMEOUT = 5  # seconds for a whole operation: finding the server, a retry, the answer


class _Database(monitoring.ServerHeartbeatListener):
    """The client, and which servers answer its heartbeats."""

    def __init__(self, url: str) -> None:
        self.answering: dict[tuple[str, int | None], bool] = {}
        self.indexed = False
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
            # Acknowledge a write once it is on the disks of a majority.
            w="majority",
            journal=True,
            event_listeners=[self],
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
        self.indexed = False  # a different, empty database may come back

    def close(self) -> None:
        self.closed.set()  # heartbeats that end here are not failures
        if self._client is not None:
            self._client.close()

    def users(self) -> Collection[Document]:
        collection = self.client.get_default_database()["users"]
        if not self.indexed:  # two threads may both get here: creating an existing index does nothing
            ignore_case = Collation(locale="en", strength=CollationStrength.SECONDARY)
            try:
                collection.create_index("email", unique=True, collation=ignore_case)
            except DuplicateKeyError as error:
                raise OperationFailure("no unique index: two users in the database share an email") from error
            self.indexed = True
        return collection


def init_app(app: Flask, url: str) -> None:
    """Connect in the background. The service starts and answers even without a database."""
    app.extensions["database"] = database = _Database(url)
    atexit.register(database.close)


def ping() -> None:
    """Ping the database; raises PyMongoError if it does not answer."""
    current_app.extensions["database"].client.admin.command("ping")


def users() -> Collection[Document]:
    """The users. First contact with the database creates their unique index, however late that is."""
    database: _Database = current_app.extensions["database"]
    return database.users()
