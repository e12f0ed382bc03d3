"""What every resource needs: ids, bodies of requests, lists. service/users.py is the pattern for another one."""

import os
import re
import time
from collections.abc import Callable
from typing import Annotated, Any

from bson import ObjectId
from flask import Response, abort, jsonify, request, url_for
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError
from pymongo import DESCENDING
from pymongo.collection import Collection

from service.database import Document
from service.errors import NO_SUCH_ID


def matching(pattern: str, message: str) -> Callable[[object], str]:
    """A validator: the value is the pattern's first group; the message says what the field should be."""

    def check(given: object) -> str:
        found = re.fullmatch(pattern, str(given))
        if not found:
            raise PydanticCustomError("pattern", message)  # a raw regex would not help the user
        return found[1]

    return check


class ListQuery(BaseModel, extra="forbid"):
    """The query of a list; `after` is the last id that the client has."""

    # Digits only: Python would also accept 1_0, and spaces around the number.
    limit: Annotated[int, BeforeValidator(matching("([0-9]+)", "Should be a whole number"))] = Field(50, ge=1, le=100)
    after: Annotated[str, AfterValidator(matching("([0-9a-f]{24})", "Should be an id"))] = "f" * 24


def listing(collection: Collection[Document], fields: tuple[str, ...], query: ListQuery) -> dict[str, object]:
    """Documents, newest first, with the URL of the next ones and the number of all. The blueprint has the same name."""
    # By key, not by offset: the index finds the first of them directly; skip() would read all documents before it.
    found = collection.find({"_id": {"$lt": ObjectId(query.after)}})
    documents = list(found.sort("_id", DESCENDING).limit(query.limit + 1))
    documents, more = documents[: query.limit], len(documents) > query.limit
    following = url_for(f"{collection.name}.index", limit=query.limit, after=documents[-1]["_id"]) if more else None
    # From the collection's metadata: counting would read the whole collection. After a crash, it may be slightly off.
    total = collection.estimated_document_count()
    return {collection.name: [_members(it, fields) for it in documents], "next": following, "total": total}


def new_id() -> ObjectId:
    """An id for a new document."""
    # Lists are sorted by id. The driver's own ids have the second, then a number of the process: within a second,
    # documents of two workers would be in the wrong order.
    second, nanosecond = divmod(time.time_ns(), 10**9)
    return ObjectId(second.to_bytes(4) + nanosecond.to_bytes(4) + os.urandom(4))


def body(model: type[BaseModel]) -> dict[str, Any]:
    """The fields of the request's body."""
    if request.mimetype != "application/json":
        abort(415, "The body must be JSON, sent with the header Content-Type: application/json.")
    body = request.get_data()
    if request.content_length is None and len(body) == request.max_content_length:
        abort(413)  # Werkzeug silently truncates a chunked body at the limit
    return model.model_validate_json(body).model_dump(exclude_unset=True)


def answer(document: Document | None, fields: tuple[str, ...]) -> Response:
    """The response with a document; 404 if there is none."""
    if document is None:
        abort(404, NO_SUCH_ID)
    return jsonify(_members(document, fields))


def _members(document: Document, fields: tuple[str, ...]) -> dict[str, object]:
    # An ObjectId contains its creation time. Documents not written by this service may lack the other fields.
    return {
        "id": str(document["_id"]),
        **{field: document.get(field) for field in fields},
        "created_at": document["_id"].generation_time.isoformat().replace("+00:00", "Z"),
    }
