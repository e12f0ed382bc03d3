"""What goes wrong inside stays inside."""

import json
import logging

import pytest
from pymongo.errors import WriteConcernError

from service import create_app
from service.settings import read_settings
from tests.support.ports import free_port


@pytest.fixture
def app():
    settings = read_settings({"DATABASE_URL": f"mongodb://127.0.0.1:{free_port()}/none"})
    app = create_app(settings)
    yield app
    app.extensions["database"].close()


def test_a_bug_is_a_500_that_tells_nothing_and_a_log_line_that_tells_all(app, caplog):
    @app.get("/bug")
    def bug():
        raise RuntimeError("the secret inside")

    with caplog.at_level(logging.ERROR):
        response = app.test_client().get("/bug", headers={"X-Request-ID": "bug-1"})
    assert response.status_code == 500
    assert response.content_type == "application/problem+json"
    assert json.loads(response.data)["status"] == 500
    assert "secret" not in response.text
    assert "the secret inside" in caplog.text
    assert response.headers["X-Request-ID"] == "bug-1"


@pytest.mark.parametrize("code", [91, 11600])
def test_a_write_that_a_stopping_database_does_not_confirm_is_a_503(app, code):
    @app.get("/write")
    def write():
        raise WriteConcernError("the server is shutting down", code)

    response = app.test_client().get("/write")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0


def test_a_redirect_is_no_problem(app):
    app.add_url_rule("/folder/", view_func=lambda: "", endpoint="folder")
    response = app.test_client().get("/folder")
    assert (response.status_code, response.location) == (308, "http://localhost/folder/")
