"""The course lifts out: what CONTRIBUTING says removes it, and so does scripts/new-service. What is left is whole."""

import re
import subprocess

import pytest

from chapters.tests.support.page import read
from tests.support.repository import BIN, ROOT, copy_repository


@pytest.fixture(scope="module", autouse=True)
def lint_packages():
    """Install the packages of the lint: the projects below share .venv, and two must not do it at the same time."""
    run(".ci/lint", folder=ROOT)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A clone without the course."""
    folder = tmp_path_factory.mktemp("removal") / "project"
    copy_repository(folder)
    (folder / ".venv").symlink_to(BIN.parent)
    block = next(block for block in read(ROOT / "CONTRIBUTING.md").console if block.heading == "Remove the course")
    for command in block.commands:
        subprocess.run(["bash", "-euc", command.text], cwd=folder, check=True)
    for command in ("init --quiet", "add --all"):
        subprocess.run(["git", "-C", folder, *command.split()], check=True)
    return folder


AWKWARD = (
    "--port=65535",
    """--greeting=Σας "χαιρετώ", $5""",
    "--python-image=example.org:5000/a/long/name/python:3.13-slim",
)


@pytest.fixture(
    scope="module",
    params=[("x",), ("flask-mongo-app-too",), ("abcdefghi-" * 4 + "abcdefghij", *AWKWARD)],
    ids=lambda p: p[0],
)
def copy(request, tmp_path_factory):
    """A copy with a short or long name, or one that has this project's in it."""
    folder = tmp_path_factory.mktemp("copy") / "copy"
    run(ROOT / "scripts/new-service", *request.param, folder, folder=ROOT)
    (folder / ".venv").symlink_to(BIN.parent)
    return folder


def run(*command, folder):
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_page_is_left_that_mentions_it(project):
    pages = [path for path in project.rglob("*.md") if ".venv" not in path.parts]
    assert project / "README.md" in pages
    assert [path for path in pages if re.search(r"chapter|course|\bch/", path.read_text())] == []
    assert "\n\n\n\n" not in (project / "README.md").read_text()


def test_lint(project):
    run(".ci/lint", folder=project)


def test_unit_tests(project):
    run("scripts/test", "-q", "-p", "no:cacheprovider", "tests/unit", folder=project)


def test_all_other_tests_are_collected(project):
    run("scripts/test", "-q", "-p", "no:cacheprovider", "--collect-only", folder=project)


def test_lint_of_a_copy(copy):
    run(".ci/lint", folder=copy)


def test_the_pages_of_a_copy(copy):
    run("scripts/test", "-q", "-p", "no:cacheprovider", "tests/unit/test_docs.py", folder=copy)
