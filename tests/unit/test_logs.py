"""The log's lines."""

import json
import logging
import sys

from service.logs import JsonFormatter


def test_a_record_is_one_line_of_json_whatever_is_in_it():
    record = logging.LogRecord("name", logging.WARNING, __file__, 1, 'a "quoted" %s\nline', ("नमस्ते",), None)
    # What ends a line for some readers, what a terminal obeys, and what is no text in UTF-8.
    record.fields = {"path": "/a\nb\u2028\x85\x9b\ud800"}
    line = JsonFormatter().format(record)
    assert line.isascii()
    assert line.isprintable()
    parsed = json.loads(line)
    assert parsed.pop("time").endswith("+00:00")
    assert parsed == {"level": "WARNING", "message": 'a "quoted" नमस्ते\nline', "path": "/a\nb\u2028\x85\x9b\ud800"}


def test_an_exception_stays_in_its_line():
    try:
        raise ValueError("broken")
    except ValueError:
        record = logging.LogRecord("name", logging.ERROR, __file__, 1, "Unexpected error", (), sys.exc_info())
    assert "ValueError: broken" in json.loads(JsonFormatter().format(record))["exception"]
