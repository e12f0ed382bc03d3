"""The Docker Engine, and what it must have."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.support.ports import free_port
from tests.support.waiting import LIMIT, wait_for

PYTHON_IMAGE = "python:3.13-slim-trixie"
BASE_IMAGES = (PYTHON_IMAGE, "mongo:8.0")
REGISTRY_IMAGE = "registry:3"


def docker(*arguments: object, check: bool = True, **options: object) -> subprocess.CompletedProcess[str]:
    """Run docker; where it fails and `check` is set, the test fails with what it printed."""
    done = subprocess.run(["docker", *map(str, arguments)], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0 or not check, f"docker {' '.join(map(str, arguments))}\n{done.stdout}\n{done.stderr}"
    return done


def inspect(thing: str) -> dict:
    """What the engine knows of a container, an image, a volume or a network."""
    return json.loads(docker("inspect", thing).stdout)[0]


def is_stand_in(image: str) -> bool:
    """Whether an image is one of those in tests/stand-ins, and not the real one."""
    return "flask-mongo-app.stand-in" in (inspect(image)["Config"]["Labels"] or {})


def need_engine() -> None:
    """Skip where there is no Docker Engine with its plugins."""
    if shutil.which("docker") is None:
        pytest.skip("there is no docker command")
    if docker("version", check=False).returncode != 0:
        pytest.skip("no Docker Engine answers")
    for plugin in ("compose", "buildx"):
        if docker(plugin, "version", check=False).returncode != 0:
            pytest.skip(f"docker {plugin} is not installed")


def need_image(image: str) -> None:
    """Pull an image where it is not there; where that cannot be done either, skip."""
    ways = (("image", "inspect", image), ("pull", "--quiet", image))
    if all(docker(*way, check=False).returncode != 0 for way in ways):
        pytest.skip(f"{image} cannot be pulled")


@contextmanager
def running_registry(name: str, *options: object) -> Iterator[str]:
    """A registry in a container of this name; gives its host and port."""
    need_image(REGISTRY_IMAGE)
    host = f"localhost:{free_port()}"
    publish = host.replace("localhost", "127.0.0.1")
    docker("run", "--detach", "--name", name, "--publish", f"{publish}:5000", *options, REGISTRY_IMAGE)
    try:
        wait_for(lambda: requests.get(f"http://{host}/v2/", timeout=LIMIT).status_code in {200, 401}, "the registry")
        yield host
    finally:
        docker("rm", "--force", "--volumes", name)
