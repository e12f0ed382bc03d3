"""Input that nobody would think of: bodies, requests that are none, and whatever the description allows or forbids."""

import contextlib
import json
import random
import re
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.repository import BIN
from tests.support.sockets import answers, connect, parsed
from tests.support.users import ANN, problem

JSON = {"Content-Type": "application/json"}

TEXT = st.text(st.characters(), max_size=300) | st.sampled_from(
    ["", "a@b", "A" * 101, "\ud800", "\0", "🧑‍🧑‍🧒", "x@" + "y" * 253]
)
NUMBER = st.integers() | st.floats() | st.sampled_from([10**400, -(10**4000), 1e308, 2**63])
VALUE = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=30,
)
USER = st.fixed_dictionaries({"name": TEXT | VALUE, "email": TEXT | VALUE}, optional={"$set": VALUE, "_id": VALUE})


def nested(depth: int) -> str:
    return '{"name":' + "[" * depth + "]" * depth + "}"


def doubled(value: object) -> str:
    """A document with each of its keys twice."""
    return f'{{"name":{json.dumps(value)},"email":"a@b","name":"Ann","email":{json.dumps(value)}}}'


# json.dumps() also writes lone surrogates, NaN and Infinity, which are no JSON.
BODY = st.one_of(
    USER.map(json.dumps),
    VALUE.map(json.dumps),
    VALUE.map(doubled),
    st.integers(0, 30_000).map(nested),
    st.integers(1, 5_000).map(lambda digits: '{"name":' + "9" * digits + "}"),
    st.binary(max_size=2_000),
    st.integers(65_000, 70_000).map(lambda size: json.dumps(ANN | {"name": "x" * size})),
)


def test_any_body_is_taken_or_refused(service, tries):
    ann = service.post("/users", json=ANN).json()["id"]

    # The same bodies each time in the quick share: a run that finds something new must not be somebody else's.
    @settings(
        max_examples=tries(300, 10_000),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(BODY)
    def send(body: str | bytes) -> None:
        data = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
        for method, path, taken in (("POST", "/users", 201), ("PATCH", f"/users/{ann}", 200)):
            response = service.request(method, path, data=data, headers=JSON)
            if response.status_code != taken:
                assert response.status_code in {400, 409, 413, 422}, (response.status_code, response.text)
                problem(response, response.status_code)

    send()
    assert service.get(f"/users/{ann}").ok
    assert "Traceback" not in service.output.read_text()


GOOD = [
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n",
    b"GET /users?limit=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b'POST /users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"name":"Anna"}',
    b"PATCH /users/0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
]
PIECES = [
    *(
        b"\0",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b" ",
        b"\t",
        b":",
        b"\xff",
        b"\x16\x03\x01",
        b"%00",
        b"../",
        b"x" * 40_000,
    ),
    *(
        b"Content-Length: 99999\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
    ),
    *(b"HTTP/9.9", b"HTTP/1.0\r\n", b"ffffffffffffffff\r\n", b"-2\r\n", b"A: b\r\n" * 9_000),
]
REFUSALS = {400, 404, 405, 408, 411, 413, 414, 415, 417, 422, 431, 501, 505}


def malformed(chance: random.Random) -> bytes:
    """A good request with one to four pieces put in, cut out or doubled."""
    request = chance.choice(GOOD) + chance.choice([b"", *GOOD])
    for _ in range(chance.randint(1, 4)):
        begin = chance.randrange(len(request))
        end = begin + chance.randrange(20)
        middle = chance.choice([chance.choice(PIECES), chance.randbytes(4), b"", request[begin:end] * 2])
        request = request[:begin] + middle + request[chance.choice([begin, end]) :]
    return request


def statuses(stream: bytes) -> list[int]:
    """The statuses of the answers that a connection got. Fails for one that is not whole, and for what is no answer."""
    found = []
    while stream:
        status, headers, rest = parsed(stream)
        length = int(headers.get("Content-Length", 0))
        assert len(rest) >= length, stream
        found.append(status)
        stream = rest[length:]
    return [status for status in found if status != 100]


def test_malformed_requests_are_refused_and_stop_nobody_else(service, tries):
    chance = random.Random(15)  # noqa: S311 - the same requests each time
    for number in range(tries(1_000, 20_000)):
        sent = malformed(chance)
        with connect(service) as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(sent)
                if chance.random() < 0.1:
                    continue  # closed without reading
                connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                got = statuses(connection.makefile("rb").read())
                assert set(got) <= {200, 201} | REFUSALS, sent
        if number % 20 == 0:
            assert service.get("/healthz").ok
    assert service.get("/users").ok
    assert "Traceback" not in service.output.read_text()


HIDDEN = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKS = f"0\r\n\r\n{HIDDEN}"
# Proxies and servers have disagreed on each of these about where a request ends, and what was hidden in the first one's
# body became a second one: https://portswigger.net/research/http-desync-attacks-request-smuggling-reborn
AMBIGUOUS = [
    *((f"Content-Length: {len(CHUNKS)}\r\n{field}", CHUNKS) for field in (
        "Transfer-Encoding: chunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\x0bchunked",
        "Transfer-Encoding: \x00chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked, identity",
        'Transfer-Encoding: "chunked"',
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "X: y\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
        " Transfer-Encoding: chunked",
        "X:\r\n Transfer-Encoding: chunked",
        "Content-Length: 0",
    )),
    *((f"Content-Length: {length}", HIDDEN) for length in ("0, 0", "+0", "-0", "0x0", "0 0", "", "\x0b0", "\u0660", "1e1", "0;")),
    *(("Transfer-Encoding: chunked", f"{chunk}{CHUNKS}") for chunk in (
        *("0x0\r\n\r\n", "+0\r\n\r\n", "-0\r\n\r\n", "1\nx\r\n", "1\rx\r\n", "1\r\nxy\r\n", "1\r\nx", ";\r\n\r\n", "g\r\n\r\n"),
    )),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "body"), AMBIGUOUS)
def test_a_request_whose_end_is_ambiguous_hides_no_other(service, fields, body):
    request = f"POST /users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{fields}\r\n\r\n{body}"
    got = statuses(answers(service, request.encode()))
    assert len(got) == 1
    assert got[0] in REFUSALS
    assert "/hidden" not in service.output.read_text()


def test_the_service_is_as_its_description_says(service, tries, record_property, tmp_path):
    command = [
        *(BIN / "schemathesis", "--config-file", Path(__file__).parent / "schemathesis.toml", "run"),
        *("--phases", "examples,coverage,fuzzing,stateful", "--seed", "1", "--no-color"),
        *("--max-examples", str(tries(30, 2_500)), f"{service.url}/openapi.json"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "Stateful" in done.stdout
    record_property("requests", re.search(r"(\d+) generated", done.stdout)[1])
    assert "Traceback" not in service.output.read_text()
