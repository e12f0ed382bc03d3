"""Attempts to get in, one by one: each is refused, and gives nothing away."""

import pytest

from tests.support.sockets import answers, parsed
from tests.support.users import ANN, create, problem

OPERATORS = [{"$gt": ""}, {"$ne": None}, {"$where": "sleep(9000)"}, {"$regex": ".*"}, ["$gt"], {"$set": {"name": "x"}}]


@pytest.mark.parametrize("operator", OPERATORS, ids=str)
@pytest.mark.parametrize("field", ["name", "email", "_id", "$set", "$where"])
def test_a_body_brings_no_operator_to_the_database(service, field, operator):
    ann = create(service)
    problem(service.post("/users", json=ANN | {field: operator}), 422)
    problem(service.request("PATCH", f"/users/{ann['id']}", json={field: operator}), 422)
    assert service.get("/users").json()["users"] == [ann]


@pytest.mark.parametrize("query", ["limit[$gt]=1", "after[$ne]=1", "after=$gt", "$where=1", "limit=1&limit[]=2"])
def test_a_query_brings_no_operator_to_the_database(service, query):
    problem(service.get(f"/users?{query}"), 422)


@pytest.mark.parametrize("key", ['{"$gt":""}', "[$ne]=1", "$where", "..", "%00", "0" * 24 + "%00", "' || 1==1"])
def test_a_path_brings_no_operator_to_the_database(service, key):
    create(service)
    assert service.request("DELETE", f"/users/{key}").status_code in {404, 405}
    assert service.get("/users").json()["total"] == 1


@pytest.mark.parametrize(
    "path",
    [
        "../settings.py",
        "%2e%2e/settings.py",
        "..%2fsettings.py",
        "..%252fsettings.py",
        "..\\settings.py",
        "....//settings.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "page.js%00.py",
        "page.js/../../settings.py",
    ],
)
def test_static_files_lead_to_no_other_file(served, path):
    request = f"GET /static/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"  # a library would tidy the path
    status, _, body = parsed(answers(served, request))
    assert status in {308, 404}  # 308: to the same path without the doubled slash
    assert b"root:" not in body
    assert b"DATABASE_URL" not in body


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Original-URL", "Forwarded"])
def test_no_header_puts_a_link_of_an_intruder_into_an_answer(service, header):
    value = "host=evil.example" if header == "Forwarded" else "/evil.example".removeprefix("/" * (header == "Host"))
    responses = [
        service.post("/users", json=ANN, headers={header: value}),
        service.get("/", headers={header: value, "Accept": "text/html"}),
        service.get("/users?limit=1", headers={header: value}),
        service.get("/nothing", headers={header: value}),
    ]
    assert [response.status_code for response in responses] == [201, 200, 200, 404]
    for response in responses:
        assert "evil" not in response.text + str(response.headers)


@pytest.mark.parametrize("sent", ["x%0d%0aEvil:%201", "x%0aEvil:%201", "%E5%98%8A%E5%98%8DEvil:%201"])
def test_no_line_of_a_request_becomes_a_header_of_the_answer(service, sent):
    for path in (f"/{sent}", f"/users/{sent}", f"/users?after={sent}", f"/users?limit=1&after={'f' * 24}{sent}"):
        assert "Evil" not in service.get(path, headers={"X-Request-ID": sent}, allow_redirects=False).headers


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_form_of_another_site_changes_nothing(service, kind):
    # What a browser sends to another site without asking it first.
    headers = {"Content-Type": kind, "Origin": "https://evil.example"}
    problem(service.post("/users", data='{"name":"Ann","email":"ann@example.org"}', headers=headers), 415)
    assert service.get("/users").json()["total"] == 0


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/users", "/about", "/openapi.json"])
def test_no_other_site_may_read_an_answer(service, path, method):
    asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    response = service.request(method, path, headers=asks)
    assert not [name for name in response.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_no_header_changes_the_method(service, header):
    ann = create(service)
    assert service.get(f"/users/{ann['id']}", headers={header: "DELETE"}).ok
    assert service.get(f"/users/{ann['id']}?_method=DELETE").ok
    assert service.get("/users").json()["total"] == 1


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "DEBUG", "PROPFIND", "CONNECT"])
def test_no_method_sends_a_request_back(service, method):
    request = f"{method} / HTTP/1.1\r\nHost: x\r\nCookie: s3cret\r\nConnection: close\r\n\r\n"
    status, _, body = parsed(answers(service, request))
    assert status in {400, 405, 501}
    assert b"s3cret" not in body
