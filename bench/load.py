"""Load on a server, for one sample of its figures."""

import json
import subprocess
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection

from bench.servers import BENCH, GREETING, Server
from bench.stub import USERS

NEW_USER = json.dumps({"name": "Ann", "email": "ann@example.org"})
# What each kind of request sends: a path, and for wrk's script the body of a POST.
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "greeting": ("/", ()),
    "list": ("/users", ()),
    "read": (f"/users/{USERS[0]['_id']}", ()),
    "create": ("/users", (NEW_USER,)),
}


@dataclass(frozen=True)
class Sample:
    """What one measurement gave."""

    peer: str
    kind: str
    connections: int
    rate: float  # requests per second
    p99: float  # milliseconds
    cpu: float  # seconds of processor time per 1,000 requests
    errors: int


def check(server: Server) -> list[str]:
    """The kinds of requests that a server does not answer as the service does: it would be measured for other work."""
    expected = {
        "greeting": (200, [GREETING]),
        "list": (200, [str(len(USERS)), *(str(user["_id"]) for user in USERS[:50])]),
        "read": (200, [str(USERS[0]["_id"]), "created_at"]),
        "create": (201, ["ann@example.org", "created_at"]),
    }
    wrong = []
    for kind, (status, parts) in expected.items():
        answered, text = _ask(server.port, kind)
        if answered != status or not all(part in text for part in parts):
            wrong.append(kind)
    return wrong


def _ask(port: int, kind: str) -> tuple[int, str]:
    path, body = KINDS[kind]
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    with closing(connection):
        headers = {"Content-Type": "application/json"} if body else {}
        connection.request("POST" if body else "GET", path, "".join(body), headers)
        response = connection.getresponse()
        return response.status, response.read().decode()


def measure(peer: str, server: Server, kind: str, connections: int, seconds: float) -> Sample:
    """Load a server with one kind of request, after a warm-up that does not count.

    Args:
        peer: the name of the server, for the sample.
        server: what to load.
        kind: a key of KINDS.
        connections: how many clients send one request after another.
        seconds: how long, rounded to whole seconds, at least one.
    """
    _wrk(server.port, kind, connections, 1)
    before = server.cpu()
    figures = _wrk(server.port, kind, connections, seconds)
    used, requests = server.cpu() - before, figures["requests"]
    return Sample(
        peer,
        kind,
        connections,
        rate=requests / figures["seconds"],
        p99=figures["p99"] if requests else float("inf"),
        cpu=used / requests * 1000 if requests else float("inf"),
        errors=int(figures["errors"]),
    )


def _wrk(port: int, kind: str, connections: int, seconds: float) -> dict[str, float]:
    path, body = KINDS[kind]
    options = ["--threads=1", f"--connections={connections}", f"--duration={max(round(seconds), 1)}s"]
    command = ["wrk", *options, f"--script={BENCH / 'load.lua'}", f"http://127.0.0.1:{port}{path}", "--", *body]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60)
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures
