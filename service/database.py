"""The connection to MongoDB: one client a process, which finds a database that is late, goes or comes back."""

import atexit
import logging

from flask import Flask, current_app
from pymongo import MongoClient, monitoring
from pymongo.collation import Collation, CollationStrength
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, OperationFailure

logger = logging.getLogger(__name__)

SERVER_SELECTION_TIMEOUT = 2  # seconds
OPERATION_TIMEOUT = 5  # seconds for all of an operation: finding the server, its retry, the answer


class _Database(monitoring.ServerHeartbeatListener):
    """The client, and which servers answer its heartbeats."""

    def __init__(self, url: str) -> None:
        self.answering: dict[tuple, bool] = {}
        self.indexed = self.closed = False
        # Made here, in the worker: a client that has connected does not survive a fork.
        self.client: MongoClient = MongoClient(
            url,
            appname="flask-mongo-app",
            tz_aware=True,
            serverSelectionTimeoutMS=SERVER_SELECTION_TIMEOUT * 1000,
            connectTimeoutMS=SERVER_SELECTION_TIMEOUT * 1000,
            timeoutMS=OPERATION_TIMEOUT * 1000,
            # What is acknowledged to a client is on the disks of a majority.
            w="majority",
            journal=True,
            event_listeners=[self],
        )

    def started(self, event: monitoring.ServerHeartbeatStartedEvent) -> None:
        """Part of the listener's interface; nothing to do."""

    def succeeded(self, event: monitoring.ServerHeartbeatSucceededEvent) -> None:
        if not self.answering.get(event.connection_id):
            logger.info("Connected to MongoDB", extra={"fields": {"server": "{}:{}".format(*event.connection_id)}})
        self.answering[event.connection_id] = True

    def failed(self, event: monitoring.ServerHeartbeatFailedEvent) -> None:
        if self.answering.get(event.connection_id, True) and not self.closed:
            fields = {"server": "{}:{}".format(*event.connection_id), "reason": str(event.reply)}
            logger.error("Could not connect to MongoDB", extra={"fields": fields})
        self.answering[event.connection_id] = False
        self.indexed = False  # what comes back may be another, empty database

    def close(self) -> None:
        self.closed = True  # the heartbeats that this ends have not failed
        self.client.close()

    def users(self) -> Collection:
        collection = self.client.get_default_database()["users"]
        if not self.indexed:  # two threads may both come here: making an index that exists does nothing
            ignore_case = Collation(locale="en", strength=CollationStrength.SECONDARY)
            try:
                collection.create_index("email", unique=True, collation=ignore_case)
            except DuplicateKeyError as error:
                raise OperationFailure("no unique index: two users in the database share an email") from error
            self.indexed = True
        return collection


def init_app(app: Flask, url: str) -> None:
    """Connect in the background. The service starts and answers also where there is no database yet."""
    app.extensions["database"] = database = _Database(url)
    atexit.register(database.close)


def ping() -> None:
    """Ask the database for a sign of life; raises PyMongoError where it gives none."""
    current_app.extensions["database"].client.admin.command("ping")


def users() -> Collection:
    """The users, with their unique index: made on first contact with the database, however late that comes."""
    return current_app.extensions["database"].users()
