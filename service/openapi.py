"""The description of the API."""

from pathlib import Path

from flask import Blueprint, Response, send_file

blueprint = Blueprint("openapi", __name__)


@blueprint.get("/openapi.json")
def description() -> Response:
    """Describe the API: OpenAPI 3.1."""
    return send_file(Path(__file__).with_name("openapi.json"))
