"""The stack where its surroundings are hostile: clones that only their owner reads, odd paths, a second stack beside the
first, an engine that does not see the clone, a package index that is not PyPI.
"""

import json
import os
from pathlib import Path

import pytest

from tests.support.docker import docker, inspect
from tests.support.environment import HOSTILE
from tests.support.ports import free_port
from tests.support.project import Project

ODD = 'it\'s a "clone": 100%41 $HOME'


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy in a folder whose name has all that a path may have."""
    project = Project(tmp_path_factory.mktemp("surroundings") / ODD, f"test-{os.getpid()}-surroundings")
    yield project
    project.remove()
    Second(project).remove()


def restrict(folder: Path, umask: int) -> None:
    """Give the files the modes that a clone made with this umask has, and an owner that no container knows."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            if os.getuid() == 0:
                os.chown(path, 12345, 12345)
            path.chmod((0o777 if executable else 0o666) & ~umask)


@pytest.mark.parametrize("umask", [0o027, 0o077])
def test_a_clone_that_others_cannot_read(project, umask):
    restrict(project.folder, umask)
    project.compose("up", "--build", "--wait")
    project.ready()
    done = project.compose(
        "run", "--rm", "--no-deps", "--build", "tests", "pytest", "-p", "no:cacheprovider", "tests/unit/test_logs.py"
    )
    assert "passed" in done.stdout
    # The image by itself, as its user sees it.
    project.compose("-f", "docker-compose.yml", "build", "app")
    files = docker("run", "--rm", "--network=none", project.name, "find", "service", "-not", "-readable").stdout
    assert files == ""
    docker("run", "--rm", "--network=none", project.name, "python", "-c", "import service.settings, service.web")


def test_development_can_read_your_files_and_do_nothing_else(project):
    project.compose("up", "--build", "--wait")
    status = docker("exec", project.container("app"), "cat", "/proc/1/status").stdout
    assert int(dict(line.split(":\t") for line in status.splitlines())["CapEff"], 16) == 1 << 1  # CAP_DAC_OVERRIDE
    written = docker("exec", project.container("app"), "touch", "/app/service/x", check=False)
    assert "Read-only file system" in written.stderr


def test_an_engine_that_does_not_see_the_clone_says_so(project, tmp_path):
    """As where DOCKER_HOST is another machine, or the engine's socket was mounted into a container."""
    project.compose("build", "tests", "app")
    elsewhere = tmp_path / "elsewhere"
    files = (
        "--project-directory",
        elsewhere,
        "-f",
        project.folder / "docker-compose.yml",
        "-f",
        project.folder / "compose.override.yml",
    )
    for service in ("app", "tests"):
        done = project.compose(*files, "-p", f"{project.name}-away", "create", "--no-build", service, check=False)
        assert done.returncode != 0
        assert f"bind source path does not exist: {elsewhere}" in done.stderr
    assert not elsewhere.exists()


class Second(Project):
    """Production beside development, of the same clone: another project, other ports."""

    def __init__(self, first: Project) -> None:
        self.folder = first.folder
        self.name = f"{first.name}-second"
        self.environment = first.environment | {
            "COMPOSE_PROJECT_NAME": self.name,
            "COMPOSE_FILE": "docker-compose.yml:compose.production.yml",
            "PORT": str(free_port()),
        }
        self.url = f"http://127.0.0.1:{self.environment['PORT']}"

    def run(self, *command: str) -> str:
        """What one of the scripts printed, in a hostile environment."""
        done = self.script(*command, **HOSTILE)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout

    def users(self) -> int:
        return self.request("GET", "/users").json()["total"]


def test_a_second_stack_shares_nothing_with_the_first_and_has_its_own_backups(project, proxies):
    project.compose("up", "--build", "--wait")
    project.add_user("first@example.org")
    second = Second(project)
    second.run("secrets", "init")
    restrict(project.folder, 0o077)
    second.compose("up", "--build", "--wait")
    second.environment |= proxies
    second.compose("up", "--detach", "--no-deps", "--force-recreate", "app")
    second.ready()
    assert "HTTP_PROXY=http://127.0.0.1:9" in inspect(second.container("app"))["Config"]["Env"]
    assert second.users() == 0

    for service in ("app", "mongodb"):
        one, two = (inspect(stack.container(service)) for stack in (project, second))
        assert not set(one["NetworkSettings"]["Networks"]) & set(two["NetworkSettings"]["Networks"])
        assert not volumes(one) & volumes(two)
    assert inspect(project.container("app"))["Image"] != inspect(second.container("app"))["Image"]

    first_line = second.run("backup")
    assert first_line.startswith(f"backups/{second.name}-")
    token = (project.folder / "secrets/api_token").read_text().strip()
    user = {"name": "Ann", "email": "second@example.org"}
    added = second.request("POST", "/users", json=user, headers={"Authorization": f"Bearer {token}"})
    assert added.status_code == 201
    assert second.run("secrets", "rotate").startswith("the app is app-b now")
    told = second.run("restore", first_line.partition(":")[0], "--yes")
    assert told.endswith(f"{second.name}-data holds 0 documents; before it was 1\n")
    assert second.users() == 0
    second.compose("down", "--volumes")  # which touches nothing of the first
    project.ready()
    assert project.request("GET", "/users").json()["total"] == 1


def volumes(container: dict) -> set[str]:
    return {mount["Name"] for mount in container["Mounts"] if mount["Type"] == "volume"}


@pytest.fixture
def proxies(tmp_path) -> dict[str, str]:
    """The environment of somebody whose Docker gives every container a company's proxy, which nobody answers at here."""
    there = Path(os.environ.get("DOCKER_CONFIG", "~/.docker")).expanduser()
    config = json.loads((there / "config.json").read_text()) if (there / "config.json").exists() else {}
    for entry in there.glob("*"):
        (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / "config.json").unlink(missing_ok=True)
    default = {"httpProxy": "http://127.0.0.1:9", "httpsProxy": "http://127.0.0.1:9"}
    (tmp_path / "config.json").write_text(json.dumps(config | {"proxies": {"default": default}}))
    return {"DOCKER_CONFIG": str(tmp_path)}


@pytest.mark.parametrize("production", [False, True])
def test_all_names_begin_with_that_of_the_project(project, production):
    files = ("-f", "docker-compose.yml", "-f", "compose.production.yml") if production else ()
    config = project.compose(*files, "-p", "second", "--profile", "*", "config", "--format", "json").stdout
    resolved = json.loads(config)
    names = [each["name"] for kind in ("volumes", "networks") for each in resolved[kind].values()]
    names += [service["image"] for service in resolved["services"].values() if "build" in service]
    assert len(names) > 4
    assert all(name.startswith("second") for name in names), names
    # Where the engine does not see a folder or a file, it must not make an empty one.
    mounts = [mount for service in resolved["services"].values() for mount in service.get("volumes", [])]
    binds = [mount.get("bind", {}) for mount in mounts if mount["type"] == "bind"]
    assert binds
    assert not any(bind.get("create_host_path") for bind in binds)


def test_another_package_index_is_asked(project):
    """The settings are obeyed: this index does not exist, so the build fails."""
    for command in (
        ("compose", "build", "--build-arg", "PIP_INDEX_URL=http://127.0.0.1:9/simple", "app"),
        ("build", "--build-arg", "PIP_INDEX_URL=http://127.0.0.1:9/simple", "."),
    ):
        refused = project.docker(*command, check=False)
        assert refused.returncode != 0
        assert "No matching distribution found" in refused.stdout + refused.stderr
    project.environment["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple"
    try:
        config = json.loads(project.compose("--profile", "*", "config", "--format", "json").stdout)
    finally:
        del project.environment["PIP_INDEX_URL"]
    built = [service["build"]["args"] for service in config["services"].values() if "build" in service]
    assert [args["PIP_INDEX_URL"] for args in built] == ["http://127.0.0.1:9/simple"] * 2


def test_live_reload_can_poll(project):
    project.environment["WATCHFILES_FORCE_POLLING"] = "true"
    try:
        project.compose("up", "--build", "--wait")
    finally:
        del project.environment["WATCHFILES_FORCE_POLLING"]
    assert "WATCHFILES_FORCE_POLLING=true" in inspect(project.container("app"))["Config"]["Env"]
