"""scripts/chapter clean, on a real engine and with names of its own."""

import os

import pytest

from tests.support.docker import BASE_IMAGES, docker, need_image, running_registry
from tests.support.repository import NAME

TOOL = "chapters/tool/clean.py"
MINE = f"test-{os.getpid()}-clean"


@pytest.fixture
def renamed(engine, course):
    """The course under another name, and what its chapters made."""
    image = BASE_IMAGES[0]
    need_image(image)
    names = course.read(TOOL).replace(NAME, MINE).replace('"c1"', f'"{MINE}-c1"')
    for generic in ("app", "mongodb", "c2", "web", "hello", "registry", "guestbook"):
        names = names.replace(f'"{generic}"', f'"{MINE}-{generic}"')
    course.write(**{TOOL: names})
    labels = ("--label", f"com.docker.compose.project={MINE}")
    docker("volume", "create", f"{MINE}-data")
    docker("volume", "create", *labels, f"{MINE}_other")
    docker("volume", "create", f"{MINE}-not-ours")
    docker("network", "create", f"{MINE}-net")
    for name in (MINE, f"localhost:5000/team/{MINE}:1.0.0", f"{MINE}-not-ours"):
        docker("image", "tag", image, name)
    docker(
        "container",
        "create",
        "--name",
        f"{MINE}-c1",
        "--volume",
        f"{MINE}-data:/data",
        "--network",
        f"{MINE}-net",
        MINE,
    )
    docker("container", "create", "--name", f"{MINE}-app-1", *labels, image)
    docker("container", "create", "--name", f"{MINE}-not-ours", image)
    yield course
    for kind, force in (("container", ["--force"]), ("network", []), ("volume", ["--force"]), ("image", ["--force"])):
        for name in (*left(kind), *([f"localhost:5000/team/{MINE}:1.0.0"] if kind == "image" else [])):
            docker(kind, "rm", *force, name, check=False)


def left(kind):
    """The names of what the engine has that begin with ours."""
    names = {"container": "{{.Names}}", "image": "{{.Repository}}"}.get(kind, "{{.Name}}")
    every = ["--all"] if kind == "container" else []
    listed = docker(kind, "ls", *every, "--format", names).stdout.split()
    return sorted(name for name in listed if MINE in name)


def all_left():
    return {kind: left(kind) for kind in ("container", "network", "volume", "image")}


def test_clean_asks_and_removes_what_is_ours_and_nothing_else(renamed):
    assert "flask-mongo-app" not in renamed.read(TOOL)
    before = all_left()
    done = renamed.run("scripts/chapter", "clean", typed="n\n")
    assert (done.returncode, done.stderr) == (1, "Nothing was changed.\n")
    assert sorted(done.stdout.splitlines()[:-1]) == [
        f"container {MINE}-app-1",
        f"container {MINE}-c1",
        f"image localhost:5000/team/{MINE}:1.0.0",
        f"image {MINE}:latest",
        f"network {MINE}-net",
        f"volume {MINE}-data",
        f"volume {MINE}_other",
    ]
    assert done.stdout.splitlines()[-1] == "Remove these, and the data in these volumes? [y/N] "
    assert all_left() == before
    assert renamed.chapter("clean", "--yes").splitlines()[-1] == "All removed."
    theirs = [f"{MINE}-not-ours"]
    assert all_left() == {"container": theirs, "network": [], "volume": theirs, "image": theirs}
    assert renamed.chapter("clean") == "Docker has nothing of the course.\n"


def test_an_image_that_was_pulled_by_its_digest(renamed):
    """It has a name, but no tag."""
    with running_registry(f"{MINE}-not-our-registry") as host:
        name = f"{host}/team/{MINE}"
        docker("import", "-", f"{name}:1", input="\0" * 10240)  # an empty archive
        docker("push", f"{name}:1")
        by_digest = docker("image", "inspect", "--format", "{{index .RepoDigests 0}}", f"{name}:1").stdout.strip()
        docker("image", "rm", f"{name}:1")
        docker("pull", by_digest)
        assert f"image {by_digest}\n" in renamed.chapter("clean", "--yes")
        assert name not in left("image")


def test_without_an_engine(engine, course):
    course.environment["DOCKER_HOST"] = "unix:///nowhere.sock"
    assert course.refusal("clean").startswith("docker: ")
