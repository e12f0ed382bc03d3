"""The greeting, the probes, the token, the log and the start."""

import json
import re
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.support.environment import clean_environment
from tests.support.processes import Server, ended
from tests.support.repository import ROOT
from tests.support.users import ANN, NO_ID, problem
from tests.support.waiting import LIMIT


def test_the_greeting(service):
    response = service.get("/")
    assert (response.status_code, response.text) == (200, "Ram Ram bhai Sareya Ne\n")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_the_probes(service):
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        response = service.get(path)
        assert (response.status_code, response.json()) == (200, {"status": status})


TOKEN = "s3cret=,\"'\\-token=="  # noqa: S105 - with all that a header's parser could make something of


@pytest.fixture(scope="module", params=["API_TOKEN", "API_TOKEN_FILE"])
def guarded(request, database_url, tmp_path_factory):
    """The service with a token, a greeting of its own and all log lines."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "token").write_text(f"{TOKEN}\n")
    token = TOKEN if request.param == "API_TOKEN" else str(folder / "token")
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
    TOKEN,
    "Bearer töken",
    "Bearer s3cret",
    f"Bearer {TOKEN[:-1]}",
    f"Bearer {TOKEN}=",
    f"Bearer {TOKEN}, Bearer {TOKEN}",
    f'Bearer "{TOKEN}"',
    f"Bearer token={TOKEN}",
    f"Basic {TOKEN}",
    f"BearerBearer {TOKEN}",
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


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer    "])
@pytest.mark.parametrize("after", ["", "  "])
def test_with_the_token_a_change_is_made_and_reading_needs_none(guarded, users, scheme, after):
    users.delete_many({})
    response = guarded.post("/users", json=ANN, headers={"Authorization": f"{scheme}{TOKEN}{after}"})
    assert response.status_code == 201
    assert len(guarded.get("/users").json()["users"]) == 1
    assert guarded.get("/").content.decode() == "Grüß Gott\n"


def test_two_headers_are_refused(guarded, users):
    users.delete_many({})
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=LIMIT) as connection:
        body = json.dumps(ANN)
        authorization = f"Authorization: Bearer {TOKEN}\r\n" * 2
        connection.sendall(
            f"POST /users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{authorization}"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        assert connection.recv(1024).startswith(b"HTTP/1.1 401 ")
    assert users.count_documents({}) == 0


def test_the_token_is_not_in_the_log(guarded):
    guarded.post("/users", json=ANN, headers={"Authorization": f"Bearer {TOKEN}"})
    guarded.post("/users", json=ANN, headers={"Authorization": "Bearer wrong-token"})
    assert "-token" not in guarded.output.read_text()


@pytest.mark.parametrize("given", ["abc-123", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "x" * 128])
def test_a_sane_request_id_is_taken_over_and_logged(guarded, given):
    response = guarded.request("GET", "/nothing?secret=1", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] == given
    [line] = guarded.logged(given)
    assert line["duration_ms"] >= 0
    assert {name: line[name] for name in ("level", "message", "method", "path", "status")} == {
        "level": "INFO",
        "message": "request",
        "method": "GET",
        "path": "/nothing",
        "status": 404,
    }


@pytest.mark.parametrize("given", [None, "", "two words", "x" * 129, "tøken", '"}{"', "<script>"])
def test_any_other_request_id_is_replaced(guarded, given):
    headers = {} if given is None else {"X-Request-ID": given.encode()}
    made = guarded.get("/", headers=headers).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", made)


def test_every_line_of_the_log_is_json(guarded, service):
    service.get("/healthz")
    for server in (guarded, service):
        lines = server.log()
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
        ({"DATABASE_URL": "mongodb://app:hunter2@x/y?tls=true&tlsCAFile=/nope"}, "DATABASE_URL names '/nope', which "),
        ({"DATABASE_URL": "mongodb://app:hunter2@x/y?compressors=zstd"}, "DATABASE_URL has an option "),
        ({"DATABASE_URL": "mongodb://x/y", "PORT_FILE": "/nowhere"}, "PORT_FILE is not read, "),
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


PROXY = "http://127.0.0.1:9"  # where nobody listens
PROXIES = [
    {},
    {"http_proxy": PROXY, "no_proxy": "", "NO_PROXY": ""},
    {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "no_proxy": "example.org", "NO_PROXY": ""},
    {"ALL_PROXY": PROXY, "all_proxy": PROXY, "http_proxy": PROXY, "no_proxy": "", "NO_PROXY": ""},
]


@pytest.mark.parametrize("proxies", PROXIES)
def test_the_health_check_asks_the_service_and_no_proxy(service, proxies):
    done = health_check(PORT=str(service.port), **proxies)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_health_check_finds_a_service_on_ipv6_alone():
    class Alive(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    class Server6(HTTPServer):
        address_family = socket.AF_INET6

    try:
        server = Server6(("::1", 0), Alive)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with server:
        Thread(target=server.handle_request, daemon=True).start()
        assert health_check(PORT=str(server.server_port)).returncode == 0


@pytest.mark.parametrize("answer", [None, b"", b"HTTP/1.1 500 No\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_the_health_check_is_one_line_where_nothing_sound_answers(answer):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(answer)

        if answer is None:
            server.close()
        else:
            Thread(target=serve, daemon=True).start()
        done = health_check(PORT=str(port))
    assert done.returncode == 1
    assert re.fullmatch("unhealthy: .+\n", done.stderr)


def health_check(**environment):
    command = [sys.executable, ROOT / "service/healthcheck.py"]
    return subprocess.run(command, env=clean_environment(**environment), check=False, capture_output=True, text=True)
