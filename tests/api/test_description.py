"""GET /openapi.json and docs/reference/api.md, held against the running service and against each other."""

import json
import re
import tomllib
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError

from service import create_app
from service.headers import HEADERS
from service.resources import ListQuery
from service.settings import read_settings
from service.users import NewUser
from tests.support.ports import free_port
from tests.support.processes import Server
from tests.support.repository import ROOT
from tests.support.users import ANN, NO_ID

DESCRIPTION = json.loads((ROOT / "service/openapi.json").read_text())
MANUAL = (ROOT / "docs/reference/api.md").read_text()
OPERATIONS = {
    (method.upper(), path): operation
    for path, item in DESCRIPTION["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}
STATUSES = {
    it: {int(status) for status in operation["responses"] if status != "default"}
    for it, operation in OPERATIONS.items()
}
BODIES = {
    operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    for operation in OPERATIONS.values()
    if "requestBody" in operation
}

JSON = {"Content-Type": "application/json"}
TOKEN = "x" * 32
BEARER = {"Authorization": f"Bearer {TOKEN}"}

# Requests in order, with the answer that each gets. An id in a path is that of the last document created there.
REQUESTS = [
    ("GET", "/", 200, {}),
    ("GET", "/about", 200, {}),
    ("GET", "/healthz", 200, {}),
    ("GET", "/readyz", 200, {}),
    ("GET", "/openapi.json", 200, {}),
    ("POST", "/users", 201, {"json": {"name": "Bob", "email": "bob@example.org"}}),
    ("POST", "/users", 201, {"json": ANN}),
    ("POST", "/users", 409, {"json": ANN}),
    ("GET", "/users", 200, {"params": {"limit": 1}}),
    ("GET", "/users", 422, {"params": {"after": "x"}}),
    ("GET", "/users/{user_id}", 200, {}),
    ("PATCH", "/users/{user_id}", 200, {"json": {"name": "Anna"}}),
    ("PATCH", "/users/{user_id}", 409, {"json": {"email": "bob@example.org"}}),
    ("DELETE", "/users/{user_id}", 204, {}),
]


def resolved(part):
    return DESCRIPTION["components"][part["$ref"].split("/")[2]][part["$ref"].split("/")[3]] if "$ref" in part else part


def check(part, schema):
    """Check a part of an answer against a schema of the description."""
    Draft202012Validator(
        schema | {"components": DESCRIPTION["components"]}, format_checker=Draft202012Validator.FORMAT_CHECKER
    ).validate(part)


def described(method, path, response):
    """Check that an answer is as its description says: status, headers, kind and content."""
    answers = OPERATIONS[method, path]["responses"]
    assert str(response.status_code) in answers, f"{method} {path}: {response.status_code} {response.text}"
    answer = resolved(answers[str(response.status_code)])
    for name, header in answer.get("headers", {}).items():
        check(response.headers[name], header["schema"])
    if "content" not in answer:
        assert response.text == ""
        return
    kind = response.headers["Content-Type"].partition(";")[0]
    check(response.text if kind.startswith("text/") else response.json(), answer["content"][kind]["schema"])


def valid(operation):
    """A body that this operation takes, if it takes one: the examples of the description."""
    if "requestBody" not in operation:
        return {}
    fields = resolved(operation["requestBody"]["content"]["application/json"]["schema"])["properties"]
    return {"json": {name: field["examples"][0] for name, field in fields.items()}}


def refused(method, path):
    """The requests that each operation refuses in the same way, whatever it is about."""
    operation = OPERATIONS[method, path]
    if "{" in path:
        yield method, path, 404, valid(operation)
    if "requestBody" in operation:
        yield method, path, 400, {"data": "{", "headers": JSON}
        yield method, path, 413, {"json": {"x": "x" * 70_000}}
        yield method, path, 415, {"data": "{}"}
        yield method, path, 422, {"json": {"x": 1}}


def test_each_answer_that_is_described_is_given_as_described(service, tmp_path):
    nowhere = f"mongodb://127.0.0.1:{free_port()}/nowhere"
    away = Server(tmp_path, DATABASE_URL=nowhere, API_TOKEN=TOKEN)
    asked = {it: set() for it in OPERATIONS}
    ids = {}

    def ask(server, method, path, status, how):
        collection = path.partition("/{")[0]
        filled = re.sub(r"\{\w+\}", NO_ID if status == 404 else ids.get(collection, NO_ID), path)
        response = server.request(method, filled, **how)
        assert response.status_code == status, f"{method} {filled}: {response.status_code} {response.text}"
        described(method, path, response)
        asked[method, path].add(status)
        if status == 201:
            ids[path] = response.json()["id"]

    for request in [*REQUESTS, *(request for it in OPERATIONS for request in refused(*it))]:
        ask(service, *request)
    lost = [
        (*it, status, {"headers": headers} | valid(operation))
        for it, operation in OPERATIONS.items()
        for status, headers in ((503, BEARER), (401, {}))
        if str(status) in operation["responses"]
    ]
    with away.running(), ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda request: ask(away, *request), [*lost, ("GET", "/about", 200, {})]))
    assert asked == STATUSES


AROUND = [
    *"aA0@\"'",
    *map(chr, range(0x21)),
    *"\x7f\x85\x9f\xa0\xad\u1680\u180e\u2000\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff😀",
]


@pytest.mark.parametrize("field", ["name", "email"])
def test_each_text_that_is_described_is_taken_and_no_other(field):
    schema = DESCRIPTION["components"]["schemas"]["NewUser"]["properties"][field]
    most, taken = schema["maxLength"], 0
    texts = ["".join(parts) for parts in product(["", *AROUND], ["", "a", "a@b"], AROUND, ["", "x@y"])]
    for text in [*texts, *("a@b".ljust(length, end) for length in (most, most + 1) for end in "x ")]:
        try:
            kept = getattr(NewUser.model_validate(ANN | {field: text}), field)
        except ValidationError:
            kept = None
        described = Draft202012Validator(schema).is_valid(text)
        assert (kept is not None) == described, repr(text)
        assert not described or (kept == kept.strip() and kept in text)
        taken += described
    assert taken > 100


def test_what_is_served_is_the_file(service):
    assert service.get("/openapi.json").json() == DESCRIPTION


@pytest.fixture(scope="module")
def app():
    app = create_app(read_settings({"DATABASE_URL": "mongodb://127.0.0.1:1/x"}))
    app.extensions["database"].close()
    return app


def test_each_route_is_described_and_each_description_has_its_route(app):
    routes = {
        (method, re.sub(r"<(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }
    assert OPERATIONS.keys() == routes


def bare(schema):
    """The part of a field's schema that decides."""
    words = {"title", "description", "examples", "default"}
    return {name: value for name, value in schema.items() if name not in words}


@pytest.mark.parametrize("name", sorted(BODIES))
def test_bodies_are_described_as_they_are_checked(app, name):
    [model] = [it for it in BaseModel.__subclasses__() if it.__name__ == name]  # app has imported it
    described, checked = DESCRIPTION["components"]["schemas"][name], model.model_json_schema()
    assert described["additionalProperties"] is checked["additionalProperties"] is False
    assert described.get("required") == checked.get("required")
    fields = [{field: bare(schema) for field, schema in it["properties"].items()} for it in (described, checked)]
    assert fields[0] == fields[1]


def test_the_query_is_described_as_it_is_checked():
    checked = ListQuery.model_json_schema()["properties"]
    described = {it["name"]: it["schema"] for it in DESCRIPTION["components"]["parameters"].values()}
    assert described.keys() == checked.keys()
    for name, schema in described.items():
        assert bare(schema) | {"pattern": None} == bare(checked[name]) | {"pattern": None}
        assert schema["default"] == checked[name]["default"]
        ListQuery.model_validate({name: schema["default"]})


def test_only_changes_want_the_token():
    wanting = {it for it, operation in OPERATIONS.items() if "security" in operation}
    assert wanting == {it for it in OPERATIONS if it[0] != "GET"}


def test_the_examples_are_as_they_should_be():
    for schema in DESCRIPTION["components"]["schemas"].values():
        for field in schema["properties"].values():
            for example in field.get("examples", []):
                check(example, field)


def test_the_version_is_the_projects():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (DESCRIPTION["info"]["title"], DESCRIPTION["info"]["version"]) == (project["name"], project["version"])


def test_the_manual_has_the_same_requests_and_answers():
    rows = re.findall(r"^\| `([A-Z]+) (/\S*)` \| ([\d, ]+) \|$", MANUAL, re.MULTILINE)
    assert {(method, path): set(map(int, statuses.split(", "))) for method, path, statuses in rows} == STATUSES
    explained = set(map(int, re.findall(r"^\| (\d{3}) \|", MANUAL, re.MULTILINE)))
    assert explained == {status for statuses in STATUSES.values() for status in statuses if status >= 400}


def test_the_manual_names_each_field_and_header():
    fields = {field for schema in DESCRIPTION["components"]["schemas"].values() for field in schema["properties"]}
    for name in fields | HEADERS.keys() | DESCRIPTION["components"]["parameters"].keys():
        assert f"`{name}`" in MANUAL


def test_the_manuals_examples_are_as_described():
    examples = [json.loads(text) for text in re.findall(r"^```json\n(.*?)\n```$", MANUAL, re.MULTILINE | re.DOTALL)]
    for example, name in zip(examples, ["User", "UserList", "Problem", "About"], strict=True):
        check(example, DESCRIPTION["components"]["schemas"][name])
