"""The users: create, list, read, change, delete."""

from typing import Annotated, Any

from bson import ObjectId
from flask import Blueprint, Response, jsonify, request, url_for
from pydantic import AfterValidator, BaseModel, Field
from pymongo import IndexModel, ReturnDocument
from pymongo.collation import Collation, CollationStrength
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from service import database
from service.errors import problem
from service.resources import ListQuery, answer, body, listing, matching, new_id

blueprint = Blueprint("users", __name__, url_prefix="/users")

FIELDS = ("name", "email")
IGNORE_CASE = Collation(locale="en", strength=CollationStrength.SECONDARY)
UNIQUE_EMAIL = IndexModel("email", unique=True, collation=IGNORE_CASE)
CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"  # Unicode's control characters, line and paragraph separator
SPACE = r" \t-\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # Unicode's white space


def _text(most: int, pattern: str) -> Any:
    return Field(min_length=1, max_length=most, json_schema_extra={"pattern": f"^{pattern}$"})


# The group is the value; the white space around it is dropped.
NAME = rf"[{SPACE}]*([^{CONTROL}{SPACE}](?:[^{CONTROL}]*[^{CONTROL}{SPACE}])?)[{SPACE}]*"
# Only its mail server knows whether an address exists; this rejects what cannot be one.
EMAIL = rf"[{SPACE}]*([^@{CONTROL}{SPACE}]+@[^@{CONTROL}{SPACE}]+)[{SPACE}]*"

Name = Annotated[str, _text(100, NAME), AfterValidator(matching(NAME, "Should be a text without control characters"))]
Email = Annotated[str, _text(254, EMAIL), AfterValidator(matching(EMAIL, "Should be an email address"))]


class NewUser(BaseModel, extra="forbid"):
    """The body of POST /users."""

    name: Name
    email: Email


class UserChange(BaseModel, extra="forbid"):
    """The body of PATCH /users/<id>. Omitted fields stay unchanged; the defaults are never used."""

    name: Name = ""
    email: Email = ""


@blueprint.post("")
def create() -> tuple[Response, int, dict[str, str]]:
    """Create a user."""
    user = {"_id": new_id()} | body(NewUser)
    users().insert_one(user)
    return answer(user, FIELDS), 201, {"Location": url_for(".read", user_id=user["_id"])}


@blueprint.get("")
def index() -> Response:
    """List users, newest first."""
    return jsonify(listing(users(), FIELDS, ListQuery.model_validate(request.args.to_dict())))


@blueprint.get("/<user_id>")
def read(user_id: str) -> Response:
    """Read one user."""
    return answer(users().find_one({"_id": ObjectId(user_id)}), FIELDS)


@blueprint.patch("/<user_id>")
def change(user_id: str) -> Response:
    """Change a user's name, email, or both."""
    user, change = {"_id": ObjectId(user_id)}, {"$set": body(UserChange)}
    return answer(users().find_one_and_update(user, change, return_document=ReturnDocument.AFTER), FIELDS)


@blueprint.delete("/<user_id>")
def delete(user_id: str) -> tuple[Response, int]:
    """Delete a user."""
    answer(users().find_one_and_delete({"_id": ObjectId(user_id)}), FIELDS)
    return Response(), 204


@blueprint.errorhandler(DuplicateKeyError)
def email_taken(error: DuplicateKeyError) -> Response:
    """Refuse a duplicate. Only the unique index can detect it: two requests may send one email at the same time."""
    return problem(409, "There is a user with this email already.")


def users() -> Collection[database.Document]:
    """The collection of users."""
    return database.collection("users", UNIQUE_EMAIL)
