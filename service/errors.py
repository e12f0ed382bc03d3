"""Every error as a problem document: application/problem+json, RFC 9457."""

import logging
from http import HTTPStatus

from bson.errors import InvalidId
from flask import Flask, Response, jsonify
from pydantic import ValidationError
from pymongo.errors import ConnectionFailure, PyMongoError
from werkzeug.exceptions import HTTPException

logger = logging.getLogger(__name__)
# MongoDB's codes while it shuts down or another server takes over; the write may have been made all the same:
# InterruptedAtShutdown, ShutdownInProgress, PrimarySteppedDown, NotWritablePrimary, InterruptedDueToReplStateChange.
GOING_AWAY = {11600, 91, 189, 10107, 11602}
NO_SUCH_ID = "There is nothing with this id."
RETRY_AFTER = "2"  # seconds: about as long as the driver takes to find a database that has come back


def problem(status: int, detail: str, headers: dict[str, str] | None = None, **members: object) -> Response:
    """Build the response for an error.

    Args:
        status: the HTTP status, 400 to 599.
        detail: what is wrong with this request, for a person to read.
        headers: header fields that the status requires.
        members: further members of the document.
    """
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    response = jsonify(document | members)
    response.status_code = status
    response.content_type = "application/problem+json"
    response.headers.update(headers or {})
    return response


def init_app(app: Flask) -> None:
    """Answer every exception raised while a request is handled with a problem document."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(ValidationError, _invalid)
    app.register_error_handler(InvalidId, lambda _: problem(404, NO_SUCH_ID))  # a path with what cannot be an id
    app.register_error_handler(PyMongoError, _database)
    app.register_error_handler(Exception, _unexpected)


def _http(error: HTTPException) -> Response | HTTPException:
    if error.code is None or error.code < 400:
        return error  # a redirect is not an error
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}  # for example Allow
    return problem(error.code, error.description or "", headers)


def _invalid(error: ValidationError) -> Response:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    if details[0]["type"] == "json_invalid":
        return problem(400, f"The body is not JSON: {details[0]['msg']}.")
    fields = [{"field": ".".join(map(str, detail["loc"])), "message": _plain(detail["msg"])} for detail in details]
    return problem(422, "Some fields are invalid.", errors=fields)


def _plain(message: str) -> str:
    # "String should have at least 1 character": people filling in a form do not think in types.
    message = message.removeprefix("String ")
    return message[:1].upper() + message[1:]


def _database(error: PyMongoError) -> Response:
    if isinstance(error, ConnectionFailure) or error.timeout or getattr(error, "code", None) in GOING_AWAY:
        logger.warning("The database did not answer: %s", type(error).__name__)
        return problem(503, "The database does not answer; try again.", {"Retry-After": RETRY_AFTER})
    return _unexpected(error)


def _unexpected(error: Exception) -> Response:
    logger.error("Unexpected error", exc_info=error)
    return problem(500, "Something went wrong here; the log has more under this answer's X-Request-ID.")
