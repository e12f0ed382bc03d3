"""A greeting, and a look whether the database is there."""

from flask import Flask, Response
from pymongo import MongoClient
from pymongo.errors import PyMongoError


def create_app() -> Flask:
    """Make the application."""
    app = Flask(__name__)

    @app.get("/")
    def index() -> Response:
        return Response("Ram Ram bhai Sareya Ne\n", content_type="text/plain; charset=utf-8")

    return app


def look_for_database(url: str) -> str:
    """Say whether MongoDB answers; the app starts either way."""
    try:
        # The driver connects when it is first used, and waits 30 seconds for a server unless told otherwise.
        with MongoClient(url, serverSelectionTimeoutMS=2000) as client:
            client.admin.command("ping")
    except PyMongoError:
        return "Could not connect to MongoDB"
    return "Connected to MongoDB"
