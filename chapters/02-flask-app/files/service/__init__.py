"""A greeting, and a check whether the database answers."""

from flask import Flask, Response
from pymongo import MongoClient
from pymongo.errors import PyMongoError


def create_app() -> Flask:
    """Create the application."""
    app = Flask(__name__)

    @app.get("/")
    def index() -> Response:
        return Response("Ram Ram bhai Sareya Ne\n", content_type="text/plain; charset=utf-8")

    return app


def look_for_database(url: str) -> str:
    """Report whether MongoDB answers; the app starts either way."""
    try:
        # The driver connects on first use, and by default waits 30 seconds for a server.
        with MongoClient(url, serverSelectionTimeoutMS=2000) as client:
            client.admin.command("ping")
    except PyMongoError:
        return "Could not connect to MongoDB"
    return "Connected to MongoDB"
