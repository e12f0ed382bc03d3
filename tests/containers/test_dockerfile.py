"""The images: what is in them, what is not, how they are built and how they behave."""

import json
import re

import pytest

from tests.support.docker import PYTHON_IMAGE, docker, inspect, is_stand_in
from tests.support.waiting import wait_for

PLANTED = (".env", "service/.env", ".env.production", "tests/planted", "docs/planted", "planted")
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def production(project):
    """The image of the default target, built in a folder with things that have no place in an image."""
    for path in PLANTED:
        (project.folder / path).parent.mkdir(exist_ok=True)
        (project.folder / path).write_text("PLANTED=planted-secret\n")
    project.build("--build-arg", "VERSION=1.4.2", "--build-arg", "REVISION=abc", tag="production")
    for path in PLANTED:
        (project.folder / path).unlink()
    return f"{project.name}:production"


def run(image, *command):
    return docker("run", "--rm", "--network=none", image, *command).stdout


def test_what_the_image_says_of_itself(production):
    config = inspect(production)["Config"]
    assert config["User"] == "10001"
    assert config["Cmd"] == ["gunicorn", "--config", "service/gunicorn.conf.py"]
    assert config.get("Entrypoint") in (None, [])
    assert config["StopSignal"] == "SIGTERM"
    assert config["ExposedPorts"] == {"3000/tcp": {}}
    assert config["Healthcheck"]["Test"] == ["CMD", "python", "service/healthcheck.py"]
    labels = {name.rpartition(".")[2]: text for name, text in config["Labels"].items() if "opencontainers" in name}
    assert labels["version"] == "1.4.2"
    assert labels["revision"] == "abc"
    assert labels.keys() >= {"title", "created", "source", "licenses"}
    assert {"VERSION=1.4.2", "REVISION=abc"} <= set(config["Env"])  # for /about


def test_nothing_planted_is_inside_and_git_is_not(production):
    files = run(production, "find", "/app", "-not", "-name", "*.pyc").split()
    assert all(re.match(r"/app($|/service)", file) for file in files), files
    assert "planted-secret" not in run(production, "sh", "-c", "grep -rs planted-secret /app; true")
    assert "planted-secret" not in docker("history", "--no-trunc", production).stdout


def test_no_tool_that_installs_compiles_or_tests(production):
    for tool in ("pip", "pip3", "gcc", "cc", "pytest", "watchfiles", "uv", "curl"):
        assert run(production, "sh", "-c", f"command -v {tool} || echo none") == "none\n"
    for module in ("pip", "pytest", "watchfiles", "secantus"):
        found = run(production, "python", "-c", f"import importlib.util as u; print(u.find_spec({module!r}))")
        assert found == "None\n"


def test_the_bytecode_is_there_and_the_user_can_write_nothing(production):
    assert "settings.cpython-" in run(production, "ls", "service/__pycache__")
    assert run(production, "sh", "-c", "touch /app/x /opt/venv/x 2>/dev/null || id -u") == "10001\n"


def test_adds_at_most_35_megabytes_to_its_base(production):
    """27 for the locked packages, 5 for what pip leaves (see Dockerfile; 0 on the stand-in), and the service."""
    base = inspect(PYTHON_IMAGE)
    assert inspect(production)["Size"] - base["Size"] < (30 if is_stand_in(base["Id"]) else 35) * MEGABYTE


def test_a_wrong_setting_ends_it_with_status_2_and_one_line(production):
    for arguments, line in (
        ([], "DATABASE_URL is not set: "),
        (["--env", "DATABASE_URL="], "DATABASE_URL is empty: "),
        (["--env", "DATABASE_URL=mongodb://x/y", "--env", "PORT=abc"], "PORT must be "),
    ):
        done = docker("run", "--rm", "--network=none", *arguments, production, check=False)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith(line)
        assert done.stderr.count("\n") == 1


def test_is_healthy_without_a_database_and_ends_in_order(production):
    url = "mongodb://nowhere.invalid/flask-mongo-app"
    # A proxy that the client's configuration puts into each container: the health check must not ask it.
    names = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    settings = {"DATABASE_URL": url} | dict.fromkeys(names, "http://127.0.0.1:9")
    options = [f"--env={name}={value}" for name, value in settings.items()]
    container = docker("run", "--detach", *options, production).stdout.strip()
    try:
        wait_for(lambda: inspect(container)["State"]["Health"]["Status"] == "healthy", "the container to be healthy")
        ask = "from urllib.request import urlopen; print(urlopen('http://localhost:3000/about').read().decode())"
        about = json.loads(docker("exec", "--env", "no_proxy=localhost", container, "python", "-c", ask).stdout)
        assert about == {"hostname": container[:12], "version": "1.4.2", "revision": "abc", "database": "down"}
        docker("stop", container)
        assert inspect(container)["State"]["ExitCode"] == 0
        log = docker("logs", container).stdout
        assert {"Server is running on port 3000", "Could not connect to MongoDB"} <= {
            json.loads(line)["message"] for line in log.splitlines()
        }
    finally:
        docker("rm", "--force", container)


def test_the_health_check_notices_a_service_that_does_not_answer(production):
    container = docker(
        "run", "--detach", "--env", "DATABASE_URL=mongodb://x/y", production, "sleep", "60"
    ).stdout.strip()
    try:
        done = docker("exec", container, "python", "service/healthcheck.py", check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("unhealthy: ")
    finally:
        docker("rm", "--force", container)


def steps(log):
    """The builder's steps by their instruction, and whether each came from the cache."""
    names = dict(re.findall(r"^#(\d+) \[.*?\d/\d\] (.+)$", log, re.MULTILINE))
    return {name: f"#{number} CACHED" in log for number, name in names.items()}


def test_a_changed_line_of_code_reinstalls_nothing(project, production):
    again = steps(project.build(tag="production"))
    code = project.folder / "service/web.py"
    code.write_text(code.read_text() + "\n# changed\n")
    changed = steps(project.build(tag="production"))
    install = next(name for name in changed if "--requirement requirements.txt" in name)
    assert again[install]
    assert changed[install]
    assert again["COPY --chmod=755 service service"]
    assert not changed["COPY --chmod=755 service service"]


def test_the_dockerfile_has_no_warnings(project):
    assert "no warnings found" in docker("build", "--check", project.folder).stdout


def test_another_base_image_by_a_build_argument(project):
    docker("tag", PYTHON_IMAGE, f"{project.name}:base")
    log = project.build("--build-arg", f"PYTHON_IMAGE={project.name}:base", tag="other")
    assert f"{project.name}:base" in log
