"""The page at /."""

import pymongo
from flask import Blueprint, Response, current_app, make_response, render_template, request
from pymongo.errors import PyMongoError

from service.about import IDENTITY
from service.resources import ListQuery, listing
from service.users import FIELDS, users

blueprint = Blueprint("web", __name__)


@blueprint.get("/")
def index() -> Response:
    """Greet: browsers get the page, other clients a line of text."""
    query = ListQuery.model_validate(request.args.to_dict(), extra="ignore")
    greeting = current_app.config["GREETING"]
    if request.accept_mimetypes.best_match(["text/plain", "text/html"]) == "text/html":
        response = make_response(render_template("index.html", greeting=greeting, **IDENTITY, **_users(query)))
    else:
        response = Response(f"{greeting}\n", content_type="text/plain; charset=utf-8")
    response.vary.add("Accept")
    return response


def _users(query: ListQuery) -> dict[str, object]:
    # Rendered on the server, so that the page can be read without JavaScript.
    try:
        with pymongo.timeout(1):  # seconds: the page loads soon even without the database
            return listing(users(), FIELDS, query) | {"database": "up"}
    except PyMongoError:
        return {"users": [], "next": None, "total": None, "database": "down"}
