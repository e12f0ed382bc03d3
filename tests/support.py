"""What tests of more than one folder use: the real processes they talk to, and ways to wait for them."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import requests

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
NAME = "flask-mongo-app"  # the token that every name comes from
# What somebody's shell may have, and none of our programs may depend on. Nothing listens on port 9.
PROXIES = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
PROXIES |= {"no_proxy": "", "NO_PROXY": ""}
HOSTILE = PROXIES | {
    "CDPATH": ".:/tmp:/",
    "GREP_COLOR": "1;31",
    "GREP_COLORS": "mt=1;31",
    "GREP_OPTIONS": "--color=always",
    "GZIP": "--verbose",
    "IFS": "0123456789",
    "LS_COLORS": "di=1",
    "POSIXLY_CORRECT": "1",
    "PYTHONSAFEPATH": "1",
    "TAR_OPTIONS": "--verbose",
}
LIMIT = 60  # seconds that a condition may take on a slow machine before its test has failed

Value = TypeVar("Value")


def wait_for(condition: Callable[[], Value], what: str, limit: float = LIMIT) -> Value:
    """Wait until the condition is true, and return what it gave. A refused or broken connection counts as not yet."""
    end = time.monotonic() + limit
    while True:
        with contextlib.suppress(requests.RequestException, OSError):
            if value := condition():
                return value
        assert time.monotonic() < end, f"waited {limit} s for {what}"
        time.sleep(0.05)


def free_port() -> int:
    """A port of this machine's loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port: int) -> bool:
    """Whether something listens on this port of the loopback address."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def clean_environment(**settings: str) -> dict[str, str]:
    """This process's environment without its settings of the service, plus those given; the service reads no .env."""
    from service.settings import Settings

    ours = {name for field in Settings.model_fields for name in (field.upper(), f"{field.upper()}_FILE")}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"PYTHON_DOTENV_DISABLED": "1", "PYTHONUNBUFFERED": "1"} | settings


def path_without_docker(folder: Path) -> str:
    """A PATH with all commands of this machine but docker: links in a new folder."""
    folder.mkdir()
    for path in filter(Path.is_dir, map(Path, os.environ["PATH"].split(os.pathsep))):
        for command in path.iterdir():
            if command.name != "docker" and not (folder / command.name).is_symlink():  # the first one counts
                (folder / command.name).symlink_to(command)
    return str(folder)


def run_tests(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/test, without REQUIRE_ALL."""
    command = [ROOT / "scripts/test", "-q", "-p", "no:cacheprovider", *arguments]
    here = {name: value for name, value in os.environ.items() if name != "REQUIRE_ALL"}
    return subprocess.run(command, env=here | variables, capture_output=True, text=True, check=False)


def prose(lines: list[str]) -> dict[int, str]:
    """The lines outside of fenced blocks and tables, by their numbers."""
    kept, fenced = {}, False
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith("|"):
            kept[number] = line
    return kept


def dead_links(page: Path) -> list[str]:
    """The files that a page links to and that do not exist."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    return [link for link in links if not (page.parent / link).exists()]


def copy_repository(folder: Path, name: str = NAME) -> None:
    """Copy the files of this repository, changes that are not committed yet included, with another name in them."""
    listing = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, check=True, capture_output=True, text=True).stdout
    for file in filter(None, listed.split("\0")):
        if (ROOT / file).is_file():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, folder / file)
            content = (folder / file).read_bytes()
            if name != NAME and NAME.encode() in content:
                (folder / file).write_bytes(content.replace(NAME.encode(), name.encode()))
    folder.chmod(0o755)  # as a clone is: the containers' user reads it


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
