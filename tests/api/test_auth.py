"""The token that changes need."""

import json
import socket

import pytest

from tests.support.processes import Server
from tests.support.users import ANN, NO_ID, problem
from tests.support.waiting import LIMIT

TOKEN = "s3cret=,\"'\\-token=="  # noqa: S105 - with all that a header's parser could make something of


@pytest.fixture(scope="module", params=["API_TOKEN", "API_TOKEN_FILE"])
def guarded(request, database_url, tmp_path_factory):
    """The service with a token, a greeting and all log lines."""
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
