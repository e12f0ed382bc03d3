"""A run of all benchmarks: the peers in turn, each round with fresh starts, so that a slow minute meets all of them."""

import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lib.environment import ROOT

from bench import servers
from bench.load import KINDS, check, measure
from bench.report import P99_CONNECTIONS, Results, connections_for_rate
from bench.servers import Peer, Server

SLOW_CLIENTS = 200
COMPARED = (servers.OURS, servers.EXPRESS, servers.FASTAPI)  # for starts, memory and slow clients


@dataclass(frozen=True)
class Plan:
    """How much to measure."""

    rounds: int
    starts: int
    seconds: int  # per sample
    peers: tuple[Peer, ...] = servers.ALL


FULL = Plan(rounds=5, starts=10, seconds=2)
QUICK = Plan(rounds=1, starts=3, seconds=1, peers=servers.ALL[:6])


class Run:
    """What the parts of a run share."""

    def __init__(self, plan: Plan, database: int, folder: Path) -> None:
        self.plan, self.database, self.folder = plan, database, folder
        self.results = Results()

    @contextmanager
    def running(self, peer: Peer) -> Iterator[Server]:
        """The peer, with the stub as its database."""
        with servers.running(peer, self.database, self.folder / "server.log") as server:
            yield server

    def rounds(self) -> None:
        """Each kind of request, for every peer."""
        for number in range(1, self.plan.rounds + 1):
            for peer in self.plan.peers:
                say(f"round {number} of {self.plan.rounds}: {peer.name}")
                with self.running(peer) as server:
                    if wrong := check(server):
                        sys.exit(f"{peer.name} answers {', '.join(wrong)} in another way than the service: fix that")
                    self.results.samples += [
                        measure(peer.name, server, kind, connections, self.plan.seconds)
                        for kind in KINDS
                        for connections in sorted({P99_CONNECTIONS, connections_for_rate(kind)})
                    ]
                    self.results.memory.setdefault(peer.name, []).append(server.memory())

    def starts(self) -> None:
        """The greeting after many starts: processes that share connections badly do so only sometimes."""
        for number in range(1, self.plan.starts + 1):
            say(f"start {number} of {self.plan.starts}")
            for peer in COMPARED:
                with self.running(peer) as server:
                    rate = measure(peer.name, server, "greeting", P99_CONNECTIONS, 1).rate
                    self.results.rates_of_starts.setdefault(peer.name, []).append(rate)

    def one_process(self) -> None:
        """Seconds to the first 200."""
        for number in range(1, self.plan.rounds + 1):
            say(f"one process, start {number} of {self.plan.rounds}")
            for peer in servers.ONE_PROCESS:
                with self.running(peer) as server:
                    self.results.seconds_to_start.setdefault(peer.name, []).append(server.seconds_to_start)

    def slow_clients(self) -> None:
        """The greeting while other clients hold connections, each with half a request."""
        for number in range(1, self.plan.rounds + 1):
            say(f"slow clients, round {number} of {self.plan.rounds}")
            for peer in (*COMPARED, servers.FLASK_SYNC):
                with self.running(peer) as server:
                    idle = measure(peer.name, server, "greeting", P99_CONNECTIONS, self.plan.seconds)
                    with slow_clients(server.port):
                        busy = measure(peer.name, server, "greeting", P99_CONNECTIONS, self.plan.seconds)
                    self.results.slow_clients.setdefault(peer.name, []).append(busy.p99 / idle.p99)


@contextmanager
def slow_clients(port: int) -> Iterator[None]:
    """Clients that have sent half a request."""
    clients = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(SLOW_CLIENTS)]
    try:
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ")
        yield
    finally:
        for client in clients:
            client.close()


def run(plan: Plan, delay: float) -> tuple[Results, list[str]]:
    """Measure everything.

    Args:
        plan: how much.
        delay: seconds that the database takes for each command.

    Returns:
        The results, and lines on when, where and how they were measured.
    """
    about = describe(plan, delay)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with servers.database(delay, folder / "database.log") as port:
            this = Run(plan, port, folder)
            for part in (this.rounds, this.starts, this.one_process, this.slow_clients):
                part()
    return this.results, about


def describe(plan: Plan, delay: float) -> list[str]:
    """When, where and how a run measures."""
    node = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    revision = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    load = os.getloadavg()[0]
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, revision {revision.stdout.strip() or 'unknown'}",
        f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}, Node {node}; load by wrk on the same machine",
        f"the database is a stub that answers each command after {delay * 1000:g} ms; a list takes two commands",
        f"{plan.rounds} rounds of {plan.seconds} s per sample, after a warm-up of 1 s; medians; {plan.starts} starts",
        "each server logs one line per request into a file, unless it says 'no log'",
    ]
    if load > 0.5:
        lines.append(f"**from a shared machine: other work was running** (load average before the run: {load:.1f})")
    return lines


def processor() -> str:
    """The name of this machine's processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def say(line: str) -> None:
    """Show progress."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
