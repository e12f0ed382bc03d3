"""The stacks of copies that scripts/new-service makes, beside the stack of the original."""

from pathlib import Path

import pytest

from tests.support.copies import CASES, Case
from tests.support.docker import docker, inspect
from tests.support.ports import free_port
from tests.support.project import Project

STACKS = {
    "development": "docker-compose.yml:compose.override.yml",
    "production": "docker-compose.yml:compose.production.yml",
}


class Copy(Project):
    """A copy's stacks."""

    def __init__(self, case: Case, original: Project, folder: Path) -> None:
        self.folder = case.make(original, folder)
        self.name = self.folder.name
        self.environment = original.environment | {"MONGO_PORT": str(free_port())}
        # A port that is an option must do without the variable.
        port = dict(zip(case.options, case.options[1:], strict=False)).get("--port")
        self.environment["PORT"] = port or str(free_port())
        self.url = f"http://127.0.0.1:{self.environment['PORT']}"
        if port:
            del self.environment["PORT"]

    def remove(self) -> None:
        """Remove its stacks. Nothing by the beginning of its name: a name of one character begins many others."""
        for self.environment["COMPOSE_FILE"] in STACKS.values():
            self.compose("--profile", "*", "down", "--volumes", "--timeout", "1", check=False)
        if built := images(self.name):
            docker("image", "rm", "--force", *built)


def owned(name: str) -> set[str]:
    """The names of the volumes and networks that Compose made for a project."""
    label = f"label=com.docker.compose.project={name}"
    return {
        thing
        for kind in ("volume", "network")
        for thing in docker(kind, "ls", "--filter", label, "--format", "{{.Name}}").stdout.split()
    }


def images(name: str) -> list[str]:
    """The images of this name, with their tags."""
    return docker("image", "ls", "--filter", f"reference={name}", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()


def state(stack: Project) -> list[object]:
    """The containers of a stack, with what they hold."""
    found = [inspect(stack.container(service)) for service in ("app", "mongodb")]
    return [
        [it["Id"], it["State"]["StartedAt"], it["HostConfig"]["PortBindings"], it["NetworkSettings"]["Networks"].keys()]
        for it in found
    ] + [owned(stack.name), stack.request("GET", "/users").json()["users"]]


@pytest.fixture(scope="module")
def original(project):
    project.compose("up", "--build", "--wait")
    project.add_user("original@example.org")
    return project


@pytest.mark.parametrize("case", CASES)
def test_its_stacks_start_beside_the_originals_and_touch_nothing_of_it(case, original, tmp_path):
    copy = Copy(case, original, tmp_path)
    assert (owned(copy.name), images(copy.name)) == (set(), []), "somebody's: remove them, or rename them"
    before = state(original)
    try:
        for kind, copy.environment["COMPOSE_FILE"] in STACKS.items():
            if kind == "production":
                assert copy.script("secrets", "init").returncode == 0
            copy.compose("up", "--build", "--wait")
            copy.ready()
            assert copy.request("GET", "/").text == f"{case.greeting}\n"
            assert copy.request("GET", "/users").json()["total"] == 0
            assert f"{copy.name}-data" in owned(copy.name)
            assert {name for name in owned(copy.name) if not name.startswith(f"{copy.name}-")} == set()
            copy.compose("down", "--volumes")
            assert owned(copy.name) == set()
    finally:
        copy.remove()
    assert state(original) == before
