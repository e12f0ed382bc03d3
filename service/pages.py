"""The page at /."""

from flask import Blueprint, Response, current_app

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index() -> Response:
    """Greet."""
    return Response(f"{current_app.config['GREETING']}\n", content_type="text/plain; charset=utf-8")
