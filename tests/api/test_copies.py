"""The copies that scripts/new-service makes pass their own tests, on a machine without Docker."""

import os
import subprocess
import sys

import pytest

from tests.support.copies import CASES
from tests.support.environment import path_without_docker
from tests.support.project import Project
from tests.support.repository import NAME, need_git

pytestmark = need_git

# What depends on the options; the other tests only with --long.
QUICK = (
    "tests/unit/test_docs.py",
    "tests/unit/test_settings.py",
    "tests/api/test_about.py",
    "tests/api/test_description.py",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("copies"), NAME)


@pytest.mark.parametrize("case", CASES)
def test_a_copy_passes_its_own_tests_without_docker(case, project, request, tmp_path):
    copy = case.make(project, tmp_path)
    here = {name: value for name, value in os.environ.items() if name not in {"REQUIRE_ALL", "PYTHONPATH"}}
    here["PATH"] = path_without_docker(tmp_path / "bin")

    def run(*command):
        done = subprocess.run(
            command, cwd=copy, env=here, capture_output=True, text=True, check=False, umask=case.umask
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    if request.config.getoption("--long"):
        assert " containers tests skipped: there is no docker command\n" in run("scripts/test")
        run(".ci/lint")
    else:  # in this .venv: making one of its own would take most of the time
        run(sys.executable, "-m", "pytest", "-q", *QUICK)
