"""A copy of this repository, and the stack that it starts."""

import json
import os
import subprocess
from pathlib import Path

import requests

from tests.support.docker import docker
from tests.support.ports import free_port
from tests.support.repository import copy_repository
from tests.support.waiting import LIMIT, wait_for


class Project:
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
        # An image that was built again under its name leaves the one before behind, without a name but with its labels.
        for label in (f"org.opencontainers.image.title={self.name}", f"com.docker.compose.project={self.name}"):
            named += docker("image", "ls", "--quiet", "--filter", "dangling=true", "--filter", f"label={label}").stdout
        if images := named.split():
            docker("image", "rm", "--force", *images)
