"""What tests/plugin.py asks of pytest and its plugins."""

import subprocess
import sys

from tests.support.environment import clean_environment

FOUR = """
import os
import pytest

@pytest.fixture
def engine():
    pass

@pytest.mark.parametrize("number", range(4))
def test_loads(engine, number):
    with open("processes", "a") as processes:
        print(os.getpid(), file=processes)
"""


def test_all_tests_that_load_the_engine_run_in_one_process(tmp_path):
    for name in ("test_one.py", "test_two.py"):
        (tmp_path / name).write_text(FOUR)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.plugin", "--numprocesses=2", "--dist=loadgroup"]
    environment = clean_environment(PYTHONPATH=":".join(filter(None, sys.path)))
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    processes = (tmp_path / "processes").read_text().split()
    assert len(processes) == 8
    assert len(set(processes)) == 1
