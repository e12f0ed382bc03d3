"""The stack, as a newcomer starts it and as it lives on: data kept, database lost and found, requests in flight."""

import contextlib
import json
import socket
import threading
import time

import pytest
import requests

from service.settings import GREETING
from tests.support.docker import docker, inspect, is_stand_in
from tests.support.users import emails
from tests.support.waiting import LIMIT, wait_for


@pytest.fixture(scope="module")
def stack(project):
    """The stack of a clean clone, started as the README says."""
    project.compose("up", "--build", "--wait")
    return project


def test_one_command_gives_a_healthy_stack(stack):
    for service in ("app", "mongodb"):
        assert inspect(stack.container(service))["State"]["Health"]["Status"] == "healthy"
    assert stack.request("GET", "/").text == f"{GREETING}\n"
    assert stack.request("GET", "/readyz").json() == {"status": "ready"}


RSEQ = "GLIBC_TUNABLES=glibc.pthread.rseq="


def test_mongodb_starts_on_every_kernel(stack):
    """The stand-in always acts as on a kernel that refuses it without this."""
    assert f"{RSEQ}1" in inspect(stack.container("mongodb"))["Config"]["Env"]
    assert f"{RSEQ}0" in inspect("mongo:8.0")["Config"]["Env"]  # otherwise, why set it?


def test_mongodb_can_have_its_cache_back_where_the_kernel_allows_it(stack):
    stack.environment["MONGO_GLIBC_TUNABLES"] = "glibc.pthread.rseq=0"
    started = stack.compose("up", "--wait", "mongodb", check=False)
    log = stack.compose("logs", "--no-log-prefix", "mongodb").stdout
    config = inspect(stack.container("mongodb"))["Config"]
    del stack.environment["MONGO_GLIBC_TUNABLES"]
    stack.compose("up", "--wait")
    assert f"{RSEQ}0" in config["Env"]
    if is_stand_in("mongo:8.0"):
        assert started.returncode == 1
        assert json.loads(log.splitlines()[-1])["msg"].startswith("MongoDB cannot start: Linux kernel versions 6.19 ")


def test_its_names_are_fixed(stack):
    mounts = {mount["Destination"]: mount for mount in inspect(stack.container("mongodb"))["Mounts"]}
    assert mounts["/data/db"]["Name"] == f"{stack.name}-data"
    assert mounts["/data/configdb"]["Name"] == f"{stack.name}-config"
    networks = inspect(stack.container("app"))["NetworkSettings"]["Networks"]
    assert list(networks) == [f"{stack.name}-net"]
    assert inspect(f"{stack.name}-net")["Driver"] == "bridge"


def test_the_doctor_knows_its_own_stack(stack):
    checks = {
        check["check"]: check["status"] for check in json.loads(stack.script("doctor", "--json").stdout)["checks"]
    }
    assert {checks[name] for name in ("engine", "port", "mongodb port", "volumes", "networks")} == {"ok"}


def test_ports_are_open_on_this_machine_only(stack):
    for service in ("app", "mongodb"):
        published = inspect(stack.container(service))["NetworkSettings"]["Ports"].values()
        assert {binding["HostIp"] for bindings in published for binding in bindings or []} == {"127.0.0.1"}


def test_a_saved_change_is_served_without_a_restart(stack):
    page = stack.folder / "service/web.py"
    before, container = page.read_text(), stack.container("app")
    page.write_text(before.replace("\\n", ", changed\\n"))
    wait_for(lambda: "changed" in stack.request("GET", "/").text, "the change to be served")
    page.write_text(before + "\ndef broken(")
    wait_for(lambda: "SyntaxError" in stack.compose("logs", "app").stdout, "the mistake to be in the log")
    page.write_text(before)
    wait_for(lambda: "changed" not in stack.request("GET", "/").text, "the fixed file to be served")
    assert stack.container("app") == container
    assert inspect(container)["RestartCount"] == 0


def test_readiness_turns_while_the_database_is_stopped_and_comes_back(stack):
    stack.compose("stop", "mongodb")
    wait_for(lambda: stack.request("GET", "/readyz").status_code == 503, "readiness to turn")
    assert stack.request("GET", "/about").json()["database"] == "down"
    assert stack.request("GET", "/").ok
    assert stack.request("GET", "/healthz").ok
    assert inspect(stack.container("app"))["State"]["Health"]["Status"] == "healthy"  # it is alive, and says so
    stack.compose("start", "mongodb")
    stack.ready()
    assert inspect(stack.container("app"))["RestartCount"] == 0


def test_no_acknowledged_write_is_lost_when_the_database_is_killed(stack):
    acknowledged, killed = [], threading.Event()

    def write(writer):
        number = 0
        while not killed.is_set():
            number += 1
            user = {"name": "Ann", "email": f"{writer}-{number}@killed.example"}
            with contextlib.suppress(requests.RequestException):
                if stack.request("POST", "/users", json=user).status_code == 201:
                    acknowledged.append(user["email"])

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for writer in writers:
        writer.start()
    try:
        wait_for(lambda: len(acknowledged) > 200, "some writes to be acknowledged")
        docker("kill", stack.container("mongodb"))
    finally:
        killed.set()
        for writer in writers:
            writer.join()
    stack.compose("start", "mongodb")
    stack.ready()
    assert set(acknowledged) <= emails(stack).keys()


def test_an_app_that_ends_by_itself_is_started_again(stack):
    container = stack.container("app")
    docker("exec", "--user=0", container, "python", "-c", "import os; os.kill(1, 15)")
    wait_for(lambda: inspect(container)["RestartCount"] == 1, "the app to be restarted")
    stack.ready()


def test_a_request_in_flight_is_answered_when_the_app_is_stopped(stack):
    # The image as it is in production, beside the development one: no live reload between the signal and gunicorn.
    stack.compose("-f", "docker-compose.yml", "up", "--build", "--wait")
    container = stack.container("app")
    port = int(stack.environment["PORT"])
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as connection:
        connection.sendall(
            b"POST /users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 39\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")  # its handling has begun
        begun = time.monotonic()
        stop = threading.Thread(target=docker, args=("stop", container))
        stop.start()
        wait_for(lambda: "Handling signal: term" in docker("logs", container).stdout, "the signal to arrive")
        wait_for(lambda: time.monotonic() - begun > 3, "the request to be 3 s old")
        assert inspect(container)["State"]["Running"]
        connection.sendall(b'{"name":"Ann","email":"in@flight.org"}\n')
        assert connection.recv(65536).startswith(b"HTTP/1.1 201 ")
    stop.join()
    assert inspect(container)["State"]["ExitCode"] == 0
    stack.compose("start", "app")
    stack.ready()
    assert "in@flight.org" in emails(stack)


def test_data_are_kept_by_down_and_deleted_by_down_v(stack):
    stack.add_user("kept@example.org")
    stack.compose("down")
    stack.compose("up", "--wait")
    assert "kept@example.org" in emails(stack)
    stack.compose("down", "--volumes")
    stack.compose("up", "--wait")
    assert not emails(stack)


def test_no_anonymous_volume_is_left_behind(stack):
    mounts = inspect(stack.container("mongodb"))["Mounts"]
    assert all(mount["Name"].startswith(stack.name) for mount in mounts if mount["Type"] == "volume")


REFUSED = [
    ("API_TOKEN=s3cret$hine-42\n", "line 1: Compose would change this value of API_TOKEN: write API_TOKEN='…'"),
    ("PORT_=1\nAPI_TOKEN_FILE=token\n", "line 2: API_TOKEN_FILE is a path of this machine, and "),
]


@pytest.mark.parametrize(("content", "line"), REFUSED)
def test_an_env_that_compose_would_change_or_drop_ends_the_start(stack, content, line):
    file = stack.folder / ".env"
    file.write_text(content)
    file.chmod(0o600)
    done = stack.compose("up", "--wait", check=False)
    assert done.returncode != 0
    assert """service "env-check" didn't complete successfully: exit 1""" in done.stderr
    assert f".env {line}" in stack.compose("logs", "env-check").stdout
    file.unlink()


def test_a_token_file_that_the_container_lacks_ends_the_start(stack):
    stack.environment["API_TOKEN_FILE"] = "/nowhere"  # noqa: S105 - a path
    stack.compose("up", "--detach")
    said = "API_TOKEN_FILE names '/nowhere', which cannot be read (No such file or directory): make that file, or set "
    wait_for(lambda: said in stack.compose("logs", "app").stdout, "the app to say what is wrong")
    del stack.environment["API_TOKEN_FILE"]


def test_a_token_in_quotes_reaches_the_app_as_it_is(stack):
    (stack.folder / ".env").write_text("API_TOKEN='s3cret$hine=42'\n")
    stack.compose("up", "--wait")
    for token, status in (("s3cret", 401), ("s3cret$hine=42", 201)):
        headers = {"Authorization": f"Bearer {token}"}
        user = {"name": "Ann", "email": "token@example.org"}
        assert stack.request("POST", "/users", json=user, headers=headers).status_code == status


def test_settings_reach_the_app_from_env_and_shell(stack):
    (stack.folder / ".env").write_text(
        "GREETING=from .env\nDATABASE_URL=mongodb://localhost:1/wrong\nLOG_LEVEL=DEBUG\n"
    )
    stack.compose("up", "--wait")
    assert stack.request("GET", "/").text == "from .env\n"
    assert stack.request("GET", "/readyz").ok  # the stack's own DATABASE_URL stays
    stack.environment["GREETING"] = "from the shell"
    stack.compose("up", "--wait")
    assert stack.request("GET", "/").text == "from the shell\n"


def test_the_tests_run_in_a_container_too(stack):
    done = stack.compose(
        "run", "--rm", "--build", "tests", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit", "tests/api"
    )
    assert "passed" in done.stdout
    assert "failed" not in done.stdout


RELOAD = """
import json
import os
import socket
from urllib.request import urlopen
address = socket.gethostbyname_ex("app")[2][0]  # in the order in which they came: getaddrinfo() prefers the nearest
print(json.load(urlopen(f"http://{address}:{os.environ['PORT']}/about"))["hostname"])
"""


def test_with_two_replicas_a_reload_shows_the_other(stack):
    # A published port is one container's, so here nobody publishes one: on the network, the name stands for both.
    (stack.folder / "replicas.yml").write_text("services:\n  app:\n    ports: !reset []\n")
    stack.compose("-f", "docker-compose.yml", "-f", "replicas.yml", "up", "--wait", "--scale", "app=2")
    replicas = stack.container("app").split()
    shown = set()

    def both() -> bool:
        shown.add(docker("exec", replicas[0], "python", "-c", RELOAD).stdout.strip())
        return len(shown) == 2

    wait_for(both, "the other replica to answer")
    assert shown == {replica[:12] for replica in replicas}


def test_compose_finds_nothing_to_warn_about(stack):
    for files in ([], ["-f", "docker-compose.yml"]):
        done = stack.compose(*files, "config", "--quiet")
        assert (done.stdout, done.stderr) == ("", "")
