"""compose.swarm.yml on three engines, each in a container: the machine's own engine joins no swarm.

The kernel of a test machine may lack IPVS and ESP. So a stack here has no routing mesh but names for all replicas
(dnsrr) and the proxy of compose.scale.yml on each host, and its networks are not encrypted.
"""

import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from functools import partial

import pytest
import requests
import yaml

from tests.support.docker import docker, inspect, need_image
from tests.support.load import load
from tests.support.project import Project
from tests.support.repository import ROOT
from tests.support.users import emails
from tests.support.waiting import LIMIT, wait_for

HERE = """
services:
  app:
    ports: !override []
    deploy: {{ endpoint_mode: dnsrr }}
  mongodb:
    deploy: {{ endpoint_mode: dnsrr }}
  proxy:
    image: {name}:proxy
    networks: [front]
    ports: [{{ target: 8080, published: 3000, mode: host }}]
    deploy: {{ mode: global }}
networks:
  backend: {{ driver_opts: !reset null }}
  front: {{ driver_opts: !reset null }}
"""
BROKEN = 'FROM {name}\nHEALTHCHECK --interval=1s --retries=1 CMD ["false"]\n'


@pytest.fixture(scope="module")
def secrets(project) -> Project:
    """A project with secrets, and the image to deploy."""
    assert project.script("secrets", "init").returncode == 0
    project.environment |= {"APP_IMAGE": f"{project.name}:latest", "PORT": "3000"}
    return project


def test_docker_reads_the_stack_and_its_limits_are_those_of_production(secrets):
    printed = secrets.script("stack")
    assert printed.returncode == 0, printed.stderr
    stack = yaml.safe_load(docker("stack", "config", "--compose-file", "-", input=printed.stdout).stdout)["services"]
    files = ("--file=docker-compose.yml", "--file=compose.production.yml")
    production = json.loads(secrets.compose(*files, "config", "--format", "json").stdout)["services"]
    assert stack.keys() == {"app", "mongodb"}
    for name, service in stack.items():
        theirs = production[name]
        limits = service["deploy"]["resources"]["limits"]
        assert int(limits["memory"]) == int(theirs["mem_limit"])
        assert (float(limits["cpus"]), limits["pids"]) == (float(theirs["cpus"]), theirs["pids_limit"])
        [tmpfs] = [volume for volume in service["volumes"] if volume["type"] == "tmpfs"]
        assert theirs["tmpfs"] == [f"{tmpfs['target']}:size={tmpfs['tmpfs']['size'] // 2**20}m"]
        for same in ("cap_drop", "environment", "logging", "read_only", "stop_grace_period"):
            ours = service[same]
            assert ours == theirs[same], same


def test_without_an_image_to_deploy_it_says_what_is_missing(secrets):
    refused = secrets.script("stack", APP_IMAGE="")
    assert refused.returncode != 0
    assert "the image to deploy, in a registry, for example" in refused.stderr


class Swarm:
    """Three hosts, each with its own engine."""

    def __init__(self, project: Project) -> None:
        self.name = project.name
        self.token = (project.folder / "secrets/api_token").read_text().strip()
        self.hosts = [f"{project.name}-host-{number}" for number in (1, 2, 3)]
        docker("network", "create", f"{project.name}-hosts")
        docker("build", "--tag", f"{project.name}:engine", ROOT / "tests/support/engine")
        options = ("--detach", "--privileged", "--network", f"{project.name}-hosts")
        folder = f"--volume={project.folder}:{project.folder}:ro"  # where the stack's secrets and configs are
        for host in self.hosts:
            docker("run", *options, folder, "--name", host, "--hostname", host, f"{project.name}:engine")
        for host in self.hosts:
            wait_for(lambda host=host: docker("exec", host, "docker", "info", check=False).returncode == 0, host)
        networks = inspect(self.hosts[0])["NetworkSettings"]["Networks"]
        self.address = networks[f"{project.name}-hosts"]["IPAddress"]

    def load_images(self, *images: str) -> None:
        for host in self.hosts:
            with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saved:
                subprocess.run(
                    ["docker", "exec", "-i", host, "docker", "load", "--quiet"], stdin=saved.stdout, check=True
                )

    def __call__(self, *command: object, host: int = 0, **options: object) -> str:
        """What docker printed on a host."""
        return docker("exec", "-i", self.hosts[host], "docker", *command, **options).stdout

    def form(self) -> None:
        self("swarm", "init", "--advertise-addr", "eth0")
        token = self("swarm", "join-token", "--quiet", "manager").strip()
        for host in (1, 2):
            self("swarm", "join", "--token", token, f"{self.hosts[0]}:2377", host=host)
        self("node", "update", "--label-add", f"{self.name}-data=true", self.hosts[0])

    def request(self, method: str, path: str, **options: object) -> requests.Response:
        """Ask the proxy on the first host."""
        return requests.request(method, f"http://{self.address}:3000{path}", timeout=LIMIT, **options)

    def running(self) -> list[str]:
        """The hosts on which replicas run."""
        listed = self(
            "service",
            "ps",
            f"{self.name}_app",
            "--filter",
            "desired-state=running",
            "--format",
            "{{.Node}} {{.CurrentState}}",
        )
        return sorted(line.split()[0] for line in listed.splitlines() if line.split()[1] == "Running")

    def settled(self, hosts: list[str]) -> bool:
        """Whether replicas run on these hosts, and all of them answer."""
        if self.running() != sorted(hosts):
            return False
        return len({self.request("GET", "/about").json()["hostname"] for _ in range(30)}) == len(hosts)


@pytest.fixture(scope="module")
def swarm(secrets) -> Iterator[Swarm]:
    """The stack on three hosts."""
    need_image("nginx:1.30")
    project = secrets
    for tag, version in (("latest", "1.0.0"), ("2", "2.0.0")):
        project.build("--build-arg", f"VERSION={version}", tag=tag)
    project.docker("build", "--tag", f"{project.name}:broken", "-", input=BROKEN.format(name=project.name))
    docker("build", "--tag", f"{project.name}:proxy", project.folder / "deploy/nginx")
    (project.folder / "here.yml").write_text(HERE.format(name=project.name))
    printed = project.script("stack", "-f", project.folder / "here.yml")
    assert printed.returncode == 0, printed.stderr
    swarm = Swarm(project)
    try:
        swarm.load_images("mongo:8.0", *(f"{project.name}:{tag}" for tag in ("latest", "2", "broken", "proxy")))
        swarm.form()
        swarm("stack", "deploy", "--compose-file", "-", project.name, input=printed.stdout)
        wait_for(lambda: swarm.request("GET", "/readyz").ok, "the stack to be ready", 3 * LIMIT)
        yield swarm
    finally:
        for host in swarm.hosts:
            docker("rm", "--force", "--volumes", host)


@pytest.mark.long
def test_without_the_mesh_replicas_on_three_hosts_answer(swarm):
    wait_for(lambda: swarm.settled(swarm.hosts), "a replica on each host to answer")


@pytest.mark.long
@pytest.mark.parametrize(("tag", "state"), [("2", "completed"), ("broken", "rollback_completed")])
def test_without_the_mesh_no_request_fails_during_an_update(swarm, tag, state):
    update = ("service", "update", "--detach", "--update-monitor=5s", "--image", f"{swarm.name}:{tag}")
    shown = ("service", "inspect", f"{swarm.name}_app", "--format", "{{.UpdateStatus.State}}")
    with load(partial(swarm.request, "GET", "/users?limit=1")) as statuses:
        swarm(*update, f"{swarm.name}_app")
        wait_for(lambda: swarm(*shown).strip() == state, f"the update to be {state}", 5 * LIMIT)
    assert set(statuses) == {200}
    assert {swarm.request("GET", "/about").json()["version"] for _ in range(10)} == {"2.0.0"}


@pytest.mark.long
def test_without_the_mesh_a_drained_host_hands_its_replica_over(swarm):
    first, second, third = swarm.hosts
    with load(partial(swarm.request, "GET", "/users?limit=1")) as statuses:
        swarm("node", "update", "--availability=drain", third)
        wait_for(lambda: len(swarm.running()) == 3 and third not in swarm.running(), "the replica to move", 3 * LIMIT)
    assert set(statuses) == {200}
    swarm("node", "update", "--availability=active", third)
    for number in (2, 3):  # swarm moves no replica back, but starts a new one where there is none
        swarm("service", "scale", "--detach", f"{swarm.name}_app={number}")
        wait_for(lambda number=number: len(swarm.running()) == number, f"{number} replicas", 3 * LIMIT)
    wait_for(lambda: swarm.settled([first, second, third]), "a replica on each host again", 3 * LIMIT)


@pytest.mark.long
def test_without_the_mesh_a_host_that_dies_takes_no_acknowledged_write_along(swarm, record_property):
    third = swarm.hosts[2]
    headers = {"Authorization": f"Bearer {swarm.token}"}
    acknowledged, failed, numbers = [], [], itertools.count()

    def write() -> None:
        email = f"{next(numbers)}@host.example"
        added = swarm.request("POST", "/users", json={"name": "Ann", "email": email}, headers=headers)
        if added.status_code == 201:
            acknowledged.append(email)
        else:
            failed.append(time.monotonic())

    for _ in range(25):
        write()
    docker("kill", third)
    died = time.monotonic()

    def moved() -> bool:
        write()
        return len(swarm.running()) == 3 and third not in swarm.running()

    wait_for(moved, "the replica to move", 3 * LIMIT)
    for _ in range(25):
        write()
    without = max(failed, default=died) - died
    record_property("seconds in which writes failed", round(without, 1))
    assert without < 10
    assert len(acknowledged) >= 50
    assert set(acknowledged) <= emails(swarm).keys()


@pytest.mark.long
def test_without_the_mesh_the_last_host_serves_on_when_the_others_have_left(swarm):
    first, second, third = swarm.hosts
    for host in (third, second):
        swarm("node", "demote", host)
    swarm("swarm", "leave", host=1)
    wait_for(lambda: swarm.settled([first] * 3), "three replicas on the last host", 3 * LIMIT)
    for host in (third, second):
        swarm("node", "rm", "--force", host)
    assert swarm("node", "ls", "--format", "{{.Hostname}}").split() == [first]
