"""The users: create and list."""

from flask import Blueprint, Response, jsonify, request
from pymongo.errors import PyMongoError

from service import database

blueprint = Blueprint("users", __name__, url_prefix="/users")


@blueprint.post("")
def create() -> tuple[Response, int]:
    """Create a user."""
    body = request.get_json()  # answers 400 and 415 by itself
    if not isinstance(body, dict) or body.keys() != {"name", "email"}:
        return jsonify(error="The body must have the members name and email, and no others."), 422
    user = dict(body)
    database.collection("users").insert_one(user)  # adds the _id
    return jsonify(_members(user)), 201


@blueprint.get("")
def index() -> Response:
    """List the users, newest first."""
    return jsonify(users=[_members(user) for user in database.collection("users").find().sort("_id", -1)])


@blueprint.errorhandler(PyMongoError)
def no_database(error: PyMongoError) -> tuple[Response, int]:
    """Answer 503 if the database does not answer."""
    return jsonify(error="The database does not answer; try again."), 503


def _members(user: dict) -> dict:
    return {"id": str(user["_id"]), "name": user["name"], "email": user["email"]}
