"""The users: create, list, read, change, delete."""

import os
import re
import time
from collections.abc import Callable
from typing import Annotated, Any

from bson import ObjectId
from flask import Blueprint, Response, abort, jsonify, request, url_for
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError
from pymongo import DESCENDING, IndexModel, ReturnDocument
from pymongo.collation import Collation, CollationStrength
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from service import database
from service.errors import problem

blueprint = Blueprint("users", __name__, url_prefix="/users")

NO_SUCH_USER = "There is no user with this id."
IGNORE_CASE = Collation(locale="en", strength=CollationStrength.SECONDARY)
UNIQUE_EMAIL = IndexModel("email", unique=True, collation=IGNORE_CASE)
CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"  # Unicode's control characters, line and paragraph separator
SPACE = r" \t-\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # Unicode's white space


def _matching(pattern: str, message: str) -> Callable[[object], str]:
    def check(given: object) -> str:
        found = re.fullmatch(pattern, str(given))
        if not found:
            raise PydanticCustomError("pattern", message)  # a raw regex would not help the user
        return found[1]

    return check


def _text(most: int, pattern: str) -> Any:
    return Field(min_length=1, max_length=most, json_schema_extra={"pattern": f"^{pattern}$"})


# The group is the value; the white space around it is dropped.
NAME = rf"[{SPACE}]*([^{CONTROL}{SPACE}](?:[^{CONTROL}]*[^{CONTROL}{SPACE}])?)[{SPACE}]*"
# Only its mail server knows whether an address exists; this rejects what cannot be one.
EMAIL = rf"[{SPACE}]*([^@{CONTROL}{SPACE}]+@[^@{CONTROL}{SPACE}]+)[{SPACE}]*"

Name = Annotated[str, _text(100, NAME), AfterValidator(_matching(NAME, "Should be a text without control characters"))]
Email = Annotated[str, _text(254, EMAIL), AfterValidator(_matching(EMAIL, "Should be an email address"))]


class NewUser(BaseModel, extra="forbid"):
    """The body of POST /users."""

    name: Name
    email: Email


class UserChange(BaseModel, extra="forbid"):
    """The body of PATCH /users/<id>. Omitted fields stay unchanged; the defaults are never used."""

    name: Name = ""
    email: Email = ""


class ListQuery(BaseModel, extra="forbid"):
    """The query of GET /users; `after` is the last id that the client has."""

    # Digits only: Python would also accept 1_0, and spaces around the number.
    limit: Annotated[int, BeforeValidator(_matching("([0-9]+)", "Should be a whole number"))] = Field(50, ge=1, le=100)
    after: Annotated[str, AfterValidator(_matching("([0-9a-f]{24})", "Should be the id of a user"))] = "f" * 24


def listing(query: ListQuery) -> dict[str, object]:
    """Users, newest first, with the URL of those that follow and the total number of users."""
    collection = _users()
    # By key, not by offset: the index finds the first of them directly; skip() would read all users before it.
    found = collection.find({"_id": {"$lt": ObjectId(query.after)}})
    users = list(found.sort("_id", DESCENDING).limit(query.limit + 1))
    users, more = users[: query.limit], len(users) > query.limit
    following = url_for("users.index", limit=query.limit, after=users[-1]["_id"]) if more else None
    # From the collection's metadata: counting would read the whole collection. After a crash, it may be slightly off.
    total = collection.estimated_document_count()
    return {"users": [_members(user) for user in users], "next": following, "total": total}


@blueprint.post("")
def create() -> tuple[Response, int, dict[str, str]]:
    """Create a user."""
    user = {"_id": _new_id()} | _body(NewUser)
    _users().insert_one(user)
    return _answer(user), 201, {"Location": url_for(".read", user_id=user["_id"])}


@blueprint.get("")
def index() -> Response:
    """List users, newest first."""
    return jsonify(listing(ListQuery.model_validate(request.args.to_dict())))


@blueprint.get("/<user_id>")
def read(user_id: str) -> Response:
    """Read one user."""
    return _answer(_users().find_one(_key(user_id)))


@blueprint.patch("/<user_id>")
def change(user_id: str) -> Response:
    """Change a user's name, email, or both."""
    key, change = _key(user_id), {"$set": _body(UserChange)}
    return _answer(_users().find_one_and_update(key, change, return_document=ReturnDocument.AFTER))


@blueprint.delete("/<user_id>")
def delete(user_id: str) -> Response:
    """Delete a user."""
    _answer(_users().find_one_and_delete(_key(user_id)))
    return Response(status=204)


@blueprint.errorhandler(DuplicateKeyError)
def email_taken(error: DuplicateKeyError) -> Response:
    """Refuse a duplicate. Only the unique index can detect it: two requests may send one email at the same time."""
    return problem(409, "There is a user with this email already.")


def _users() -> Collection[database.Document]:
    return database.collection("users", UNIQUE_EMAIL)


def _new_id() -> ObjectId:
    # Lists are sorted by id. The driver's own ids have the second, then a number of the process: within a second, users
    # of two workers would be in the wrong order.
    second, nanosecond = divmod(time.time_ns(), 10**9)
    return ObjectId(second.to_bytes(4) + nanosecond.to_bytes(4) + os.urandom(4))


def _body(model: type[BaseModel]) -> dict[str, str]:
    if request.mimetype != "application/json":
        abort(415, "The body must be JSON, sent with the header Content-Type: application/json.")
    body = request.get_data()
    if request.content_length is None and len(body) == request.max_content_length:
        abort(413)  # Werkzeug silently truncates a chunked body at the limit
    return model.model_validate_json(body).model_dump(exclude_unset=True)


def _key(user_id: str) -> dict[str, ObjectId]:
    if not ObjectId.is_valid(user_id):
        abort(404, NO_SUCH_USER)
    return {"_id": ObjectId(user_id)}


def _answer(user: database.Document | None) -> Response:
    if user is None:
        abort(404, NO_SUCH_USER)
    return jsonify(_members(user))


def _members(user: database.Document) -> dict[str, str | None]:
    # An ObjectId contains its creation time. Documents not written by this service may lack the other fields.
    return {
        "id": str(user["_id"]),
        "name": user.get("name"),
        "email": user.get("email"),
        "created_at": user["_id"].generation_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
