"""The benchmarks: the database stub, the statistics, and one sample of the service. No engine and no npm is needed."""

import asyncio
import shutil
import sys
from dataclasses import replace
from math import inf

import pytest
from bson import ObjectId
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import OperationFailure

from bench import servers
from bench.load import KINDS, Sample, check, measure
from bench.report import Results, connections_for_rate, goals, markdown, picture
from bench.stub import USERS
from tests.support.processes import Server
from tests.support.repository import NAME
from tests.support.waiting import wait_for

PEERS = {"ours": 100.0, "express": 50.0, "fastapi": 200.0, "flask-sync": 25.0, "flask-dev": 25.0}


@pytest.fixture(scope="module")
def stub(tmp_path_factory):
    """The port of a stub that answers after a millisecond."""
    with servers.database(0.001, tmp_path_factory.mktemp("stub") / "log") as port:
        yield port


@pytest.fixture(scope="module")
def service(stub, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"), DATABASE_URL=f"mongodb://127.0.0.1:{stub}/{NAME}")
    with server.running():
        yield server


def test_the_service_reads_and_writes_the_stub(service):
    listed = service.get("/users").json()
    assert [user["id"] for user in listed["users"]] == [str(user["_id"]) for user in USERS[:50]]
    assert (listed["next"] is None, listed["total"]) == (False, len(USERS))
    first = service.get(f"/users/{USERS[0]['_id']}").json()
    assert first["email"] == USERS[0]["email"]
    created = service.post("/users", json={"name": "Ann", "email": "ann@example.org"})
    assert (created.status_code, created.json()["name"]) == (201, "Ann")


def test_the_service_is_ready_with_the_stub(service):
    assert service.get("/readyz").status_code == 200


def test_the_stub_refuses_what_it_does_not_know(stub):
    with MongoClient("127.0.0.1", stub) as client, pytest.raises(OperationFailure, match="the stub has no aggregate"):
        list(client[NAME]["users"].aggregate([]))


def test_the_stub_answers_two_commands_of_one_connection_side_by_side(stub):
    async def read() -> list:
        async with AsyncMongoClient("127.0.0.1", stub) as client:
            users = client[NAME]["users"]
            return await asyncio.gather(*(users.find_one({"_id": ObjectId()}) for _ in range(5)))

    assert asyncio.run(read()) == [USERS[0]] * 5


@pytest.fixture
def results():
    """Three samples of each: the median is known, and one sample is far off."""
    results = Results()
    for peer, rate in PEERS.items():
        for kind in KINDS:
            for connections in {32, connections_for_rate(kind)}:
                results.samples += [
                    Sample(peer, kind, connections, rate * factor, p99=1000 / rate, cpu=10 / rate, errors=0)
                    for factor in (1.0, 0.1, 1.5)
                ]
    results.rates_of_starts["ours"] = [100.0, 80.0, 100.0, 110.0]
    results.seconds_to_start["ours"] = [0.5, 0.6, 9.0]
    results.memory["ours"] = [91.0]
    results.slow_clients["ours"] = [1.5]
    results.slow_clients["flask-sync"] = [float("inf")]
    return results


def test_goals_compare_medians(results):
    found = {goal.name: (round(goal.value, 2), goal.met) for goal in goals(results)}
    assert found["greeting, requests/s, against express"] == (2.0, True)
    assert found["greeting, requests/s, against fastapi"] == (0.5, False)
    assert found["greeting, the worst start against the median"] == (0.8, False)
    assert found["create, requests/s, against flask-sync"] == (4.0, True)
    assert found["list, p99, against express"] == (0.5, True)
    assert found["read, processor time, against express"] == (0.5, True)
    assert found["start to first 200, one process"] == (0.6, True)
    assert found["memory, idle"] == (91, False)


def test_a_server_that_answers_nothing_is_shown_as_that(results):
    silent = [replace(sample, rate=0.0, p99=inf, cpu=inf) for sample in results.samples if sample.peer == "flask-sync"]
    results.samples = [sample for sample in results.samples if sample.peer != "flask-sync"] + silent
    assert {goal.met for goal in goals(results) if goal.name.endswith("against flask-sync")} == {True}
    assert "| flask-sync | 0 | 0 to 0 | no answer | no answer | 0 |" in markdown(results, ["today"])
    assert picture(results)


def test_the_page_has_every_peer_and_kind(results):
    page = markdown(results, ["today"])
    assert page.count("| ours | 100 | 10 to 150 | 10 | 0.1 | 0 |") == len(KINDS)
    assert "| memory, idle | ≤ 90 MB | 91 MB | missed |" in page
    assert "| flask-sync | - | - | - | no answer |" in page
    widths = [len(line.split("|")) for line in page.splitlines() if line.startswith("|")]
    assert min(widths) > 4


def test_the_picture_has_a_bar_per_peer_and_kind(results):
    assert picture(results).count("<rect ") == len(PEERS) * len(KINDS)


def test_a_sample_of_the_service(stub, tmp_path):
    if shutil.which("wrk") is None:
        pytest.skip("wrk is not installed (Debian: apt install wrk)")
    with servers.running(servers.OURS, stub, tmp_path / "log") as server:
        process = server.process
        wait_for(lambda: len(server.members()) == 3, "gunicorn's first process and two workers")
        assert server.memory() > 10
        assert check(server) == []
        sample = measure("ours", server, "create", 4, 1)
    assert (sample.peer, sample.kind, sample.errors) == ("ours", "create", 0)
    assert min(sample.rate, sample.p99, sample.cpu) > 0
    assert process.poll() is not None
    assert '"POST"' in (tmp_path / "log").read_text()


def test_a_server_that_answers_something_else_is_noticed(stub, tmp_path):
    lists_files = servers.Peer("other", (sys.executable, "-m", "http.server", "--bind=127.0.0.1", "{port}"))
    with servers.running(lists_files, stub, tmp_path / "log") as server:
        assert check(server) == list(KINDS)


def test_a_server_that_does_not_start_is_named_with_its_last_words(stub, tmp_path):
    broken = servers.Peer("broken", ("sh", "-c", "echo no such module; exit 1"))
    with (
        pytest.raises(SystemExit, match=r"^broken did not start \(no such module\)"),
        servers.running(broken, stub, tmp_path / "log"),
    ):
        pass
