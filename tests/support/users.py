"""A user, and the answers of the API."""

from collections import Counter

ANN = {"name": "Ann", "email": "ann@example.org"}
NO_ID = "0" * 24


def problem(response, status):
    """Check that the answer is the problem document of this status, and return it."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == status
    assert document.keys() >= {"type", "title", "detail"}
    return document


def emails(service):
    """How often each email is there, read page by page."""
    found, following = Counter(), "/users?limit=100"
    while following:
        page = service.request("GET", following).json()
        found.update(user["email"] for user in page["users"])
        following = page["next"]
    return found


def create(service, **members):
    response = service.post("/users", json=ANN | members)
    assert response.status_code == 201, response.text
    return response.json()
