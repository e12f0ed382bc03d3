"""tests/stand-ins/build: when it pulls, when it builds, and what it says; by a docker that does neither."""

import os
import re
import subprocess

import pytest

from tests.support.docker import BASE_IMAGES
from tests.support.repository import ROOT

BUILD = ROOT / "tests/stand-ins/build"
IMAGES = re.findall(r"^(?:need|stand_in) (\S+)", BUILD.read_text(), re.MULTILINE)
NGINX = next(image for image in IMAGES if image.startswith("nginx:"))

# Knows the images in the file `images`, each with its label; pulls where there is a file `registry`; builds by name.
DOCKER = """#!/usr/bin/env bash
cd "$(dirname "$0")"
echo "$*" >>calls
case "$1 $2" in
  'image inspect') line=$(grep "^${!#} " images) && echo "${line#* }" ;;
  'pull --quiet') [ -f registry ] && echo "$3 " >>images || { echo 'toomanyrequests: slow down' >&2 && exit 1; } ;;
esac
"""


@pytest.fixture
def build(tmp_path):
    """A function that runs the script on an engine with these images, and returns what it printed and the calls."""
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)

    def run(images: dict[str, str], registry: bool, **environment: str) -> tuple[subprocess.CompletedProcess, str]:
        (tmp_path / "images").write_text("".join(f"{name} {label}\n" for name, label in images.items()))
        (tmp_path / "calls").unlink(missing_ok=True)
        if registry:
            (tmp_path / "registry").touch()
        kept = {name: value for name, value in os.environ.items() if name != "GITHUB_ACTIONS"}
        environment = kept | {"PATH": f"{tmp_path}:{os.environ['PATH']}"} | environment
        done = subprocess.run([BUILD], env=environment, capture_output=True, text=True, check=False)
        return done, (tmp_path / "calls").read_text()

    return run


def test_real_images_are_left_alone(build):
    done, calls = build(dict.fromkeys(IMAGES, ""), registry=False, GITHUB_ACTIONS="true")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(IMAGES) == 6
    assert "pull" not in calls
    assert "build" not in calls


def test_what_can_be_pulled_is_pulled_also_over_a_stand_in(build):
    done, calls = build({"mongo:8.0": "mongo"}, registry=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert all(f"pull --quiet {image}\n" in calls for image in IMAGES)
    assert "build" not in calls


def test_elsewhere_stand_ins_are_built_and_named(build):
    # One that is there already is built again: its files may have changed since. Its base is not.
    there = {"debian:trixie-slim": "debian", "mongo:8.0": "mongo", NGINX: ""}
    done, calls = build(there, registry=False, CI="true")
    assert done.returncode == 0, done.stderr
    built = [line.partition("--tag ")[2].split()[0] for line in calls.splitlines() if line.startswith("build ")]
    assert built == [*BASE_IMAGES, "registry:3", "hello-world"]
    assert "mongo:8.0 cannot be pulled" not in done.stdout
    assert "registry:3 cannot be pulled here: building a stand-in\n" in done.stdout
    names = f"debian:trixie-slim {' '.join(built)}"
    assert done.stdout.endswith(
        f"stand-ins, not the real images: {names}\n"
        f"remove them before you use the project itself: docker image rm --force {names}\n"
    )


@pytest.mark.parametrize("images", [{}, dict.fromkeys(IMAGES, "") | {"mongo:8.0": "mongo"}], ids=["none", "left over"])
def test_on_github_a_stand_in_is_an_error(build, images):
    done, calls = build(images, registry=False, GITHUB_ACTIONS="true")
    assert done.returncode == 1
    missing = "mongo:8.0" if images else "debian:trixie-slim"
    assert done.stderr == f"{missing} cannot be pulled (toomanyrequests: slow down): run this job again\n"
    assert done.stdout == ""
    assert "build" not in calls
