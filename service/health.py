"""Liveness and readiness, for an orchestrator."""

from flask import Blueprint, Response, jsonify

from service import database
from service.errors import RETRY_AFTER, problem

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    """Liveness. Does not ask the database: restarting this process would not bring it back."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> Response:
    """Readiness: 503 while the database does not answer."""
    if not database.answers():
        return problem(503, "The database does not answer.", {"Retry-After": RETRY_AFTER})
    return jsonify(status="ready")
