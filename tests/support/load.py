"""Requests from several clients at the same time."""

import contextlib
import threading
from collections.abc import Callable, Iterator

import requests

from tests.support.waiting import wait_for


@contextlib.contextmanager
def load(ask: Callable[[], requests.Response]) -> Iterator[list[int]]:
    """Eight clients that ask again and again; yields their statuses, with 0 for a connection that was lost."""
    statuses, end = [], threading.Event()

    def client() -> None:
        while not end.is_set():
            try:
                statuses.append(ask().status_code)
            except requests.RequestException:
                statuses.append(0)

    clients = [threading.Thread(target=client) for _ in range(8)]
    for each in clients:
        each.start()
    try:
        wait_for(lambda: len(statuses) > 50, "the load to begin")
        yield statuses
        more = len(statuses) + 200
        wait_for(lambda: len(statuses) > more, "the load to go on")
    finally:
        end.set()
        for each in clients:
            each.join()
