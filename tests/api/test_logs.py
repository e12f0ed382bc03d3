"""The log of the service, and the ids of requests in it."""

import re

import pytest

from tests.support.processes import Server
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def verbose(database_url, tmp_path_factory):
    """The service with all log lines."""
    server = Server(tmp_path_factory.mktemp("verbose"), DATABASE_URL=database_url, LOG_LEVEL="DEBUG")
    with server.running():
        yield server


@pytest.mark.parametrize("given", ["abc-123", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "x" * 128])
def test_a_sane_request_id_is_taken_over_and_logged(verbose, given):
    response = verbose.request("GET", "/nothing?secret=1", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] == given
    [line] = verbose.logged(given)
    assert line["duration_ms"] >= 0
    assert {name: line[name] for name in ("level", "message", "method", "path", "status")} == {
        "level": "INFO",
        "message": "request",
        "method": "GET",
        "path": "/nothing",
        "status": 404,
    }


@pytest.mark.parametrize("given", [None, "", "two words", "x" * 129, "tøken", '"}{"', "<script>"])
def test_any_other_request_id_is_replaced(verbose, given):
    headers = {} if given is None else {"X-Request-ID": given.encode()}
    made = verbose.get("/", headers=headers).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", made)


def test_every_line_of_the_log_is_json(verbose, service):
    for server in (verbose, service):
        server.get("/healthz")
        wait_for(lambda: "Connected to MongoDB" in messages(server), "the connection in the log")  # noqa: B023
        assert f"Server is running on port {server.port}" in messages(server)
        assert all({"time", "level", "message"} <= line.keys() for line in server.log())
        # The probes' lines are for DEBUG, unless they are refused.
        answered = {line.get("path") for line in server.log() if line.get("status") == 200}
        assert ("/healthz" in answered) == (server is verbose)


def messages(server):
    return {line["message"] for line in server.log()}
