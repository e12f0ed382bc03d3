"""The greeting at /."""

from flask import Blueprint, Response, current_app, make_response

from service import page

blueprint = Blueprint("web", __name__)


@blueprint.get("/")
def index() -> Response:
    """Greet with a line of text."""
    greeting = current_app.config["GREETING"]
    response = make_response(f"{greeting}\n")
    response.mimetype = "text/plain"
    page.offer(response, greeting)
    return response
