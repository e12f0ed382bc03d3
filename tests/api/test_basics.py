"""The greeting, the probes, the token, the log and the start."""

import json
import re
import subprocess
import sys

import pytest

from tests.api.test_users import ANN, NO_ID, problem
from tests.support import LIMIT, ROOT, Server, clean_environment, ended


def test_the_greeting(service):
    response = service.get("/")
    assert (response.status_code, response.text) == (200, "Ram Ram bhai Sareya Ne\n")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_the_probes(service):
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        response = service.get(path)
        assert (response.status_code, response.json()) == (200, {"status": status})


@pytest.fixture(scope="module", params=["API_TOKEN", "API_TOKEN_FILE"])
def guarded(request, database_url, tmp_path_factory):
    """The service with a token, a greeting of its own and all log lines."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "token").write_text("s3cret-token\n")
    token = "s3cret-token" if request.param == "API_TOKEN" else str(folder / "token")
    server = Server(
        folder, DATABASE_URL=database_url, GREETING="Grüß Gott", LOG_LEVEL="DEBUG", **{request.param: token}
    )
    with server.running():
        yield server


WRONG_TOKENS = [
    None,
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    "Basic czNjcmV0LXRva2VuOg==",
    "s3cret-token",
    "Bearer töken",
]


@pytest.mark.parametrize("authorization", WRONG_TOKENS)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/users"), ("PATCH", f"/users/{NO_ID}"), ("DELETE", f"/users/{NO_ID}")]
)
def test_a_change_without_the_token_is_a_401(guarded, users, method, path, authorization):
    users.delete_many({})
    headers = {} if authorization is None else {"Authorization": authorization.encode()}
    response = guarded.request(method, path, json=ANN, headers=headers)
    problem(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert users.count_documents({}) == 0


def test_with_the_token_a_change_is_made_and_reading_needs_none(guarded, users):
    users.delete_many({})
    response = guarded.post("/users", json=ANN, headers={"Authorization": "Bearer s3cret-token"})
    assert response.status_code == 201
    assert len(guarded.get("/users").json()["users"]) == 1
    assert guarded.get("/").content.decode() == "Grüß Gott\n"


def test_the_token_is_not_in_the_log(guarded):
    guarded.post("/users", json=ANN, headers={"Authorization": "Bearer s3cret-token"})
    guarded.post("/users", json=ANN, headers={"Authorization": "Bearer wrong-token"})
    assert "-token" not in guarded.output.read_text()


@pytest.mark.parametrize("given", ["abc-123", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "x" * 128])
def test_a_sane_request_id_is_taken_over_and_logged(guarded, given):
    response = guarded.request("GET", "/nothing?secret=1", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] == given
    lines = [json.loads(line) for line in guarded.output.read_text().splitlines()]
    line = next(line for line in lines if line.get("request_id") == given)
    assert line["duration_ms"] >= 0
    assert {name: line[name] for name in ("level", "message", "method", "path", "status")} == {
        "level": "INFO",
        "message": "request",
        "method": "GET",
        "path": "/nothing",
        "status": 404,
    }


@pytest.mark.parametrize("given", [None, "", "two words", "x" * 129, "tøken", '"}{"', "<script>"])
def test_any_other_request_id_is_made_anew(guarded, given):
    headers = {} if given is None else {"X-Request-ID": given.encode()}
    made = guarded.get("/", headers=headers).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", made)


def test_every_line_of_the_log_is_json(guarded, service):
    service.get("/healthz")
    for server in (guarded, service):
        lines = [json.loads(line) for line in server.output.read_text().splitlines()]
        assert all({"time", "level", "message"} <= line.keys() for line in lines)
        messages = {line["message"] for line in lines}
        assert {"Connected to MongoDB", f"Server is running on port {server.port}"} <= messages
        # The probes' lines are for DEBUG.
        assert ("/healthz" in {line.get("path") for line in lines}) == (server is guarded)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({}, "DATABASE_URL is not set: "),
        ({"DATABASE_URL": ""}, "DATABASE_URL is empty: "),
        ({"DATABASE_URL": "mongodb://app:hunter2@x:y/z"}, "DATABASE_URL must be a MongoDB URL "),
        ({"DATABASE_URL": "mongodb://x/y", "PORT": "abc"}, "PORT must be a port from 1 to 65535, not 'abc': "),
        ({"DATABASE_URL_FILE": "/nowhere"}, "DATABASE_URL_FILE names '/nowhere', which cannot be read "),
    ],
)
def test_a_wrong_setting_ends_the_start_with_status_2_and_one_line(tmp_path, settings, line):
    server = Server(tmp_path, **settings)
    with ended(server.launch()) as process:
        assert process.wait(LIMIT) == 2
    output = server.output.read_text()
    assert output.startswith(line)
    assert output.count("\n") == 1
    assert "hunter2" not in output


@pytest.mark.parametrize("by", ["PORT", "PORT_FILE"])
def test_the_health_check(service, tmp_path, by):
    file = tmp_path / "port"
    file.write_text(f"{service.port}\n")
    command = [sys.executable, ROOT / "service/healthcheck.py"]
    environment = clean_environment(**{by: str(service.port) if by == "PORT" else str(file)})
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    file.write_text("1")
    done = subprocess.run(
        command, env=environment | {by: "1" if by == "PORT" else str(file)}, check=False, capture_output=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"unhealthy: ")
