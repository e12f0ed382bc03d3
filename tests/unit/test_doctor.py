"""scripts/doctor: each check where all is well and where it is not, by a docker that answers what the test wants."""

import ast
import json
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from lib.probes import registry_of

from tests.support.ports import free_port
from tests.support.repository import NAME, ROOT
from tests.support.waiting import LIMIT, wait_for

# Absolute paths: on the PATH of these tests there is nothing but this docker, or not even that.
DOCKER = """#!/bin/sh
cd "$(/usr/bin/dirname "$0")"
[ ! -p hangs ] || /bin/sleep 600 >hangs
[ ! -f complaint ] || /bin/cat complaint >&2
case $1 in
  image) case " $(/bin/cat image) " in *" $5 "*) echo sha256:1 ;; *) exit 1 ;; esac ;;
  *) /bin/cat "$1" ;;
esac
"""
BY_STACK = f"com.docker.compose.network=backend,com.docker.compose.project={NAME},com.docker.compose.version=2.40.3"
NO_ENGINE = {"CPU", "Kernel", "Disk", "Base images", "Containers", "Volumes", "Networks"}


class Registry(BaseHTTPRequestHandler):
    """Answers as a registry answers a stranger; its clock can be moved."""

    status = 401
    ahead = timedelta()

    def do_GET(self):
        self.send_response(self.status if self.path == "/v2/" else 404)
        self.end_headers()

    def date_time_string(self, timestamp=None):
        return format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)

    def log_message(self, *arguments):
        pass


class Machine:
    """A machine on which all is well, until a test changes something."""

    def __init__(self, folder, registry):
        self.folder = folder
        self.bin = folder / "bin"
        for file in (
            "scripts/doctor",
            "scripts/lib/__init__.py",
            "scripts/lib/env_file.py",
            "scripts/lib/probes.py",
            "scripts/lib/project.py",
            ".env.example",
        ):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, folder / file)
        # Its processor is another one, whatever these tests run on.
        doctor = folder / "scripts/doctor"
        doctor.write_text(doctor.read_text().replace("/proc/cpuinfo", str(folder / "cpuinfo")))
        (folder / "cpuinfo").write_text("flags\t\t: fpu sse4_2 avx avx2\n")
        self.bin.mkdir()
        (self.bin / "docker").write_text(DOCKER)
        (self.bin / "docker").chmod(0o755)
        self.python_image, self.mongo_image = f"{registry}/python:3.13", f"{registry}/mongo:8.0"
        self.environment = {
            "PATH": str(self.bin),
            "PORT": str(free_port()),
            "MONGO_PORT": str(free_port()),
            "PYTHON_IMAGE": self.python_image,
            "MONGO_IMAGE": self.mongo_image,
            "no_proxy": "127.0.0.1",
        }
        self.info = {
            "ServerVersion": "28.5.2",
            "OperatingSystem": "Debian",
            "Architecture": "x86_64",
            "KernelVersion": "6.12.48",
            "DockerRootDir": str(folder),
            "Name": socket.gethostname(),
            "ClientInfo": {
                "Plugins": [{"Name": "compose", "Version": "v2.40.3"}, {"Name": "buildx", "Version": "v0.29.1"}]
            },
        }
        self.engine_ahead = timedelta()
        self.docker("context", "unix:///var/run/docker.sock\n")
        self.docker("image", f"{self.python_image} {self.mongo_image}")
        for listing in ("ps", "volume", "network"):
            self.docker(listing, "")

    def docker(self, command, answer):
        """Let `docker COMMAND` print this: a text, or the rows of a listing."""
        text = answer if isinstance(answer, str) else "".join(f"{json.dumps(row)}\n" for row in answer)
        (self.bin / command).write_text(text)

    def plugin(self, name, version):
        """Let the client have this version of a plug-in."""
        next(each for each in self.info["ClientInfo"]["Plugins"] if each["Name"] == name)["Version"] = version

    def container(self, name, **facts):
        row = {"Names": name, "Image": "busybox", "State": "running", "Ports": "", "Mounts": "", "Labels": ""} | facts
        with (self.bin / "ps").open("a") as listing:
            listing.write(f"{json.dumps(row)}\n")

    def without_engine(self, complaint="Cannot connect to the Docker daemon. Is the docker daemon running?"):
        self.info = {"ServerVersion": "", "SystemTime": "", "ClientInfo": self.info["ClientInfo"]}
        self.docker("complaint", complaint)
        for listing in ("ps", "volume", "network", "image"):
            self.docker(listing, "")

    def run(self, *arguments, **environment):
        if self.info.get("ServerVersion"):
            self.info["SystemTime"] = (datetime.now(UTC) + self.engine_ahead).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
        self.docker("info", json.dumps(self.info))
        command = [sys.executable, "-S", "-W", "error", self.folder / "scripts/doctor", *arguments]  # -S: no packages
        done = subprocess.run(
            command, env=self.environment | environment, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        assert done.stderr == ""
        return done

    def results(self, **environment):
        """Each check's status, and what it says. All that is not asked about has gone well."""
        done = self.run("--json", **environment)
        report = json.loads(done.stdout)
        failed = [check for check in report["checks"] if check["status"] == "failed"]
        assert report["failed"] == len(failed)
        assert done.returncode == min(len(failed), 1)
        assert all(check["fix"] for check in report["checks"] if check["status"] in ("failed", "warning"))
        return {
            check["check"]: (check["status"], ": ".join(filter(None, list(check.values())[2:])))
            for check in report["checks"]
        }

    def finds(self, name, **environment):
        """What one check says, where all others are well."""
        results = self.results(**environment)
        found = results.pop(name)
        assert {status for status, _ in results.values()} == {"ok"}, results
        return found


@pytest.fixture(scope="module")
def registry_server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def machine(tmp_path, registry_server):
    return Machine(tmp_path, f"127.0.0.1:{registry_server.server_port}")


def test_all_is_well(machine):
    assert {status for status, _ in machine.results().values()} == {"ok"}


# --- Engine, Compose, Buildx -----------------------------------------------------------------------------------------


def test_no_docker(machine):
    (machine.bin / "docker").unlink()
    results = machine.results()
    assert results["engine"] == ("failed", "docker is not installed: https://docs.docker.com/get-started/get-docker/")
    assert results["compose"] == results["buildx"] == ("not checked", "docker does not answer")
    assert results["port"][0] == results[".env"][0] == results["clock"][0] == "ok"
    assert {results[name.lower()] for name in NO_ENGINE} == {("not checked", "no engine answers")}


# What the clients before 29 say, and those since.
@pytest.mark.parametrize(
    "complaint",
    [
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        (
            "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the "
            "daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory"
        ),
    ],
)
def test_the_client_alone_is_not_enough(machine, complaint):
    machine.without_engine(complaint)
    results = machine.results()
    status, said = results["engine"]
    assert status == "failed"
    assert said.startswith("docker is installed, but no engine answers at unix:///var/run/docker.sock: start Docker")
    assert results["compose"] == ("ok", "v2.40.3")
    assert {results[name.lower()] for name in NO_ENGINE} == {("not checked", "no engine answers")}


@pytest.mark.parametrize("what", ["Docker daemon socket", "docker API at unix:///var/run/docker.sock"])
def test_an_engine_that_does_not_let_us_in(machine, what):
    machine.without_engine(f"permission denied while trying to connect to the {what}")
    status, said = machine.results()["engine"]
    assert status == "failed"
    assert "usermod --append --groups docker" in said


def test_an_engine_that_hangs(machine):
    os.mkfifo(machine.bin / "hangs")
    hanging = os.open(machine.bin / "hangs", os.O_RDONLY | os.O_NONBLOCK)
    results = machine.results()
    assert results["engine"][0] == "failed"
    assert results["engine"][1].startswith("no answer within 2 s from its socket: ")
    assert results["compose"] == ("not checked", "docker does not answer")
    wait_for(lambda: os.read(hanging, 1) == b"", "what docker had started to be ended too")
    os.close(hanging)


def test_a_docker_that_prints_something_else(machine):
    machine.docker("ps", "Emulate Docker CLI using another one\n")
    assert machine.results()["containers"][0] == "not checked"


@pytest.mark.parametrize(("command", "check"), [("ps", "containers"), ("volume", "volumes"), ("network", "networks")])
def test_a_listing_that_takes_too_long(machine, command, check):
    (machine.bin / command).unlink()
    os.mkfifo(machine.bin / command)  # to which nobody writes
    results = machine.results()
    assert results.pop(check) == ("not checked", "no answer within 2 s")
    assert {status for status, _ in results.values()} == {"ok"}


def test_an_engine_that_is_too_old(machine):
    machine.info["ServerVersion"] = "24.0.9"
    assert machine.finds("engine")[1].startswith("24.0.9 is older than 25: update it")


@pytest.mark.parametrize("version", ["2.24.4", "2.40.3-3", "v5.0.0-desktop.1"])
def test_compose(machine, version):
    machine.plugin("compose", version)
    assert machine.finds("compose") == ("ok", version)


@pytest.mark.parametrize("version", ["v2.24.3", "2.20.3", "v2.5.0-desktop.1", "1.29.2"])
def test_compose_that_is_too_old(machine, version):
    machine.plugin("compose", version)
    assert machine.finds("compose")[1].startswith(f"{version} is older than 2.24.4: ")


@pytest.mark.parametrize("compose", ["v2.40.2", "2.40.3-3", "v5.5.0"])
def test_buildx_that_is_too_old_for_this_compose(machine, compose):
    machine.plugin("compose", compose)
    machine.plugin("buildx", "v0.16.2")
    status, said = machine.finds("buildx")
    assert status == "failed"
    assert said == "v0.16.2 is older than 0.17: update it, https://docs.docker.com/build/install-buildx/"
    machine.plugin("buildx", "0.17.0")
    assert machine.finds("buildx")[0] == "ok"


def test_an_older_compose_takes_any_buildx(machine):
    machine.plugin("compose", "2.40.1")
    machine.plugin("buildx", "0.13.1+ds1-3")
    assert machine.finds("buildx") == ("ok", "0.13.1+ds1-3")


@pytest.mark.parametrize(("value", "status"), [("0", "failed"), ("False", "failed"), ("1", "ok"), ("", "ok")])
def test_a_builder_that_is_turned_off(machine, value, status):
    found, said = machine.finds("buildx", DOCKER_BUILDKIT=value)
    assert found == status
    assert ("unset DOCKER_BUILDKIT" in said) == (status == "failed")


def test_a_plugin_that_is_missing_or_broken(machine):
    machine.info["ClientInfo"]["Plugins"] = [{"Name": "compose", "Err": "exec format error"}]
    results = machine.results()
    for name in ("compose", "buildx"):
        assert results[name][0] == "failed"
        assert results[name][1].startswith(f"docker {name} is not installed: https://docs.docker.com/")


# --- Ports -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "check"), [("PORT", "port"), ("MONGO_PORT", "mongodb port")])
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])  # noqa: S104
def test_a_port_that_a_process_has(machine, name, check, address):
    with socket.create_server((address, 0)) as taken:
        port = taken.getsockname()[1]
        status, said = machine.finds(check, **{name: str(port)})
    assert status == "failed"
    assert (
        said
        == f"{port} is taken: end what listens there, or take another one: {name}={port + 1} docker compose up --build"
    )
    assert machine.finds(check, **{name: str(port)}) == ("ok", f"{port} is free")


def test_a_port_of_a_process_that_accepts_nothing(machine):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert machine.finds("port", PORT=str(port))[1].startswith(f"{port} is taken: ")


def test_a_port_comes_from_env_too(machine):
    del machine.environment["PORT"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (machine.folder / ".env").write_text(f"PORT='{port}' # mine\n")
        assert machine.finds("port")[1].startswith(f"{port} is taken")


PUBLISHED = ["127.0.0.1:{0}->{0}/tcp", "0.0.0.0:{0}->80/tcp, [::]:{0}->80/tcp", "0.0.0.0:1-{0}->1-{0}/tcp"]


@pytest.mark.parametrize("ports", PUBLISHED)
def test_a_port_that_a_container_has(machine, ports):
    port = machine.environment["PORT"]
    machine.container("shop", Ports=ports.format(port), Labels="com.docker.compose.project=shop")
    status, said = machine.results()["port"]
    assert status == "failed"
    assert said.startswith(f"{port} is taken by the container shop: docker stop shop, or take another one: PORT=")


@pytest.mark.parametrize("ports", PUBLISHED)
def test_a_port_that_the_stack_has(machine, ports):
    with socket.create_server(("127.0.0.1", int(machine.environment["PORT"]))) as ours:
        port = ours.getsockname()[1]
        machine.container(f"{NAME}-app-1", Ports=ports.format(port), Labels=BY_STACK)
        assert machine.results()["port"] == ("ok", f"{port} is this stack's")


def test_a_port_of_another_protocol_or_inside_a_container(machine):
    port = machine.environment["PORT"]
    machine.container("shop", Ports=f"0.0.0.0:{port}->53/udp, 127.0.0.1:1->{port}/tcp, {port}/tcp")
    assert machine.finds("port") == ("ok", f"{port} is free")


@pytest.mark.parametrize("value", ["0", "65536", "http", "3000/tcp", "-1"])
def test_what_is_no_port(machine, value):
    status, said = machine.finds("port", PORT=value)
    assert status == "failed"
    assert said == f"PORT is '{value}': set it to a port from 1 to 65535, for example PORT=3000"


def test_the_ports_of_an_engine_elsewhere(machine):
    machine.docker("context", "ssh://me@build.example\n")
    results = machine.results()
    assert results["port"][0] == results["mongodb port"][0] == "not checked"
    machine.docker("context", "tcp://localhost:2375\n")
    assert machine.results()["port"][0] == "ok"


# --- Processor, kernel and disk --------------------------------------------------------------------------------------

PI_4 = "Features\t: fp asimd evtstrm crc32 cpuid\n"
PI_5 = (
    "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp\n"
)


@pytest.mark.parametrize(
    ("architecture", "cpuinfo", "status", "said"),
    [
        ("x86_64", "flags\t\t: fpu sse4_2 avx\n", "ok", "x86_64 with AVX"),
        ("x86_64", "flags\t\t: fpu sse4_2 no_avx\n", "failed", "x86_64 without AVX: MongoDB ends with status 132: use"),
        ("aarch64", PI_5, "ok", "aarch64 with ARMv8.2-A"),
        ("aarch64", PI_4, "failed", "aarch64 without ARMv8.2-A: MongoDB ends with status 132: use another machine;"),
        ("armv7l", PI_4, "failed", "there is no MongoDB for armv7l: use a 64-bit system"),
    ],
)
def test_the_processor(machine, architecture, cpuinfo, status, said):
    machine.info["Architecture"] = architecture
    (machine.folder / "cpuinfo").write_text(cpuinfo)
    found = machine.finds("cpu")
    assert found[0] == status
    assert found[1].startswith(said)


def test_a_processor_that_is_not_this_machines(machine):
    (machine.folder / "cpuinfo").unlink()  # as on a Mac
    assert machine.finds("cpu") == (
        "not checked",
        "x86_64, on another machine or in a virtual one: MongoDB needs AVX",
    )
    (machine.folder / "cpuinfo").write_text("flags\t\t: fpu\n")
    machine.info["Name"] = "docker-desktop"
    assert machine.results()["cpu"][0] == "not checked"


CACHED = {"MONGO_GLIBC_TUNABLES": "glibc.pthread.rseq=0"}


@pytest.mark.parametrize(
    "release", ["5.15.167.4-microsoft-standard-WSL2", "6.18.99", "6.19", "7.0.0-14-generic", "10.0"]
)
def test_mongodb_runs_on_every_kernel(machine, release):
    machine.info["KernelVersion"] = release
    assert machine.finds("kernel") == ("ok", release)


@pytest.mark.parametrize(
    ("release", "image", "status"),
    [
        ("6.18.99", "mongo:8.0", "ok"),
        ("6.19", "mongo:8.0", "warning"),
        ("6.19.0-rc3", "mongo:8.0", "warning"),
        ("7.0.0-14-generic", "mongo", "warning"),
        ("7.1.0", "mongo@sha256:7a", "warning"),
        ("7.0.5", "mongo:7.0", "ok"),
        ("7.0.5", "mongo:7.0.28@sha256:8a", "ok"),
    ],
)
def test_a_kernel_on_which_mongodb_has_its_cache(machine, release, image, status):
    machine.info["KernelVersion"] = release
    machine.docker("image", f"{machine.python_image} {image}")
    found = machine.finds("kernel", MONGO_IMAGE=image, **CACHED)
    assert found[0] == status
    assert found[1].endswith(": unset it") == (status == "warning")
    assert machine.finds("kernel", MONGO_IMAGE=image, MONGO_GLIBC_TUNABLES="glibc.malloc.arena_max=1")[0] == "ok"


def test_an_image_of_mongodb_without_mongosh(machine):
    del machine.environment["MONGO_IMAGE"]
    (machine.folder / ".env").write_text("export MONGO_IMAGE=registry.example/library/mongo:4.4.29\n")
    status, said = machine.results()["base images"]
    assert status == "failed"
    assert said == (
        "registry.example/library/mongo:4.4.29 has no mongosh, which the health check runs: "
        "set MONGO_IMAGE to mongo:5.0 or a newer one"
    )


def test_a_disk_without_room(machine):
    machine.info["DockerRootDir"] = "/proc" if sys.platform == "linux" else "/dev"  # file systems that have none
    status, said = machine.finds("disk")
    assert status == "failed"
    assert said.startswith("0.0 GB are free in /")
    assert said.endswith(": make it 3 GB, for example by docker builder prune")


@pytest.mark.parametrize("facts", [{"Name": "docker-desktop"}, {"DockerRootDir": "/nowhere"}])
def test_a_disk_that_is_not_this_machines(machine, facts):
    machine.info |= facts
    assert machine.results()["disk"][0] == "not checked"


# --- What is in the stack's way --------------------------------------------------------------------------------------


def test_a_stack_of_another_clone(machine):
    place = "com.docker.compose.project.working_dir"
    machine.container(f"{NAME}-mongodb-1", Labels=f"{place}={machine.folder},{BY_STACK}")
    machine.container(f"{NAME}-app-2", State="exited", Labels=f"{BY_STACK},{place}=/elsewhere")
    assert machine.finds("containers") == ("ok", "none in the way")
    machine.container(f"{NAME}-app-1", Labels=f"{BY_STACK},{place}=/elsewhere")
    status, said = machine.finds("containers")
    assert status == "warning"
    assert said.startswith("a stack of this name runs from /elsewhere: docker compose up here replaces it; with -p ")
    assert machine.finds("containers", COMPOSE_PROJECT_NAME="second") == ("ok", "none in the way")
    (machine.folder / ".env").write_text("COMPOSE_PROJECT_NAME=second\n")
    assert machine.finds("containers") == ("ok", "none in the way")


def test_a_database_left_running_on_the_volume(machine):
    machine.container("mongodb", Image="mongo:8.0", Mounts=f"0123abcd,{NAME}-data")
    status, said = machine.finds("containers")
    assert status == "failed"
    assert said.startswith(f"mongodb uses {NAME}-data, and no second MongoDB can: docker rm --force mongodb ")
    machine.docker("ps", "")
    machine.container("mongodb", Image="mongo:8.0", Mounts=f"{NAME}-data", State="exited")
    machine.container("theirs", Image="mongo:8.0", Mounts="theirs")
    assert machine.finds("containers") == ("ok", "none in the way")


def test_volumes_that_compose_did_not_make(machine):
    machine.docker("volume", [{"Name": f"{NAME}-data", "Labels": ""}, {"Name": "theirs", "Labels": ""}])
    status, said = machine.finds("volumes")
    assert status == "warning"
    assert said.startswith(f"Compose did not make {NAME}-data: ")
    machine.docker("volume", [{"Name": f"{NAME}-data", "Labels": BY_STACK}])
    assert machine.finds("volumes")[0] == "ok"


@pytest.mark.parametrize(
    ("compose", "status"), [("2.40.3-3", "failed"), ("v5.3.1", "failed"), ("v5.4.0", "warning"), ("v10.0.0", "warning")]
)
@pytest.mark.parametrize("labels", ["", "com.docker.compose.project=shop"])
def test_a_network_that_compose_did_not_make(machine, labels, compose, status):
    machine.plugin("compose", compose)
    machine.docker("network", [{"Name": f"{NAME}-net", "Labels": labels}])
    found, said = machine.finds("networks")
    assert found == status
    assert said.endswith(f"then docker network rm {NAME}-net")
    machine.docker("network", [{"Name": f"{NAME}-net", "Labels": BY_STACK}, {"Name": "bridge", "Labels": ""}])
    assert machine.finds("networks")[0] == "ok"


# --- .env ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "sets nothing: all is as in .env.example"),
        ("# PORT=1\n\nGREETING=x=y\n", "sets GREETING; the rest is as in .env.example"),
        (
            "API_TOKEN='$x'\nCOMPOSE_FILE=docker-compose.yml\n",
            "sets API_TOKEN, COMPOSE_FILE; the rest is as in .env.example",
        ),
    ],
)
def test_settings_that_are_known(machine, content, said):
    (machine.folder / ".env").write_text(content)
    assert machine.finds(".env") == ("ok", said)


def test_the_example_is_a_good_env(machine):
    shutil.copy(machine.folder / ".env.example", machine.folder / ".env")
    assert machine.finds(".env")[0] == "ok"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("GREETNG=hello\n", "GREETNG is not in .env.example: did you mean GREETING?"),
        ("API_TOKN=hunter2\n", "API_TOKN is not in .env.example: did you mean API_TOKEN?"),
        ("XYZ=1\n", "XYZ is not in .env.example: remove it, or add it to .env.example with a comment"),
        ("PORT_FILE=/x\n", "PORT_FILE is not in .env.example: did you mean PORT?"),
        ("GREETING=\n", "GREETING is empty: give it a value, or remove its line"),
        ("WEB_CONCURRENCY=1e1\n", "WEB_CONCURRENCY is '1e1': set it to a number, for example WEB_CONCURRENCY=2"),
        ("WEB_THREADS=１６\n", "WEB_THREADS is '１６': set it to a number, for example WEB_THREADS=16"),  # noqa: RUF001
        ("# a\n\nhunter2\n", "line 3 is not NAME=value: correct it, or put # before a comment"),
        (
            "API_TOKEN=hunter2$x\n",
            """line 1: Compose would change this value of API_TOKEN: write API_TOKEN='…', or for a value with ' """
            + 'and without $: API_TOKEN="…", with \\ before each \\ and "',
        ),
        (
            "API_TOKEN_FILE=/x\n",
            "line 1: API_TOKEN_FILE is a path of this machine, and Compose's container has other files: "
            + "set API_TOKEN to what is in that file",
        ),
    ],
)
def test_settings_that_nothing_reads(machine, content, said):
    (machine.folder / ".env").write_text(content)
    assert machine.finds(".env") == ("failed", said)


def test_an_env_that_cannot_be_read(machine):
    (machine.folder / ".env").write_bytes(b"GREETING=\xff\n")
    assert machine.finds(".env") == ("failed", "is not UTF-8 text: save it in that encoding")
    (machine.folder / ".env").unlink()
    (machine.folder / ".env").mkdir()
    assert machine.finds(".env")[1].startswith("cannot be read (Is a directory): ")


def test_an_env_in_the_folder_above_is_not_read(machine, tmp_path_factory):
    parent = machine.folder / "parent"
    (parent / "clone").mkdir(parents=True)
    for name in ("scripts", "bin", ".env.example"):
        (machine.folder / name).rename(parent / "clone" / name)
    (parent / ".env").write_text("NONSENSE=1\n")
    machine.folder, machine.bin = parent / "clone", parent / "clone/bin"
    machine.environment["PATH"] = str(machine.bin)
    assert machine.finds(".env") == ("ok", "sets nothing: all is as in .env.example")


def test_the_example_shows_the_defaults(machine):
    example = dict(re.findall(r"^(?:# )?(\w+)=(.*)", (ROOT / ".env.example").read_text(), re.MULTILINE))
    compose = (ROOT / "docker-compose.yml").read_text() + (ROOT / "compose.override.yml").read_text()
    for name in ("PORT", "MONGO_PORT", "MONGO_IMAGE", "MONGO_GLIBC_TUNABLES"):
        assert re.search(rf"\$\{{{name}:?-{re.escape(example[name])}\}}", compose)
    assert f"ARG PYTHON_IMAGE={example['PYTHON_IMAGE']}\n" in (ROOT / "Dockerfile").read_text()


# --- Clock and base images -------------------------------------------------------------------------------------------


ABOUT_TEN_MINUTES = "0:(10:0|09:5)[0-9]"


@pytest.mark.parametrize(("minutes", "said"), [(10, "behind"), (-10, "ahead of")])
def test_a_clock_that_is_off(machine, monkeypatch, minutes, said):
    monkeypatch.setattr(Registry, "ahead", timedelta(minutes=minutes))
    status, found = machine.finds("clock")
    assert status == "failed"
    assert re.match(f"this machine's is {ABOUT_TEN_MINUTES} {said} the registry's: let the network set it", found)


@pytest.mark.parametrize(("minutes", "said"), [(10, "ahead of"), (-10, "behind")])
def test_a_clock_of_the_engine_that_is_off(machine, minutes, said):
    machine.engine_ahead = timedelta(minutes=minutes)
    status, found = machine.finds("clock")
    assert status == "failed"
    assert re.match(f"the engine's is {ABOUT_TEN_MINUTES} {said} this machine's: start Docker again", found)


def test_images_that_are_here_need_no_registry(machine):
    machine.python_image, machine.mongo_image = "127.0.0.1:9/python:1", "127.0.0.1:9/mongo:8.0"
    images = {"PYTHON_IMAGE": machine.python_image, "MONGO_IMAGE": machine.mongo_image}
    machine.docker("image", " ".join(images.values()))
    results = machine.results(**images)
    assert results["base images"] == ("ok", "127.0.0.1:9/python:1 and 127.0.0.1:9/mongo:8.0 are here")
    assert results["clock"] == ("not checked", "no registry answers, which would tell the time")


def test_images_that_a_registry_has(machine):
    machine.docker("image", machine.python_image)
    assert machine.finds("base images") == ("ok", f"{machine.mongo_image} can be pulled")


def test_images_that_cannot_be_had(machine, monkeypatch):
    machine.docker("image", machine.python_image)
    status, said = machine.results(MONGO_IMAGE="127.0.0.1:9/mongo:8.0")["base images"]
    assert status == "failed"
    assert said.startswith("127.0.0.1:9/mongo:8.0 is not here, and 127.0.0.1:9 does not answer: ")
    monkeypatch.setattr(Registry, "status", 503)
    status, said = machine.results()["base images"]
    assert status == "failed"
    assert said.startswith(f"{machine.mongo_image} is not here, and ")


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("mongo:8.0", "registry-1.docker.io"),
        ("me/mongo:8.0", "registry-1.docker.io"),
        ("docker.io/library/mongo", "registry-1.docker.io"),
        ("ghcr.io/me/mongo@sha256:8a", "ghcr.io"),
        ("registry:5000/mongo", "registry:5000"),
        ("localhost/mongo", "localhost"),
    ],
)
def test_the_registry_of_an_image(image, registry):
    assert registry_of(image) == registry


# --- How it says it --------------------------------------------------------------------------------------------------


def test_one_line_per_check_and_no_colour_in_a_file(machine):
    machine.docker("network", [{"Name": f"{NAME}-net", "Labels": ""}])
    machine.docker("volume", [{"Name": f"{NAME}-data", "Labels": ""}])
    done = machine.run()
    assert done.returncode == 1
    *lines, last = done.stdout.splitlines()
    assert len(lines) == 14
    assert {line[:13] for line in lines} == {"ok           ", "warning      ", "failed       "}
    assert all(line[25:27] == "  " and line[27] != " " for line in lines)
    assert last == "14 checks: 12 ok, 1 warning, 1 failed"


def test_warnings_leave_the_status_at_0(machine):
    machine.container("c1")
    assert machine.run().returncode == 0


@pytest.mark.parametrize(("no_colour", "coloured"), [("", True), ("1", False)])
def test_colour_on_a_terminal(machine, no_colour, coloured):
    machine.run()  # writes what docker answers
    terminal, other = pty.openpty()
    command = [sys.executable, machine.folder / "scripts/doctor"]
    subprocess.run(command, env=machine.environment | {"NO_COLOR": no_colour}, stdout=other, check=True)
    os.close(other)
    assert (b"\033[32mok" in os.read(terminal, 65536)) is coloured
    os.close(terminal)


def test_help(machine):
    done = machine.run("--help")
    assert done.returncode == 0
    assert "scripts/doctor" in done.stdout
    assert "--json" in done.stdout


def test_it_needs_nothing_but_an_old_python():
    for script in ("doctor", "lib/env_file.py", "lib/probes.py", "lib/project.py"):
        tree = ast.parse((ROOT / "scripts" / script).read_text(), feature_version=(3, 9))
        assert isinstance(tree.body[1], ast.ImportFrom | ast.Assign)
