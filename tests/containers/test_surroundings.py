"""The stack where its surroundings are hostile: clones that only their owner reads, odd paths, a second stack beside the
first, an engine that does not see the clone, a package index that is not PyPI.
"""

import json
import os
from pathlib import Path

import pytest

from tests.containers.conftest import Copy, docker, inspect
from tests.support import free_port

ODD = 'it\'s a "clone": 100%41 $HOME'


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy in a folder whose name has all that a path may have."""
    copy = Copy(tmp_path_factory.mktemp("surroundings") / ODD, f"test-{os.getpid()}-surroundings")
    yield copy
    copy.remove()


def restrict(folder: Path, umask: int) -> None:
    """Give the files the modes that a clone made with this umask has, and an owner that no container knows."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            if os.getuid() == 0:
                os.chown(path, 12345, 12345)
            path.chmod((0o777 if executable else 0o666) & ~umask)


@pytest.mark.parametrize("umask", [0o027, 0o077])
def test_a_clone_that_others_cannot_read(copy, umask):
    restrict(copy.folder, umask)
    copy.compose("up", "--build", "--wait")
    copy.ready()
    done = copy.compose(
        "run", "--rm", "--no-deps", "--build", "tests", "pytest", "-p", "no:cacheprovider", "tests/unit/test_logs.py"
    )
    assert "passed" in done.stdout
    # The image by itself, as its user sees it.
    copy.compose("-f", "docker-compose.yml", "build", "app")
    files = docker("run", "--rm", "--network=none", copy.name, "find", "service", "-not", "-readable").stdout
    assert files == ""
    docker("run", "--rm", "--network=none", copy.name, "python", "-c", "import service.settings, service.pages")


def test_development_can_read_your_files_and_do_nothing_else(copy):
    copy.compose("up", "--build", "--wait")
    status = docker("exec", copy.container("app"), "cat", "/proc/1/status").stdout
    assert int(dict(line.split(":\t") for line in status.splitlines())["CapEff"], 16) == 1 << 1  # CAP_DAC_OVERRIDE
    written = docker("exec", copy.container("app"), "touch", "/app/service/x", check=False)
    assert "Read-only file system" in written.stderr


def test_an_engine_that_does_not_see_the_clone_says_so(copy, tmp_path):
    """As where DOCKER_HOST is another machine, or the engine's socket was mounted into a container."""
    copy.compose("build", "tests", "app")
    elsewhere = tmp_path / "elsewhere"
    files = (
        "--project-directory",
        elsewhere,
        "-f",
        copy.folder / "docker-compose.yml",
        "-f",
        copy.folder / "compose.override.yml",
    )
    for service in ("app", "tests"):
        done = copy.compose(*files, "-p", f"{copy.name}-away", "create", "--no-build", service, check=False)
        assert done.returncode != 0
        assert f"bind source path does not exist: {elsewhere}" in done.stderr
    assert not elsewhere.exists()


def test_a_second_stack_beside_the_first_shares_nothing_with_it(copy):
    copy.compose("up", "--build", "--wait")
    copy.add_user("first@example.org")
    second = Second(copy)
    second.compose("up", "--build", "--wait")
    assert second.request("GET", "/users").json()["total"] == 0
    second.add_user("second@example.org")
    assert [user["email"] for user in copy.request("GET", "/users").json()["users"]] == ["first@example.org"]
    for service in ("app", "mongodb"):
        one, two = (inspect(stack.container(service)) for stack in (copy, second))
        assert not networks(one) & networks(two)
        assert not volumes(one) & volumes(two)
    assert inspect(copy.container("app"))["Config"]["Image"] != inspect(second.container("app"))["Config"]["Image"]
    second.compose("down", "--volumes")
    copy.ready()
    assert copy.request("GET", "/users").json()["total"] == 1


class Second(Copy):
    """Another stack of the same clone, as with COMPOSE_PROJECT_NAME or -p."""

    def __init__(self, first: Copy) -> None:
        self.folder = first.folder
        self.name = f"{first.name}-second"
        ports = {"PORT": str(free_port()), "MONGO_PORT": str(free_port())}
        self.environment = first.environment | ports | {"COMPOSE_PROJECT_NAME": self.name}
        self.url = f"http://127.0.0.1:{ports['PORT']}"


def networks(container: dict) -> set[str]:
    return set(container["NetworkSettings"]["Networks"])


def volumes(container: dict) -> set[str]:
    return {mount["Name"] for mount in container["Mounts"] if mount["Type"] == "volume"}


def test_another_package_index_is_asked(copy):
    """The settings are obeyed: this index does not exist, so the build fails."""
    for command in (
        ("compose", "build", "--build-arg", "PIP_INDEX_URL=http://127.0.0.1:9/simple", "app"),
        ("build", "--build-arg", "PIP_INDEX_URL=http://127.0.0.1:9/simple", "."),
    ):
        refused = copy.docker(*command, check=False)
        assert refused.returncode != 0
        assert "No matching distribution found" in refused.stdout + refused.stderr
    copy.environment["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple"
    try:
        config = json.loads(copy.compose("--profile", "*", "config", "--format", "json").stdout)
    finally:
        del copy.environment["PIP_INDEX_URL"]
    built = [service["build"]["args"] for service in config["services"].values() if "build" in service]
    assert [args["PIP_INDEX_URL"] for args in built] == ["http://127.0.0.1:9/simple"] * 2


def test_live_reload_can_poll(copy):
    copy.environment["WATCHFILES_FORCE_POLLING"] = "true"
    try:
        copy.compose("up", "--build", "--wait")
    finally:
        del copy.environment["WATCHFILES_FORCE_POLLING"]
    assert "WATCHFILES_FORCE_POLLING=true" in inspect(copy.container("app"))["Config"]["Env"]
