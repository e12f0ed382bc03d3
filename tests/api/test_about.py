"""What the service says of itself: the greeting, who it is, and the security headers of all answers."""

import socket

import pytest

from service.settings import GREETING
from tests.support.processes import Server
from tests.support.users import ANN


def test_the_greeting(service):
    response = service.get("/?utm_source=a-link")
    assert (response.status_code, response.text) == (200, f"{GREETING}\n")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_about_from_source_and_from_an_image(service, database_url, tmp_path):
    shown = {"hostname": socket.gethostname(), "version": "development", "revision": "working copy", "database": "up"}
    assert service.get("/about").json() == shown
    built = {"version": "1.4.2", "revision": "4949b78"}
    server = Server(tmp_path, DATABASE_URL=database_url, VERSION="1.4.2", REVISION="4949b78")
    with server.running():
        assert server.get("/about").json() == shown | built
        assert '"/about"' not in server.output.read_text()  # it is asked for every second


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/about", 200),
        ("GET", "/users", 200),
        ("POST", "/users", 201),
        ("GET", "/nothing", 404),
        ("PUT", "/users", 405),
    ],
)
def test_the_security_headers_are_on_all_answers(service, method, path, status):
    response = service.request(method, path, json=ANN if method == "POST" else None)
    assert response.status_code == status
    policy = dict(directive.split(" ", 1) for directive in response.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"
