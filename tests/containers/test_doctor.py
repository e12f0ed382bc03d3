"""scripts/doctor: what a real engine says of itself, and what is in the way there."""

import json

import pytest

from tests.support.docker import docker


@pytest.fixture
def results(project):
    """What the doctor finds now: the status and the fix of each check."""

    def ask():
        checks = json.loads(project.script("doctor", "--json").stdout)["checks"]
        return {check["check"]: (check["status"], check["fix"]) for check in checks}

    return ask


def test_a_real_engine_is_understood(results):
    found = results()
    for check in ("engine", "compose", "buildx", "port", "mongodb port", ".env", "base images", "volumes", "networks"):
        assert found[check] == ("ok", None), check
    assert found["kernel"] == ("ok", None)
    assert found["cpu"][0] in ("ok", "not checked")  # elsewhere, no MongoDB would run here
    assert found["clock"][0] in ("ok", "not checked")


def test_what_was_made_by_hand_is_found_and_the_mends_work(project, results):
    network, volume, container = f"{project.name}-net", f"{project.name}-data", f"{project.name}-by-hand"
    docker("network", "create", network)
    docker("volume", "create", volume)
    docker("tag", "mongo:8.0", f"{project.name}:by-hand")
    port = project.environment["PORT"]
    options = ("--publish", f"127.0.0.1:{port}:3000", "--volume", f"{volume}:/data/db", "--entrypoint", "sleep")
    docker("run", "--detach", "--init", "--name", container, *options, f"{project.name}:by-hand", "600")

    found = results()
    created = project.compose("create", "mongodb", check=False)
    assert f"a network with name {network} exists but was not created by compose" in created.stderr
    if "incorrect label" in created.stderr:  # Compose before 5.4
        assert created.returncode != 0
        assert found["networks"] == ("failed", f"remove the containers on it, then docker network rm {network}")
    else:
        assert created.returncode == 0
        assert found["networks"][0] == "warning"
    assert found["volumes"][0] == "warning"
    assert found["containers"] == ("failed", f"docker rm --force {container} (the volume keeps its data)")
    assert found["port"][0] == "failed"
    assert found["port"][1].startswith(f"docker stop {container}, or ")

    docker("stop", "--timeout", "1", container)
    assert results()["port"] == ("ok", None)
    assert results()["containers"] == ("ok", None)
    docker("rm", "--force", container)
    docker("network", "rm", network)
    assert results()["networks"] == results()["containers"] == ("ok", None)
    project.compose("create", "mongodb")
