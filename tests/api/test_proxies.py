"""What proxies in front say, believed or not."""

import re
import subprocess
import sys

import pytest

from tests.support.environment import clean_environment
from tests.support.processes import Server
from tests.support.repository import ROOT
from tests.support.users import create

SAID = {
    "X-Forwarded-For": "198.51.100.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "example.org",
    "X-Forwarded-Prefix": "/app",
}


@pytest.fixture(scope="module")
def behind(database_url, tmp_path_factory):
    """The service behind one proxy."""
    server = Server(tmp_path_factory.mktemp("behind"), DATABASE_URL=database_url, TRUSTED_PROXIES="1")
    with server.running():
        yield server


def links(server, said):
    """All that leads from one answer of the service to another one."""
    created = server.post("/users", headers=said, json={"name": "Eve", "email": "eve@example.org"})
    following = server.get("/users?limit=1", headers=said).json()["next"]
    return [created.headers["Location"], following]


def test_a_path_prefix_is_in_all_links(service, behind):
    for number in range(2):
        create(service, email=f"{number}@example.org")
    found = links(behind, SAID)
    assert [link for link in found if not link.startswith("/app/")] == []
    for link in found:
        assert behind.get(link.removeprefix("/app"), headers=SAID).ok


@pytest.mark.parametrize("said", ["/app", "/app/"])
def test_a_slash_at_its_end_changes_nothing(service, behind, said):
    response = behind.post("/users", headers=SAID | {"X-Forwarded-Prefix": said}, json={"name": "Ann", "email": "a@b"})
    assert re.fullmatch("/app/users/[0-9a-f]{24}", response.headers["Location"])


def test_without_a_word_of_the_proxy_there_is_no_prefix(service, behind):
    for number in range(2):
        create(service, email=f"{number}@example.org")
    assert [link for link in links(behind, {}) if "app" in link] == []


def test_nobody_is_believed_unless_told_so(service):
    for number in range(2):
        create(service, email=f"{number}@example.org")
    assert [link for link in links(service, SAID) if "app" in link or "example.org" in link] == []


def test_probes_need_no_proxy(behind):
    environment = clean_environment(PORT=str(behind.port))
    command = [sys.executable, ROOT / "service/healthcheck.py"]
    assert subprocess.run(command, env=environment, check=False).returncode == 0


def test_the_environment_sets_no_prefix(database_url, tmp_path):
    server = Server(tmp_path, DATABASE_URL=database_url, SCRIPT_NAME="/app")  # gunicorn would refuse all other paths
    with server.running():
        assert server.get("/users").ok
