"""What an orchestrator asks (is the process alive, and can it do its work?), and the page: who answers?"""

import os
import socket

import pymongo
from flask import Blueprint, Response, jsonify
from pymongo.errors import PyMongoError

from service import database
from service.errors import RETRY_AFTER, problem

blueprint = Blueprint("health", __name__)

# Version and revision are what the image was built as. From source, there is neither.
IDENTITY = {
    "hostname": socket.gethostname(),  # in a container, the beginning of its id
    "version": os.environ.get("VERSION", "development"),
    "revision": os.environ.get("REVISION", "working copy"),
}


@blueprint.get("/healthz")
def alive() -> Response:
    """Liveness. Does not ask the database: restarting this process would not bring that back."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> Response:
    """Readiness: 503 while the database does not answer."""
    if not _database_answers():
        return problem(503, "The database does not answer.", {"Retry-After": RETRY_AFTER})
    return jsonify(status="ready")


@blueprint.get("/about")
def about() -> Response:
    """Identity, and the database's state. Always 200: the page asks every second, and this is an answer."""
    return jsonify(**IDENTITY, database="up" if _database_answers() else "down")


def _database_answers() -> bool:
    try:
        # Seconds. The driver looks at its limit every half second, so the probe has its answer within 1.5.
        with pymongo.timeout(1):
            database.ping()
    except PyMongoError:
        return False
    return True
