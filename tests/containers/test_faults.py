"""The stack while its database is paused, cut off or moved, and while its service is replaced under load."""

import contextlib
import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.docker import docker, inspect
from tests.support.load import load
from tests.support.users import emails, problem
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def stack(project):
    project.compose("up", "--build", "--wait", "--detach")
    project.ready()
    return project


def address(stack, container):
    """A container's address on the stack's network."""
    return inspect(container)["NetworkSettings"]["Networks"][f"{stack.name}-net"]["IPAddress"]


@contextlib.contextmanager
def paused(stack):
    """The database hangs: connections stay open and nothing answers."""
    stack.docker("pause", stack.container("mongodb"))
    yield
    stack.docker("unpause", stack.container("mongodb"))


@contextlib.contextmanager
def cut_off(stack):
    """The database is on no network: what is sent to it is lost."""
    stack.docker("network", "disconnect", f"{stack.name}-net", stack.container("mongodb"))
    yield
    stack.docker("network", "connect", "--alias", "mongodb", f"{stack.name}-net", stack.container("mongodb"))


@contextlib.contextmanager
def moved(stack):
    """The database comes back at another address: its own is taken meanwhile."""
    mongodb, takers = stack.container("mongodb"), []
    before, image = address(stack, mongodb), inspect(mongodb)["Config"]["Image"]
    stack.compose("stop", "mongodb")
    try:
        while before not in [address(stack, taker) for taker in takers]:
            run = ("run", "--detach", "--network", f"{stack.name}-net", image, "sleep", "infinity")
            takers.append(stack.docker(*run).stdout.strip())
        yield
        stack.compose("start", "mongodb")
        assert address(stack, mongodb) != before
    finally:
        docker("rm", "--force", "--volumes", *takers)


@pytest.mark.parametrize("fault", [paused, cut_off, moved])
def test_it_recovers_by_itself(stack, fault, tries, record_property):
    started, slowest = inspect(stack.container("app"))["State"]["StartedAt"], 0.0
    for number in range(tries(1, 10)):
        with ThreadPoolExecutor(64) as clients:
            with fault(stack):
                waiting = [clients.submit(stack.request, "GET", "/users") for _ in range(64)]
                assert stack.request("GET", "/healthz").ok
                for response in waiting:
                    problem(response.result(), 503)
            begun = time.monotonic()
            email = f"{fault.__name__}-{number}@example.org"
            wait_for(lambda: stack.request("POST", "/users", json={"name": "Ann", "email": email}).ok, "a new user")  # noqa: B023
            slowest = max(slowest, time.monotonic() - begun)
            stack.ready()
    record_property("slowest recovery in seconds", round(slowest, 1))
    assert inspect(stack.container("app"))["State"]["StartedAt"] == started


@pytest.mark.parametrize("commands", [["up --detach --force-recreate --no-deps app"], ["stop app", "start app"]])
def test_each_user_that_was_created_was_acknowledged_when_the_service_is_replaced(
    stack, commands, tries, record_property
):
    # A request that was carried out but not answered would leave a user that no client knows of.
    acknowledged, numbers = set(), itertools.count()

    def create():
        email = f"{commands[0].split()[0]}-{next(numbers)}@example.org"
        response = stack.request("POST", "/users", json={"name": "Ann", "email": email})
        if response.status_code == 201:
            acknowledged.add(email)
        return response

    with load(create) as statuses:
        for _ in range(tries(2, 20)):
            for command in commands:
                stack.compose(*command.split())
            stack.ready()
    assert set(statuses) <= {0, 201, 503}  # 0: nothing listened
    record_property("acknowledged users", len(acknowledged))
    assert {email for email in emails(stack) if email.startswith(commands[0].split()[0])} == acknowledged
