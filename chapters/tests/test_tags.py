"""The tree of every tag, as somebody who checks it out has it: it tests, builds and starts, and holds no more than that."""

import os
import re
import subprocess
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from chapters.tests.support.course import CHAPTERS, lay_out, texts
from tests.support.docker import docker, need_engine, need_image
from tests.support.environment import clean_environment

# What every chapter has, whether something there asks for it or not.
FRAME = ("docs/", ".gitattributes", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md")


@pytest.fixture(scope="module")
def trees(tmp_path_factory) -> dict[str, Path]:
    """A folder for each chapter, with its files."""
    return lay_out(tmp_path_factory.mktemp("trees"))


# In several processes, the trees share no state: each goes where there is room.
@pytest.fixture(
    params=[pytest.param(chapter.name, marks=pytest.mark.xdist_group(chapter.name)) for chapter in CHAPTERS]
)
def tree(request, trees) -> Path:
    return trees[request.param]


def test_its_tests_pass(tree):
    if not (tree / "tests").exists():
        assert int(tree.name[:2]) < 2
        return
    # This virtual environment serves a chapter that asks for what is in it.
    for lock in ("requirements.txt", "requirements-dev.txt"):
        lines = re.findall(r"^\w[^\\\n]*==[^\\\n]*", (tree / lock).read_text(), re.MULTILINE)
        for requirement in map(Requirement, lines):
            if requirement.marker is None or requirement.marker.evaluate():
                assert version(requirement.name) in requirement.specifier, f"{lock} of {tree.name}: {requirement}"
    runs = [["tests"]]
    if (tree / "tests/unit").exists():  # main's tests: what takes long runs only there
        runs = [["--collect-only", "tests"], ["tests/unit"]]
    if tree.name == CHAPTERS[-1].name:  # which is main
        runs = runs[:1]
    for arguments in runs:
        command = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(command, cwd=tree, env=clean_environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


# Starts the app, and says what it has read instead of serving.
START = """
import os, runpy, flask
flask.Flask.run = lambda *arguments, **options: print(os.environ.get("HERE"), os.environ.get("ABOVE"))
runpy.run_module("service", run_name="__main__")
"""


@pytest.mark.parametrize("chapter", ["02-flask-app", "03-dockerfile", "04-configuration"])
def test_an_env_of_its_own_is_read_and_none_of_a_folder_above(trees, chapter):
    own, above = trees[chapter] / ".env", trees[chapter].parent / ".env"
    above.write_text("ABOVE=other\n")
    environment = clean_environment(DATABASE_URL="mongodb://127.0.0.1:1/flask-mongo-app", PYTHON_DOTENV_DISABLED="0")
    for content, said in (("HERE=own\n", "own None"), (None, "None None")):
        if content:
            own.write_text(content)
        command = [sys.executable, "-c", START]
        done = subprocess.run(command, cwd=own.parent, env=environment, capture_output=True, text=True, check=False)
        own.unlink(missing_ok=True)
        assert done.stdout.splitlines()[-1] == said, done.stderr
    above.unlink()


def test_its_image_builds_and_holds_no_secret(tree, request):
    if not (tree / "Dockerfile").exists():
        assert int(tree.name[:2]) < 3
        return
    need_engine()
    need_image("python:3.13-slim-trixie")
    image = f"test-{os.getpid()}-tags-{tree.name}"
    request.addfinalizer(partial(docker, "image", "rm", "--force", image, check=False))
    # .git is there too: a file here, since the tree is a worktree.
    planted = [tree / path for path in (".env", ".env.production")]
    for file in planted:
        file.write_text("API_TOKEN=secret\n")
    for path in (tree, *tree.rglob("*")):
        path.chmod(
            path.stat().st_mode & 0o700
        )  # as of a clone made with umask 077: the image's user reads all the same
    try:
        docker("build", "--quiet", "--tag", image, tree)
    finally:
        for file in planted:
            file.unlink()
    listing = docker("run", "--rm", "--network=none", image, "python", "-c", LIST_FILES).stdout.split()
    assert "service/__init__.py" in listing
    assert [path for path in (".git", ".env", ".env.production") if path in listing] == []


LIST_FILES = """
import os
for folder, _, files in os.walk("."):
    for file in files:
        print(os.path.relpath(os.path.join(folder, file)))
"""


def test_compose_reads_its_files(tree):
    if not (tree / "docker-compose.yml").exists():
        assert int(tree.name[:2]) < 14
        return
    need_engine()
    docker("compose", "config", "--quiet", cwd=tree)
    if (tree / "compose.production.yml").exists():
        docker("compose", "-f", "docker-compose.yml", "-f", "compose.production.yml", "config", "--quiet", cwd=tree)


def test_git_ignores_settings_and_secrets(tree):
    for path in (".env", ".env.production", "secrets/api_token", ".venv/bin/python", "data/db"):
        subprocess.run(["git", "-C", tree, "check-ignore", "--quiet", path], check=True)


def test_it_has_no_file_that_nothing_there_asks_for(tree):
    """A file is asked for where another one, or a page up to this chapter's, has its name or its folder's path; a test where
    it is run.
    """
    content = texts(tree)
    pages = [text for path, text in content.items() if re.match(r"docs/\d\d", path) and path[5:7] <= tree.name[:2]]
    unasked = []
    for path in content:
        if (
            path.startswith(FRAME)
            or re.match(r"tests/.*(test_\w+|conftest)\.py$", path)
            # Python, kustomize and editors look for these names.
            or path.endswith(("/__init__.py", "/kustomization.yaml", "/devcontainer.json"))
        ):
            continue
        names = [Path(path).stem if path.endswith(".py") else Path(path).name]
        if path.count("/") > 1:
            names.append(str(Path(path).parent))
        asked = re.compile("|".join(rf"(?<!\w){re.escape(name)}\b" for name in names))
        others = [text for other, text in content.items() if other != path and not other.startswith(FRAME)]
        if not any(map(asked.search, [*others, *pages])):
            unasked.append(path)
    assert unasked == []


def test_its_tests_ask_for_no_file_that_is_not_there(tree):
    content = [text for path, text in texts(tree).items() if path.startswith("tests/")]
    ours = r"(?<![\w/.-])(?:scripts/\w[\w.-]*\w|compose\.\w+\.yml|deploy/\w[\w./-]*\w)"
    named = {path for text in content for path in re.findall(ours, text)}
    assert sorted(path for path in named if not (tree / path).exists()) == []
