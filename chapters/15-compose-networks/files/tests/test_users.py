import pytest

ANN = {"name": "Ann", "email": "ann@example.org"}


def test_what_was_created_is_read_changed_and_deleted(client):
    created = client.post("/users", json=ANN)
    assert created.status_code == 201
    place = created.headers["Location"]
    assert client.get(place).json == created.json
    assert client.patch(place, json={"name": "Anna"}).json["name"] == "Anna"
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404


def test_two_users_cannot_share_an_email(client):
    assert client.post("/users", json=ANN).status_code == 201
    assert client.post("/users", json={**ANN, "email": "ANN@example.org"}).status_code == 409


@pytest.mark.parametrize("body", [[], {}, {"name": "Ann"}, {**ANN, "admin": True}])
def test_a_body_that_is_no_user(nowhere, body):
    assert nowhere.post("/users", json=body).status_code == 422


def test_without_a_database(nowhere):
    assert nowhere.get("/users").status_code == 503
    assert nowhere.post("/users", json=ANN).status_code == 503
