"""Production: one hardened stack for all of these tests, on a volume that development has left behind."""

import json
import os
import re
import shlex
import shutil
import socket
import stat
import subprocess
import threading
import uuid
from collections.abc import Iterator

import pytest
import requests
from pymongo import MongoClient

from tests.support.docker import docker, inspect
from tests.support.load import load
from tests.support.project import Project
from tests.support.waiting import LIMIT, wait_for

FILES = ("mongodb_root_password", "database_url", "api_token")
SERVICES = ("app", "mongodb")
UP = "docker compose -f docker-compose.yml -f compose.production.yml up --build --wait"

# Run in the app's container, since only its network leads to MongoDB.
ASK = """
import json, sys
from pymongo import MongoClient
from pymongo.errors import OperationFailure
for url, database, command in json.load(sys.stdin):
    try:
        MongoClient(url, serverSelectionTimeoutMS=5000)[database].command(command)
    except OperationFailure:
        print("refused")
    else:
        print("allowed")
"""


def ask(stack: Project, *questions: tuple[str, str, dict]) -> list[str]:
    """Whether MongoDB allows these commands to those who log in with these URLs: allowed, or refused."""
    done = docker("exec", "-i", stack.container("app"), "python", "-c", ASK, input=json.dumps(questions))
    return done.stdout.split()


def logins(stack: Project, *urls: str) -> list[str]:
    """Which of these URLs open the app's database."""
    return ask(stack, *((url, stack.name, {"count": "users"}) for url in urls))


def root_url(stack: Project) -> str:
    return f"mongodb://root:{secret(stack, 'mongodb_root_password')}@mongodb:27017/admin"


def secret(stack: Project, name: str) -> str:
    return (stack.folder / "secrets" / name).read_text().strip()


def bearer_of(stack: Project) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret(stack, 'api_token')}"}


def hand_over(stack: Project) -> subprocess.CompletedProcess[str]:
    """Let secrets-init look at the secrets, alone."""
    return stack.compose("--progress", "quiet", "run", "--rm", "--no-deps", "-T", "secrets-init", check=False)


@pytest.fixture(scope="module")
def clone(project):
    """A fresh clone, in which compose means production."""
    project.environment["COMPOSE_FILE"] = "docker-compose.yml:compose.production.yml"
    return project


@pytest.fixture(scope="module")
def stack(clone):
    """The stack of production, started as its page says where development was before."""
    development = ("-f", "docker-compose.yml")
    clone.compose(*development, "up", "--wait", "mongodb")
    insert = "db.users.insertOne({name: 'Dev', email: 'dev@example.org', created_at: new Date()})"
    docker("exec", clone.container("mongodb"), "mongosh", "--quiet", clone.name, "--eval", insert)
    clone.compose(*development, "down")

    assert clone.script("secrets", "init").returncode == 0
    if os.getuid() == 0:  # the secrets belong to the user who cloned, who may be unknown in a container
        for path in (clone.folder / "secrets", *(clone.folder / "secrets" / name for name in FILES)):
            os.chown(path, 12345, 12345)
    # What a shell or .env still has from development must not count.
    (clone.folder / ".env").write_text("API_TOKEN=from-development\nDATABASE_URL=mongodb://localhost/wrong\n")
    clone.compose("up", "--build", "--wait")
    return clone


@pytest.fixture
def another_secret(clone) -> Iterator:
    """A function that gives a secret another value, for this test."""
    before = {}

    def change(name: str, value: str) -> None:
        before.setdefault(name, (clone.folder / "secrets" / name).read_text())
        (clone.folder / "secrets" / name).write_text(value)

    yield change
    for name, value in before.items():
        (clone.folder / "secrets" / name).write_text(value)


# --- Before anything runs --------------------------------------------------------------------------------------------


def test_missing_secrets_are_refused_with_the_command_that_makes_them(clone):
    refused = clone.compose("up", "--wait", check=False)
    assert refused.returncode != 0
    for name in FILES:
        assert f"{name} (scripts/secrets init makes it) does not exist" in refused.stderr
    assert clone.compose("ps", "--quiet").stdout == ""
    assert not (clone.folder / "secrets").exists()  # the engine would have made it, for root
    clone.compose("down", "--volumes")


def test_init_makes_strong_secrets_for_their_owner_alone(clone):
    done = clone.script("secrets", "init")
    assert done.returncode == 0
    assert done.stdout.endswith(f"next: {UP}\n")
    folder = clone.folder / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == dict.fromkeys(FILES, 0o600)
    strong = {re.search("[0-9a-f]{64}", secret(clone, name))[0] for name in FILES}
    assert len(strong) == len(FILES)
    tracked = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"], cwd=clone.folder, check=True, capture_output=True
    )
    assert tracked.stdout == b""
    context = clone.docker("build", "--file=-", ".", input="FROM scratch\nCOPY secrets /\n", check=False)
    assert '"/secrets": not found' in context.stderr


def test_init_keeps_what_is_there_and_makes_what_is_not(clone):
    clone.script("secrets", "init")
    before = {name: secret(clone, name) for name in FILES}
    (clone.folder / "secrets/api_token").unlink()
    done = clone.script("secrets", "init")
    assert "secrets/api_token is new" in done.stdout
    assert "secrets/database_url is there already" in done.stdout
    after = {name: secret(clone, name) for name in FILES}
    assert after.pop("api_token") != before.pop("api_token")
    assert after == before


@pytest.mark.parametrize("answer", ["", "n\n", "no\n"])
def test_force_asks(clone, answer):
    clone.script("secrets", "init")
    before = {name: secret(clone, name) for name in FILES}
    command = [clone.folder / "scripts/secrets", "init", "--force"]
    done = subprocess.run(command, input=answer, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "nothing has changed\n")
    assert {name: secret(clone, name) for name in FILES} == before


def test_rotate_needs_a_running_stack(clone):
    clone.script("secrets", "init")
    before = secret(clone, "database_url")
    done = clone.script("secrets", "rotate")
    assert (done.returncode, done.stderr) == (1, f"the stack of production does not run: {UP}\n")
    assert secret(clone, "database_url") == before


@pytest.mark.parametrize("arguments", [(), ("remove",), ("init", "--fast"), ("rotate", "--yes")])
def test_what_it_does_not_know_is_answered_with_its_help(clone, arguments):
    done = clone.script("secrets", *arguments)
    assert done.returncode == 2
    assert "Usage: scripts/secrets init" in done.stdout


# --- The stack -------------------------------------------------------------------------------------------------------


def test_a_volume_from_development_gets_its_users_and_keeps_its_data(stack):
    assert stack.request("GET", "/readyz").ok
    assert "dev@example.org" in stack.request("GET", "/users").text
    for service in SERVICES:
        assert inspect(stack.container(service))["State"]["Health"]["Status"] == "healthy"
        assert inspect(stack.container(service))["RestartCount"] == 0


def test_changes_need_the_token(stack):
    user = {"name": "Ann", "email": "ann@example.org"}
    assert stack.request("POST", "/users", json=user).status_code == 401
    assert (
        stack.request("POST", "/users", json=user, headers={"Authorization": "Bearer from-development"}).status_code
        == 401
    )
    assert stack.request("POST", "/users", json=user, headers=bearer_of(stack)).status_code == 201


@pytest.mark.parametrize(
    ("service", "user", "memory", "cpus", "pids"),
    [("app", "10001", 384, 2, 128), ("mongodb", "999:999", 1024, 1, 256)],
)
def test_it_is_hardened(stack, service, user, memory, cpus, pids):
    container = inspect(stack.container(service))
    host = container["HostConfig"]
    assert container["Config"]["User"] == user
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    assert (host["CapDrop"], host["CapAdd"]) == (["ALL"], None)
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == (memory * 2**20, cpus * 10**9, pids)
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}}
    # The kernel's own word, of process 1.
    status = docker("exec", container["Id"], "cat", "/proc/1/status").stdout
    assert (
        dict(re.findall(r"(\w+):\t(\w+)\n", status)).items()
        >= {
            "CapPrm": "0" * 16,
            "CapEff": "0" * 16,
            "CapBnd": "0" * 16,
            "NoNewPrivs": "1",
        }.items()
    )


def test_the_cpu_limit_follows_the_workers(stack):
    config = stack.docker("compose", "config", "--format", "json", check=True).stdout
    assert json.loads(config)["services"]["app"]["cpus"] == 2
    stack.environment["WEB_CONCURRENCY"] = "4"
    config = stack.docker("compose", "config", "--format", "json").stdout
    del stack.environment["WEB_CONCURRENCY"]
    assert json.loads(config)["services"]["app"]["cpus"] == 4


@pytest.mark.parametrize(
    ("service", "folders"),
    [("app", ["/", "/app/service", "/opt/venv", "/run/secrets"]), ("mongodb", ["/", "/scripts", "/run/secrets"])],
)
def test_nothing_can_be_written_but_what_must_be(stack, service, folders):
    for folder in folders:
        refused = docker("exec", "--user=0", stack.container(service), "touch", f"{folder}/x", check=False)
        assert "Read-only file system" in refused.stderr, folder
    docker("exec", stack.container(service), "touch", "/tmp/x")  # noqa: S108
    stack.ready()


@pytest.mark.parametrize(("service", "volumes"), [("app", set()), ("mongodb", {"/data/db", "/data/configdb"})])
def test_all_that_an_intruder_could_write_is_known(stack, service, volumes, record_property):
    # As the service's own user. What /proc shows belongs to the kernel or to the process itself.
    find = "find / -path /proc -prune -o '(' -type d -o -type f ')' -writable -prune -print 2>/dev/null"
    found = set(docker("exec", stack.container(service), "sh", "-c", find, check=False).stdout.split())
    record_property(f"writable in {service}", " ".join(sorted(found)))
    assert found == volumes | {"/dev/mqueue", "/dev/shm", "/tmp"}  # noqa: S108 - all three in memory


def test_what_reads_all_secrets_can_do_little_else(stack):
    host = inspect(stack.container("secrets-init"))["HostConfig"]
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["NetworkMode"]) == (True, ["ALL"], "none")
    # DAC_READ_SEARCH would also open files of the host, past the mounts.
    assert {name.removeprefix("CAP_") for name in host["CapAdd"]} == {"CHOWN", "DAC_OVERRIDE"}
    assert host["RestartPolicy"]["Name"] in ("no", "")


@pytest.mark.parametrize("service", SERVICES)
def test_each_reads_its_own_secrets_alone(stack, service):
    wanted = {
        "app": {"api_token", "database_url"},
        "mongodb": {"database_url", "mongodb_root_password"},
    }
    listed = docker("exec", stack.container(service), "sh", "-c", "cd /run/secrets && stat -c '%a %u %n' *").stdout
    user = {"app": "10001", "mongodb": "999"}[service]
    assert sorted(listed.splitlines()) == sorted(f"400 {user} {name}" for name in wanted[service])


def test_mongodb_asks_for_a_password(stack):
    url = secret(stack, "database_url")
    wrong = re.sub(":[^:@]+@", ":" + "0" * 64 + "@", url)
    nobody = f"mongodb://mongodb:27017/{stack.name}"
    assert logins(stack, url, wrong, nobody, "mongodb://root:root@mongodb:27017/admin") == ["allowed"] + ["refused"] * 3


def test_the_app_has_rights_on_its_own_database_only(stack):
    things = {"insert": "things", "documents": [{"a": 1}]}
    assert ask(stack, (root_url(stack), "other", things)) == ["allowed"]
    url = secret(stack, "database_url")
    forbidden = (
        ("other", {"find": "things"}),
        ("other", things),
        ("admin", {"usersInfo": 1}),
        ("admin", {"shutdown": 1}),
        (stack.name, {"createUser": "me", "pwd": "x", "roles": ["readWrite"]}),
    )
    assert ask(stack, *((url, *command) for command in forbidden)) == ["refused"] * len(forbidden)


def test_mongodb_is_on_an_inner_network_and_the_app_on_both(stack):
    def networks(service):
        return set(inspect(stack.container(service))["NetworkSettings"]["Networks"])

    assert networks("mongodb") == {f"{stack.name}-backend"}
    assert networks("app") == {f"{stack.name}-backend", f"{stack.name}-front"}
    assert inspect(f"{stack.name}-backend")["Internal"]
    assert not inspect(f"{stack.name}-front")["Internal"]


def test_mongodb_has_no_way_out_and_no_port(stack):
    assert not any(inspect(stack.container("mongodb"))["NetworkSettings"]["Ports"].values())
    assert not inspect(stack.container("mongodb"))["HostConfig"]["PortBindings"]
    for service, way_out in (("app", True), ("mongodb", False)):
        routes = docker("exec", stack.container(service), "grep", "-E", "^eth[0-9]", "/proc/net/route").stdout
        assert any(route.split("\t")[1] == "00000000" for route in routes.splitlines()) == way_out


@pytest.fixture
def bystander(stack) -> Iterator[str]:
    """The address of a container on another network of this engine, which listens on port 27017."""
    name = f"{stack.name}-bystander"
    docker("network", "create", name)
    options = ("--network", name, "--env=GLIBC_TUNABLES=glibc.pthread.rseq=1")
    docker("run", "--detach", "--name", name, *options, "mongo:8.0")
    try:
        beside = ("run", "--rm", "--network", name, "--entrypoint=bash", "mongo:8.0", "-c", f": </dev/tcp/{name}/27017")
        wait_for(lambda: docker(*beside, check=False).returncode == 0, "the bystander to listen")
        yield inspect(name)["NetworkSettings"]["Networks"][name]["IPAddress"]
    finally:
        docker("rm", "--force", "--volumes", name)
        docker("network", "rm", name)


@pytest.fixture
def engine_host() -> Iterator[int]:
    """A port of this machine, on all of its addresses."""
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("service", "reached"),
    [("app", {"mongodb", "the host"}), ("mongodb", {"app", "the host"})],
)
def test_all_hosts_that_an_intruder_could_reach_are_known(
    stack, service, reached, bystander, engine_host, record_property
):
    backend = inspect(f"{stack.name}-backend")["IPAM"]["Config"][0]["Gateway"]
    hosts = {
        "app": ("app", stack.environment["PORT"]),
        "mongodb": ("mongodb", 27017),
        "another stack": (bystander, 27017),
        "the host": (backend, engine_host),
    }
    found = set()
    for name, (address, port) in hosts.items():
        connect = ("timeout", "3", "bash", "-c", f": </dev/tcp/{address}/{port}")
        if docker("exec", stack.container(service), *connect, check=False).returncode == 0:
            found.add(name)
    record_property(f"reached from {service}", ", ".join(sorted(found)))
    assert found - {service} == reached


def test_the_app_is_published_on_loopback_unless_told_otherwise(stack):
    published = inspect(stack.container("app"))["NetworkSettings"]["Ports"]
    assert [binding["HostIp"] for bindings in published.values() for binding in bindings or []] == ["127.0.0.1"]
    stack.environment["BIND_ADDRESS"] = "192.0.2.1"
    config = json.loads(stack.compose("config", "--format", "json").stdout)
    del stack.environment["BIND_ADDRESS"]
    assert [port["host_ip"] for port in config["services"]["app"]["ports"]] == ["192.0.2.1"]


def test_no_secret_is_to_be_seen(stack):
    secrets = {secret(stack, name) for name in FILES}
    secrets |= {
        re.search(":([^:@]+)@", secret(stack, "database_url"))[1],
        "from-development",
        "mongodb://localhost/wrong",
    }
    ids = stack.compose("ps", "--all", "--quiet").stdout.split()
    assert len(ids) == 3
    seen = {
        "config": stack.compose("--profile", "*", "config").stdout,
        "logs": stack.compose("logs", "--no-color").stdout,
        "history": docker("history", "--no-trunc", stack.name).stdout,
        "inspect": docker("inspect", *ids, stack.name, f"{stack.name}-front", f"{stack.name}-secrets-app").stdout,
        "processes": "".join(docker("top", stack.container(service), "-eo", "pid,args").stdout for service in SERVICES),
        "environment": "".join(docker("exec", stack.container(service), "env").stdout for service in SERVICES),
    }
    # What is searched for would be found, were it there.
    for place, sign in (("config", "API_TOKEN_FILE"), ("logs", "gunicorn"), ("history", "compileall")):
        assert sign in seen[place]
    for place, sign in (("inspect", '"Health"'), ("processes", "gunicorn"), ("environment", "DATABASE_URL_FILE")):
        assert sign in seen[place]
    assert [place for place, text in seen.items() if any(value in text for value in secrets)] == []


def test_the_health_check_needs_the_login_of_the_app(stack):
    mongodb = stack.container("mongodb")
    probe = inspect(mongodb)["Config"]["Healthcheck"]
    assert probe["Interval"] == 30 * 10**9
    assert probe["StartInterval"] == 10**9
    user = re.search("//([^:]+):", secret(stack, "database_url"))[1]
    assert ask(stack, (root_url(stack), stack.name, {"dropUser": user})) == ["allowed"]
    try:
        assert docker("exec", mongodb, *probe["Test"][1:], check=False).returncode != 0
    finally:
        docker("exec", mongodb, "mongosh", "--quiet", "--nodb", "/scripts/users.js")
    docker("exec", mongodb, *probe["Test"][1:])


def test_what_takes_too_much_memory_is_killed_and_started_again(stack):
    app = stack.container("app")
    # The kernel takes its victim by this number, so that the hog takes process 1 along and not only itself.
    docker("exec", app, "sh", "-c", "echo 1000 >/proc/1/oom_score_adj")
    docker("exec", app, "python", "-c", "hog = [bytes([1]) * 2**20 for _ in range(2000)]", check=False)
    wait_for(lambda: inspect(app)["RestartCount"] == 1, "the app to be started again")
    stack.ready()


def workers(app: str) -> list[str]:
    """The processes that gunicorn has started, as the container numbers them."""
    return docker("exec", app, "cat", "/proc/1/task/1/children").stdout.split()


def test_a_worker_that_takes_too_much_memory_is_replaced_and_the_other_goes_on(stack, tries):
    app, number = stack.container("app"), tries(3, 100)
    restarts = inspect(app)["RestartCount"]
    with load(lambda: stack.request("GET", "/users?limit=1")) as statuses:
        for _ in range(number):
            victim, other = workers(app)
            # As above: the kernel takes the worker, then the hog.
            hog = f"echo 1000 >/proc/{victim}/oom_score_adj && python -c 'hog = bytes([1]) * 2**30'"
            assert docker("exec", app, "sh", "-c", hog, check=False).returncode == 137
            wait_for(lambda: victim not in workers(app) and len(workers(app)) == 2, "another worker")  # noqa: B023
            assert other in workers(app)
    assert set(statuses) <= {0, 200}
    lost = statuses.count(0)
    assert lost <= 8 * number, f"{lost} of {len(statuses)} requests"  # at most those that the killed worker had
    assert inspect(app)["RestartCount"] == restarts


def test_the_engine_alone_can_start_it_again(stack):
    # As after a reboot: nobody runs compose, so neither the order of the services nor ./secrets count.
    (stack.folder / "secrets").rename(stack.folder / "away")
    try:
        docker("restart", *(stack.container(service) for service in reversed(SERVICES)))
        stack.ready()
    finally:
        (stack.folder / "away").rename(stack.folder / "secrets")


def test_nothing_anonymous_is_left_behind(stack):
    hand_over(stack)
    for container in stack.compose("ps", "--all", "--quiet").stdout.split():
        volumes = [mount["Name"] for mount in inspect(container)["Mounts"] if mount["Type"] == "volume"]
        assert all(name.startswith(stack.name) for name in volumes)


def test_compose_finds_nothing_to_warn_about(stack):
    done = stack.compose("config", "--quiet")
    assert (done.stdout, done.stderr) == ("", "")


def test_a_mongodb_that_does_not_start_says_why_itself(stack):
    options = (
        *("--rm", "--network=none", "--user=999:999", "--tmpfs=/data/db:mode=0700"),  # a folder that it cannot open
        *(f"--volume={stack.folder}/deploy/mongodb:/scripts:ro", "--env=GLIBC_TUNABLES=glibc.pthread.rseq=1"),
    )
    done = docker("run", *options, "--entrypoint=bash", "mongo:8.0", "/scripts/start.sh", check=False)
    assert done.returncode not in (0, 127, 143)
    assert done.stdout + done.stderr
    assert "start.sh" not in done.stdout + done.stderr


def test_a_look_into_the_database(stack):
    page = (stack.folder / "docs/reference/production.md").read_text()
    command = re.search(r"^\$ docker compose exec mongodb (sh -c .+)$", page, re.MULTILINE)[1]
    shell = shlex.split(command)
    count = stack.compose(
        "exec", "--no-TTY", "mongodb", *shell[:-1], f"{shell[-1]} --quiet --eval 'db.users.countDocuments()'"
    )
    assert int(count.stdout) > 0
    if docker("info", "--format", "{{.Name}}").stdout.strip() != socket.gethostname():
        return  # not a Linux server with an engine of its own
    # As through ssh: from that machine, by the container's address.
    address = inspect(stack.container("mongodb"))["NetworkSettings"]["Networks"][f"{stack.name}-backend"]["IPAddress"]
    with MongoClient(secret(stack, "database_url").replace("@mongodb:", f"@{address}:")) as client:
        assert client.get_default_database().users.count_documents({}) > 0


# --- Secrets that are no good ----------------------------------------------------------------------------------------

GOOD = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("api_token", "", "is empty: scripts/secrets init makes it"),
        ("mongodb_root_password", " \n\n", "is empty: scripts/secrets init makes it"),
        ("api_token", "ChangeMe" + GOOD, "is an example: scripts/secrets init --force makes others"),
        ("database_url", f"mongodb://app-a:example-{GOOD}@mongodb:27017/NAME", "is an example"),
        ("api_token", GOOD[1:], "shorter than 32 characters: scripts/secrets init --force makes others"),
        ("mongodb_root_password", f"{GOOD}:@/", "is not of the form that is needed"),
        ("database_url", f"mongodb://app-a:{GOOD}@mongodb:27017/another", "is not of the form that is needed"),
        ("database_url", f"mongodb://root:{GOOD}@mongodb:27017/NAME", "is not of the form that is needed"),
        ("database_url", "mongodb://mongodb:27017/NAME", "is not of the form that is needed"),
    ],
)
def test_a_secret_that_is_no_good_is_refused(stack, another_secret, name, value, wrong):
    another_secret(name, value.replace("NAME", stack.name))
    refused = hand_over(stack)
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        f"secrets/{name} {wrong}" if not wrong.startswith("shorter") else f"secrets/{name} "
    )
    assert wrong in refused.stderr
    assert value.strip() == "" or value.replace("NAME", stack.name) not in refused.stderr
    stack.ready()  # what runs goes on with what it has


def test_up_says_which_container_refused_and_starts_no_other(stack, another_secret):
    before = secret(stack, "api_token")
    stack.compose("stop")
    another_secret("api_token", "")
    refused = stack.compose("up", "--wait", check=False)
    assert 'service "secrets-init" didn\'t complete successfully: exit 1' in refused.stderr
    assert "secrets/api_token is empty: scripts/secrets init makes it" in stack.compose("logs", "secrets-init").stdout
    assert stack.compose("ps", "--quiet", "--status", "running").stdout == ""
    another_secret("api_token", before + "\n")
    stack.compose("up", "--wait")


# --- Other passwords -------------------------------------------------------------------------------------------------


@pytest.fixture
def clients(stack) -> Iterator[list[str]]:
    """Requests all the time, from clients that keep their connection and from others, while the test runs; the list
    gets what went wrong, and the test fails where that is anything.
    """
    failures, answered, over = [], [0] * 6, threading.Event()

    def client(number: int) -> None:
        kept = requests.Session()
        while not over.is_set():
            email = f"{number}-{answered[number]}-{uuid.uuid4()}@load.example"
            send = kept.request if number % 2 else requests.request
            method, path, status = ("POST", "/users", 201) if number % 3 else ("GET", "/readyz", 200)
            body = {"json": {"name": "Ann", "email": email}} if method == "POST" else {}
            try:
                response = send(method, stack.url + path, headers=bearer, timeout=LIMIT, **body)
                if response.status_code != status:
                    failures.append(f"{method} {path}: {response.status_code} {response.text}")
            except requests.RequestException as error:
                failures.append(f"{method} {path}: {error!r}")
            answered[number] += 1
            over.wait(0.02)  # all of them at once, and yet a processor for the rest of the stack

    bearer = bearer_of(stack)
    threads = [threading.Thread(target=client, args=(number,)) for number in range(len(answered))]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: min(answered) > 3, "all clients to be at work")
        yield failures
        before = list(answered)
        wait_for(lambda: all(now > then + 3 for now, then in zip(answered, before, strict=True)), "them to go on")
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_rotate_changes_the_password_and_no_request_fails(stack, clients):
    old, containers = secret(stack, "database_url"), [inspect(stack.container(service)) for service in SERVICES]
    done = stack.script("secrets", "rotate")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "the app is app-b now, with a new password; the one before it is of no use any more\n"
    new = secret(stack, "database_url")
    assert "\n" not in new
    assert logins(stack, old, new) == ["refused", "allowed"]
    for container in containers:
        assert inspect(container["Id"])["State"]["StartedAt"] == container["State"]["StartedAt"]
    # Also those that are started later have the new one.
    handed = docker("exec", stack.container("app"), "cat", "/run/secrets/database_url").stdout.strip()
    assert handed == new


def test_rotate_goes_back_to_the_first_name_and_brings_another_token_along(stack):
    old, old_token = secret(stack, "database_url"), bearer_of(stack)
    (stack.folder / "secrets/api_token").write_text(GOOD)
    assert stack.script("secrets", "rotate").stdout.startswith("the app is app-a now")
    assert logins(stack, old, secret(stack, "database_url")) == ["refused", "allowed"]
    for headers, status in ((old_token, 401), (bearer_of(stack), 201)):
        user = {"name": "Ann", "email": "token@example.org"}
        assert stack.request("POST", "/users", json=user, headers=headers).status_code == status


def test_rotate_can_be_killed_anywhere(stack, clients, tmp_path):
    # A docker that kills the script, and all that it started, before the call of that number.
    fake = tmp_path / "docker"
    fake.write_text(
        "#!/usr/bin/env bash\n"
        f'echo >>{tmp_path}/calls\n[ "$(wc -l <{tmp_path}/calls)" != "$KILL_AT" ] || kill -KILL 0\n'
        f'exec {shutil.which("docker")} "$@"\n'
    )
    fake.chmod(0o755)
    urls = {secret(stack, "database_url")}
    # Before: the new user is made; the workers are new (after what was cut short is finished); the old one is dropped.
    for call, lines in ((5, 2), (13, 2), (15, 1)):
        (tmp_path / "calls").unlink(missing_ok=True)
        killed = subprocess.run(
            [stack.folder / "scripts/secrets", "rotate"],
            env=stack.environment | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "KILL_AT": str(call)},
            start_new_session=True,
            capture_output=True,
            text=True,
            check=False,
        )
        assert killed.returncode == -9, killed.stdout + killed.stderr
        left = secret(stack, "database_url").splitlines()
        assert len(left) == lines
        assert logins(stack, left[0]) == ["allowed"]
        urls |= set(left)
    done = stack.script("secrets", "rotate")
    assert done.returncode == 0, done.stderr
    new = secret(stack, "database_url")
    assert logins(stack, new, *urls) == ["allowed"] + ["refused"] * len(urls)


def test_two_rotations_do_not_meet(stack):
    before = secret(stack, "database_url")
    command = ["flock", stack.folder / "secrets", "sh", "-c", "echo locked && cat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        done = stack.script("secrets", "rotate")
        other.stdin.close()
    assert (done.returncode, done.stderr) == (1, "another scripts/secrets rotate is under way: wait for it\n")
    assert secret(stack, "database_url") == before


def test_all_secrets_can_be_made_anew(stack):
    before = {name: secret(stack, name) for name in FILES}
    old = (root_url(stack), before["database_url"])
    done = stack.script("secrets", "init", "--force", "--yes")
    assert done.stdout.endswith(f"next: {UP} --force-recreate\n")
    assert all(secret(stack, name) != before[name] for name in FILES)
    stack.compose("up", "--wait", "--force-recreate")
    stack.ready()
    assert logins(stack, *old, root_url(stack), secret(stack, "database_url")) == ["refused"] * 2 + ["allowed"] * 2
