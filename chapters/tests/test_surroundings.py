"""The course's tool in clones that are not plain ones, in other languages, and behind a company's proxy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chapters.tests.support.clone import Clone
from tests.support.environment import HOSTILE, PROXIES
from tests.support.repository import ROOT

AT_APP = "You are at 01-app: Write the app (docs/01-app.md)\n"


@pytest.fixture
def course(course):
    course.environment |= HOSTILE
    return course


def edit_and_save(clone: Clone) -> None:
    """Change a chapter in a worktree; the outcome is staged on main."""
    clone.chapter("edit", "01")
    worktree = Clone(clone.folder.parent / f"{clone.folder.name}-edit-01-app")
    worktree.environment = clone.environment
    worktree.write(**{"app.py": worktree.read("app.py").replace("import sys", "import os")})
    assert worktree.chapter("save").startswith("Changed: 01-app")
    assert not worktree.folder.exists()
    assert "import os" in clone.read("chapters/01-app/files/app.py")


def test_paths_with_all_that_a_path_may_have(course, tmp_path):
    (tmp_path / "a 'b' \"c\" $HOME; --d").mkdir()
    odd = Clone(course.folder.rename(tmp_path / "a 'b' \"c\" $HOME; --d" / "it's $(here) 100%"))
    odd.environment = course.environment
    assert odd.chapter("go", "01") == AT_APP
    odd.chapter("open", "02")
    assert (odd.folder.parent / f"{odd.folder.name}-02-look/app.py").exists()
    odd.chapter("go", "main")
    edit_and_save(odd)


def test_a_submodule(course, tmp_path):
    course.git("init", "--quiet", tmp_path / "super")
    add = ("submodule", "--quiet", "add", course.folder, "part")
    course.git("-C", tmp_path / "super", "-c", "protocol.file.allow=always", *add)
    part = Clone(tmp_path / "super/part")
    part.environment = course.environment
    assert part.chapter("go", "01") == AT_APP
    part.chapter("open", "02")
    there = Clone(tmp_path / "super/part-02-look")
    there.environment = course.environment
    there.chapter("open", "03")
    assert (tmp_path / "super/part-03-more/app.py").exists()
    part.chapter("go", "main")
    edit_and_save(part)


def test_a_clone_whose_repository_is_apart(course, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    course.clone("apart", f"--separate-git-dir={tmp_path}/elsewhere/apart.git")
    apart = Clone(tmp_path / "apart")
    assert (apart.folder / ".git").is_file()
    assert apart.chapter("go", "01") == AT_APP
    apart.chapter("open", "02")
    there = Clone(tmp_path / "apart-02-look")
    assert there.chapter("list").splitlines()[-1].startswith("You are at 02-look")
    assert there.refusal("open", "03").startswith("Only the clone's own folder can do this")


def test_git_speaks_another_language_and_the_clone_is_another_users(course):
    course.environment |= {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "LANGUAGE": "de", "LC_ALL": "C.UTF-8"}
    assert course.refusal("list") == (
        f"This folder is another user's: git config --global --add safe.directory {course.folder}"
    )
    course.git("config", "--global", "--add", "safe.directory", course.folder)
    course.chapter("list")


def test_a_link_to_the_tool(course, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/chapters").symlink_to(course.folder / "scripts/chapter")
    done = course.run("./chapters", "go", "01", folder=tmp_path / "bin")
    assert (done.returncode, done.stdout) == (0, AT_APP)


def test_a_terminal_that_cannot_show_what_we_print(course):
    course.environment |= {"PYTHONIOENCODING": "ascii"}
    course.chapter("go", "01")
    course.write(**dict.fromkeys(("app.py", "notes.txt", "run", "docs/01-app.md"), "mine\n"))
    assert "have changes in app.py, docs/01-app.md, notes.txt, ?:" in course.refusal("go", "02")


def test_the_checks_ask_no_proxy(tmp_path):
    """What all checks share, in front of a check of a server that is here."""
    serve = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(serve, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        port = server.stdout.readline().split()[5]
        script = (ROOT / "chapters/check.sh").read_text().replace(":3000", f":{port}")
        script += "expect 'it answers' 'nothing' answers /\n"
        script += f"expect 'so does curl' 'nothing' curl --silent --fail localhost:{port}\n"
        done = subprocess.run(
            ["bash", "-c", script], env=os.environ | PROXIES, capture_output=True, text=True, check=False
        )
        server.terminate()
    assert done.stdout == "ok  it answers\nok  so does curl\n"


def test_every_check_that_uses_curl_has_what_they_share():
    assert "export no_proxy='*'" in (ROOT / "chapters/check.sh").read_text()
    for check in Path(ROOT / "chapters").glob("*/check.sh"):
        assert "no_proxy" not in check.read_text()
