"""scripts/run: the service without Docker."""

import os
import re
import signal
import socket
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests
from pymongo import MongoClient

from tests.support.environment import clean_environment, path_without_docker
from tests.support.ports import free_port
from tests.support.processes import Database, ended
from tests.support.repository import BIN, NAME, copy_repository
from tests.support.scripts import run_tests
from tests.support.users import ANN
from tests.support.waiting import LIMIT, wait_for

pytestmark = pytest.mark.skipif(not (BIN / "secantusd-py").exists(), reason="no SecantusDB in this environment")


@pytest.fixture
def clone(tmp_path):
    """A copy of the repository, with the virtual environment of this one."""
    copy_repository(tmp_path)
    (tmp_path / ".venv").symlink_to(BIN.parent)
    return tmp_path


def run(clone, *arguments, before=(), **settings):
    """What a start that is refused says."""
    environment = clean_environment(**settings) | {"PATH": os.environ["PATH"]}
    command = [*before, clone / "scripts/run", *arguments]
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
    left = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):  # no process, or one that has ended meanwhile
            if str(clone).encode() in (process / "cmdline").read_bytes():
                left.append(process)
    return left


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_ends_in_order(clone, ending):
    port = str(free_port())
    with serving(clone, "--port", port) as (process, url):
        assert url == f"http://localhost:{port}"
        assert requests.get(f"{url}/readyz", timeout=LIMIT).ok
        process.send_signal(ending)
        assert process.wait(LIMIT) == 0
    assert left_running(clone) == []


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_its_data_survive(clone, ending):
    port = str(free_port())
    with serving(clone, "--port", port) as (process, url):
        assert requests.post(f"{url}/users", json=ANN, timeout=LIMIT).status_code == 201
        process.send_signal(ending)
        process.wait(LIMIT)
        if ending == signal.SIGINT:
            assert process.returncode == 0
            assert left_running(clone) == []
    # Killed, it has left its server and its database behind: they end by themselves, and the next one waits for that.
    with serving(clone, PORT=port) as (process, url):
        assert [user["name"] for user in requests.get(f"{url}/users", timeout=LIMIT).json()["users"]] == ["Ann"]
        second = run(clone, "--port", str(free_port()))
        assert second.returncode == 1
        assert second.stderr == "Another scripts/run is using ./data: end that one, or set DATABASE_URL\n"
        assert requests.get(f"{url}/readyz", timeout=LIMIT).ok
    wait_for(lambda: left_running(clone) == [], "all that was started to end")


def test_takes_the_database_and_the_port_that_env_names(clone, database):
    database.start()
    port = free_port()
    (clone / ".env").write_text(f"DATABASE_URL={database.url}\nPORT={port}\n")
    with serving(clone) as (_, url):
        assert url == f"http://localhost:{port}"
        assert requests.get(f"{url}/readyz", timeout=LIMIT).ok
    assert not (clone / "data").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"API_TOKEN=s3cret$hine-42\n",
            ".env line 1: Compose would change this value of API_TOKEN: write API_TOKEN='…'",
        ),
        (b"API_TOKEN_FILE=token\n", ".env line 1: API_TOKEN_FILE is a path of this machine, and Compose's container "),
        (b"PORT=1\n\xff\n", ".env is not UTF-8 text: "),
        (b"GREETING=\n", "GREETING is empty: "),
        (b"PORT_FILE=port\n", "PORT_FILE is not read, "),
    ],
)
def test_an_env_that_compose_would_change_or_refuse_is_refused(clone, content, said):
    (clone / ".env").write_bytes(content)
    done = run(clone)
    assert done.returncode == 2
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stderr
    assert not (clone / "data").exists()


def test_an_env_in_the_folder_above_is_not_read(tmp_path):
    clone = tmp_path / "clone"
    clone.mkdir()
    copy_repository(clone)
    (clone / ".venv").symlink_to(BIN.parent)
    (tmp_path / ".env").write_text("API_TOKEN=of-another-project\nDATABASE_URL_FILE=/nowhere\n")
    with serving(clone, "--port", str(free_port())) as (_, url):
        assert requests.post(f"{url}/users", json=ANN, timeout=LIMIT).status_code == 201


def test_a_proxy_of_the_machine_is_not_asked(clone, database):
    nobody = f"http://127.0.0.1:{free_port()}"
    names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    proxies = dict.fromkeys(names, nobody) | {"no_proxy": "", "NO_PROXY": ""}
    with serving(clone, "--port", str(free_port()), DATABASE_URL=database.url, **proxies) as (_, url):
        assert requests.get(f"{url}/healthz", timeout=LIMIT).ok


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, ""), (socket.AF_INET6, "::1")]
)
def test_a_port_in_use_is_said_before_anything_is_started(clone, family, host):
    if family == socket.AF_INET6 and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6")
    with socket.create_server((host, 0), family=family) as taken:
        port = taken.getsockname()[1]
        done = run(clone, "--port", str(port))
    assert done.returncode == 1
    other = "take another with scripts/run --port N"
    assert done.stderr == f"Port {port} is in use on {host or '127.0.0.1'}: end what listens there, or {other}\n"
    assert not (clone / "data").exists()


def test_a_port_that_has_the_service_already_is_said(clone, served):
    done = run(clone, "--port", str(served.port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Port {served.port} has this service already: end that one, or take another")


def test_a_port_that_needs_root_is_said(clone):
    first = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if not first.exists() or int(first.read_text()) <= 80:
        pytest.skip("all may listen on port 80 here")
    unprivileged = ("setpriv", "--inh-caps=-all", "--bounding-set=-net_bind_service") if os.geteuid() == 0 else ()
    done = run(clone, "--port", "80", before=unprivileged)
    assert done.returncode == 1
    assert done.stderr == "Port 80 needs root: take one from 1024 on, with scripts/run --port N\n"


def test_a_link_to_the_script_serves_its_own_project(clone, database, tmp_path):
    link = tmp_path / "serve it"
    link.symlink_to(clone / "scripts/run")
    (clone / ".env").write_text(f"DATABASE_URL={database.url}\nPORT=none\n")
    done = subprocess.run(
        [link], env=clean_environment(PYTHON_DOTENV_DISABLED="0"), cwd="/", capture_output=True, text=True, check=False
    )
    assert done.stderr.startswith("PORT must be a port")


@pytest.mark.parametrize(
    ("arguments", "settings"), [(["--port", "abc"], {}), ([], {"PORT": "0"}), ([], {"DATABASE_URL": ""})]
)
def test_a_wrong_setting_is_one_line_and_status_2(clone, arguments, settings):
    done = run(clone, *arguments, **settings)
    assert done.returncode == 2
    assert "set it, for example" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (clone / "data").exists()


def test_many_users_in_the_embedded_database_are_mentioned(clone):
    (clone / "data").mkdir()
    database = Database(clone / "data")
    database.start()
    with MongoClient(database.url) as client:
        client[NAME]["users"].insert_many([{"name": "Ann"} for _ in range(5001)])
    database.stop()
    with serving(clone, "--port", str(free_port())):
        assert "./data has 5,001 users, and the embedded database reads all of them" in (clone / "run.log").read_text()


def test_help_needs_nothing(clone):
    (clone / ".venv").unlink()
    for script in ("run", "test"):
        done = subprocess.run([clone / "scripts" / script, "--help"], capture_output=True, text=True, check=False)
        assert f"scripts/{script}" in done.stdout
        assert not (clone / ".venv").exists()


def test_the_tests_ask_no_proxy():
    nobody = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"), f"http://127.0.0.1:{free_port()}")
    result = run_tests("tests/api/test_about.py", "-k", "greet", **nobody, no_proxy="", NO_PROXY="")
    assert result.returncode == 0, result.stdout


def test_tests_that_cannot_run_are_counted_with_the_reason(tmp_path):
    result = run_tests("tests/containers", PATH=path_without_docker(tmp_path / "bin"))
    assert result.returncode == 0, result.stdout
    assert re.search(r"^\d+ containers tests skipped: there is no docker command$", result.stdout, re.MULTILINE)


def test_tests_that_cannot_run_fail_where_all_are_required():
    result = run_tests("tests/containers/test_image.py", DOCKER_HOST="unix:///nowhere.sock", REQUIRE_ALL="1")
    assert result.returncode == 1
    assert re.search("REQUIRE_ALL: Skipped: (no Docker Engine answers|there is no docker command)", result.stdout)
