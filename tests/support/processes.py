"""The service and the embedded database as processes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import requests

from tests.support.environment import clean_environment
from tests.support.ports import accepts, free_port
from tests.support.repository import ROOT
from tests.support.waiting import LIMIT, wait_for


@contextlib.contextmanager
def ended(process: subprocess.Popen, limit: float = LIMIT) -> Iterator[subprocess.Popen]:
    """End the process, and with it its process group, when the block ends."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(limit)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


class Database:
    """A MongoDB-compatible server of its own process, that a test can stop, freeze and start again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/flask-mongo-app-test"

    def start(self) -> None:
        # Not the command secantusd-py: like all that pip installs, it fails where quotes are in the path.
        program = [sys.executable, "-c", "from secantus.cli import main; main()"]
        command = [*program, "--host", "127.0.0.1", "--port", str(self.port), "--standalone"]
        options = ["--storage-path", self.folder / "db", "--log-level", "WARNING"]
        with (self.folder / "database.log").open("a") as log:
            self.process = subprocess.Popen([*command, *options], stdout=log, stderr=log, start_new_session=True)
        wait_for(lambda: accepts(self.port) or self.process.poll() is not None, "the database's port")
        assert self.process.poll() is None, (self.folder / "database.log").read_text()

    def stop(self) -> None:
        if self.process is not None:
            with ended(self.process):
                pass

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Its connections stay open and nothing answers: the worst way for a database to be away."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


class Server:
    """The service as gunicorn serves it, with the settings given."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = folder / f"server-{self.port}.log"
        self.settings = {"PORT": str(self.port)} | settings

    def launch(self) -> subprocess.Popen:
        command = [sys.executable, "-m", "gunicorn", "--config", "service/gunicorn.conf.py"]
        with self.output.open("w") as output:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=clean_environment(**self.settings),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @contextlib.contextmanager
    def running(self) -> Iterator[subprocess.Popen]:
        """The process, from the moment at which it answers."""
        with ended(self.launch()) as process:
            wait_for(lambda: process.poll() is not None or self.get("/healthz").ok, "the service to answer")
            assert process.poll() is None, self.output.read_text()
            yield process

    def log(self) -> list[dict[str, object]]:
        """The lines that the service has logged; the last one may still be half written, and is left out then."""
        return [json.loads(line) for line in self.output.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def logged(self, request_id: str) -> list[dict[str, object]]:
        """Wait for the lines of one request, and return them."""
        return wait_for(
            lambda: [line for line in self.log() if line.get("request_id") == request_id],
            f"the log of request {request_id}",
        )

    def request(self, method: str, path: str, **options: object) -> requests.Response:
        return requests.request(method, self.url + path, timeout=LIMIT, **options)

    def get(self, path: str, **options: object) -> requests.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: object) -> requests.Response:
        return self.request("POST", path, **options)
