"""The editor's container (.devcontainer/), started as an editor does it."""

import shutil
import subprocess

import pytest

CLI = "@devcontainers/cli@0.89.0"


@pytest.fixture
def editor(project, tmp_path):
    """The command that starts it and runs commands in it."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm, which brings the devcontainer command")
    subprocess.run(["npm", "install", "--silent", "--prefix", tmp_path, CLI], check=True)

    def run(verb, *arguments):
        command = [tmp_path / "node_modules/.bin/devcontainer", verb, "--workspace-folder", project.folder, *arguments]
        done = subprocess.run(command, env=project.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    yield run
    project.environment["COMPOSE_FILE"] = "docker-compose.yml:compose.override.yml:.devcontainer/compose.yml"
    project.compose("down", "--volumes", "--rmi", "local")


@pytest.mark.long
def test_in_the_editors_container_are_git_the_database_and_the_tests(editor):
    editor("up")
    assert editor("exec", "git", "--version").startswith("git version ")
    printed = editor("exec", "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/api/test_users.py")
    assert " passed" in printed
