"""scripts/new-service: copies of this project under another name."""

import ast
import os
import re
import subprocess

import pytest
from lib import env_file, scaffold
from lib.commands import CommandError
from lib.scaffold import Options

from tests.support.repository import NAME, ROOT, copy_repository, need_git
from tests.support.scripts import unread

pytestmark = need_git


def new_service(*arguments, root=ROOT, **options):
    return subprocess.run(
        [root / "scripts/new-service", *arguments], capture_output=True, text=True, check=False, **options
    )


def git(folder, *arguments):
    return subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True).stdout


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copies") / "billing"
    result = new_service("billing-api", folder, "--owner", "ACME", "--description", 'Says "$9"')
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{folder} is ready: cd {folder} && docker compose up --build\n"
    return folder


def test_this_project_is_named_in_the_line_about_the_origin_alone(copy):
    lines = [line for path in files(copy) for line in (copy / path).read_bytes().splitlines()]
    named = [line for line in lines if NAME.encode() in line.lower()]
    assert len(named) == 1
    assert named[0].startswith(b"Made from flask-mongo-app 1.")
    assert b"name: ${COMPOSE_PROJECT_NAME:-billing-api}" in lines or b"name: billing-api" in lines


def test_the_course_and_the_script_stay_behind(copy):
    left = files(copy)
    assert {"README.md", "Dockerfile", "service/users.py", "scripts/doctor", "tests/api/test_users.py"} <= left
    assert [path for path in left if path.startswith(("chapters/", "docs/0", "docs/1")) or "new-service" in path] == []
    assert os.access(copy / "scripts/doctor", os.X_OK)


def test_no_file_mentions_them(copy):
    mention = re.compile(rb"chapter|new-service|scaffold|\bthe course\b")
    assert [path for path in files(copy) if mention.search((copy / path).read_bytes())] == []


def test_it_is_a_repository_with_one_commit(copy):
    assert git(copy, "log", "--format=%s").startswith("Start billing-api from flask-mongo-app 1.")
    assert git(copy, "rev-list", "--count", "HEAD") == "1\n"
    assert git(copy, "status", "--porcelain") == ""


def test_owner_and_description(copy):
    assert "Copyright (c) 2026 ACME\n" in (copy / "LICENSE").read_text()
    assert (copy / "README.md").read_text().startswith('# billing-api\n\nSays "$9"\n')
    assert 'description = "Says \\"$9\\""\n' in (copy / "pyproject.toml").read_text()


GREETING = """Σας 'χαιρετώ' 👋 "all" | `\\o/`"""
IMAGE = "registry.example.org:5000/team/python:3.13-slim@sha256:" + "0" * 64


@pytest.fixture(scope="module")
def awkward(tmp_path_factory):
    folder = tmp_path_factory.mktemp("awkward") / "copy"
    options = ("--port", "65535", "--greeting", GREETING, "--python-image", IMAGE)
    result = new_service("x" * 50, folder, *options)
    assert (result.returncode, result.stderr) == (0, "")
    return folder


def greetings(folder):
    """Those of the code and of the example of a .env."""
    [value] = re.findall("^GREETING = (.*)$", (folder / "service/settings.py").read_text(), re.MULTILINE)
    return [ast.literal_eval(value), env_file.read(folder / ".env.example")["GREETING"]]


def test_the_greeting(awkward, tmp_path):
    assert greetings(awkward) == [GREETING, GREETING]
    escaped = GREETING.replace("|", r"\|")
    assert f"| `GREETING` | `` {escaped} `` |" in (awkward / "docs/reference/settings.md").read_text()
    for number, greeting in enumerate(('"Hi", for $5', "it's", "a\\", "'")):
        scaffold.copy(Options("x", greeting=greeting), tmp_path / str(number), git=False)
        assert greetings(tmp_path / str(number)) == [greeting, greeting]


def test_the_port_and_the_base_image(awkward):
    def both(path):
        return (ROOT / path).read_text(), (awkward / path).read_text()

    for path in ("docker-compose.yml", "compose.production.yml", "deploy/kubernetes/base/service.yaml"):
        before, after = both(path)
        assert "3000" in before
        assert after == before.replace("3000", "65535").replace(NAME, "x" * 50)
    before, after = both("Dockerfile")
    assert after.count(f"ARG PYTHON_IMAGE={IMAGE}\n") == after.count("EXPOSE 65535\n") == 1
    assert before.count("\n") == after.count("\n")
    before, after = both("service/users.py")
    assert r"\u3000" in after, "a character, not a port"


def test_without_the_page_there_is_an_api_alone(copy, tmp_path):
    folder = tmp_path / "copy"
    assert new_service("x", folder, "--no-page").returncode == 0
    page = {
        *("service/page.py", "tests/api/test_page.py", "tests/support/browser.py", "docs/images/page.png"),
        *(path for path in files(copy) if path.startswith(("service/static/", "service/templates/", "tests/browser/"))),
    }
    assert len(page) == 10
    assert files(copy) - files(folder) == page
    for mention in (
        rb"(import|service/) ?page\b",
        rb"\bpage\.(offer|py|png)",
        rb"service's page",
        rb"^ *(#|<!--) (end of the )?page\b",
    ):
        found = [path for path in files(folder) if re.search(mention, (folder / path).read_bytes(), re.MULTILINE)]
        assert found == [], mention
    manual = (folder / "docs/reference/api.md").read_text()
    assert "`GET /` returns the greeting as a line of text.\n\n`GET /healthz`" in manual
    assert "get the page instead" in (copy / "docs/reference/api.md").read_text()
    assert "<!--" not in (copy / "docs/reference/api.md").read_text()


@pytest.mark.parametrize("port", ["", "0", "80", "1023", "65536", "080", "8080 ", "+8080", "８０８０", "http", "27017"])  # noqa: RUF001
def test_a_port_that_cannot_be_is_refused(port, tmp_path):
    result = new_service("x", tmp_path / "copy", f"--port={port}")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("--port ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "image", ["", "Python", "python:", "python:3 ", "-x", "python@sha256:0", "a//", "ü", "$X", "a\nb"]
)
def test_a_base_image_that_cannot_be_is_refused(image, tmp_path):
    result = new_service("x", tmp_path / "copy", f"--python-image={image}")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("--python-image must be the name of an image, such as python:")


def test_a_greeting_that_a_env_cannot_hold_is_refused(tmp_path):
    result = new_service("x", tmp_path / "copy", "--greeting", "it's $5")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.endswith(": leave out the ' or the $\n")


def test_from_an_archive_in_a_path_with_blanks_and_with_a_narrow_umask(copy, tmp_path):
    root = tmp_path / "an archive" / "here"
    copy_repository(root)
    (root / ".env").write_text("API_TOKEN=secret\n")
    result = new_service("x", tmp_path / "a copy", root=root, umask=0o077)
    assert (result.returncode, result.stderr) == (0, "")
    assert files(tmp_path / "a copy") == files(copy)


def test_without_git_and_into_an_empty_folder(tmp_path):
    (tmp_path / "here").mkdir()
    assert new_service("x", "here", "--no-git", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "here/.git").exists()


def test_a_dry_run_lists_files_and_changed_lines_and_makes_nothing(tmp_path):
    result = new_service("billing-api", tmp_path / "copy", "--dry-run")
    assert result.returncode == 0
    assert {"LICENSE", "  + Copyright (c) 2026 The billing-api maintainers"} <= set(result.stdout.splitlines())
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_ends_quietly_when_nobody_reads_on(tmp_path):
    assert unread(ROOT / "scripts/new-service", "billing-api", tmp_path / "copy", "--dry-run") == ""


@pytest.mark.parametrize(
    "name",
    [
        *[
            "",
            "Billing",
            "billing api",
            "9lives",
            "-x",
            "x-",
            "a--b",
            "a_b",
            "a.b",
            "ü",
            "x" * 51,
            "a-" * 25 + "a",
            "x\n",
            "../x",
        ],
        *["admin", "local", "config", "localhost", NAME],
    ],
)
def test_a_name_that_something_cannot_take_is_refused(name, tmp_path):
    with pytest.raises(CommandError, match="take "):
        scaffold.copy(Options(name), tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_free_is_refused(tmp_path):
    (tmp_path / "mine").write_text("mine")
    for folder, wrong in (
        (tmp_path, "is not empty"),
        (tmp_path / "mine", "is not empty"),
        (tmp_path / "mine" / "x", "is not a folder"),
        (tmp_path / "no" / "x", "is not a folder"),
        (ROOT / "x", "is inside this project"),
        (ROOT, "is inside this project"),
    ):
        result = new_service("x", folder)
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
        assert wrong in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize("option", ["--owner", "--description", "--greeting"])
@pytest.mark.parametrize("value", ["", " ", "two\nlines", "\ufffd"])
def test_an_option_that_is_no_line_of_text_is_refused(option, value, tmp_path):
    result = new_service("x", tmp_path / "copy", option, value)
    assert (result.returncode, result.stderr) == (1, f"{option} must be one line of text\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit(143), OSError(28, "No space left on device")])
def test_nothing_half_made_is_left(error, tmp_path, monkeypatch):
    def fail(*_):
        raise error

    monkeypatch.setattr(scaffold, "_commit", fail)
    with pytest.raises((KeyboardInterrupt, SystemExit, OSError)):
        scaffold.copy(Options("x"), tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []
