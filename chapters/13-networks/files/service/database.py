"""The connection to MongoDB."""

from flask import Flask, current_app
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import PyMongoError


def init_app(app: Flask, url: str) -> None:
    """Prepare the connection: the driver connects on first use."""
    # Without a limit, a request would wait 30 seconds for a database that is not there.
    app.extensions["database"] = MongoClient(url, serverSelectionTimeoutMS=2000, connect=False)


def look() -> str:
    """Report whether MongoDB answers; the app starts either way."""
    try:
        current_app.extensions["database"].admin.command("ping")
    except PyMongoError:
        return "Could not connect to MongoDB"
    return "Connected to MongoDB"


def collection(name: str) -> Collection:
    """A collection of the database that DATABASE_URL names."""
    return current_app.extensions["database"].get_default_database()[name]
