"""The servers that are compared, and the database stub, as processes of this machine's loopback address."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from lib.environment import ROOT

BENCH = ROOT / "bench"
PEERS = BENCH / "peers"
GUNICORN = (sys.executable, "-m", "gunicorn", "--bind=127.0.0.1:{port}")
START_LIMIT = 60  # seconds
GREETING = "Ram Ram bhai Sareya Ne"  # as the peers have it


@dataclass(frozen=True)
class Peer:
    """A way to serve the same requests."""

    name: str
    command: tuple[str, ...]
    folder: Path = PEERS
    variables: dict[str, str] = field(default_factory=dict, hash=False)


OURS = Peer(
    "ours", (*GUNICORN, "--config=service/gunicorn.conf.py"), ROOT, {"WEB_CONCURRENCY": "2", "GREETING": GREETING}
)
OURS_SILENT = Peer("ours, no log", OURS.command, ROOT, OURS.variables | {"LOG_LEVEL": "WARNING"})
EXPRESS = Peer("express", ("node", "express/server.js"))
EXPRESS_SILENT = Peer("express, no log", EXPRESS.command, variables={"LOG": "off"})
CLUSTER = Peer("express, cluster of 2", EXPRESS.command, variables={"WEB_CONCURRENCY": "2"})
FASTAPI = Peer(
    "fastapi",
    (sys.executable, "-m", "uvicorn", "fastapi_app:app", "--port={port}", "--workers=2", "--no-access-log"),
)
FLASK_SYNC = Peer("flask-sync", (*GUNICORN, f"--workers={2 * (os.cpu_count() or 1) + 1}", "flask_app:app"))
FLASK_DEV = Peer("flask-dev", (sys.executable, "-m", "flask", "--app=flask_app", "run", "--port={port}"))
ALL = (OURS, EXPRESS, CLUSTER, FASTAPI, FLASK_SYNC, FLASK_DEV, OURS_SILENT, EXPRESS_SILENT)
ONE_PROCESS = (
    Peer("ours", OURS.command, ROOT, OURS.variables | {"WEB_CONCURRENCY": "1"}),
    EXPRESS,
    Peer("fastapi", tuple(part for part in FASTAPI.command if part != "--workers=2")),
    FLASK_DEV,
)


def free_port() -> int:
    """A port of this machine's loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A running process with its child processes."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port
        self.seconds_to_start = 0.0

    def members(self) -> list[Path]:
        """The folders in /proc of the process and its child processes."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if int(_fields(folder)[3]) == self.process.pid:  # the session
                    found.append(folder)
        return found

    def cpu(self) -> float:
        """Seconds of processor time that all processes have used."""
        ticks = sum(int(_fields(folder)[number]) for folder in self.members() for number in (11, 12))
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Megabytes of all processes; what they share counts once."""
        lines = [(folder / "smaps_rollup").read_text().split("\nPss:")[1] for folder in self.members()]
        return sum(int(line.split()[0]) for line in lines) / 1000


def _fields(folder: Path) -> list[str]:
    # After the name, which may contain spaces: the state, the parent, the group, the session …
    return (folder / "stat").read_text().rpartition(")")[2].split()


@contextmanager
def running(peer: Peer, database: int, log: Path) -> Iterator[Server]:
    """The peer, from its first 200 to the end of the block.

    Args:
        peer: what to start.
        database: the port of the database.
        log: the file for what the peer prints.
    """
    port = free_port()
    url = f"mongodb://127.0.0.1:{database}/flask-mongo-app"
    variables = {"PORT": str(port), "DATABASE_URL": url, "NODE_ENV": "production", "LOG_LEVEL": "INFO"}
    command = [part.format(port=port) for part in peer.command]
    with _process(command, peer.folder, variables | peer.variables, log) as process:
        server, begin = Server(process, port), time.monotonic()
        while not _answers(port):
            if process.poll() is not None or time.monotonic() - begin > START_LIMIT:
                sys.exit(f"{peer.name} did not start ({_last_line(log)}): remove the cause, then start this again")
            time.sleep(0.01)
        server.seconds_to_start = time.monotonic() - begin
        yield server


@contextmanager
def database(delay: float, log: Path) -> Iterator[int]:
    """The database stub, once it listens. Yields its port.

    Args:
        delay: seconds between a command and its answer.
        log: the file for what the stub prints.
    """
    port = free_port()
    with _process([sys.executable, "-m", "bench.stub", str(port), str(delay)], ROOT, {}, log) as process:
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            if process.poll() is not None:
                sys.exit(f"The database stub did not start ({_last_line(log)})")
            time.sleep(0.01)
        yield port


@contextmanager
def _process(
    command: list[str], folder: Path, variables: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHON_DOTENV_DISABLED": "1"} | variables,  # no settings of the user's
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):  # child processes that are still there
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _last_line(log: Path) -> str:
    return (log.read_text(errors="replace").strip().splitlines() or ["it printed nothing"])[-1]
