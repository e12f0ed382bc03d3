"""Liveness and readiness for an orchestrator, and this process's identity for the page."""

import os
import socket

import pymongo
from flask import Blueprint, Response, jsonify
from pymongo.errors import PyMongoError

from service import database
from service.errors import RETRY_AFTER, problem

blueprint = Blueprint("health", __name__)

# The image's build sets VERSION and REVISION. From source, there is neither.
IDENTITY = {
    "hostname": socket.gethostname(),  # in a container, the beginning of its id
    "version": os.environ.get("VERSION", "development"),
    "revision": os.environ.get("REVISION", "working copy"),
}


@blueprint.get("/healthz")
def alive() -> Response:
    """Liveness. Does not ask the database: restarting this process would not bring it back."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> Response:
    """Readiness: 503 while the database does not answer."""
    if not _database_answers():
        return problem(503, "The database does not answer.", {"Retry-After": RETRY_AFTER})
    return jsonify(status="ready")


@blueprint.get("/about")
def about() -> Response:
    """Identity and the database's state. Always 200, also without the database: the page polls it every second."""
    return jsonify(**IDENTITY, database="up" if _database_answers() else "down")


def _database_answers() -> bool:
    try:
        # Seconds. The driver checks its limit every half second, so the probe gets its answer within 1.5.
        with pymongo.timeout(1):
            database.ping()
    except PyMongoError:
        return False
    return True
