"""The log: one JSON object per line on standard output, and one line per request."""

import json
import logging
import re
import secrets
import time
from datetime import UTC, datetime

from flask import Flask, Response, g, has_request_context, request

logger = logging.getLogger(__name__)

SANE_REQUEST_ID = r"[A-Za-z0-9._:/+=@-]{1,128}"  # clients' ids end up in our log and our response


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, with the caller's `extra={"fields": {…}}` added."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": at, "level": record.levelname, "message": record.getMessage()}
        if has_request_context() and "request_id" in g:
            line["request_id"] = g.request_id
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)  # ASCII: other alphabets have line ends and terminal controls of their own


def configuration(level: str) -> dict[str, object]:
    """Configure a server process for `logging.config.dictConfig`: one handler for all, gunicorn's lines too."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}},
        "root": {"level": level, "handlers": ["stdout"]},
        "loggers": {"gunicorn.error": {"level": level, "handlers": [], "propagate": True}},
    }


def init_app(app: Flask) -> None:
    """Give each request an id and a line in the log."""
    app.before_request(start)
    app.after_request(_finish)


def start() -> None:
    """Begin a request: note the time, and accept its id or create one."""
    g.started = time.perf_counter()
    offered = request.headers.get("X-Request-ID", "")
    g.request_id = offered if re.fullmatch(SANE_REQUEST_ID, offered) else secrets.token_hex(16)


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    fields = {
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "duration_ms": round((time.perf_counter() - g.started) * 1000, 1),
    }
    # These are polled every few seconds; logging each request would drown everything else.
    quiet = request.blueprint in {"about", "health"} and response.status_code < 400
    logger.log(logging.DEBUG if quiet else logging.INFO, "request", extra={"fields": fields})
    return response
