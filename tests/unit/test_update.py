"""scripts/new-service --update: what has changed in this project goes into a copy, and nothing of the copy is lost."""

import subprocess

import pytest

from tests.support.repository import copy_repository, need_git

pytestmark = need_git

IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgSign=false")


def git(folder, *arguments):
    command = ["git", "-C", folder, *IDENTITY, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def change(folder, path, before, after):
    """Replace text in a file, and commit that."""
    content = (folder / path).read_text()
    assert before in content
    (folder / path).write_text(content.replace(before, after))
    git(folder, "commit", "--quiet", "--all", "--message", f"Change {path}")


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    copy_repository(folder)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "All")
    return folder


@pytest.fixture
def run(project):
    def run(*arguments):
        return subprocess.run(
            [project / "scripts/new-service", *arguments], capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def copy(run, tmp_path):
    assert run("billing", tmp_path / "copy", "--port=8080", "--no-page", """--greeting=It's "ü" """).returncode == 0
    change(tmp_path / "copy", "service/users.py", '"""', '"""Ours. ')
    return tmp_path / "copy"


def refused(result):
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    return result.stderr


def test_a_clean_update_keeps_the_options_and_the_copys_own_changes(project, run, copy):
    (project / "service/new.py").write_text('NAME = "flask-mongo-app"\nPORT = 3000\n')
    git(project, "add", "--all")
    change(project, "docker-compose.yml", "stop_grace_period: 30s", "stop_grace_period: 31s")
    result = run("--update", copy)
    assert (result.returncode, result.stderr) == (0, "")
    branch = f"update-{git(project, 'rev-parse', 'HEAD')[:12]}"
    assert result.stdout == f"{copy} is on the branch {branch}: run its tests, then merge it\n"
    assert git(copy, "branch", "--show-current") == f"{branch}\n"
    assert git(copy, "status", "--porcelain") == ""
    assert git(copy, "diff", "--name-only", "main").split() == ["docker-compose.yml", "service/new.py"]
    assert (copy / "service/new.py").read_text() == 'NAME = "billing"\nPORT = 8080\n'
    assert "Ours. " in (copy / "service/users.py").read_text()
    assert run("--update", copy).stdout == ""  # the branch is there


def test_the_next_update_starts_from_the_one_before(project, run, copy):
    for seconds in (31, 32):
        change(project, "docker-compose.yml", f"{seconds - 1}s", f"{seconds}s")
        assert run("--update", copy).returncode == 0
        branch = git(copy, "branch", "--show-current").strip()
        git(copy, "switch", "--quiet", "main")
        git(copy, "merge", "--quiet", "--squash", branch)
        git(copy, "commit", "--quiet", "--message", git(copy, "log", "-1", "--format=%B", branch))
        git(copy, "branch", "-D", branch)
        assert f"{seconds}s" in (copy / "docker-compose.yml").read_text()
    assert run("--update", copy).stdout == f"{copy} is up to date\n"


def test_a_conflict_is_left_as_git_leaves_it(project, run, copy):
    change(copy, "docker-compose.yml", "stop_grace_period: 30s", "stop_grace_period: 60s")
    change(project, "docker-compose.yml", "stop_grace_period: 30s", "stop_grace_period: 31s")
    said = refused(run("--update", copy))
    assert " has conflicts (docker-compose.yml): resolve them, git add the files, then git cherry-pick --con" in said
    content = (copy / "docker-compose.yml").read_text()
    assert content.count("<<<<<<< ") == content.count(">>>>>>> ") == content.count("31s") == 2
    assert content.count("60s") == 3  # the third one was there before
    assert "has changes that are not committed" in refused(run("--update", copy))
    git(copy, "cherry-pick", "--abort")
    assert "60s" in (copy / "docker-compose.yml").read_text()


def test_what_cannot_be_updated_is_left_alone(project, run, copy, tmp_path):
    assert "is no copy that can be updated" in refused(run("--update", tmp_path / "nothing"))
    assert "is no copy that can be updated" in refused(run("--update", project))
    change(project, "docker-compose.yml", "30s", "31s")
    (copy / "mine").write_text("mine")
    assert "git stash --include-untracked" in refused(run("--update", copy))
    (copy / "mine").unlink()
    (copy / ".git/info/exclude").write_text("/service/new.py\n")
    (copy / "service/new.py").write_text("mine")
    (project / "service/new.py").write_text("theirs")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Add")
    assert "move yours away" in refused(run("--update", copy))
    assert (copy / "service/new.py").read_text() == "mine"
    assert git(copy, "branch", "--format=%(refname:short)") == "main\n"
    git(copy, "commit", "--quiet", "--allow-empty", "--message", f"Copy-of: {'0' * 40} billing")
    assert "git fetch --unshallow" in refused(run("--update", copy))


def test_it_takes_no_other_argument(run, copy):
    for arguments in (("--update", copy, "x"), ("--update", copy, "--port=1"), ("billing",), ()):
        result = run(*arguments)
        assert (result.returncode, result.stdout) == (2, "")
