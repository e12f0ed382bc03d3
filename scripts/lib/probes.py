"""The facts about this machine that scripts/doctor checks, gathered all at once, each with a time limit.

Needs only the standard library of Python 3.9 or newer: the doctor may be the first program that a user runs.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http.client import HTTPException
from threading import Thread
from typing import Any, Callable
from urllib.error import HTTPError
from urllib.request import urlopen

LIMIT = 2  # seconds that one command or one request may take
TOO_LATE = f"no answer within {LIMIT} s"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Machine:
    """The answers of this machine. A question without an answer in time keeps the default here."""

    endpoint: str = ""  # where the client looks for the engine
    engine: dict[str, Any] = field(default_factory=dict)  # as the function engine returns it
    containers: list[dict[str, str]] | None = None
    volumes: list[dict[str, str]] | None = None
    networks: list[dict[str, str]] | None = None
    images: dict[str, bool] = field(default_factory=dict)  # whether the engine has each image asked for
    ports: dict[int, bool] = field(default_factory=dict)  # whether something listens on each port asked for
    registries: dict[str, float | None] = field(default_factory=dict)  # as registry_ahead returns it


def examine(ports: set[int], images: set[str]) -> Machine:
    """Ask for everything. Takes at most half a second more than LIMIT."""
    hosts = {registry_of(image) for image in images}
    every = {
        "endpoint": lambda: docker("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")[0].strip(),
        "engine": engine,
        # Without sizes: to compute them, the engine would read all files of the containers.
        "containers": lambda: table("ps", "--all", "--no-trunc", "--size=false"),
        "volumes": lambda: table("volume", "ls"),
        "networks": lambda: table("network", "ls"),
        "images": lambda: at_once({image: partial(has, image) for image in images}, LIMIT + 0.2),
        "ports": lambda: {port: listens(port) for port in ports},
        "registries": lambda: at_once({host: partial(registry_ahead, host) for host in hosts}, LIMIT + 0.2),
    }
    return Machine(**at_once(every, LIMIT + 0.4))


def at_once(questions: dict[str, Callable[[], Any]], limit: float) -> dict[str, Any]:
    """Ask each question in its own thread. The result has no entry for a question unanswered after `limit` seconds."""
    answers: dict[str, Any] = {}

    def ask(name: str) -> None:
        with contextlib.suppress(ValueError):  # docker did not print JSON
            answers[name] = questions[name]()

    # Daemon threads: one that waits for a slow name server does not keep the script from ending.
    threads = [Thread(target=ask, args=(name,), daemon=True) for name in questions]
    end = time.monotonic() + limit
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return answers.copy()


def docker(*arguments: str) -> tuple[str, str]:
    """Docker's standard output and standard error."""
    pipe = subprocess.PIPE
    try:
        # Its own session, so that a child of docker (ssh, to a remote engine) is killed with it.
        process = subprocess.Popen(
            ["docker", *arguments], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True
        )
    except OSError as error:
        return "", str(error)
    with process:
        try:
            output, complaint = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return "", TOO_LATE
    return output.decode(errors="replace"), complaint.decode(errors="replace").strip()


def table(*arguments: str) -> list[dict[str, Any]] | None:
    """A listing by docker, one JSON object per line. None if docker did not answer in time."""
    output, complaint = docker(*arguments, "--format", "{{json .}}")
    return None if complaint == TOO_LATE else [json.loads(line) for line in output.splitlines()]


def has(image: str) -> bool:
    return docker("image", "inspect", "--format", "{{.Id}}", image)[0] != ""


def engine() -> dict[str, Any]:
    """The engine's and the client's description of themselves, with two more keys. `complaint` is the client's error
    message if no engine answers. `ahead` is how many seconds the engine's clock is ahead of this machine's, or None.
    """
    output, complaint = docker("info", "--format", "{{json .}}")
    now = time.time()
    facts = json.loads(output or "{}")
    ahead = moment(facts["SystemTime"]) - now if facts.get("SystemTime") else None
    return {**facts, "complaint": complaint, "ahead": ahead}


def moment(timestamp: str) -> float:
    """Seconds since 1970 of an RFC 3339 timestamp, whose fraction may have nine digits."""
    whole, zone = timestamp[:19], timestamp[19:].lstrip(".0123456789")
    return datetime.strptime(whole + zone, "%Y-%m-%dT%H:%M:%S%z").timestamp()


def listens(port: int) -> bool:
    """Whether something on this machine has the port."""
    # Try both: macOS lets us bind 127.0.0.1 while another process holds 0.0.0.0, and a bound socket need not accept
    # connections.
    with socket.socket() as probe:
        probe.settimeout(LIMIT)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            return True
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE  # we may not bind a port below 1024, but Docker may
    return False


def registry_of(image: str) -> str:
    """The host that the engine pulls an image from: registry:5000/python names one, library/python does not."""
    host, slash, _ = image.partition("/")
    if slash and (host == "localhost" or "." in host or ":" in host) and host != "docker.io":
        return host
    return "registry-1.docker.io"


def registry_ahead(host: str) -> float | None:
    """Seconds by which the registry's clock is ahead of this machine's; None if no registry answers."""
    scheme = "http" if is_loopback(host) else "https"  # as docker does
    # Reaching it is enough. Which CAs the engine trusts is its own business, and Python's list may differ.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        try:
            answer = urlopen(f"{scheme}://{host}/v2/", timeout=LIMIT, context=context)  # noqa: S310 - one of these two
        except HTTPError as error:
            answer = error
        with answer:
            if answer.code not in (200, 401):  # a registry's answers to a request without a login
                return None
            return parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()
    except (OSError, HTTPException, TypeError, ValueError):
        return None


def is_loopback(host: str) -> bool:
    """Whether host[:port] is this machine."""
    return host in LOOPBACK or host.rpartition(":")[0] in LOOPBACK
