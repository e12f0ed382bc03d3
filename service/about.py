"""Which process this is, and whether it has its database."""

import os
import socket

from flask import Blueprint, Response, jsonify

from service import database

blueprint = Blueprint("about", __name__)

# The image's build sets VERSION and REVISION. From source, there is neither.
IDENTITY = {
    "hostname": socket.gethostname(),  # in a container, the beginning of its id
    "version": os.environ.get("VERSION", "development"),
    "revision": os.environ.get("REVISION", "working copy"),
}


@blueprint.get("/about")
def about() -> Response:
    """Identity and the database's state. Always 200, also without the database."""
    return jsonify(**IDENTITY, database="up" if database.answers() else "down")
