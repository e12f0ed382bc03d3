"""The page at /, for browsers."""

import pymongo
from flask import Response, render_template, request
from pymongo.errors import PyMongoError

from service.about import IDENTITY
from service.resources import ListQuery, listing
from service.users import FIELDS, users

# Allow only the page's own files and API: not even a script injected into the page itself runs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def offer(response: Response, greeting: str) -> None:
    """Put the page into the response if the client prefers HTML."""
    response.vary.add("Accept")
    if request.accept_mimetypes.best_match(["text/plain", "text/html"]) == "text/html":
        query = ListQuery.model_validate(request.args.to_dict(), extra="ignore")
        response.mimetype = "text/html"
        response.headers["Content-Security-Policy"] = POLICY
        response.set_data(render_template("index.html", greeting=greeting, **IDENTITY, **_users(query)))


def _users(query: ListQuery) -> dict[str, object]:
    # Rendered on the server, so that the page can be read without JavaScript.
    try:
        with pymongo.timeout(1):  # seconds: the page loads soon even without the database
            return listing(users(), FIELDS, query) | {"database": "up"}
    except PyMongoError:
        return {"users": [], "next": None, "total": None, "database": "down"}
