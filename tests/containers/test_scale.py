"""Several replicas behind the proxy: compose.scale.yml and deploy/nginx."""

import json
import re
import uuid
from collections.abc import Iterator
from functools import partial

import pytest
import requests

from tests.support.docker import PYTHON_IMAGE, docker, inspect, need_image
from tests.support.load import load
from tests.support.ports import free_port
from tests.support.project import Project
from tests.support.waiting import LIMIT, wait_for

# A replica that answers with the headers that it got, or, if it is broken, closes the connection without an answer.
FAKE = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.command, self.path, flush=True)
        if sys.argv[1] == "sound":
            body = json.dumps(dict(self.headers)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

ThreadingHTTPServer(("", 3000), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def stack(project):
    """Three replicas behind the proxy, started as the page says."""
    need_image("nginx:1.30")
    project.environment["COMPOSE_FILE"] = "docker-compose.yml:compose.scale.yml"
    project.compose("up", "--build", "--wait")
    return project


def replicas(stack: Project) -> set[str]:
    """The host names of the replicas that run."""
    return {container[:12] for container in stack.compose("ps", "--quiet", "app").stdout.split()}


def answering(stack: Project, number: int) -> set[str]:
    """Ask until this many host names have answered."""
    seen = set()

    def all_of_them() -> bool:
        seen.add(stack.request("GET", "/about").json()["hostname"])
        return len(seen) == number

    wait_for(all_of_them, f"{number} replicas to answer")
    return seen


def ask(stack: Project) -> requests.Response:
    """An idempotent request that needs the database."""
    return stack.request("GET", "/users?limit=1")


def test_three_replicas_answer_on_one_port(stack):
    assert answering(stack, 3) == replicas(stack)


def test_only_the_proxy_has_a_port_and_it_does_not_reach_the_database(stack):
    for container in stack.compose("ps", "--quiet", "app", "mongodb").stdout.split():
        assert not any(inspect(container)["NetworkSettings"]["Ports"].values())
    proxy = inspect(stack.container("proxy"))
    assert [port["HostIp"] for port in proxy["NetworkSettings"]["Ports"]["8080/tcp"]] == ["127.0.0.1"]
    assert list(proxy["NetworkSettings"]["Networks"]) == [f"{stack.name}-front"]


def test_the_proxy_is_hardened(stack):
    container = inspect(stack.container("proxy"))
    host = container["HostConfig"]
    assert container["Config"]["User"] == "101"
    assert host["ReadonlyRootfs"]
    assert (host["CapDrop"], host["CapAdd"]) == (["ALL"], None)
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == (128 * 2**20, 10**9, 16)


def test_a_replica_keeps_nothing_that_the_others_lack(stack):
    user = stack.request("POST", "/users", json={"name": "Ann", "email": "all@example.org"})
    assert "Set-Cookie" not in user.headers
    script = f"import urllib.request; urllib.request.urlopen('http://localhost:3000/users/{user.json()['id']}')"
    for replica in replicas(stack):
        docker("exec", replica, "python", "-c", script)


def test_a_request_has_one_id_in_both_logs(stack):
    sent = uuid.uuid4().hex
    ids = [
        stack.request("GET", "/", headers=headers).headers["X-Request-ID"] for headers in ({"X-Request-ID": sent}, {})
    ]
    assert ids[0] == sent
    for request_id in ids:
        for service in ("proxy", "app"):
            log = stack.compose("logs", "--no-log-prefix", service).stdout
            [line] = [json.loads(line) for line in log.splitlines() if f'"{request_id}"' in line]
            assert (line["request_id"], line["method"], line["path"], line["status"]) == (request_id, "GET", "/", 200)


def test_no_idempotent_request_fails_while_a_replica_is_killed(stack):
    victim = replicas(stack).pop()
    with load(partial(ask, stack)) as statuses:
        docker("kill", victim)
    assert set(statuses) == {200}
    assert answering(stack, 2) == replicas(stack)
    stack.compose("up", "--wait")
    assert victim in answering(stack, 3)


def test_no_idempotent_request_fails_while_replicas_come_and_go(stack):
    before = replicas(stack)
    with load(partial(ask, stack)) as statuses:
        for number in (5, 2):
            stack.compose("up", "--wait", "--no-recreate", "--scale", f"app={number}")
            assert answering(stack, number) == replicas(stack)
    assert set(statuses) == {200}
    assert before > replicas(stack)


def test_without_any_replica_the_proxy_says_so(stack):
    stack.compose("stop", "app")
    response = stack.request("GET", "/")
    assert (response.status_code, response.headers["Content-Type"]) == (502, "application/problem+json")
    assert response.json()["detail"] == "No replica answered."
    stack.compose("start", "app")
    stack.ready()


def test_in_production_it_is_one_more_file(stack):
    """The proxy joins the network that the app already has, and nothing else changes."""
    files = ("docker-compose.yml", "compose.production.yml", "compose.scale.yml")
    production, scaled = (
        json.loads(stack.compose(*(f"--file={file}" for file in some), "config", "--format", "json").stdout)
        for some in (files[:2], files)
    )
    proxy = scaled["services"].pop("proxy")
    [proxy_port], [app_port] = proxy["ports"], production["services"]["app"].pop("ports")
    assert proxy_port == app_port | {"target": 8080}
    assert scaled["services"]["app"].pop("scale") == 3
    assert scaled["services"]["app"]["environment"].pop("TRUSTED_PROXIES") == "1"
    assert scaled["services"]["app"]["environment"].pop("PORT") == "3000"
    for setting in ("TRUSTED_PROXIES", "PORT"):
        del production["services"]["app"]["environment"][setting]
    assert scaled == production


@pytest.fixture
def fakes(stack) -> Iterator[tuple[str, dict[str, str]]]:
    """The proxy before one sound and one broken replica: its address, and the two containers."""
    docker("network", "create", f"{stack.name}-fakes")
    common = ("run", "--detach", "--network", f"{stack.name}-fakes")
    fake = ("--network-alias=app", PYTHON_IMAGE, "python", "-c", FAKE)
    names = {kind: f"{stack.name}-{kind}" for kind in ("sound", "broken")}
    for kind, name in names.items():
        docker(*common, "--name", name, *fake, kind)
    port = free_port()
    docker(*common, "--name", f"{stack.name}-before", "--publish", f"127.0.0.1:{port}:8080", f"{stack.name}:proxy")
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: requests.get(url, timeout=LIMIT).ok, "the proxy to answer")
    yield url, names
    docker("rm", "--force", "--volumes", *names.values(), f"{stack.name}-before")
    docker("network", "rm", f"{stack.name}-fakes")


def begun(replica: str, method: str) -> set[str]:
    """The paths that a fake replica was asked for with this method."""
    return set(re.findall(rf"^{method} (\S+)$", docker("logs", replica).stdout, re.MULTILINE))


@pytest.mark.parametrize(("method", "again"), [("GET", True), ("PUT", True), ("DELETE", True), ("POST", False)])
def test_only_an_idempotent_request_is_sent_to_another_replica(fakes, method, again):
    url, names = fakes
    statuses = {}

    def broken_was_asked() -> set[str]:
        path = f"/{uuid.uuid4().hex}"
        statuses[path] = requests.request(method, url + path, timeout=LIMIT).status_code
        return begun(names["broken"], method) & statuses.keys()

    [path] = wait_for(broken_was_asked, "the broken replica to be asked")
    assert statuses[path] == (200 if again else 502)
    assert (path in begun(names["sound"], method)) == again


def test_the_service_learns_who_asked_and_nobody_can_pretend(fakes):
    url, _ = fakes
    lies = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "example.org"}
    got = requests.get(url, headers=lies | {"X-Forwarded-Prefix": "/lie"}, timeout=LIMIT).json()
    # TRUSTED_PROXIES=1 counts from the end: the address that the proxy itself saw.
    assert re.fullmatch(r"192\.0\.2\.1, [0-9.]+", got["X-Forwarded-For"])
    assert got["X-Forwarded-Proto"] == "http"
    assert got["X-Forwarded-Host"] == got["Host"] == url.removeprefix("http://")
    assert "X-Forwarded-Prefix" not in got
    assert re.fullmatch("[0-9a-f]{32}", got["X-Request-ID"])
