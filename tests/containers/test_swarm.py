"""compose.swarm.yml, as docker stack deploy reads it."""

import json

import pytest
import yaml

from tests.support.docker import docker
from tests.support.project import Project


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
