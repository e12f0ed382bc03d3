"""Waiting for conditions."""

import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

import requests

LIMIT = 60  # seconds that a condition may take on a slow machine before its test has failed
Value = TypeVar("Value")


def wait_for(condition: Callable[[], Value], what: str, limit: float = LIMIT) -> Value:
    """Wait until the condition is true, and return what it gave. A refused or broken connection counts as not yet."""
    end = time.monotonic() + limit
    while True:
        with contextlib.suppress(requests.RequestException, OSError):
            if value := condition():
                return value
        assert time.monotonic() < end, f"waited {limit} s for {what}"
        time.sleep(0.05)
