"""The scripts, called from anywhere and in a hostile environment. No engine is needed."""

import os
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.support.environment import HOSTILE
from tests.support.repository import NAME, ROOT, copy_repository, need_git

pytestmark = need_git

START = """set -euo pipefail
# These would change what the commands below do.
unset CDPATH GREP_OPTIONS GZIP POSIXLY_CORRECT TAR_OPTIONS
# Works through a symbolic link, too (readlink has no -f before macOS 12.3).
root=$(cd -- "$(dirname -- "$(readlink -f -- "$0" 2>/dev/null || echo "$0")")/.." && pwd)
"""
SCRIPTS = sorted(
    f"scripts/{path.name}" for path in (ROOT / "scripts").iterdir() if path.is_file() and "." not in path.name
)
BASH = [script for script in SCRIPTS if (ROOT / script).read_text().startswith("#!/usr/bin/env bash")]


def test_the_list_of_commands_is_complete():
    listed = (ROOT / "scripts/README.md").read_text()
    assert [script for script in SCRIPTS if f"| `{script.removeprefix('scripts/')}` |" not in listed] == []


@pytest.mark.parametrize("script", BASH)
def test_it_finds_its_clone_as_all_do(script):
    text = (ROOT / script).read_text()
    assert text.count(START) == 1
    assert not {"dirname", '"$0"', "BASH_SOURCE"} & set(text.replace(START, "").split())


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A copy of the project in a folder whose name has all that a path may have."""
    folder = tmp_path_factory.mktemp("clone") / 'it\'s a "clone": $HOME\n--of mine'
    copy_repository(folder)
    return folder


@pytest.fixture(scope="module")
def german(tmp_path_factory) -> dict[str, str]:
    """The environment of somebody who writes 0,7 for 0.7, where this machine can make such a locale."""
    folder = tmp_path_factory.mktemp("locales")
    compiled = ["localedef", "-i", "de_DE", "-f", "UTF-8", folder / "de_DE.UTF-8"]
    if shutil.which("localedef") and subprocess.run(compiled, capture_output=True, check=False).returncode == 0:
        return {"LOCPATH": str(folder), "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}
    return {}


@pytest.fixture
def run(german):
    """A function that runs a command in a hostile environment."""

    def run(command: list, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | HOSTILE | german | environment
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_from_anywhere(clone, run, tmp_path, script):
    name = Path(script).name
    link = tmp_path / "bin" / "a link"
    link.parent.mkdir()
    link.symlink_to(clone / script)
    wanted = run([clone / script, "--help"], tmp_path)
    assert (wanted.returncode, wanted.stderr) == (0, "")
    assert f"scripts/{name}" in wanted.stdout
    for command, folder in ((["./a link"], link.parent), ([f"./{name}"], clone / "scripts"), ([link], clone)):
        done = run([*command, "--help"], folder)
        assert (done.returncode, done.stdout, done.stderr) == (0, wanted.stdout, "")


def test_secrets_are_made_in_the_clone(clone, run, tmp_path):
    (tmp_path / "scripts").mkdir()  # where `cd scripts/..` would go
    done = run(["scripts/secrets", "init"], clone, CDPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert stat.S_IMODE((clone / "secrets/api_token").stat().st_mode) == 0o600
    assert not (tmp_path / "secrets").exists()


def test_a_list_of_backups_reads_the_same_everywhere(clone, run, tmp_path):
    content = tmp_path / "manifest"
    content.write_text("image=mongo:8.0\ndocuments=7\nbytes=1234567\n")
    pack = 'tar --create --gzip --directory "$1" manifest >"$1/archive" && sha256sum "$1/archive" | cut -c 1-16'
    checksum = subprocess.run(
        ["bash", "-c", pack, "-", tmp_path], check=True, capture_output=True, text=True
    ).stdout.strip()
    (tmp_path / "archive").rename(tmp_path / f"{NAME}-20261125T101500Z-{checksum}.tar.gz")
    done = run(["scripts/backup", "list", tmp_path], clone, DOCKER_HOST="unix:///nowhere.sock")
    assert done.stderr == ""
    assert done.stdout.splitlines()[1].split()[:6] == ["2026-11-25", "10:15:00", "UTC", "0.0", "MB", "7"]


def test_another_users_clone_is_named_as_what_it_is(clone, run, tmp_path):
    subprocess.run(["git", "init", "--quiet", clone], check=True)
    (tmp_path / "docker").write_text("#!/bin/sh\n")
    (tmp_path / "docker").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = run(
        ["scripts/image", "build", "1.0.0"], clone, PATH=path, GIT_TEST_ASSUME_DIFFERENT_OWNER="1", HOME=str(tmp_path)
    )
    assert done.returncode == 1
    safe = f"git config --global --add safe.directory {shlex.quote(str(clone))}"
    assert done.stderr == f"this folder is another user's: {safe}\n"
    done = run(["scripts/image", "build", "1.0.0"], clone, PATH=path)
    assert done.stderr == "git has no commit here: git commit, and run this again\n"
