import os

import pytest

from service import create_app, database


@pytest.fixture
def nowhere():
    """A client of the app whose database is not there: nothing listens on port 1."""
    return create_app("mongodb://127.0.0.1:1/flask-mongo-app").test_client()


@pytest.fixture
def client():
    """A client of the app with the database TEST_DATABASE_URL, which is emptied."""
    url = os.environ.get("TEST_DATABASE_URL")
    if url is None:
        pytest.skip("TEST_DATABASE_URL names no database")
    app = create_app(url)
    with app.app_context():
        database.collection("users").delete_many({})
    return app.test_client()
