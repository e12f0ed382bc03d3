import pytest

ANN = {"name": "Ann", "email": "ann@example.org"}


def test_what_was_created_is_listed(client):
    created = client.post("/users", json=ANN)
    assert created.status_code == 201
    assert created.json == {"id": created.json["id"], **ANN}
    assert client.get("/users").json == {"users": [created.json]}


@pytest.mark.parametrize("body", [[], {}, {"name": "Ann"}, {**ANN, "admin": True}])
def test_a_body_that_is_no_user(nowhere, body):
    assert nowhere.post("/users", json=body).status_code == 422


def test_without_a_database(nowhere):
    assert nowhere.get("/users").status_code == 503
    assert nowhere.post("/users", json=ANN).status_code == 503
