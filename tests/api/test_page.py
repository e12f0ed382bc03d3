"""What the service sends at `/`: the greeting, or to a browser the page, its files and the state of the stack."""

import html
import socket

import pytest

from service.settings import GREETING
from tests.support.processes import Server
from tests.support.users import ANN, create, problem

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"


def page(server, path="/"):
    response = server.get(path, headers={"Accept": CHROMIUM})
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    return response.text


def test_the_greeting(service):
    response = service.get("/")
    assert (response.status_code, response.text) == (200, f"{GREETING}\n")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("accept", [CHROMIUM, "text/html", "application/json, text/html", "text/plain;q=0.5,text/html"])
def test_who_prefers_html_gets_the_page(service, accept):
    response = service.get("/", headers={"Accept": accept})
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Vary"] == "Accept"
    assert f"<h1>{GREETING}</h1>" in html.unescape(response.text)


@pytest.mark.parametrize("accept", ["*/*", "", None, "text/plain", "application/json", "text/html;q=0.5,text/plain"])
def test_everything_else_gets_the_line_of_text(service, accept):
    response = service.get("/", headers={"Accept": accept})
    assert response.text == f"{GREETING}\n"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Vary"] == "Accept"


def test_the_page_has_the_users_their_number_and_the_way_to_the_next_ones(service, users):
    users.insert_many([{"name": f"User {number:03}", "email": f"{number}@example.org"} for number in range(60)])
    first = page(service)
    assert [f"User {number:03}" in first for number in (59, 10, 9)] == [True, True, False]
    assert '<span class="count" id="total">60</span>' in first
    second = page(service, "/" + first.partition('id="more" href="/')[2].partition('"')[0])
    assert [f"User {number:03}" in second for number in (10, 9, 0)] == [False, True, True]
    assert 'id="more" hidden' in second
    page(service, "/?utm_source=a-link")
    problem(service.get("/?after=x", headers={"Accept": "text/html"}), 422)


@pytest.mark.parametrize("accept", ["text/html", "text/plain"])
def test_a_wrong_query_is_refused_and_one_of_others_ignored(service, accept):
    assert service.get("/?utm_source=a-link", headers={"Accept": accept}).ok
    problem(service.get("/?limit=101", headers={"Accept": accept}), 422)


def test_users_and_greeting_are_text_in_the_page(service, users, database_url, tmp_path):
    create(service, name="<script>alert(1)</script>", email='"><img/src=x>@example.org')
    server = Server(tmp_path, DATABASE_URL=database_url, GREETING="<b>Hello</b>")
    with server.running():
        shown = page(server)
    assert "<h1>&lt;b&gt;Hello&lt;/b&gt;</h1>" in shown
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert" not in shown
    assert "<img" not in shown


def test_documents_of_another_hand_are_in_the_page_too(service, users):
    users.insert_one({"note": "neither name nor email"})
    assert '<bdi class="name"></bdi>' in page(service)


def test_about_from_source_and_from_an_image(service, database_url, tmp_path):
    shown = {"hostname": socket.gethostname(), "version": "development", "revision": "working copy", "database": "up"}
    assert service.get("/about").json() == shown
    built = {"version": "1.4.2", "revision": "4949b78"}
    server = Server(tmp_path, DATABASE_URL=database_url, VERSION="1.4.2", REVISION="4949b78")
    with server.running():
        assert server.get("/about").json() == shown | built
        assert "1.4.2" in page(server)
        assert '"/about"' not in server.output.read_text()  # an open page asks every second


def test_without_its_database_the_page_comes_all_the_same(database, tmp_path):
    server = Server(tmp_path, DATABASE_URL=database.url)
    with server.running():
        assert server.get("/about").json()["database"] == "down"
        assert '<body data-database="down">' in page(server)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/about", 200),
        ("GET", "/users", 200),
        ("POST", "/users", 201),
        ("GET", "/static/page.js", 200),
        ("GET", "/nothing", 404),
        ("PUT", "/users", 405),
    ],
)
def test_the_security_headers_are_on_all_answers(service, method, path, status):
    response = service.request(method, path, json=ANN if method == "POST" else None)
    assert response.status_code == status
    policy = dict(directive.split(" ", 1) for directive in response.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == ("no-cache" if path.startswith("/static") else "no-store")
