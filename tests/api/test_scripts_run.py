"""scripts/run: the service without Docker."""

import os
import re
import signal
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.api.test_users import ANN
from tests.support import BIN, LIMIT, ROOT, clean_environment, copy_repository, ended, free_port, wait_for

pytestmark = pytest.mark.skipif(not (BIN / "secantusd-py").exists(), reason="no SecantusDB in this environment")


@pytest.fixture
def clone(tmp_path):
    """A copy of the repository, with the virtual environment of this one."""
    copy_repository(tmp_path)
    (tmp_path / ".venv").symlink_to(BIN.parent)
    return tmp_path


def run(clone, *arguments, **settings):
    """What a start that is refused says."""
    environment = clean_environment(**settings) | {"PATH": os.environ["PATH"]}
    command = [clone / "scripts/run", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False)


@contextmanager
def serving(clone, *arguments, **settings):
    """The script, from the moment at which it says where it serves; gives that address."""
    log = clone / "run.log"
    with log.open("w") as output:
        command = [clone / "scripts/run", *arguments]
        process = subprocess.Popen(
            command, env=clean_environment(**settings), stdout=output, stderr=output, start_new_session=True
        )
    with ended(process):
        wait_for(lambda: "The service is at " in log.read_text() or process.poll() is not None, "the service's address")
        assert process.poll() is None, log.read_text()
        yield process, log.read_text().partition("The service is at ")[2].split()[0]


def left_running(clone):
    """The processes that still have the clone's folder in their command line."""
    commands = [path / "cmdline" for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [path for path in commands if path.exists() and str(clone).encode() in path.read_bytes()]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_serves_with_a_database_of_its_own_that_survives(clone, ending):
    port = str(free_port())
    with serving(clone, "--port", port) as (process, url):
        assert url == f"http://localhost:{port}"
        assert requests.get(f"{url}/readyz", timeout=LIMIT).ok
        assert requests.post(f"{url}/users", json=ANN, timeout=LIMIT).status_code == 201
        process.send_signal(ending)
        assert process.wait(LIMIT) == 0
    assert left_running(clone) == []
    with serving(clone, PORT=port) as (process, url):
        assert [user["name"] for user in requests.get(f"{url}/users", timeout=LIMIT).json()["users"]] == ["Ann"]
        second = run(clone, "--port", str(free_port()))  # on the same data
        assert second.returncode == 1
        assert second.stderr.startswith("The embedded database did not start (")
        assert second.stderr.count("\n") == 1
        assert requests.get(f"{url}/readyz", timeout=LIMIT).ok
    assert left_running(clone) == []


def test_takes_the_database_and_the_port_that_env_names(clone, database):
    database.start()
    port = free_port()
    (clone / ".env").write_text(f"DATABASE_URL={database.url}\nPORT={port}\n")
    with serving(clone, PYTHON_DOTENV_DISABLED="0") as (_, url):
        assert url == f"http://localhost:{port}"
        assert requests.get(f"{url}/readyz", timeout=LIMIT).ok
    assert not (clone / "data").exists()


def test_a_port_in_use_is_said_before_anything_is_started(clone):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(clone, "--port", str(port))
    assert done.returncode == 1
    assert done.stderr == f"Port {port} is in use: end what listens there, or take another with scripts/run --port N\n"
    assert not (clone / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "settings"), [(["--port", "abc"], {}), ([], {"PORT": "0"}), ([], {"DATABASE_URL": ""})]
)
def test_a_wrong_setting_is_one_line_and_status_2(clone, arguments, settings):
    done = run(clone, *arguments, **settings)
    assert done.returncode == 2
    assert "set it, for example" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (clone / "data").exists()


def test_help_needs_nothing(clone):
    (clone / ".venv").unlink()
    for script in ("run", "test"):
        done = subprocess.run([clone / "scripts" / script, "--help"], capture_output=True, text=True, check=False)
        assert f"scripts/{script}" in done.stdout
        assert not (clone / ".venv").exists()


def test_without_a_network_it_says_what_to_do(clone):
    (clone / ".venv").unlink()
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
    done = run(clone, **nowhere, PIP_CONFIG_FILE=os.devnull)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Could not install the requirements (ERROR: ")
    assert "Traceback" not in done.stderr
    assert left_running(clone) == []


def test_without_a_supported_python_it_names_those_that_are(clone):
    (clone / ".venv").unlink()
    environment = clone / "scripts/environment.py"
    environment.write_text(environment.read_text().replace("((3, 11), (3, 12), (3, 13))", "((3, 98), (3, 99))"))
    done = run(clone)
    assert done.returncode == 1
    assert done.stderr == "No python3.99 or python3.98 here: install one of them, or use docker compose up --build\n"


def test_what_cannot_be_tested_is_counted_and_named():
    command = [ROOT / "scripts/test", "-q", "tests/containers/test_image.py"]
    nowhere = {"DOCKER_HOST": "unix:///nowhere.sock"}
    here = {name: value for name, value in os.environ.items() if name != "REQUIRE_ALL"}
    done = subprocess.run(command, env=here | nowhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^\d+ containers tests skipped: no Docker Engine answers$", done.stdout, re.MULTILINE)
    done = subprocess.run(
        command, env=here | nowhere | {"REQUIRE_ALL": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "REQUIRE_ALL: Skipped: no Docker Engine answers" in done.stdout
