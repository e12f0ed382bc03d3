"""What an orchestrator asks: is the process alive, and can it do its work?"""

import pymongo
from flask import Blueprint, Response, jsonify
from pymongo.errors import PyMongoError

from service import database
from service.errors import RETRY_AFTER, problem

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    """Liveness. Does not ask the database: restarting this process would not bring that back."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> Response:
    """Readiness: 503 while the database does not answer."""
    try:
        # Seconds. The driver looks at its limit every half second, so the probe has its answer within 1.5.
        with pymongo.timeout(1):
            database.ping()
    except PyMongoError:
        return problem(503, "The database does not answer.", {"Retry-After": RETRY_AFTER})
    return jsonify(status="ready")
