"""scripts/lib/registry.py: what registries answer that a real one in a container does not, and whose login it takes."""

import base64
import json
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from lib.registry import ForbiddenError, RegistryError, get, list_tags, stored_login

from tests.support.ports import free_port

TAGS = "/v2/me/app/tags/list?n=1000"


class Server(ThreadingHTTPServer):
    """Answers as `answers` says, path by path, and keeps the requests: method, target, and Authorization."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.host = f"localhost:{self.server_port}"
        self.answers: dict[str, tuple[int, dict[str, str], str]] = {}
        self.requests: list[tuple[str, str, str | None]] = []

    def has(self, path: str, status: int, body: object = "", **headers: str) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.answers[path] = (status, {name.replace("_", "-"): header for name, header in headers.items()}, text)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        authorization = self.headers["Authorization"]
        self.server.requests.append((self.command, self.path, authorization))
        status, headers, body = self.server.answers.get(self.path, (404, {}, ""))
        if status == 401 and authorization:
            status, headers, body = self.server.answers["authorized"]
        self.send_response(status)
        for name, header in headers.items():
            self.send_header(name, header)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_CONNECT = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Docker's config.json, which is not there yet; and no proxy."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    (tmp_path / "docker").mkdir()
    return tmp_path / "docker" / "config.json"


@pytest.fixture
def registry() -> Iterator[Server]:
    yield from running()


@pytest.fixture
def other() -> Iterator[Server]:
    yield from running()


def running() -> Iterator[Server]:
    with Server() as server:
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server
        server.shutdown()


def encoded(login: str) -> str:
    return base64.b64encode(login.encode()).decode()


def test_a_list_in_pages(registry):
    registry.has(TAGS, 200, {"tags": ["1.0.0", "1.1.0"]}, Link='</v2/me/app/tags/list?last=1.1.0>; rel="next"')
    registry.has("/v2/me/app/tags/list?last=1.1.0", 200, {"tags": ["1.2.0"]}, Link='<list?last=1.2.0>; rel="next"')
    registry.has("/v2/me/app/tags/list?last=1.2.0", 200, {"tags": None})
    assert list_tags(registry.host, "me/app") == ["1.0.0", "1.1.0", "1.2.0"]


@pytest.mark.parametrize("other", ["http://other.example", "https://other.example:5000", "//other.example"])
def test_the_next_page_is_at_the_same_host(registry, other):
    registry.has(TAGS, 200, {"tags": ["1.0.0"]}, Link=f'<{other}/v2/me/app/tags/list?last=1.0.0>; rel="next"')
    registry.has("/v2/me/app/tags/list?last=1.0.0", 200, {"tags": ["1.1.0"]})
    assert list_tags(registry.host, "me/app") == ["1.0.0", "1.1.0"]


def test_a_repository_that_the_registry_does_not_know(registry):
    assert list_tags(registry.host, "me/app") == []


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (401, "", "does not let you read me/app: docker login"),
        (403, "", "does not let you read me/app: docker login"),
        (500, "", "answers with HTTP status 500: check its name, or try again later"),
        (200, "<html>", "does not answer as a registry does: check its name"),
        (200, "[]1", "does not answer as a registry does: check its name"),
        (200, '["a"]', "does not answer as a registry does: check its name"),
    ],
)
def test_what_is_no_list(registry, status, body, message):
    registry.has(TAGS, status, body)
    with pytest.raises(RegistryError, match=message) as caught:
        list_tags(registry.host, "me/app")
    assert str(caught.value).startswith(f"{registry.host} ")
    assert not isinstance(caught.value, ForbiddenError)


@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1:{port}", "localhost:99999", "a..b", "none.invalid"])
def test_a_registry_that_is_not_there(host):
    host = host.format(port=free_port())
    with pytest.raises(RegistryError, match=f"^the registry {host} does not answer: start it, or check its name$"):
        list_tags(host, "me/app")


def ask_for_token(registry: Server, token_status: int, granted: object) -> None:
    challenge = f'Bearer realm="http://{registry.host}/token",service="it",scope="repository:me/app:pull"'
    registry.has(TAGS, 401, WWW_Authenticate=challenge)
    registry.has("/token?service=it&scope=repository%3Ame%2Fapp%3Apull", token_status, granted)
    registry.has("authorized", 200, {"tags": ["1.0.0"]})


@pytest.mark.parametrize("key", ["token", "access_token"])
def test_a_token_for_nobody_and_for_a_login(registry, config, key):
    ask_for_token(registry, 200, {key: "let-me-in"})
    assert list_tags(registry.host, "me/app") == ["1.0.0"]
    assert [request[2] for request in registry.requests] == [None, None, "Bearer let-me-in"]
    config.write_text(json.dumps({"auths": {registry.host: {"auth": encoded("ann:secret")}}}))
    list_tags(registry.host, "me/app")
    assert registry.requests[-2][2] == f"Basic {encoded('ann:secret')}"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_no_token(registry, status):
    ask_for_token(registry, status, {})
    registry.has("authorized", status)
    with pytest.raises(RegistryError, match="does not let you read") as caught:
        list_tags(registry.host, "me/app")
    assert not isinstance(caught.value, ForbiddenError)


def test_a_token_that_is_not_enough(registry):
    ask_for_token(registry, 200, {"token": "let-me-in"})
    registry.has("authorized", 403)
    with pytest.raises(ForbiddenError, match="does not let you read"):
        list_tags(registry.host, "me/app")


def test_a_token_from_a_file_is_refused(registry, tmp_path):
    (tmp_path / "token").write_text('{"token": "private"}')
    registry.has(TAGS, 401, WWW_Authenticate=f'Bearer realm="{(tmp_path / "token").as_uri()}"')
    with pytest.raises(RegistryError, match="does not let you read"):
        list_tags(registry.host, "me/app")
    assert {request[2] for request in registry.requests} == {None}


def test_no_other_host_gets_the_login(registry, other, config):
    config.write_text(json.dumps({"auths": {registry.host: {"auth": encoded("ann:secret")}}}))
    registry.has(TAGS, 401, WWW_Authenticate='Basic realm="it"')
    registry.has("authorized", 307, Location=f"http://127.0.0.1:{other.server_port}/elsewhere")
    other.has("/elsewhere", 200, {"tags": ["1.0.0"]})
    assert list_tags(registry.host, "me/app") == ["1.0.0"]
    assert registry.requests[-1][2] == f"Basic {encoded('ann:secret')}"
    assert other.requests == [("GET", "/elsewhere", None)]


def test_a_proxy_is_for_other_machines(registry, other, monkeypatch):
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, f"http://{other.host}")
    registry.has(TAGS, 200, {"tags": ["1.0.0"]})
    assert list_tags(registry.host, "me/app") == ["1.0.0"]
    assert list_tags(registry.host.replace("localhost", "127.0.0.1"), "me/app") == ["1.0.0"]
    assert other.requests == []
    with pytest.raises(RegistryError, match=r"registry\.example does not answer"):
        list_tags("registry.example", "me/app")
    assert other.requests == [("CONNECT", "registry.example:443", None)]


def test_a_certificate_of_an_unknown_authority(registry, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    new = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=it -keyout key -out certificate"
    )
    subprocess.run(new.split(), cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    registry.handle_error = lambda *_: None  # it says that the client hung up
    registry.socket = context.wrap_socket(registry.socket, server_side=True)
    with pytest.raises(RegistryError, match=r"does not trust \(.*\): set SSL_CERT_FILE to a file with its authority"):
        get(registry.host, f"https://{registry.host}/v2/")


@pytest.mark.parametrize("where", ["auths", "credsStore", "credHelpers"])
@pytest.mark.parametrize(
    ("host", "key"), [("ghcr.io", "ghcr.io"), ("docker.io", "https://index.docker.io/v1/"), ("localhost:5000",) * 2]
)
def test_a_stored_login(config, tmp_path, where, host, key):
    login = encoded("ann:secret")
    helper = tmp_path / "docker-credential-test"
    answer = json.dumps({"ServerURL": key, "Username": "ann", "Secret": "secret"})
    helper.write_text(f"#!/bin/sh\n[ \"$1 $(cat)\" = 'get {key}' ] && echo '{answer}'\n")
    helper.chmod(0o755)
    content = {
        "auths": {"auths": {key: {"auth": login}}},
        "credsStore": {"auths": {key: {}}, "credsStore": "test"},
        "credHelpers": {"auths": {key: {}}, "credsStore": "none", "credHelpers": {key: "test"}},
    }
    config.write_text(json.dumps(content[where], indent="\t"))
    assert stored_login(host) == login
    assert stored_login("elsewhere.example") == ""


@pytest.mark.parametrize("content", ["{}", '{"credsStore": "not-installed"}', '{"auths": {"ghcr.io": {}}}'])
def test_no_stored_login(config, content):
    assert stored_login("ghcr.io") == ""
    config.write_text(content)
    assert stored_login("ghcr.io") == ""


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"auths": []}', '{"credsStore": "mute"}', '{"credsStore": "bare"}']
)
def test_a_login_that_cannot_be_read(config, tmp_path, content):
    for name, answer in (("mute", ""), ("bare", '{"Username": "ann"}')):
        helper = tmp_path / f"docker-credential-{name}"
        helper.write_text(f"#!/bin/sh\necho '{answer}'\n")
        helper.chmod(0o755)
    config.write_text(content)
    with pytest.raises(RegistryError) as caught:
        stored_login("ghcr.io")
    assert str(caught.value) == f"the login in {config} cannot be read: docker login ghcr.io, and run this again"
