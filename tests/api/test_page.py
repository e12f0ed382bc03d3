"""What the service sends at `/` to a browser: the page and its files."""

import html
import re

import pytest

from service.settings import GREETING
from tests.support.processes import Server
from tests.support.users import create, problem

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
HTML = {"Accept": "text/html"}


def page(server, path="/"):
    response = server.get(path, headers={"Accept": CHROMIUM})
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    return response.text


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
    problem(service.get("/?after=x", headers=HTML), 422)


def test_a_wrong_query_is_refused_and_one_of_others_ignored(service):
    assert service.get("/?utm_source=a-link", headers=HTML).ok
    problem(service.get("/?limit=101", headers=HTML), 422)


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


def test_the_page_shows_the_version(database_url, tmp_path):
    server = Server(tmp_path, DATABASE_URL=database_url, VERSION="1.4.2")
    with server.running():
        assert "1.4.2" in page(server)


def test_without_its_database_the_page_comes_all_the_same(database, tmp_path):
    server = Server(tmp_path, DATABASE_URL=database.url)
    with server.running():
        assert server.get("/about").json()["database"] == "down"
        assert '<body data-database="down">' in page(server)


def test_the_page_may_use_its_own_files_and_the_api_alone(service):
    for path, cached in (("/", "no-store"), ("/static/page.js", "no-cache")):
        headers = service.get(path, headers=HTML).headers
        assert headers["Cache-Control"] == cached
        assert headers["X-Content-Type-Options"] == "nosniff"
    policy = dict(
        it.split(" ", 1) for it in service.get("/", headers=HTML).headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in str(policy)


def test_its_links_have_the_path_prefix_of_a_proxy(service, database_url, tmp_path):
    for number in range(2):
        create(service, email=f"{number}@example.org")
    server = Server(tmp_path, DATABASE_URL=database_url, TRUSTED_PROXIES="1")
    with server.running():
        for prefix in ("", "/app"):
            said = {"X-Forwarded-Prefix": prefix}
            shown = server.get("/?limit=1", headers=said | HTML).text
            links = re.findall(r'(?:href|src|data-next)="([^"]*)"', html.unescape(shown))
            assert len(links) == 6
            assert [link for link in links if not link.startswith(f"{prefix}/")] == []
            for link in links:
                assert server.get(link.removeprefix(prefix), headers=said).ok
