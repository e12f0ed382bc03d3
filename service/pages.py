"""The page at /, and the description of the API."""

from pathlib import Path

import pymongo
from flask import Blueprint, Response, current_app, make_response, render_template, request, send_file
from pymongo.errors import PyMongoError

from service import users
from service.health import IDENTITY

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index() -> Response:
    """Greet: browsers get the page, other clients a line of text."""
    page = users.Page.model_validate(request.args.to_dict(), extra="ignore")
    greeting = current_app.config["GREETING"]
    if request.accept_mimetypes.best_match(["text/plain", "text/html"]) == "text/html":
        response = make_response(render_template("index.html", greeting=greeting, **IDENTITY, **_users(page)))
    else:
        response = Response(f"{greeting}\n", content_type="text/plain; charset=utf-8")
    response.vary.add("Accept")
    return response


@blueprint.get("/openapi.json")
def description() -> Response:
    """Describe the API: OpenAPI 3.1."""
    return send_file(Path(__file__).with_name("openapi.json"))


def _users(page: users.Page) -> dict[str, object]:
    # Rendered on the server, so that the page can be read without JavaScript.
    try:
        with pymongo.timeout(1):  # seconds: the page loads soon even without the database
            return users.listing(page) | {"database": "up"}
    except PyMongoError:
        return {"users": [], "next": None, "total": None, "database": "down"}
