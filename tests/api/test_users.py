"""Each row of the API's table, and each way to get it wrong."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from bson import ObjectId
from pymongo import monitoring

from service import create_app
from service.settings import read_settings
from tests.support.users import ANN, NO_ID, create, problem


def test_create(service, users):
    response = service.post("/users", json={"name": "  Ann ", "email": " Ann@Example.org "})
    user = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"/users/{user['id']}"
    assert list(user) == ["id", "name", "email", "created_at"]
    assert (user["name"], user["email"]) == ("Ann", "Ann@Example.org")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", user["created_at"])
    assert service.get(response.headers["Location"]).json() == user
    assert users.count_documents({}) == 1


@pytest.mark.parametrize(
    "name", ["x", "x" * 100, "李小龍", "عبد الله", "👩‍👩‍👧", "O'Brien <script>", "{$gt: 1}", "a  b", "\ufeff名"]
)
def test_create_takes_names_of_any_script(service, name):
    assert create(service, name=name)["name"] == name


@pytest.mark.parametrize("email", ["a@b", "a" * 242 + "@example.org", "用户@例子.公司", "o'b+tag@x.org"])
def test_create_takes_any_address_that_could_be_one(service, email):
    assert create(service, email=email)["email"] == email


@pytest.mark.parametrize(
    ("member", "value"),
    [
        *(("name", value) for value in ("", "  \t ", "x" * 101, "a\nb", "a\x00b", "a\x7fb", "a\x85b", "a\u2028b")),
        *(("name", value) for value in (None, 1, True, [], {"$gt": ""}, ["Ann"])),
        *(
            ("email", value)
            for value in ("", "ann", "@x", "ann@", "a@b@c", "a b@c", "a\x00@b", "a" * 243 + "@example.org")
        ),
        *(("email", value) for value in (None, 1, {"$gt": ""}, ["ann@example.org"])),
        ("admin", True),
        ("_id", NO_ID),
        ("$set", {}),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_wrong_field_is_a_422_that_names_it(service, users, method, member, value):
    path = "/users" if method == "POST" else f"/users/{create(service, email='before@example.org')['id']}"
    before = list(users.find())
    document = problem(service.request(method, path, json=ANN | {member: value}), 422)
    assert [error["field"] for error in document["errors"]] == [member]
    assert all(error["message"] and "pattern" not in error["message"] for error in document["errors"])
    assert list(users.find()) == before


def test_what_is_wrong_is_said_in_words_for_a_person(service):
    document = problem(service.post("/users", json={"name": "", "email": "ann"}), 422)
    assert [error["message"] for error in document["errors"]] == [
        "Should have at least 1 character",
        "Should be an email address",
    ]


def test_each_wrong_field_has_its_entry(service):
    document = problem(service.post("/users", json={"name": 1, "mail": "x"}), 422)
    assert sorted(error["field"] for error in document["errors"]) == ["email", "mail", "name"]


@pytest.mark.parametrize("body", ["[]", '"text"', "null", "1"])
def test_json_that_is_no_object_is_a_422(service, body):
    problem(service.post("/users", data=body, headers={"Content-Type": "application/json"}), 422)


@pytest.mark.parametrize(
    "body",
    ["", "{", "name=Ann", '{"name": "Ann",}', b'{"name": "\xff"}', '{"name": "\\ud800"}', "[" * 30000, "NaN,"],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_is_not_json_is_a_400(service, method, body):
    path = "/users" if method == "POST" else f"/users/{NO_ID}"
    problem(service.request(method, path, data=body, headers={"Content-Type": "application/json"}), 400)


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_another_content_type_is_a_415(service, method, content_type):
    path = "/users" if method == "POST" else f"/users/{NO_ID}"
    headers = {} if content_type is None else {"Content-Type": content_type}
    problem(service.request(method, path, data=b'{"name":"Ann","email":"a@b"}', headers=headers), 415)


def test_json_may_name_its_charset(service):
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert service.post("/users", data='{"name":"Ån","email":"a@b"}'.encode(), headers=headers).status_code == 201


@pytest.mark.parametrize("taken", ["ann@example.org", "ANN@example.ORG", " Ann@Example.Org "])
def test_an_email_that_exists_in_any_letter_case_is_a_409(service, users, taken):
    create(service)
    problem(service.post("/users", json={"name": "Other", "email": taken}), 409)
    bob = create(service, email="bob@example.org")
    problem(service.request("PATCH", f"/users/{bob['id']}", json={"email": taken}), 409)
    assert users.count_documents({}) == 2


def test_of_many_that_bring_one_email_at_once_one_wins(service):
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: service.post("/users", json=ANN).status_code, range(8))
    assert sorted(answers) == [201] + [409] * 7


def test_change(service):
    user = create(service)
    path = f"/users/{user['id']}"
    response = service.request("PATCH", path, json={"name": " Anna "})
    assert (response.status_code, response.json()) == (200, user | {"name": "Anna"})
    response = service.request("PATCH", path, json={"email": "ANN@example.org"})  # its own email, in other letters
    assert response.json() == user | {"name": "Anna", "email": "ANN@example.org"}
    response = service.request("PATCH", path, json={})
    assert (response.status_code, response.json()["name"]) == (200, "Anna")
    assert service.get(path).json()["email"] == "ANN@example.org"


def test_delete(service):
    path = f"/users/{create(service)['id']}"
    response = service.request("DELETE", path)
    assert (response.status_code, response.text) == (204, "")
    problem(service.get(path), 404)
    problem(service.request("DELETE", path), 404)


@pytest.mark.parametrize("user_id", [NO_ID, "abc", "x" * 24, "%00", "a.b", "[object Object]", "६" * 24])
def test_an_id_that_does_not_exist_or_is_none_is_a_404(service, user_id):
    problem(service.get(f"/users/{user_id}"), 404)
    problem(service.request("DELETE", f"/users/{user_id}"), 404)
    problem(service.request("PATCH", f"/users/{user_id}", json={"name": "Ann"}), 404)


def test_an_empty_list(service):
    response = service.get("/users")
    assert (response.status_code, response.json()) == (200, {"users": [], "next": None, "total": 0})


def test_pages_hold_each_user_once_newest_first(service, users):
    users.insert_many([{"name": f"User {number}", "email": f"{number}@example.org"} for number in range(23)])
    path, seen, sizes = "/users?limit=5", [], []
    while path:
        page = service.get(path).json()
        assert page["total"] == users.count_documents({})
        seen += [user["name"] for user in page["users"]]
        sizes.append(len(page["users"]))
        if len(sizes) == 2:  # what goes meanwhile moves nothing: with page numbers, one would be passed over
            users.delete_one({"name": seen[0]})
        path = page["next"]
    assert seen == [f"User {number}" for number in reversed(range(23))]
    assert sizes == [5, 5, 5, 5, 3]


def test_users_are_listed_as_they_were_created_whichever_process_did_it(service):
    created = [create(service, email=f"{number}@example.org")["id"] for number in range(30)]  # by two, within a second
    assert [user["id"] for user in service.get("/users").json()["users"]] == created[::-1]


def test_a_last_page_that_is_full_has_no_next(service, users):
    users.insert_many([{"name": "x", "email": f"{number}@example.org"} for number in range(100)])
    assert len(service.get("/users").json()["users"]) == 50
    page = service.get("/users?limit=100").json()
    assert (len(page["users"]), page["next"]) == (100, None)


def test_a_page_is_asked_for_by_key(database_url):
    # What makes page ten thousand cost what page one costs: a range of the index on _id, and nothing skipped.
    asked = []

    class Listener(monitoring.CommandListener):
        def started(self, event):
            asked.append(event.command)

        def succeeded(self, event):
            pass

        failed = succeeded

    monitoring.register(Listener())
    app = create_app(read_settings({"DATABASE_URL": database_url}))
    assert app.test_client().get(f"/users?limit=7&after={'e' * 24}").status_code == 200
    app.extensions["database"].close()
    find = next(command for command in asked if "find" in command)
    assert (find["filter"], find["sort"]) == ({"_id": {"$lt": ObjectId("e" * 24)}}, {"_id": -1})
    assert find["limit"] == 8
    assert "skip" not in find


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(
            (f"limit={value}", "limit")
            for value in ("0", "101", "-1", "abc", "", "1.5", "5.0", "1_0", "%205", "%2B5", "%D9%A5")
        ),
        *((f"after={value}", "after") for value in ("abc", "", "0" * 23)),
        ("limt=5", "limt"),
    ],
)
def test_a_wrong_query_is_a_422_that_names_it(service, query, field):
    document = problem(service.get(f"/users?{query}"), 422)
    assert [error["field"] for error in document["errors"]] == [field]


def test_documents_of_another_hand_are_shown_too(service, users):
    users.insert_many([{"name": "By hand"}, {"_id": "not an ObjectId", "name": "Odd", "email": "odd@example.org"}])
    assert [user["name"] for user in service.get("/users").json()["users"]] == ["By hand"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_a_method_that_is_not_there_is_a_405_that_says_what_is(service, method):
    response = service.request(method, "/users")
    problem(response, 405)
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("path", ["/nothing", "/users/", "/users/a/b", "/static/x", "/%00", "/..%2f"])
def test_an_unknown_path_is_a_404(service, path):
    problem(service.get(path), 404)


def test_a_body_over_64_kib_is_a_413(service):
    body = b'{"name":"' + b"x" * 64 * 1024 + b'"}'
    headers = {"Content-Type": "application/json"}
    problem(service.post("/users", data=body, headers=headers), 413)
    problem(service.post("/users", data=iter([body]), headers=headers), 413)  # in chunks, its length not announced
    fits = b'{"name":"Ann","email":"a@b"}'
    assert service.post("/users", data=fits + b" " * (64 * 1024 - len(fits)), headers=headers).status_code == 201


def test_a_client_that_goes_away_half_way_leaves_nothing(service, users):
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall(
            b"POST /users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
        )
    assert service.get("/healthz").ok
    assert users.count_documents({}) == 0
