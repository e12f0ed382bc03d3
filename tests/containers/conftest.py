"""A real Docker Engine, and a copy of this repository under a name of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support import LIMIT, copy_repository, free_port, wait_for

BASE_IMAGES = ("python:3.13-slim-trixie", "mongo:8.0")


def docker(*arguments: object, check: bool = True, **options: object) -> subprocess.CompletedProcess[str]:
    """Run docker; where it fails and `check` is set, the test fails with what it printed."""
    done = subprocess.run(["docker", *map(str, arguments)], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0 or not check, f"docker {' '.join(map(str, arguments))}\n{done.stdout}\n{done.stderr}"
    return done


def inspect(thing: str) -> dict:
    """What the engine knows of a container, an image, a volume or a network."""
    return json.loads(docker("inspect", thing).stdout)[0]


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Skip what needs an engine, or base images, where there are none."""
    need_engine()
    for image in BASE_IMAGES:
        need_image(image)


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


class Copy:
    """A clone of this repository in which every name is another, so that its containers, volumes, networks and images
    meet neither those of a stack that you run nor those of another copy. Ports are free ones.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.environment = os.environ | {"PORT": str(free_port()), "MONGO_PORT": str(free_port())}
        for variable in ("COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "API_TOKEN", "GREETING"):
            self.environment.pop(variable, None)
        self.url = f"http://127.0.0.1:{self.environment['PORT']}"
        copy_repository(folder, name)
        self._git("-C", folder, "init", "--quiet", "--initial-branch", "main")
        self.commit("A copy")

    def _git(self, *arguments: object) -> str:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
        return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout

    def commit(self, message: str) -> str:
        """Commit all that has changed, and return the commit's id."""
        self._git("-C", self.folder, "add", "--all")
        self._git("-C", self.folder, "commit", "--quiet", "--allow-empty", "--message", message)
        return self._git("-C", self.folder, "rev-parse", "HEAD").strip()

    def docker(self, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        """Run docker in the copy's folder."""
        return docker(*arguments, cwd=self.folder, env=self.environment, **options)

    def script(self, name: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one of the copy's scripts, and return what it said, whether it succeeded or not."""
        command = [self.folder / "scripts" / name, *map(str, arguments)]
        return subprocess.run(
            command, env=self.environment | environment, capture_output=True, text=True, check=False, cwd=self.folder
        )

    def build(self, *arguments: object, tag: str) -> str:
        """Build an image of this name, `tag` behind it; returns what the builder printed."""
        return self.docker("build", "--progress=plain", "--tag", f"{self.name}:{tag}", *arguments, ".").stderr

    def compose(self, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        """Run docker compose with the files that the folder has."""
        return self.docker("compose", *arguments, **options)

    def container(self, service: str) -> str:
        """The id of the one container of a compose service."""
        return self.compose("ps", "--all", "--quiet", service).stdout.strip()

    def request(self, method: str, path: str, **options: object) -> requests.Response:
        """Ask the running stack."""
        return requests.request(method, self.url + path, timeout=LIMIT, **options)

    def ready(self) -> None:
        """Wait until the stack answers and has its database."""
        wait_for(lambda: self.request("GET", "/readyz").ok, "the stack to be ready")

    def add_user(self, email: str) -> dict:
        """Add a user by the API."""
        response = self.request("POST", "/users", json={"name": "Ann", "email": email})
        assert response.status_code == 201, response.text
        return response.json()

    def remove(self) -> None:
        """Remove all that the engine has of this copy."""
        self.compose("--profile", "*", "down", "--volumes", "--timeout", "1", check=False)
        for kind, *every in (("container", "--all"), ("volume",), ("network",)):
            for thing in docker(kind, "ls", *every, "--format", "json").stdout.splitlines():
                name = json.loads(thing).get("Names") or json.loads(thing)["Name"]
                if name.startswith(self.name):
                    docker(kind, "rm", "--force", name)
        # Also as it was pushed: localhost:5000/team/NAME. What has lost its tag goes by its id.
        names = ("--filter", f"reference={self.name}", "--filter", f"reference=*/*/{self.name}")
        shown = '{{if eq .Tag "<none>"}}{{.ID}}{{else}}{{.Repository}}:{{.Tag}}{{end}}'
        named = docker("image", "ls", "--all", *names, "--format", shown).stdout
        # An image that was built anew under its name leaves the one before behind, without a name but with its labels.
        for label in (f"org.opencontainers.image.title={self.name}", f"com.docker.compose.project={self.name}"):
            named += docker("image", "ls", "--quiet", "--filter", "dangling=true", "--filter", f"label={label}").stdout
        if images := named.split():
            docker("image", "rm", "--force", *images)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Copy]:
    """A copy for the tests of one file."""
    module = request.module.__name__.rpartition("test_")[2].replace("_", "-")
    copy = Copy(tmp_path_factory.mktemp(module), f"test-{os.getpid()}-{module}")
    yield copy
    copy.remove()
